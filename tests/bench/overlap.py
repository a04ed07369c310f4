"""How long it takes to look for rows of targets in train rows, and how much memory: one process.

    PYTHONPATH=workflow:. python tests/bench/overlap.py

Simulated rows of the number and length (in words) of those of `experiments/multihop.yaml` in
English, for each task of stage 1, as its job does it.
"""

import resource
import time
from collections.abc import Iterator

import numpy as np

from xstilts.data import overlap

# Format, rows, and words of each column; a tuple for a list of texts.
TRAIN = {
    "mnli": ("classification", 392_702, {"text": 20, "text_pair": 10}),
    "qqp": ("classification", 363_846, {"text": 11, "text_pair": 11}),
    "squad": ("span", 87_599, {"question": 10, "context": 120}),
    "squad2": ("span", 130_319, {"question": 10, "context": 120}),
    "hellaswag": ("choice", 39_905, {"context": 40, "choices": (25,) * 4}),
    "cosmosqa": ("choice", 25_262, {"context": 80, "choices": (9,) * 4}),
    "csqa": ("choice", 9_741, {"context": 13, "choices": (2,) * 5}),
}
TARGETS = {
    "xnli": ("classification", 2_490, {"text": 20, "text_pair": 10}),
    "pawsx": ("classification", 2_000, {"text": 21, "text_pair": 21}),
    "xquad": ("span", 1_190, {"question": 11, "context": 140}),
    "mlqa": ("span", 1_148, {"question": 9, "context": 140}),
    "tydiqa": ("span", 440, {"question": 7, "context": 100}),
    "hotpot": ("span", 7_405, {"question": 16, "context": 250}),
    "hotpot_gold": ("span", 7_405, {"question": 16, "context": 160}),
    "hotpot_answer": ("span", 5_000, {"question": 16, "context": 80}),
    "musique": ("span", 2_417, {"question": 18, "context": 320}),
    "musique_last": ("span", 2_417, {"question": 9, "context": 200}),
}
WORDS = np.array([f"word{i}" for i in range(30_000)], object)
SAME = {"squad": 5, "squad2": 5, "cosmosqa": 1}  # rows of one context


def rows(name: str, of: tuple, seed: int) -> Iterator[list[dict]]:
    """Yield simulated rows in batches."""
    _, count, columns = of
    rng, same = np.random.default_rng(seed), SAME.get(name, 1)

    def text(length: int) -> str:
        return " ".join(WORDS[rng.integers(0, len(WORDS), length)])

    def value(words) -> str | list[str]:
        return text(words) if isinstance(words, int) else [text(one) for one in words]

    shared: dict = {}
    for start in range(0, count, overlap.BATCH):
        batch = []
        for number in range(start, min(count, start + overlap.BATCH)):
            row = {column: value(words) for column, words in columns.items()}
            if same > 1:
                shared = row if number % same == 0 else shared
                row["context"] = shared["context"]
            batch.append(row)
        yield batch


def main() -> None:
    targets = {
        name: (of[0], [row for batch in rows(name, of, i) for row in batch])
        for i, (name, of) in enumerate(TARGETS.items())
    }
    total = 0.0
    for i, (name, of) in enumerate(TRAIN.items()):
        batches = list(rows(name, of, 100 + i))
        start = time.process_time()
        overlap.overlaps((of[0], batches), targets)
        taken = time.process_time() - start
        total += taken
        print(f"{name:10} {of[1]:7,} rows {taken:6.1f} CPU s", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"all: {total:.1f} CPU s; {peak:.1f} GB at most, with the rows that are simulated")


if __name__ == "__main__":
    main()
