"""Mining of translations in two pools of sentences by their embeddings, as in BUCC 2018.

As XTREME's `third_party/utils_retrieve.py` and jiant's `bucc2018.py` do it (mine_bitext with mode
mine, retrieval max, margin ratio; bucc_optimize; bucc_extract): neighbours by cosine in both
directions, scored by the ratio margin of Artetxe and Schwenk (2019, arXiv 1811.01136), paired off
greedily without using a sentence twice; a threshold that is tuned on dev then decides which pairs
are kept.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

NEIGHBOURS = 4  # of the same scripts
BLOCK = 1024, 16384  # queries and candidates whose similarities are held at a time: 64 MiB


class Mined(NamedTuple):
    """Pairs by falling score: positions in the pools, int64 [pairs]; margin, float64 [pairs]."""

    source: np.ndarray
    target: np.ndarray
    score: np.ndarray


def distinct(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the position of each different text, int64 [n], and whether it is repeated, bool [n].

    A repeated text must be mined once, or its copies are each other's neighbours. As nobody can say
    which copy a translation belongs to, XTREME then drops the pairs that it is in.
    """
    _, first, copies = np.unique(
        np.array(texts, dtype=object), return_index=True, return_counts=True
    )
    order = np.argsort(first)
    return first[order], copies[order] > 1


def neighbours(
    queries: np.ndarray, pool: np.ndarray, k: int = NEIGHBOURS, block: tuple[int, int] = BLOCK
) -> tuple[np.ndarray, np.ndarray]:
    """Return the `k` nearest of `pool` for each query, by inner product, nearest first.

    Args:
        queries: float [n, H]; unit vectors for cosines.
        pool: float [m, H].
        k: how many; all of `pool` if it has fewer.
        block: queries and candidates that are compared at a time.

    Returns:
        Similarities float [n, k] and positions int64 [n, k].
    """
    k = min(k, len(pool))
    similarity = np.empty((len(queries), k), dtype=np.result_type(queries, pool))
    position: np.ndarray = np.empty((len(queries), k), dtype=np.int64)
    for top in range(0, len(queries), block[0]):
        rows = slice(top, top + block[0])
        best = np.empty((len(queries[rows]), 0), dtype=similarity.dtype)
        index: np.ndarray = np.empty(best.shape, dtype=np.int64)
        for left in range(0, len(pool), block[1]):
            products = queries[rows] @ pool[left : left + block[1]].T
            nearest = _largest(products, k)
            best = np.hstack([best, np.take_along_axis(products, nearest, 1)])
            index = np.hstack([index, nearest + left])
            keep = _largest(best, k)
            best, index = np.take_along_axis(best, keep, 1), np.take_along_axis(index, keep, 1)
        order = np.argsort(-best, axis=1, kind="stable")
        similarity[rows] = np.take_along_axis(best, order, 1)
        position[rows] = np.take_along_axis(index, order, 1)
    return similarity, position


def _largest(values: np.ndarray, k: int) -> np.ndarray:
    """Return the columns of the `k` largest values of each row, in any order; all if fewer."""
    if values.shape[1] <= k:
        return np.broadcast_to(np.arange(values.shape[1]), values.shape)
    return np.argpartition(values, -k, axis=1)[:, -k:]


def mine(
    source: np.ndarray,
    target: np.ndarray,
    k: int = NEIGHBOURS,
    block: tuple[int, int] = BLOCK,
) -> Mined:
    """Return the pairs of two pools, no sentence in two of them, by falling margin above 0.

    The margin of a pair is its cosine over the mean of the mean cosine of the source to its `k`
    neighbours and that of the target to its own. Each sentence proposes the neighbour of the best
    margin; proposals are taken from the best down, if neither sentence is taken yet.

    Args:
        source: embeddings, float [n, H], of any length but 0.
        target: embeddings, float [m, H].
        k: neighbours in each direction.
        block: see `neighbours`.
    """
    x, y = _unit(source), _unit(target)
    forward, to_target = neighbours(x, y, k, block)
    backward, to_source = neighbours(y, x, k, block)
    of_source, of_target = forward.mean(1, dtype=float), backward.mean(1, dtype=float)
    margins = forward / ((of_source[:, None] + of_target[to_target]) / 2)
    margins_back = backward / ((of_target[:, None] + of_source[to_source]) / 2)
    best, best_back = margins.argmax(1), margins_back.argmax(1)
    n, m = np.arange(len(x)), np.arange(len(y))
    sources = np.concatenate([n, to_source[m, best_back]])
    targets = np.concatenate([to_target[n, best], m])
    scores = np.concatenate([margins[n, best], margins_back[m, best_back]])
    return _greedy(sources, targets, scores)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _greedy(sources: np.ndarray, targets: np.ndarray, scores: np.ndarray) -> Mined:
    seen_sources, seen_targets, kept = set(), set(), []
    for i in np.argsort(-scores, kind="stable"):
        s, t = int(sources[i]), int(targets[i])
        if s in seen_sources or t in seen_targets:
            continue
        seen_sources.add(s)
        seen_targets.add(t)
        if scores[i] > 0:
            kept.append(i)
    return Mined(sources[kept], targets[kept], scores[kept])


def threshold(
    pairs: Sequence[tuple[str, str]],
    scores: Sequence[float],
    gold: Collection[tuple[str, str]],
) -> float:
    """Return the score that the pairs to keep must at least have for the highest F1 against `gold`.

    It lies halfway between the last pair kept and the first left out; at the last score if all are
    kept (where XTREME's script stops with an error), and at 0, so that all are kept, if no pair is
    right. Pairs of one score are kept or left out together.
    """
    order = sorted(range(len(pairs)), key=lambda i: -scores[i])
    gold_pairs, best_f1, best, correct = set(gold), 0.0, 0.0, 0
    for kept, i in enumerate(order, start=1):
        correct += pairs[i] in gold_pairs
        following = scores[order[kept]] if kept < len(order) else scores[i]
        if kept < len(order) and following == scores[i]:
            continue
        f1 = 2 * correct / (kept + len(gold_pairs))  # P = correct / kept, R = correct / gold
        if f1 > best_f1:
            best_f1, best = f1, (scores[i] + following) / 2
    return float(best)
