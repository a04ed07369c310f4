"""The model step on folders: what is written, and what is refused."""

import json
import shutil
from pathlib import Path

import pytest
from tests.hub import mirror

from xstilts.data import pin
from xstilts.models import fetch
from xstilts.running.errors import UserError
from xstilts.steps import model as model_step

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return mirror.write_model(tmp_path_factory.mktemp("mirror"), "acme/tiny")


@pytest.fixture
def folder(made, tmp_path):
    """A copy of the tiny model to spoil."""
    return Path(shutil.copytree(made, tmp_path / "mirror/models/acme/tiny"))


def step(root, name, out, **asked):
    pinned = pin.resolve("models", str(root), str(root), name, "main")
    out.mkdir(parents=True, exist_ok=True)
    (out / "pin.json").write_text(json.dumps(pinned))
    spec = json.dumps({"from": name, "revision": "main", **asked})
    args = ["--spec", spec, "--source", str(root)]
    args += ["--root", str(root), "--pin", str(out / "pin.json"), "--out", str(out / "model")]
    model_step.main(model_step.parser().parse_args(args))
    return out / "model"


def refused(folder, line):
    with pytest.raises(UserError, match=line):
        step(folder.parents[2], "acme/tiny", folder.parents[3] / "out")
    assert not (folder.parents[3] / "out/model/node.json").exists()


def test_a_model_becomes_a_plain_folder(folder, tmp_path):
    import tokenizers
    import torch
    import transformers

    out = step(tmp_path / "mirror", "acme/tiny", tmp_path / "out")
    assert {p.name for p in out.iterdir()} == {
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "node.json",
    }  # fmt: skip
    before = transformers.AutoModel.from_pretrained(folder, dtype="auto", add_pooling_layer=False)
    after, report = transformers.AutoModel.from_pretrained(
        out, dtype="auto", add_pooling_layer=False, output_loading_info=True
    )
    assert not any(report.values()), "no pooler, nothing made up"
    assert after.dtype == torch.float16
    for name, value in before.state_dict().items():
        assert torch.equal(value, after.state_dict()[name])
    node = json.loads((out / "node.json").read_text())
    assert (node["kind"], node["hidden_size"], node["layers"]) == ("model", 16, 2)
    assert node["vocab_size"] == 32
    assert node["pins"].keys() == {"models/acme/tiny"}
    assert (out / "model.safetensors").stat().st_mode == (out / "config.json").stat().st_mode
    # The tokenizer cuts as the model's own file does, spaces at the end included.
    own = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    kept = tokenizers.Tokenizer.from_file(str(out / "tokenizer.json"))
    auto = transformers.AutoTokenizer.from_pretrained(out)
    for text in ("a bc", "a  bc ", " a", "a<mask>b"):
        assert own.encode(text).ids == kept.encode(text).ids
    assert own.encode("a  bc ").ids == auto("a  bc ")["input_ids"]
    assert auto.mask_token_id == 31


def test_the_same_bytes_for_the_same_model(folder, tmp_path):
    a, b = (step(tmp_path / "mirror", "acme/tiny", tmp_path / run) for run in ("a", "b"))
    assert (a / "node.json").read_bytes() == (b / "node.json").read_bytes()


def test_weights_that_are_not_there(folder):
    (folder / "model.safetensors").unlink()
    (folder / "training_args.bin").write_bytes(b"a pickle, but none of weights")
    refused(
        folder, r"model acme/tiny: no weights; model\.safetensors \(or pytorch_model.bin\) is m"
    )


@pytest.mark.parametrize(
    ("name", "line"),
    [("config.json", "no config.json"), ("tokenizer.json", "no tokenizer; one of")],
)
def test_files_that_are_not_there(folder, name, line):
    (folder / name).unlink()
    refused(folder, "model acme/tiny: " + line)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
        (b"cut", "cannot be loaded"),
    ],
)
def test_weights_that_cannot_be_read(folder, content, line):
    (folder / "model.safetensors").write_bytes(content)
    refused(folder, "model acme/tiny: .*" + line)


def change_weights(folder, change):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def test_weights_that_are_not_numbers(folder):
    name = "encoder.layer.1.output.dense.bias"
    change_weights(folder, lambda w: w[name].fill_(float("nan")))
    refused(folder, f"weight {name} in .* is NaN")


def test_weights_that_are_missing_are_not_made_up(folder):
    name = "encoder.layer.1.output.dense.bias"
    change_weights(folder, lambda w: w.pop(name))
    refused(folder, f"lacks 1 weights of the encoder, first {name}")


def test_a_tokenizer_of_another_model(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "vocab_size": 31}))
    name = "embeddings.word_embeddings.weight"
    change_weights(folder, lambda w: w.update({name: w[name][:31].clone()}))
    refused(folder, "its tokenizer has 32 tokens, its embeddings only 31")


def test_pooling_stays_with_the_model(made, tmp_path):
    import transformers

    (tmp_path / "mirror/models/acme").mkdir(parents=True)
    shutil.copytree(made, tmp_path / "mirror/models/acme/tiny")
    for asked in ({}, {"pooling": None}, {"pooling": "mean"}):
        out = step(tmp_path / "mirror", "acme/tiny", tmp_path / str(len(str(asked))), **asked)
        config = transformers.AutoConfig.from_pretrained(out)
        assert getattr(config, "classifier_pooling", None) == asked.get("pooling")


def test_a_model_that_changed_since_it_was_pinned(folder, tmp_path):
    root = str(tmp_path / "mirror")
    pinned = pin.resolve("models", root, root, "acme/tiny", "main")
    (folder / "config.json").write_text("{}")
    with pytest.raises(UserError, match=r"config\.json has changed since it was pinned"):
        fetch.fetch(root, root, pinned, "acme/tiny")


@pytest.mark.real
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data")
def test_a_real_model(tmp_path):
    out = step(SHARED, "local/me5-small-xlmr-32k-6l", tmp_path)
    node = json.loads((out / "node.json").read_text())
    assert (node["layers"], node["hidden_size"], node["vocab_size"]) == (6, 384, 32002)
    assert node["parameters"] == 23_134_080
