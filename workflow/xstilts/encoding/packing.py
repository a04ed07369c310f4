"""Packed batches: the sequences of a batch one after another, without padding, in few shapes.

What follows from the shapes of a batch (kernels, compiled code, captured launches) is made once a
shape, so tokens, sequences and the longest length are rounded up: the first two to buckets, the
last to a power of two. The tokens that are missing to a bucket are filler, in sequences of its own,
so that every value that is computed is one of a sequence; nothing of them is read.
"""

from typing import Any

import numpy as np

STEPS = 8  # buckets from a power of two to the next: a batch is filled up by less than an eighth
FILLER_ID = 0  # of a token that every vocabulary has


def bucket(size: int) -> int:
    """Return the least bucket that holds `size`: up to 16 the size itself, else one of `STEPS`."""
    step = max(0, (size - 1).bit_length() - STEPS.bit_length())
    return -(-size >> step) << step


def shape(tokens: int, sequences: int, longest: int) -> tuple[int, int, int]:
    """Return the tokens, sequences and length bound that a batch is filled up to.

    Every sequence of filler has at least one token and at most as many as the bound, so now and
    then the next bucket of tokens is taken.

    Args:
        tokens: of all sequences together.
        sequences: their number.
        longest: tokens of the longest.
    """
    bound = 1 << (longest - 1).bit_length()
    total = bucket(tokens)
    while True:
        count = bucket(sequences + -(-(total - tokens) // bound))
        if count - sequences <= total - tokens:
            return total, count, bound
        total = bucket(total + 1)


def pack(batch: dict[str, Any], first_position: int) -> dict[str, Any]:
    """Return a batch of a format (`encoded.pad` and what it adds), packed.

    Args:
        batch: `ids` int64 [sequences, width] and `mask`, as a format collates them.
        first_position: position of the first token of a sequence, see `models.attention`.

    Returns:
        The batch with, instead of its `ids`, `ids` and `positions` int64 [1, tokens]; `offsets`
        int32 [sequences + filler + 1], where each sequence begins; `longest`, the length bound; and
        `index` int64 [sequences, width], which token is at which place of the padded batch. Places
        of padding have the last token: filler, or, where there is none, one that is read elsewhere.
        `mask` stays for the heads. Where there are pictures before the sequences (`visual`), they
        are in `ids` as padding, at the position before the first, and `places` int64
        [sequences * positions] says where; `index` is of the text alone.
    """
    ids, mask = batch["ids"], batch["mask"]
    front = batch["visual"].shape[1] if "visual" in batch else 0
    if front:
        before = np.full((len(ids), front), batch["pad"], ids.dtype)
        ids = np.concatenate([before, ids], 1)
        seen = np.ones(before.shape, dtype=bool)
        mask = None if mask is None else np.concatenate([seen, mask], 1)
    lengths = np.full(len(ids), ids.shape[1]) if mask is None else mask.sum(1)
    tokens = int(lengths.sum())
    total, count, bound = shape(tokens, len(ids), int(lengths.max()))
    filler = np.full(count - len(ids), (total - tokens) // max(1, count - len(ids)))
    filler[: total - tokens - filler.sum()] += 1
    real = np.ones(ids.shape, dtype=bool) if mask is None else mask
    flat, positions = (np.full((1, total), value) for value in (FILLER_ID, first_position))
    flat[0, :tokens] = ids[real]
    counted = np.arange(-front, ids.shape[1] - front)
    counted = np.maximum(counted, -min(front, first_position, 1))
    positions[0, :tokens] += np.broadcast_to(counted, ids.shape)[real]
    index = np.full(ids.shape, total - 1)
    index[real] = np.arange(tokens)
    return batch | {
        "ids": flat,
        "positions": positions,
        "offsets": np.cumsum([0, *lengths, *filler], dtype=np.int32),
        "longest": bound,
        "index": index[:, front:],
        **({"places": index[:, :front].flatten()} if front else {}),
    }
