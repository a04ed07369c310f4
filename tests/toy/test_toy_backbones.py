"""Tiny checkpoints open in transformers, and their tokenizers cut as those of their kind."""

import json

import pytest
from tokenizers import Tokenizer

torch = pytest.importorskip("torch")

from xstilts.running.errors import UserError  # noqa: E402
from xstilts.toy import backbones  # noqa: E402

# What each puts around a text and between two; A and B stand for the tokens of the texts.
AROUND = {
    "bert": ("[CLS] A [SEP]", "[CLS] A [SEP] B [SEP]"),
    "bloom": ("A", "A B"),
    "deberta-v2": ("[CLS] A [SEP]", "[CLS] A [SEP] B [SEP]"),
    "eurobert": (
        "<|begin_of_text|> A <|end_of_text|>",
        "<|begin_of_text|> A <|end_of_text|> B <|end_of_text|>",
    ),
    "gemma3_text": ("<bos> A", "<bos> A <bos> B"),
    "llama": ("<|begin_of_text|> A", "<|begin_of_text|> A <|begin_of_text|> B"),
    "modernbert": ("[CLS] A [SEP]", "[CLS] A [SEP] B [SEP]"),
    "mt5": ("A </s>", "A </s> B </s>"),
    "qwen3": ("A", "A B"),
    "t5gemma": ("<bos> A", "<bos> A <bos> B"),
    "umt5": ("A </s>", "A </s> B </s>"),
    "xglm": ("</s> A", "</s> A </s> </s> B"),
    "xlm-roberta": ("<s> A </s>", "<s> A </s> </s> B </s>"),
    "xlm-roberta-xl": ("<s> A </s>", "<s> A </s> </s> B </s>"),
}


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("head", [False, True])
@pytest.mark.parametrize("model_type", backbones.BACKBONES)
def test_a_checkpoint_opens_whole(model_type, head, tmp_path):
    import transformers

    backbones.write(model_type, tmp_path, head=head)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["model_type"] == model_type
    kind = getattr(transformers, config["architectures"][0])
    model, info = kind.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info.values())
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert max(tokenizer.get_vocab().values()) < model.get_input_embeddings().num_embeddings
    assert ("pad_token" in tokenizer.special_tokens_map) == (model_type != "llama")
    if not head:
        ids = torch.tensor([tokenizer("Anna")["input_ids"]])
        hidden = model(ids).last_hidden_state
        assert hidden.shape == (1, ids.shape[1], 32)
        assert torch.isfinite(hidden).all()


@pytest.mark.parametrize("model_type", backbones.BACKBONES)
def test_a_tokenizer_is_of_its_kind(model_type, tmp_path):
    backbones.write(model_type, tmp_path)
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    first, second = "Anna sees the dog", "谁在旧房子里"
    parts = {
        "A": tokenizer.encode(first, add_special_tokens=False).tokens,
        "B": tokenizer.encode(second, add_special_tokens=False).tokens,
    }
    for template, texts in zip(AROUND[model_type], [(first,), (first, second)], strict=True):
        expected = [t for name in template.split() for t in parts.get(name, [name])]
        assert tokenizer.encode(*texts).tokens == expected
    ids = tokenizer.encode("ж͟", add_special_tokens=False).ids
    unknown = [tokenizer.id_to_token(i) for i in ids]
    if model_type in ("mt5", "umt5", "gemma3_text", "t5gemma"):
        assert "<0xCD>" in unknown
    elif model_type in ("bloom", "eurobert", "llama", "modernbert", "qwen3"):
        assert "Í" in unknown  # byte 0xCD
    else:
        assert {"<unk>", "[UNK]"} & set(unknown)


@pytest.mark.parametrize("model_type", ["bert", "gemma3_text", "qwen3", "umt5"])
def test_the_same_arguments_give_the_same_bytes(model_type, tmp_path):
    backbones.write(model_type, tmp_path / "a")
    torch.manual_seed(5)
    backbones.write(model_type, tmp_path / "b")
    assert files(tmp_path / "a") == files(tmp_path / "b")
    backbones.write(model_type, tmp_path / "c", seed=2)
    changed = {name for name, body in files(tmp_path / "c").items()
               if body != (tmp_path / "a" / name).read_bytes()}  # fmt: skip
    assert changed == {"model.safetensors"}


def test_shape_and_texts_are_as_asked(tmp_path):
    backbones.write("qwen3", tmp_path, ["zebra zebra zebra"], layers=4, width=64)
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["num_hidden_layers"], config["hidden_size"]) == (4, 64)
    assert "zebra" in Tokenizer.from_file(str(tmp_path / "tokenizer.json")).get_vocab()


def test_an_unknown_architecture_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no architecture `gwen3`; did you mean `qwen3`"):
        backbones.write("gwen3", tmp_path)
