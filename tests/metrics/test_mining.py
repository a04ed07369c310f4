"""Mining on a pool small enough to work out, and against the scripts' rules written plainly."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.metrics import mining


def test_distinct_texts_in_their_order():
    position, repeated = mining.distinct(["b", "a", "b", "c", "a", "d"])
    assert position.tolist() == [0, 1, 3, 5]
    assert repeated.tolist() == [True, True, False, False]


def test_neighbours_by_hand():
    queries = np.array([[1.0, 0.0], [0.0, 2.0]])
    pool = np.array([[0.1, 0.9], [0.6, 0.2], [0.5, 0.5]])
    similarity, position = mining.neighbours(queries, pool, k=2, block=(1, 2))
    assert similarity.tolist() == [[0.6, 0.5], [1.8, 1.0]]
    assert position.tolist() == [[1, 2], [0, 2]]


def test_a_pool_smaller_than_k_is_taken_whole():
    similarity, position = mining.neighbours(np.eye(2), np.eye(2)[::-1])
    assert similarity.tolist() == [[1, 0], [1, 0]]
    assert position.tolist() == [[1, 0], [0, 1]]


def test_mining_by_hand():
    """Unit vectors at 0 and 60 degrees against 0 and 90: cosines [[1, 0], [1/2, sqrt 3/2]]."""
    source = np.array([[2.0, 0.0], [0.5, math.sqrt(3) / 2]])  # the length does not matter
    target = np.array([[1.0, 0.0], [0.0, 3.0]])
    mined = mining.mine(source, target)
    assert mined.source.tolist() == [0, 1] and mined.target.tolist() == [0, 1]
    # Mean cosines: sources 1/2 and (1 + sqrt 3) / 4, targets 3/4 and sqrt 3 / 4.
    root = math.sqrt(3)
    first = 1 / ((1 / 2 + 3 / 4) / 2)
    second = (root / 2) / (((1 + root) / 4 + root / 4) / 2)
    assert mined.score.tolist() == pytest.approx([first, second])


def test_a_sentence_is_used_once():
    """Both sources are nearest to the one target; the better one gets it."""
    source, target = np.array([[1.0, 0.2], [1.0, 0.0]]), np.array([[1.0, 0.0]])
    mined = mining.mine(source, target)
    assert mined.target.tolist() == [0] and len(mined.source) == 1


def test_pairs_without_a_positive_margin_are_left_out():
    mined = mining.mine(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert list(zip(*map(list, mined[:2]), strict=True)) == [(0, 1)]


def reference(x, y, k):
    """`mine_bitext` in loops, on the whole matrix."""
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    y = y / np.linalg.norm(y, axis=1, keepdims=True)
    cosine = x @ y.T
    near_x = [sorted(range(len(y)), key=lambda j: -cosine[i, j])[:k] for i in range(len(x))]
    near_y = [sorted(range(len(x)), key=lambda i: -cosine[i, j])[:k] for j in range(len(y))]
    mean_x = [sum(cosine[i, j] for j in near) / len(near) for i, near in enumerate(near_x)]
    mean_y = [sum(cosine[i, j] for i in near) / len(near) for j, near in enumerate(near_y)]

    def margin(i, j):
        return cosine[i, j] / ((mean_x[i] + mean_y[j]) / 2)

    proposals = [max((margin(i, j), i, j) for j in near) for i, near in enumerate(near_x)]
    proposals += [max((margin(i, j), i, j) for i in near) for j, near in enumerate(near_y)]
    pairs, used_x, used_y = [], set(), set()
    for score, i, j in sorted(proposals, key=lambda p: -p[0]):
        if i not in used_x and j not in used_y:
            used_x.add(i)
            used_y.add(j)
            if score > 0:
                pairs.append((i, j, score))
    return pairs


@given(
    st.integers(1, 12), st.integers(1, 12), st.integers(2, 5), st.integers(1, 5),
    st.integers(1, 7), st.integers(0, 10**6),
)  # fmt: skip
def test_mining_equals_the_scripts_rules_in_any_blocks(n, m, k, rows, columns, seed):
    generator = np.random.default_rng(seed)
    # Around one direction, as embeddings are, so that no mean is near 0. With k = 1 the margins
    # of all mutual neighbours are 1, and which pair is taken first would be arbitrary.
    x, y = (generator.normal(size=(size, 5)) + 2 for size in (n, m))
    mined = mining.mine(x, y, k, (rows, columns))
    expected = reference(x, y, k)
    assert list(zip(mined.source, mined.target, strict=True)) == [(i, j) for i, j, _ in expected]
    assert mined.score == pytest.approx([score for *_, score in expected])


A, B, C, D = (("s1", "t1"), ("s2", "t2"), ("s3", "t3"), ("s4", "t4"))


@pytest.mark.parametrize(
    ("scores", "gold", "expected"),
    [
        ([1.4, 1.2, 1.0, 0.8], [A, B], 1.1),  # F1 1 with two pairs
        ([1.4, 1.2, 1.0, 0.8], [A, C], 0.9),  # 2/3, 1/2, 4/5, 2/3
        ([1.4, 1.2, 1.0, 0.8], [A, B, C, D], 0.8),  # all: the last score
        ([0.8, 1.0, 1.2, 1.4], [D, C], 1.1),  # in any order
        ([1.4, 1.2, 1.2, 0.8], [A, B], 1.0),  # B and C cannot be parted
        ([1.4, 1.2, 1.0, 0.8], [("s1", "t2")], 0.0),  # none is right
        ([1.4, 1.2, 1.0, 0.8], [B], 1.1),
    ],
)
def test_threshold_by_hand(scores, gold, expected):
    assert mining.threshold([A, B, C, D], scores, gold) == pytest.approx(expected)


@given(st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=1, max_size=12))
def test_no_other_threshold_is_better(candidates):
    from xstilts.metrics.pairs import mining_f1

    pairs = [(f"s{i}", f"t{i}") for i in range(len(candidates))]
    scores = [float(score) for score, _ in candidates]
    gold = [pair for pair, (_, right) in zip(pairs, candidates, strict=True) if right]
    gold.append(("s", "t"))  # one that was not mined

    def f1(limit):
        return mining_f1(gold, [p for p, s in zip(pairs, scores, strict=True) if s >= limit])["f1"]

    best = max(f1(limit) for limit in scores)
    assert f1(mining.threshold(pairs, scores, gold)) == pytest.approx(best)
