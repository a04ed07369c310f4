"""What sharing batches among languages, and decoding, take in an evaluation.

    PYTHONPATH=workflow:. python tests/bench/evaluation.py [--languages 30] [--rows 12]

A random encoder of XLM-R's shape on rows of random words, by format: rows a second of all languages
together and of one after another, in turns, with decoding; and the share of decoding. Other scripts
call `rows_per_second` (any rows and model) and `mining_seconds`.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tests import helpers

from xstilts import formats
from xstilts.encoding import encoded
from xstilts.encoding.encoded import Encoded
from xstilts.metrics import mining
from xstilts.models import checkpoint
from xstilts.running import device
from xstilts.scoring import predict

FORMATS = ("classification", "span", "tagging")
TAGS = ("DET", "NOUN", "VERB")
WORDS = 24  # of a row on average; eight times as many in the context of a question


def make_rows(format: str, count: int, seed: int) -> list[dict[str, Any]]:
    """Return unified rows of random words."""
    draw = np.random.default_rng(seed)
    lengths = draw.integers(1, 2 * WORDS, count)
    rows = []
    for i, length in enumerate(lengths):
        words = draw.choice(helpers.WORDS, length).tolist()
        if format == "span":
            answers = {"text": [words[0]], "start": [0]}
            row = {"question": "who sat", "context": " ".join(words * 8), "answers": answers}
        elif format == "tagging":
            row = {"tokens": words, "tags": draw.choice(TAGS, length).tolist()}
        else:
            row = {"text": " ".join(words), "text_pair": None, "label": "DET"}
        rows.append({"id": str(i), **row})
    return rows


def rows_per_second(
    page, encoder, head, languages: Sequence[tuple[Encoded, list]], where, budget: int, shared: bool
) -> tuple[float, float]:
    """Return the rows a second of an evaluation of languages (encoded and text rows), and the share
    of the time that decoding takes.

    `shared`: the languages share batches; else they are run one after another.
    """
    start, decoding = time.perf_counter(), 0.0
    for group in [languages] if shared else [[language] for language in languages]:
        joined = encoded.join([data for data, _ in group])
        reduced = predict.reduced(page, encoder, head, joined, where, budget)
        began = time.perf_counter()
        at = 0
        for data, rows in group:
            page.decode(reduced[at : at + len(data)], data, rows)
            at += len(data)
        decoding += time.perf_counter() - began
    seconds = time.perf_counter() - start
    return sum(len(rows) for _, rows in languages) / seconds, decoding / seconds


def mining_seconds(n: int, m: int, width: int, where="cpu") -> tuple[float, float]:
    """Return the seconds that mining of two pools takes, and the bytes that the device held at
    most (0 on a CPU)."""
    import torch

    draw = np.random.default_rng(0)
    pools = [draw.standard_normal((size, width), dtype=np.float32) for size in (n, m)]
    pools[1][: min(n, m)] += pools[0][: min(n, m)]
    where = torch.device(where)
    if where.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    mining.mine(*pools, device=where)
    seconds = time.perf_counter() - start
    return seconds, torch.cuda.max_memory_allocated() if where.type == "cuda" else 0


def main() -> None:
    """Print a line a format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--languages", type=int, default=30)
    parser.add_argument("--rows", type=int, default=12, help="of a language")
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--budget", type=int, default=65536)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    where = device.choose()
    with tempfile.TemporaryDirectory() as folder:
        model = helpers.write_model(Path(folder) / "m", args.layers, args.hidden)
        tokenizer = helpers.make_tokenizer(Path(folder) / "t")
        encoder = checkpoint.load_encoder(model).to(where)
    for format in FORMATS:
        page, labels = formats.page(format), () if format == "span" else TAGS
        head = page.head(encoder, labels).to(where)
        languages = []
        for seed in range(args.languages):
            rows = make_rows(format, args.rows, seed)
            languages.append((helpers.encode(tokenizer, format, rows, labels, 128), rows))
        taken: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        for _ in range(args.repeats):
            for shared, found in taken.items():
                found.append(
                    rows_per_second(page, encoder, head, languages, where, args.budget, shared)
                )
        together, apart = (statistics.median(v for v, _ in taken[shared]) for shared in taken)
        decoding = statistics.median(share for _, share in taken[True])
        print(
            f"{format:15} together {together:9.1f} rows/s  one by one {apart:9.1f}"
            f"  ratio {together / apart:.2f}  decoding {decoding:.1%} of the time"
        )


if __name__ == "__main__":
    main()
