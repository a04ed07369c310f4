"""Ranking: the right candidates among the first of a ranked list (`nearest.py` finds them).

mAP@20 as in XTREME-R (Ruder et al. 2021, arXiv 2104.07412), whose code has it twice:
`average_precision_at_k` of `utils_lareqa.py`, and for Mewsli-X, of one right entity a mention, the
mean reciprocal rank within 20 of `utils_mewslix.py`, which is the same there.
"""

from collections.abc import Collection, Sequence

from xstilts.metrics import counts

RANKS = 20  # of the lists of both tasks


def average_precision(gold: Collection[str], ranked: Sequence[str], k: int = RANKS) -> float:
    """Return AP@k of one list: the sum of the precisions at the ranks of the right candidates, over
    the right ones that there can be among k, min(len(gold), k).

    A candidate that is there again counts at its first place alone. 0 where no candidate is right,
    or nothing is (where XTREME-R's code for LAReQA divides by 0, and for Mewsli-X has 0).

    Args:
        gold: the right candidates, each once.
        ranked: candidates, the best first; may be fewer than k.
    """
    right, seen, total = set(gold), set[str](), 0.0
    hits = 0
    for rank, one in enumerate(ranked[:k], 1):
        if one in right and one not in seen:
            seen.add(one)
            hits += 1
            total += hits / rank
    return total / min(len(right), k) if right else 0.0


def map20(gold: Sequence[Collection[str]], predicted: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return the mean of AP@20 over the queries; those without a right candidate count as 0."""
    counts.check(gold, predicted)
    each = (average_precision(g, p) for g, p in zip(gold, predicted, strict=True))
    return {"map20": counts.mean(list(each))}
