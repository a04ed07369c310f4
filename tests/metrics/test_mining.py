"""Mining on a pool small enough to work out, and against the scripts' rules written plainly."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xstilts.metrics import mining


def test_distinct_texts_in_their_order():
    position, repeated = mining.distinct(["b", "a", "b", "c", "a", "d"])
    assert position.tolist() == [0, 1, 3, 5]
    assert repeated.tolist() == [True, True, False, False]


def test_neighbours_by_hand():
    x = np.array([[1.0, 0.0], [0.0, 2.0]])
    y = np.array([[0.1, 0.9], [0.6, 0.2], [0.5, 0.5]])
    of_x, of_y = mining.neighbours(x, y, k=2, block=(1, 2))
    assert of_x.similarity.tolist() == [[0.6, 0.5], [1.8, 1.0]]
    assert of_x.position.tolist() == [[1, 2], [0, 2]]
    assert of_y.similarity.tolist() == [[1.8, 0.1], [0.6, 0.4], [1.0, 0.5]]
    assert of_y.position.tolist() == [[1, 0], [0, 1], [1, 0]]


def test_a_pool_smaller_than_k_is_taken_whole():
    of_x, of_y = mining.neighbours(np.eye(3)[:2], np.eye(3)[1::-1])
    for of in (of_x, of_y):
        assert of.similarity.tolist() == [[1, 0], [1, 0]]
        assert of.position.tolist() == [[1, 0], [0, 1]]


def fours(generator, size):
    """Unit vectors of which many are equal, and whose products are exact: quarters."""
    return generator.choice([-0.5, 0.5], size=(size, 4)).astype(np.float32)


def sized(generator):
    return int(generator.integers(1, 3 * mining.GROUP))


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(25, 150), st.integers(25, 150), st.integers(0, 10**6))
def test_of_equals_the_first_is_nearer_in_any_blocks(k, rows, columns, seed):
    generator = np.random.default_rng(seed)
    x, y = (fours(generator, sized(generator)) for _ in range(2))
    products = x @ y.T
    for found, of in zip(
        mining.neighbours(x, y, k, block=(rows, columns)), (products, products.T), strict=True
    ):
        order = np.argsort(-of, axis=1, kind="stable")[:, :k]
        assert found.position.tolist() == order.tolist()
        assert found.similarity.tolist() == np.take_along_axis(of, order, 1).tolist()


def in_one_direction(queries, pool, k):
    """`neighbours` before both directions were read off one product."""

    def largest(values):
        if values.shape[1] <= k:
            return np.broadcast_to(np.arange(values.shape[1]), values.shape)
        return np.argpartition(values, -k, axis=1)[:, -k:]

    products = queries @ pool.T
    index = largest(products)
    best = np.take_along_axis(products, index, 1)
    order = np.argsort(-best, axis=1, kind="stable")
    return np.take_along_axis(best, order, 1), np.take_along_axis(index, order, 1)


@settings(max_examples=10)
@given(st.integers(0, 10**6))
def test_neighbours_are_those_of_two_products_with_a_partition(seed):
    generator = np.random.default_rng(seed)
    equal = fours(generator, sized(generator)), fours(generator, sized(generator))
    for found, before in zip(
        mining.neighbours(*equal),
        (in_one_direction(*equal, 4), in_one_direction(*equal[::-1], 4)),
        strict=True,
    ):
        assert found.similarity.tolist() == before[0].tolist(), "which of equals, it did not say"
    x, y = (generator.normal(size=(sized(generator), 8)).astype(np.float32) for _ in range(2))
    for found, before in zip(
        mining.neighbours(x, y), (in_one_direction(x, y, 4), in_one_direction(y, x, 4)), strict=True
    ):
        assert found.position.tolist() == before[1].tolist()
        assert found.similarity == pytest.approx(before[0], rel=1e-5, abs=1e-5)


def most_held(n, m, width, block):
    """The most bytes of tensors at a time in `neighbours` of random pools."""
    import weakref

    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    class Count(TorchDispatchMode):
        def __init__(self):
            super().__init__()
            self.held, self.most, self.seen = 0, 0, {}

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            result = function(*args, **(kwargs or {}))
            for one in result if isinstance(result, tuple | list) else (result,):
                if not isinstance(one, torch.Tensor):
                    continue
                storage = one.untyped_storage()
                if storage.data_ptr() in self.seen:
                    continue
                size, at = storage.nbytes(), storage.data_ptr()
                self.seen[at] = size
                self.held += size
                self.most = max(self.most, self.held)
                weakref.finalize(storage, self.freed, at)
            return result

        def freed(self, at):
            self.held -= self.seen.pop(at, 0)

    with Count() as count:
        mining.neighbours(*(np.ones((size, width), np.float32) for size in (n, m)), block=block)
    return count.most


def test_a_device_holds_the_vectors_what_was_found_and_a_block():
    products = 4 * 1024 * 1024
    for n, m in ((1100, 1100), (3000, 1100)):
        # The vectors come from outside, so they are not counted as made.
        found = (n + m) * mining.NEIGHBOURS * 12
        most = most_held(n, m, 4, (1024, 1024))
        assert found + products < most < found + 2 * products


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


@settings(max_examples=40)
@given(
    st.integers(1, 12), st.integers(1, 12), st.integers(2, 5), st.integers(1, 5),
    st.integers(1, 7), st.integers(0, 10**6),
)  # fmt: skip
def test_mining_equals_the_scripts_rules_in_any_blocks(n, m, k, rows, columns, seed):
    generator = np.random.default_rng(seed)
    # Around one direction, as embeddings are, so that no mean is near 0. With k = 1 the margins
    # of all mutual neighbours are 1, and which pair is taken first would be arbitrary.
    x, y = (generator.normal(size=(size, 5)) + 2 for size in (n, m))
    mined = mining.mine(x, y, k, block=(rows, columns))
    expected = reference(x, y, k)
    assert list(zip(mined.source, mined.target, strict=True)) == [(i, j) for i, j, _ in expected]
    assert mined.score == pytest.approx([score for *_, score in expected])


def test_products_are_not_rounded_to_tf32(monkeypatch):
    """As they are on a GPU elsewhere (`device.choose`)."""
    import torch

    before, precisions, real = torch.get_float32_matmul_precision(), [], torch.mm

    def spy(*args, **out):
        precisions.append(torch.get_float32_matmul_precision())
        return real(*args, **out)

    monkeypatch.setattr(torch, "mm", spy)
    torch.set_float32_matmul_precision("high")
    try:
        mining.mine(np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32))
        assert precisions == ["highest"] and torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision(before)


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


def test_a_search_that_does_not_fit_the_gpu_is_on_the_cpu(monkeypatch, capsys):
    import torch

    vectors = mining.unit(np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32))
    expected, real = mining.neighbours(vectors, vectors, 2), mining._neighbours

    def small(x, y, k, device, block=None):
        if device.type == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate\nmore")
        return real(x, y, k, device, block)

    monkeypatch.setattr(mining, "_neighbours", small)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    for ours, theirs in zip(mining.neighbours(vectors, vectors, 2, "cuda"), expected, strict=True):
        assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))
    said = capsys.readouterr().out
    assert said.startswith("the search does not fit the GPU's memory, so it is on the CPU: CUDA")
    assert said.count("\n") == 1
