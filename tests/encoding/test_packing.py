"""Packed batches: every token once, in its place, in few shapes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xstilts.encoding import batches, packing

LENGTHS = st.lists(st.integers(1, 70), min_size=1, max_size=60)


def padded(lengths, pad=1):
    """A batch of sequences of 100, 101, 102 and so on, padded."""
    width = max(lengths)
    mask = np.arange(width) < np.array(lengths)[:, None]
    ids = np.full(mask.shape, pad)
    ids[mask] = 100 + np.arange(mask.sum())
    return {"ids": ids, "mask": None if mask.all() else mask, "weight": len(lengths)}


def test_a_batch_is_laid_out_one_sequence_after_another():
    batch = padded([5, 9, 3])
    packed = packing.pack(batch, first_position=2)
    assert packed["ids"].tolist() == [[*range(100, 117), 0]], "17 tokens, filled up to 18"
    assert packed["positions"].tolist() == [[*range(2, 7), *range(2, 11), *range(2, 5), 2]]
    assert packed["offsets"].tolist() == [0, 5, 14, 17, 18]
    assert packed["longest"] == 16
    assert packed["index"].tolist() == [
        [0, 1, 2, 3, 4, 17, 17, 17, 17],
        [5, 6, 7, 8, 9, 10, 11, 12, 13],
        [14, 15, 16, 17, 17, 17, 17, 17, 17],
    ]
    assert packed["mask"] is batch["mask"] and packed["weight"] == 3
    assert packed["offsets"].dtype == np.int32 and packed["index"].dtype == np.int64


def test_what_fills_its_bucket_has_no_filler():
    packed = packing.pack(padded([8, 8]), first_position=0)
    assert packed["offsets"].tolist() == [0, 8, 16] and packed["longest"] == 8
    assert packed["index"].tolist() == [[*range(8)], [*range(8, 16)]]


@given(st.integers(1, 100_000))
def test_a_bucket_holds_its_size_and_less_than_an_eighth_more(size):
    bucket = packing.bucket(size)
    assert size <= bucket < size * 9 / 8 or size == bucket
    assert packing.bucket(bucket) == bucket >= packing.bucket(max(1, size - 1))


def test_there_are_eight_buckets_from_a_power_of_two_to_the_next():
    assert len({packing.bucket(size) for size in range(1025, 2049)}) == 8


@given(LENGTHS, st.integers(0, 2))
def test_everything_is_found_again_and_the_rest_is_sequences_within_the_bound(lengths, first):
    batch = padded(lengths)
    packed = packing.pack(batch, first)
    ids, index, offsets = packed["ids"][0], packed["index"], packed["offsets"]
    mask = np.ones(index.shape, bool) if batch["mask"] is None else batch["mask"]
    assert (ids[index] == batch["ids"])[mask].all()
    assert (packed["positions"][0][index] - first == np.arange(index.shape[1]))[mask].all()
    assert (index[~mask] == len(ids) - 1).all()
    sizes = np.diff(offsets)
    assert sizes[: len(lengths)].tolist() == lengths
    assert sizes.min() >= 1 and sizes.max() <= packed["longest"] < 2 * max(lengths)
    assert offsets[-1] == len(ids) == packing.bucket(len(ids))
    assert len(sizes) == packing.bucket(len(sizes))
    assert packed["positions"].max() < first + max(lengths), "filler has no place of its own"


def shape_of(lengths):
    return packing.shape(int(lengths.sum()), len(lengths), int(lengths.max()))


def test_batches_of_a_size_have_few_shapes_and_little_filler():
    generator = np.random.default_rng(0)
    # Lengths like MNLI's: most around 35 tokens, a long tail.
    lengths = np.clip(generator.lognormal(3.5, 0.5, 6400), 8, 128).astype(int)
    for cut, most in (
        (np.split(generator.permutation(6400), 200), 12),
        (batches.epoch_batches(lengths, 32, 1, 0), 60),
    ):
        shapes = [shape_of(lengths[batch]) for batch in cut]
        assert len(set(shapes)) <= most
        assert sum(tokens for tokens, _, _ in shapes) < 1.08 * lengths.sum()


@given(LENGTHS.map(np.array), st.data(), st.integers(1, 400))
def test_a_packed_budget_counts_tokens_and_filler(lengths, data, max_tokens):
    counts = np.array([data.draw(st.integers(1, 4)) for _ in lengths])
    tokens = np.array(
        [longest + data.draw(st.integers(n - 1, (n - 1) * longest))
         for longest, n in zip(lengths.tolist(), counts.tolist(), strict=True)]
    )  # fmt: skip
    examples = np.array(data.draw(st.permutations(range(len(lengths)))))
    cut = batches.micro_batches(examples, lengths, counts, max_tokens, tokens)
    assert sorted(np.concatenate(cut).tolist()) == list(range(len(lengths)))
    for batch in cut:
        totals = tokens[batch].sum(), counts[batch].sum(), lengths[batch].max()
        assert len(batch) == 1 or packing.shape(*map(int, totals))[0] <= max_tokens
    asked = (examples, lengths, counts, max_tokens)
    ranks = [batches.share_of_rank(*asked, rank, 2, tokens) for rank in (0, 1)]
    dealt = [e for share, real in ranks for batch in share[:real] for e in batch]
    assert sorted(dealt) == sorted(examples.tolist()) and len(ranks[0][0]) == len(ranks[1][0])
    finest = all(len(batch) == 1 for batch in cut)
    assert batches.is_finest(*asked, tokens) == finest


def test_padding_is_not_counted_where_there_is_none():
    lengths, counts = np.array([16, 2, 2, 2]), np.ones(4, dtype=int)
    cut = batches.micro_batches(np.arange(4), lengths, counts, 24, lengths)
    assert [batch.tolist() for batch in cut] == [[0, 1, 2, 3]], "22 tokens; 64 with padding"
