"""Batches: everything once, the same for the same seed, and hardly any padding."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xstilts.encoding import batches

LENGTHS = st.lists(st.integers(2, 60), min_size=1, max_size=300).map(np.array)


GROUPINGS = st.sampled_from(["length", "none"])


@given(LENGTHS, st.integers(1, 9), st.integers(0, 9), st.integers(0, 9), GROUPINGS)
def test_every_example_comes_exactly_once_an_epoch(lengths, size, seed, epoch, grouping):
    cut = batches.epoch_batches(lengths, size, seed, epoch, grouping)
    assert sorted(np.concatenate(cut).tolist()) == list(range(len(lengths)))
    assert sorted(map(len, cut))[1:] == [size] * (len(cut) - 1), "only one may be smaller"


def test_seed_and_epoch_alone_decide_the_order():
    lengths = np.random.default_rng(0).integers(5, 50, 400)

    def order(seed, epoch):
        return [batch.tolist() for batch in batches.epoch_batches(lengths, 8, seed, epoch)]

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(2, 0)
    assert order(1, 0) != order(1, 1)


def test_independent_batches_are_a_plain_permutation_and_know_nothing_of_lengths():
    order = np.random.default_rng([3, 1]).permutation(10).tolist()
    for lengths in (np.arange(10), np.ones(10, dtype=int)):
        cut = batches.epoch_batches(lengths, 4, seed=3, epoch=1, grouping="none")
        assert [batch.tolist() for batch in cut] == [order[:4], order[4:8], order[8:]]


def padding(lengths, cut):
    """Share of tokens that are padding."""
    area = sum(len(batch) * lengths[batch].max() for batch in cut)
    return 1 - lengths.sum() / area


def test_there_is_far_less_padding_than_in_shuffled_batches():
    generator = np.random.default_rng(0)
    # Lengths like MNLI's: most around 35 tokens, a long tail.
    lengths = np.clip(generator.lognormal(3.5, 0.5, 8000), 8, 256).astype(int)
    shuffled = np.array_split(generator.permutation(len(lengths)), len(lengths) // 32)
    assert padding(lengths, shuffled) > 0.4
    assert padding(lengths, batches.epoch_batches(lengths, 32, 1, 0)) < 0.06


@given(LENGTHS, st.data(), st.integers(1, 400))
def test_micro_batches_hold_everything_once_within_the_limit(lengths, data, max_tokens):
    counts = np.array([data.draw(st.integers(1, 4)) for _ in lengths])
    examples = np.array(data.draw(st.permutations(range(len(lengths)))))[: 1 + len(lengths) // 2]
    cut = batches.micro_batches(examples, lengths, counts, max_tokens)
    assert sorted(np.concatenate(cut).tolist()) == sorted(examples.tolist())
    for batch in cut:
        assert len(batch) == 1 or lengths[batch].max() * counts[batch].sum() <= max_tokens


def test_micro_batches_are_cut_from_longest_to_shortest():
    lengths, counts = np.array([4, 10, 6, 3]), np.array([1, 1, 2, 1])
    cut = batches.micro_batches(np.arange(4), lengths, counts, 18)
    assert [batch.tolist() for batch in cut] == [[1], [2, 0], [3]]
