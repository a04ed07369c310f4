"""chrF of many pairs of texts at once (Popović 2015), equal to sacrebleu's sentence score."""

from collections.abc import Sequence

import numpy as np

ORDER, BETA = 6, 2.0  # characters of an n-gram at most; the weight of recall
PART = 2048  # pairs that are counted together
_CODES = np.uint64(0x110000)  # characters of Unicode


def chrf(hypotheses: Sequence[str], references: Sequence[str]) -> np.ndarray:
    """Return the chrF of each hypothesis against its reference, in percent, float64 [pairs].

    Spaces are left out. Orders of which one of both has no n-gram do not count.
    """
    parts = [
        _part(hypotheses[start : start + PART], references[start : start + PART])
        for start in range(0, len(references), PART)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def _part(hypotheses: Sequence[str], references: Sequence[str]) -> np.ndarray:
    sides = [_Side(texts) for texts in (hypotheses, references)]
    precision, recall, orders = (np.zeros(len(references)) for _ in range(3))
    for order in range(1, ORDER + 1):
        ours, theirs = (side.grams(order) for side in sides)
        of_ours, of_theirs = (np.bincount(g[0], minlength=len(references)) for g in (ours, theirs))
        common = _common(ours, theirs, len(references))
        both = (of_ours > 0) & (of_theirs > 0)
        precision[both] += common[both] / of_ours[both]
        recall[both] += common[both] / of_theirs[both]
        orders += both
    orders = np.maximum(orders, 1)
    precision, recall = precision / orders, recall / orders
    weighted = BETA**2 * precision + recall
    found = (1 + BETA**2) * precision * recall
    return 100 * np.divide(found, weighted, out=np.zeros_like(found), where=weighted > 0)


class _Side:
    """Texts as characters one after another, and numbers for the n-grams that begin at each."""

    def __init__(self, texts: Sequence[str]) -> None:
        bare = ["".join(text.split()) for text in texts]
        lengths = np.array([len(text) for text in bare])
        joined = "".join(bare).encode("utf-32-le", "surrogatepass")
        self.codes = np.frombuffer(joined, np.uint32).astype(np.uint64)
        self.text: np.ndarray = np.repeat(np.arange(len(texts)), lengths)
        self.left = np.concatenate([np.arange(n, 0, -1) for n in lengths] or [np.zeros(0, int)])
        self.hashes: np.ndarray = np.zeros(len(self.codes), dtype=np.uint64)

    def grams(self, order: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the text and the number of each n-gram; orders have to be asked one by one.

        The numbers of up to three characters are exact, those of more are hashes of 64 bits: two of
        a text are taken for the same once in 10^14.
        """
        size = len(self.codes)
        there = np.flatnonzero(self.left >= order)
        ahead = self.codes[np.minimum(there + order - 1, max(size - 1, 0))]
        mixed = self.hashes[there] * _CODES + ahead + np.uint64(1)
        if order > 3:
            mixed ^= mixed >> np.uint64(29)
            mixed *= np.uint64(0xBF58476D1CE4E5B9)
            mixed ^= mixed >> np.uint64(32)
        self.hashes[there] = mixed
        return self.text[there], mixed


def _common(
    ours: tuple[np.ndarray, np.ndarray], theirs: tuple[np.ndarray, np.ndarray], texts: int
) -> np.ndarray:
    """Return how many n-grams two sides have in common, of each text, int64 [texts]."""
    both = np.concatenate([ours[1], theirs[1]])
    text = np.concatenate([ours[0], theirs[0]])
    order = np.lexsort((both, text))
    both, text, mine = both[order], text[order], order < len(ours[0])
    new: np.ndarray = np.ones(len(both), dtype=bool)
    new[1:] = (both[1:] != both[:-1]) | (text[1:] != text[:-1])
    group = np.cumsum(new) - 1
    if not len(group):
        return np.zeros(texts, dtype=np.int64)
    own = np.bincount(group, mine)
    other = np.bincount(group, ~mine)
    return np.bincount(text[new], np.minimum(own, other), minlength=texts).astype(np.int64)
