"""A few steps of pre-training give a whole Hugging Face folder, the same one each time."""

import pytest

torch = pytest.importorskip("torch")

from tokenizers import Tokenizer  # noqa: E402
from transformers import AutoModel, AutoTokenizer  # noqa: E402

from xstilts.toy import pretrain, spec, vocabulary  # noqa: E402

TINY = {
    "languages": ["en", "hi", "zh"],
    "pretrain": {"steps": 4, "layers": 2, "width": 32, "heads": 2, "batch_size": 8},
}


@pytest.fixture(scope="module", autouse=True)
def _short_corpus():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "SENTENCES", 6000)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        yield
        torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("encoder")
    pretrain.write(spec.parse(TINY), out)
    return out


def test_the_model_loads_and_reads_long_sequences(folder):
    model, info = AutoModel.from_pretrained(
        folder, add_pooling_layer=False, output_loading_info=True
    )
    assert type(model).__name__ == "XLMRobertaModel"
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    with torch.no_grad():
        hidden = model(torch.full((1, 192), 7)).last_hidden_state
    assert hidden.shape == (1, 192, 32)


def test_the_tokenizer_has_the_layout_of_xlmr(folder):
    fast, auto = Tokenizer.from_file(str(folder / "tokenizer.json")), AutoTokenizer
    whole = auto.from_pretrained(folder)
    size = fast.get_vocab_size()
    assert [fast.id_to_token(i) for i in (0, 1, 2, 3, size - 1)] == [
        "<s>", "<pad>", "</s>", "<unk>", "<mask>",
    ]  # fmt: skip
    pair = fast.encode("Anna is in the park.", "安娜在公园。")
    assert pair.tokens == [
        "<s>", "▁Anna", "▁is", "▁in", "▁the", "▁park", ".", "</s>",
        "</s>", "▁", "安娜", "在", "公园", "。", "</s>",
    ]  # fmt: skip
    assert whole("Anna is in the park.", "安娜在公园。")["input_ids"] == pair.ids


def test_the_same_spec_gives_the_same_bytes(folder, tmp_path):
    pretrain.write(spec.parse(TINY), tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes(), path.name
