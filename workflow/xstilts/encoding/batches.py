"""Batches: which examples an optimizer step sees, and how they are cut into micro-batches."""

import numpy as np

BUCKET = 50  # batches that are sorted by length together; the same number as in transformers


def epoch(lengths: np.ndarray, batch_size: int, seed: int, number: int) -> list[np.ndarray]:
    """Return the batches of one pass over the data, each of examples of like length.

    The data is shuffled, cut into buckets of `BUCKET` batches, sorted by length inside each bucket,
    cut into batches, and the batches are shuffled: little padding, and no order by length over
    time.

    Args:
        lengths: pieces of each example, int [examples].
        batch_size: examples a batch; the last batch of an epoch may have fewer.
        seed, number: seed and number of the epoch; they determine the result alone.
    """
    generator = np.random.default_rng([seed, number])
    order = generator.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), BUCKET * batch_size):
        bucket = order[start : start + BUCKET * batch_size]
        bucket = bucket[np.argsort(lengths[bucket], kind="stable")]
        batches += [bucket[i : i + batch_size] for i in range(0, len(bucket), batch_size)]
    return [batches[i] for i in generator.permutation(len(batches))]


def micro(
    examples: np.ndarray, lengths: np.ndarray, counts: np.ndarray, budget: int
) -> list[np.ndarray]:
    """Cut examples, sorted by length, into rectangles of at most `budget` pieces, padding included.

    Args:
        examples: indices, int [n].
        lengths, counts: pieces of the longest sequence, and number of sequences, of every example.
        budget: pieces; a single example may exceed it.
    """
    order = examples[np.argsort(-lengths[examples], kind="stable")]
    parts: list[list[int]] = []
    width = rows = 0
    for example in order:
        if not parts or (rows + counts[example]) * width > budget:
            parts.append([])
            width, rows = int(lengths[example]), 0
        parts[-1].append(int(example))
        rows += int(counts[example])
    return [np.array(part) for part in parts]


def share(
    examples: np.ndarray,
    lengths: np.ndarray,
    counts: np.ndarray,
    budget: int,
    rank: int,
    ranks: int,
) -> tuple[list[np.ndarray], int]:
    """Return the micro-batches of one rank, and how many of them count.

    Examples are dealt by length, so that the ranks have about as much to do. All have the same
    number of micro-batches, since those of a sharded model wait for each other in each; what one
    lacks is filled with examples that must not count.
    """
    order = examples[np.argsort(-lengths[examples], kind="stable")]
    cuts = [micro(order[r::ranks], lengths, counts, budget) for r in range(ranks)]
    missing = max(map(len, cuts)) - len(cuts[rank])
    return cuts[rank] + [order[-1:]] * missing, len(cuts[rank])


def finest(examples: np.ndarray, lengths: np.ndarray, counts: np.ndarray, budget: int) -> bool:
    """Return whether `micro` leaves every example alone."""
    return len(micro(examples, lengths, counts, budget)) == len(examples)
