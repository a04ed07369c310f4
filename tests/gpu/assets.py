"""Encoded rows that are carried to a machine with a GPU: made here, by our encoding code.

    PYTHONPATH=workflow:. python -m tests.gpu.assets --out results/gpu-assets

Rows are of random words from a seed, of the lengths of MNLI, of span windows of 384 pieces, and of
tagged sentences; the label follows from a word, so that a training can learn it. 10 MB.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from xstilts import formats
from xstilts.data import prepare
from xstilts.encoding.encoded import Encoded, load

from .sizes import LARGE, Size

LABELS = {"classification": ["entailment", "neutral", "contradiction"], "tagging": list("ABCDE")}
METRICS = {
    "mnli": "accuracy", "span": "squad", "tagging": "tagging", "choice": "accuracy",
    "dual": "map20",
}  # fmt: skip
FORMATS = {
    "mnli": "classification", "span": "span", "tagging": "tagging", "choice": "choice",
    "dual": "dual",
}  # fmt: skip
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


def make(folder: Path, size: Size) -> None:
    """Write the encoded rows and the rows as text of every asset of a size."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = write_tokenizer(folder, size.words)
    for name, counts in size.rows.items():
        for split, count in zip(("train", "dev"), counts, strict=True):
            rows = make_rows(name, count, split, size)
            path = folder / f"{name}-{split}"
            encode(tokenizer, FORMATS[name], rows, size.length).save(f"{path}.safetensors")
            about = {"spec": {"hub": "made/rows"}, "pin": {"revision": "1"}}
            prepare.write(f"{path}.parquet", rows, FORMATS[name], about)


def read(folder: Path, name: str, split: str) -> tuple[Encoded, list[dict[str, Any]]]:
    """Return the encoded rows of an asset, and the same as text."""
    path = folder / f"{name}-{split}"
    return load(f"{path}.safetensors"), prepare.read(f"{path}.parquet").to_pylist()


def write_tokenizer(folder: Path, words: int):
    """Write and load a tokenizer of whole words, `w0` to the last."""
    import tokenizers
    from tokenizers import models, pre_tokenizers, processors

    from xstilts.encoding.tokenizer import load_tokenizer

    vocabulary = {token: i for i, token in enumerate((*SPECIAL, *(f"w{i}" for i in range(words))))}
    backend = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.add_special_tokens(list(SPECIAL))
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )  # fmt: skip
    backend.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"pad_token_id": 1}))
    return load_tokenizer(folder / "tokenizer.json")


def encode(tokenizer, format: str, rows: list[dict[str, Any]], length: int, labels=None) -> Encoded:
    """Encode unified rows as the encode step does."""
    labels = LABELS.get(format, []) if labels is None else labels
    arrays, cut = formats.page(format).encode(rows, tokenizer, labels, length)
    spec = {"format": format, "labels": labels, "no_answer": False, "max_length": length}
    meta = {"spec": spec, "pins": {}, "tokenizer": tokenizer.digest, "pad": tokenizer.pad_token_id}
    return Encoded(arrays, meta | {"rows": len(rows), "cut": cut})


def make_rows(name: str, count: int, split: str, size: Size) -> list[dict[str, Any]]:
    """Return unified rows of an asset; those of its train and dev split differ."""
    draw = np.random.default_rng([len(name), *map(ord, split)])
    makers = {
        "mnli": _pair, "span": _question, "tagging": _tagged, "choice": _choice, "dual": _searched,
    }  # fmt: skip
    return [{"id": str(i), **makers[name](draw, size)} for i in range(count)]


def _words(draw, size: Size, count: int) -> list[str]:
    """Draw words whose frequency falls as 1 / rank, as in text."""
    ranks = np.exp(draw.random(count) * math.log(size.words)).astype(int)
    return [f"w{rank - 1}" for rank in ranks]


def _length(draw, mean: float) -> int:
    """Draw a number of words: a gamma distribution of shape 2.5, about as MNLI's premises."""
    return 1 + int(draw.gamma(2.5, mean / 2.5))


def _pair(draw, size: Size) -> dict[str, Any]:
    first, second = (_words(draw, size, _length(draw, mean)) for mean in size.mean_words)
    label = int(draw.integers(3))
    second[int(draw.integers(len(second)))] = f"w{size.words - 1 - label}"
    label_name = LABELS["classification"][label]
    return {"text": " ".join(first), "text_pair": " ".join(second), "label": label_name}


def _question(draw, size: Size) -> dict[str, Any]:
    words = _words(draw, size, int(draw.integers(*size.context)))
    at = int(draw.integers(len(words) - 2))
    words[at] = f"w{size.words - 1}"
    answer, before = " ".join(words[at : at + 2]), " ".join(words[:at])
    start = len(before) + 1 if before else 0
    question = " ".join(_words(draw, size, 4 + int(draw.integers(8))))
    answers = {"text": [answer], "start": [start]}
    return {"question": question, "context": " ".join(words), "answers": answers}


def _tagged(draw, size: Size) -> dict[str, Any]:
    words = _words(draw, size, min(_length(draw, size.mean_words[0]), size.length))
    return {"tokens": words, "tags": [LABELS["tagging"][int(word[1:]) % 5] for word in words]}


def _choice(draw, size: Size) -> dict[str, Any]:
    texts = [_words(draw, size, _length(draw, mean)) for mean in (40, 20, 20, 20, 20)]
    label = int(draw.integers(4))
    texts[1 + label][0] = f"w{size.words - 1}"
    context, *choices = map(" ".join, texts)
    return {"context": context, "choices": choices, "label": label}


def _searched(draw, size: Size) -> dict[str, Any]:
    """A query and its passage, which has a word of it."""
    query, passage = (_words(draw, size, _length(draw, mean)) for mean in size.mean_words[::-1])
    passage[int(draw.integers(len(passage)))] = query[0]
    return {"text": " ".join(query), "text_pair": " ".join(passage), "group": None}


def main() -> None:
    """Make the assets of a GPU check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    folder = parser.parse_args().out
    make(folder, LARGE)
    megabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    print(f"{folder}: {megabytes:.0f} MB")


if __name__ == "__main__":
    main()
