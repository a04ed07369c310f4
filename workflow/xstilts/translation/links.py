"""Which words of two texts are each other's translations, from how alike they are. Pure.

`mutual` and `itermax` are those of SimAlign (Jalili Sabet et al. 2020, arXiv 2004.08728, sections
2.1 and 2.2); `assigned` is its Match.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

Link = tuple[int, int]  # a word of the source, a word of the translation
ROUNDS, WEAKER = 2, 0.9  # of `itermax`, as in the paper
FAR = 30.0  # words; of 15, 30, 60 and none found best on XQuAD (`tests/bench/word_alignment.py`)


class Alignment(NamedTuple):
    """How the words of two texts belong together.

    Attributes:
        links: pairs of words that are each other's translations, sorted.
        nearest: of each word of the translation the word of the source that is most like it; -1 for
            all where the source has none.
    """

    links: tuple[Link, ...]
    nearest: tuple[int, ...]


def mutual(similarity: np.ndarray) -> list[Link]:
    """Return the words of which each is the nearest of the other; of equal ones the first.

    Args:
        similarity: float [words of the source, words of the translation].
    """
    if not similarity.size:
        return []
    forward, backward = similarity.argmax(1), similarity.argmax(0)
    return [(i, int(j)) for i, j in enumerate(forward) if backward[j] == i]


def itermax(similarity: np.ndarray) -> list[Link]:
    """Return the mutual links, and those that are mutual among the words which are left.

    In the second round two words that are both linked are not asked again, and a word that is
    linked already counts `WEAKER` of its likeness: so one word can be the translation of two.
    """
    if not similarity.size:
        return []
    found: set[Link] = set(mutual(similarity))
    for _ in range(ROUNDS - 1):
        rows, columns = (np.zeros(size, dtype=bool) for size in similarity.shape)
        for i, j in found:
            rows[i] = columns[j] = True
        weight = np.where(rows[:, None] | columns, WEAKER, 1.0)
        weight[rows[:, None] & columns] = 0.0
        positive = np.maximum(similarity, 0.0) * weight
        found |= {(i, j) for i, j in mutual(positive) if positive[i, j] > 0}
    return sorted(found)


def assigned(similarity: np.ndarray) -> list[Link]:
    """Return the links of the assignment of words to words, each once, that are most alike in
    sum."""
    if not similarity.size:
        return []
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(similarity, maximize=True)
    return sorted((int(i), int(j)) for i, j in zip(rows, columns, strict=True))


def forward(similarity: np.ndarray) -> list[Link]:
    """Return of each word of the translation the word of the source that is most like it."""
    return sorted((at, j) for j, at in enumerate(nearest(similarity)) if at >= 0)


def nearest(similarity: np.ndarray) -> tuple[int, ...]:
    """Return the same as a number a word of the translation; -1 where the source has no words."""
    if not similarity.size:
        return (-1,) * similarity.shape[1]
    return tuple(int(at) for at in similarity.argmax(0))


METHODS: Mapping[str, Callable[[np.ndarray], list[Link]]] = {
    "mutual": mutual,
    "itermax": itermax,
    "assigned": assigned,
    "forward": forward,
}


def nearness(source: int, target: int) -> np.ndarray:
    """Return by what the likeness of the words of two texts is multiplied, of so many words each,
    float32 [source, target]: 1 at the same place, 1/e where two are `FAR` words from it."""
    if not source or not target:
        return np.ones((source, target), dtype=np.float32)
    place = np.arange(source) * (target / source)
    return np.exp(-(((place[:, None] - np.arange(target)) / FAR) ** 2)).astype(np.float32)


def aligned(similarity: np.ndarray, method: str) -> Alignment:
    """Return how two texts belong together by one of `METHODS`."""
    return Alignment(tuple(METHODS[method](similarity)), nearest(similarity))


def swapped(links: tuple[Link, ...]) -> tuple[Link, ...]:
    """Return the links from the translation to the source."""
    return tuple(sorted((j, i) for i, j in links))
