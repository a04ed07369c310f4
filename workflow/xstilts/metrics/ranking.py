"""Ranking: the right candidates among the first of a ranked list, and the search for these.

mAP@20 as in XTREME-R (Ruder et al. 2021, arXiv 2104.07412), whose code has it twice:
`average_precision_at_k` of `utils_lareqa.py`, and for Mewsli-X, of one right entity a mention, the
mean reciprocal rank within 20 of `utils_mewslix.py`, which is the same there.
"""

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from xstilts.metrics import counts, mining
from xstilts.metrics.mining import Nearest

RANKS = 20  # of the lists of both tasks
# Candidates that are compared at a time: 64 MB of products for 16 Mi of them.
PRODUCTS = 1 << 24


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


class Search:
    """The first `k` candidates of each query by inner product, exact, candidates given in parts.

    Of equals the candidate that was given first is the first. It holds the queries, k numbers twice
    a query and the products of a block: of 15,000 queries 1,024 wide 62 MB, 4 MB and 64 MB,
    whatever the number of candidates is, which need never be there all at once.

    Args:
        queries: float32 [n, H]; unit vectors for cosines.
        k: how many.
        device: a torch device, which computes.
    """

    def __init__(self, queries: np.ndarray, k: int = RANKS, device="cpu") -> None:
        import torch

        self.k, self.seen = k, 0
        self.queries = torch.from_numpy(np.ascontiguousarray(queries)).to(device)
        self.similarity = self.queries.new_full((len(queries), k), -torch.inf)
        self.position = torch.zeros_like(self.similarity, dtype=torch.int64)

    def add(self, candidates: np.ndarray) -> None:
        """Compare with more candidates, float32 [m, H], of any m."""
        import torch

        width = max(1, PRODUCTS // max(1, len(self.queries)))
        with mining.full_precision():
            for left in range(0, len(candidates), width):
                block = torch.from_numpy(np.ascontiguousarray(candidates[left : left + width]))
                self._take(self.queries @ block.to(self.queries.device).T)

    def _take(self, products) -> None:
        """Take what is nearer in products [n, m] with the next m candidates."""
        import torch

        values, at = _first(products, min(self.k, products.shape[1]))
        values = torch.cat([self.similarity, values], 1)
        places = torch.cat([self.position, at + self.seen], 1)
        order = values.argsort(dim=1, descending=True, stable=True)[:, : self.k]
        self.similarity, self.position = values.gather(1, order), places.gather(1, order)
        self.seen += products.shape[1]

    def found(self) -> Nearest:
        """Return the nearest of what was given, [n, min(k, candidates)], nearest first."""
        count = min(self.k, self.seen)
        return Nearest(
            self.similarity[:, :count].cpu().numpy(), self.position[:, :count].cpu().numpy()
        )


def _first(products, k: int):
    """Return the k largest of each row and their columns, [n, k]; of equals the first is first.

    `torch.topk` takes any of those that are equal to the last: rows that have more of them than
    there is room for are sorted whole.
    """
    values, at = products.topk(k, dim=1)
    crowded = ((products >= values[:, -1:]).sum(1) > k).nonzero().squeeze(1)
    if len(crowded):
        at[crowded] = products[crowded].argsort(dim=1, descending=True, stable=True)[:, :k]
    at = at.sort(1).values
    values, order = products.gather(1, at).sort(dim=1, descending=True, stable=True)
    return values, at.gather(1, order)


def search(
    queries: np.ndarray, parts: Iterable[np.ndarray], k: int = RANKS, device="cpu"
) -> Nearest:
    """Return the nearest of candidates that come in parts; see `Search`."""
    made = Search(queries, k, device)
    for part in parts:
        made.add(part)
    return made.found()
