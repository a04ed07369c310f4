"""A tiny checkpoint of a translator is converted, and translates."""

import pytest
from tests.translation.checkpoints import m2m100

from xstilts.running.errors import UserError
from xstilts.translation import ctranslate
from xstilts.translation.engines import Place, engine

SPEC = {"engine": "ctranslate2", "codes": ["en", "de"], "batch_tokens": 64, "beam": 2}
LINES = ["Anna buys a red car in the park.", "Tom.", "Who is in Berlin?"] * 5


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """The folder of a converted checkpoint."""
    folder = tmp_path_factory.mktemp("m2m100")
    ctranslate.convert(m2m100(folder / "source"), "acme/m2m", "int8", folder / "made")
    return folder / "made"


def test_converted(converted):
    """What CTranslate2 reads, with the tokenizer in a folder of its own, and nothing left over."""
    names = {path.name for path in converted.iterdir()}
    assert names == {*ctranslate.CONVERTED, ctranslate.TOKENIZER}


def test_translates(converted):
    """A line for a line; alike ones alike, in whatever batch; the same again."""
    made = engine(SPEC, Place(str(converted)))
    found = made.translate(LINES)
    assert len(found) == len(LINES) and found[:3] == found[3:6] == made.translate(LINES)[:3]
    tokens = made.tokens(["Tom."])[0]
    assert tokens[0] == "__en__" and tokens[-1] == "</s>" and made.prefix == "__de__"
    assert not any("__" in text for text in found)


def test_a_segment_that_is_too_long(converted, capsys):
    """It is cut at the positions that the checkpoint has, and told."""
    made = engine(SPEC, Place(str(converted)))
    assert len(made.translate(["word " * 200, "Tom."])) == 2
    assert "1 segments of more than 64 tokens are cut" in capsys.readouterr().out


def test_as_transformers_does(converted, tmp_path):
    """Greedy search in fp32 writes what transformers' own generation of the checkpoint writes."""
    import torch
    import transformers

    source = m2m100(tmp_path / "source", seed=3)
    ctranslate.convert(source, "acme/m2m", "float32", tmp_path / "made")
    made = engine({**SPEC, "beam": 1}, Place(str(tmp_path / "made")))
    model = transformers.M2M100ForConditionalGeneration.from_pretrained(source).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(source, src_lang="en")
    inputs = tokenizer(LINES[:1], return_tensors="pt")
    with torch.no_grad():
        ids = model.generate(
            **inputs, forced_bos_token_id=tokenizer.get_lang_id("de"), num_beams=1,
            do_sample=False, max_new_tokens=20,
        )  # fmt: skip
    wanted = tokenizer.batch_decode(ids, skip_special_tokens=True)[0].removeprefix("__de__")
    assert made.translate(LINES[:1])[0][:20] == wanted[:20]


@pytest.mark.parametrize("codes", [["en", "xx"], ["xx", "de"]])
def test_a_language_that_it_has_not(converted, codes):
    """Its code is named."""
    with pytest.raises(UserError, match="has no language `xx`; give its code in `codes`"):
        engine({**SPEC, "codes": codes}, Place(str(converted)))


def test_what_is_no_translator(tmp_path):
    """By its config, before it is loaded."""
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(UserError, match="of the architecture `bert`; a translator is"):
        ctranslate.check(tmp_path, "acme/bert", set())
    with pytest.raises(UserError, match=r"acme/bert: .* cannot be converted"):
        ctranslate.convert(tmp_path, "acme/bert", "int8", tmp_path / "made")


def test_a_damaged_checkpoint(converted, tmp_path):
    """One line says which folder."""
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(converted, copy)
    (copy / "model.bin").write_bytes((copy / "model.bin").read_bytes()[:1000])
    with pytest.raises(UserError, match="copy: cannot be loaded by CTranslate2"):
        engine(SPEC, Place(str(copy)))


def test_not_installed(monkeypatch):
    """How it is installed."""
    monkeypatch.setattr(ctranslate.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'ctranslate2>=4.8'"):
        ctranslate.check_installed()
