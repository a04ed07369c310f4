"""Search for the nearest candidates of queries, exact, in blocks, of a pool that is never whole."""

from collections.abc import Iterable

import numpy as np

from xstilts.metrics import mining
from xstilts.metrics.mining import Nearest
from xstilts.metrics.ranking import RANKS

# Candidates that are compared at a time: 64 MB of products for 16 Mi of them.
PRODUCTS = 1 << 24


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
