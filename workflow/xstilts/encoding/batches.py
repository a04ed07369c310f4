"""Batches: which examples an optimizer step sees, and how they are cut into micro-batches."""

import numpy as np

from xstilts.encoding import packing

BUCKET = 50  # batches that are sorted by length together; the same number as in transformers


def epoch_batches(
    lengths: np.ndarray, batch_size: int, seed: int, epoch: int, grouping: str = "length"
) -> list[np.ndarray]:
    """Return the batches of one epoch: the shuffled data, cut.

    Grouped by `length`, it is first cut into buckets of `BUCKET` batches and sorted by length
    inside each bucket; the batches are shuffled: little padding, and no order by length over time.

    Args:
        lengths: tokens of each example, int [examples].
        batch_size: examples a batch; the last one that is cut may have fewer.
        seed, epoch: the order follows from these two, and the grouping, alone.
        grouping: `length`, or `none`: the shuffled data is cut as it is.
    """
    generator = np.random.default_rng([seed, epoch])
    order = generator.permutation(len(lengths))
    if grouping == "none":
        return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    batches = []
    for start in range(0, len(order), BUCKET * batch_size):
        bucket = order[start : start + BUCKET * batch_size]
        bucket = bucket[np.argsort(lengths[bucket], kind="stable")]
        batches += [bucket[i : i + batch_size] for i in range(0, len(bucket), batch_size)]
    return [batches[i] for i in generator.permutation(len(batches))]


def micro_batches(
    examples: np.ndarray,
    lengths: np.ndarray,
    counts: np.ndarray,
    max_tokens: int,
    tokens: np.ndarray | None = None,
) -> list[np.ndarray]:
    """Cut examples, sorted by length, into micro-batches of at most `max_tokens`.

    Args:
        examples: indices, int [n].
        lengths, counts: tokens of the longest sequence, and number of sequences, of every example.
        max_tokens: tokens of a micro-batch, padding included; a single example may exceed it.
        tokens: of every example, where batches are packed: then it is the tokens that a batch is
            filled up to (`packing.shape`).
    """
    order = examples[np.argsort(-lengths[examples], kind="stable")]
    cut: list[list[int]] = []
    width = rows = own = 0
    for example in order:
        rows += int(counts[example])
        if tokens is None:
            size = rows * width
        else:
            own += int(tokens[example])
            size = packing.shape(own, rows, width)[0] if cut else 0
        if not cut or size > max_tokens:
            cut.append([])
            width, rows = int(lengths[example]), int(counts[example])
            own = 0 if tokens is None else int(tokens[example])
        cut[-1].append(int(example))
    return [np.array(micro_batch) for micro_batch in cut]


def share_of_rank(
    examples: np.ndarray,
    lengths: np.ndarray,
    counts: np.ndarray,
    max_tokens: int,
    rank: int,
    ranks: int,
    tokens: np.ndarray | None = None,
) -> tuple[list[np.ndarray], int]:
    """Return the micro-batches of one rank, and how many of them count.

    Examples are dealt by length, so that the ranks have about as much to do. All have the same
    number of micro-batches, since those of a sharded model wait for each other in each; what one
    lacks is filled with examples that must not count.
    """
    order = examples[np.argsort(-lengths[examples], kind="stable")]
    cuts = [
        micro_batches(order[r::ranks], lengths, counts, max_tokens, tokens) for r in range(ranks)
    ]
    missing = max(map(len, cuts)) - len(cuts[rank])
    return cuts[rank] + [order[-1:]] * missing, len(cuts[rank])


def is_finest(
    examples: np.ndarray,
    lengths: np.ndarray,
    counts: np.ndarray,
    max_tokens: int,
    tokens: np.ndarray | None = None,
) -> bool:
    """Return whether every micro-batch is a single example."""
    return len(micro_batches(examples, lengths, counts, max_tokens, tokens)) == len(examples)
