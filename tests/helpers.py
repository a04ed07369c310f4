"""A tiny tokenizer, model and data for the tests of training and evaluation, of XLM-R's shape."""

import inspect
import json
from pathlib import Path

from xstilts import formats
from xstilts.data import prepare
from xstilts.encoding import encoded
from xstilts.encoding.encoded import Encoded
from xstilts.encoding.tokenizer import Tokenizer, load_tokenizer
from xstilts.running.files import sha256, write_json

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
WORDS = [
    "the",
    "a",
    "cat",
    "dog",
    "mat",
    "sat",
    "sees",
    "on",
    "is",
    "not",
    "red",
    "big",
    "who",
    "what",
    "where",
    "yes",
    "no",
    "likes",
    "hund",
    "katze",
    "sieht",
    "der",
]
UNSPACED = ["猫", "狗", "看见", "大", "แมว", "เห็น", "หมา"]  # tokens without the mark of a space
LETTERS = "abcdefghijklmnopqrstuvwxyz<>/.,?!'0123456789"
# As in XLM-R: special tokens first, the lone mark of a space is a token, `<mask>` last.
VOCABULARY = (*SPECIALS, "▁", *(f"▁{w}" for w in WORDS), *UNSPACED, *LETTERS, "<mask>")


def write_tokenizer(folder: Path) -> Path:
    """Write `tokenizer.json`: whole words, else letters; the zero-width space is dropped."""
    import tokenizers
    from tokenizers import models, normalizers, pre_tokenizers, processors

    def score(token: str) -> float:
        return (
            0.0 if token in (*SPECIALS, "<mask>") else -1.0 if len(token.strip("▁")) > 1 else -9.0
        )

    unigram = models.Unigram([(token, score(token)) for token in VOCABULARY], unk_id=3)
    backend = tokenizers.Tokenizer(unigram)
    backend.normalizer = normalizers.Replace("\u200b", "")
    backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    backend.add_special_tokens([*SPECIALS, "<mask>"])
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    folder.mkdir(parents=True, exist_ok=True)
    backend.save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json"


def write_model(folder: Path, layers: int = 1, hidden: int = 32, seed: int = 0, **config) -> Path:
    """Write a random XLM-R as the model step does: config, weights, tokenizer, `node.json`."""
    import torch
    import transformers

    settings = transformers.XLMRobertaConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=2 * hidden,
        max_position_embeddings=130,
        **config,
    )
    torch.manual_seed(seed)
    transformers.XLMRobertaModel(settings, add_pooling_layer=False).save_pretrained(folder)
    write_tokenizer(folder)
    node = {
        "kind": "model",
        "spec": {"kind": "model", "from": "o/tiny", "seed": seed, "layers": layers},
        "pins": {"models/o/tiny": "r1"},
        "weights": sha256(folder / "model.safetensors"),
        "tokenizer": sha256(folder / "tokenizer.json"),
    }
    write_json(folder / "node.json", node)
    return folder


def make_encoder(kind: str = "xlm-roberta", **changes):
    """Return a random encoder of a kind (`model_type`), without dropout, whose weights are large
    enough that its attention matters."""
    import torch
    import transformers

    settings = {
        "vocab_size": len(VOCABULARY), "hidden_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": 64, "max_position_embeddings": 70,
        "pad_token_id": 1, "initializer_range": 0.2, "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }  # fmt: skip
    if kind in ("albert", "electra"):
        settings["embedding_size"] = 16
    config = transformers.AutoConfig.for_model(kind, **(settings | changes))
    model_class = transformers.MODEL_MAPPING[type(config)]
    pooler = "add_pooling_layer" in inspect.signature(model_class.__init__).parameters
    torch.manual_seed(0)
    return model_class(config, **({"add_pooling_layer": False} if pooler else {}))


def make_tokenizer(folder: Path) -> Tokenizer:
    """Write and load the tiny tokenizer from a folder of its own."""
    path = write_tokenizer(folder)
    (folder / "config.json").write_text(json.dumps({"pad_token_id": 1}))
    return load_tokenizer(path)


def encode(tokenizer: Tokenizer, format: str, rows, labels=(), length=64, **spec) -> Encoded:
    """Encode unified rows as the encode step does."""
    arrays, cut = formats.page(format).encode(rows, tokenizer, list(labels), length)
    spec = {
        "format": format,
        "labels": list(labels),
        "no_answer": False,
        "max_length": length,
        **spec,
    }
    meta = {
        "spec": spec,
        "pins": {"datasets/o/data": "r2"},
        "tokenizer": tokenizer.digest,
        "pad": tokenizer.pad_token_id,
        "rows": len(rows),
        "cut": cut,
    }
    return Encoded(arrays, meta)


def write_rows(path: Path, format: str, rows, strata=()) -> Path:
    """Write unified rows as the prepare step does."""
    spec = {"hub": "o/data", **({"strata": {name: name for name in strata}} if strata else {})}
    if format != "images" and rows and "image" in rows[0]:
        spec["images"] = "things"
    prepare.write(path, rows, format, {"spec": spec, "pin": {"revision": "r2"}})
    return path


def shown(data: Encoded) -> list[str]:
    """Return each sequence as its tokens, separated by spaces."""
    count = len(data.arrays["starts"]) - 1
    return [" ".join(VOCABULARY[i] for i in data.sequence(s)) for s in range(count)]


def write_encoded(path: Path, data: Encoded) -> Path:
    """Write an encoded file."""
    data.save(path)
    assert encoded.load(path).meta == data.meta
    return path
