"""An embedding table of which a training step reads, and gets gradients of, a few rows alone."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import nn


class LazyEmbedding(nn.Embedding):
    """An `nn.Embedding` whose rows are updated where they are read.

    Attributes:
        gather: called with all ids of a training step before its forward passes; None where all
            rows are updated in every step.
        rows: the rows of those ids, float [n, H], a leaf that gets their gradient; None between two
            steps.
        behind: whether `weight` lacks updates of rows that were not read.
    """

    def __init__(self, table: nn.Embedding) -> None:
        """Take over the weight of a table."""
        super().__init__(*table.weight.shape, table.padding_idx, device="meta")
        self.weight, self.training = table.weight, table.training
        self.gather: Callable[[Iterable[Any]], None] | None = None
        self.rows: torch.Tensor | None = None
        self.behind = False
        self._padding_row: int | None = None
        # id -> its row in `rows`; -1, which torch's lookup refuses, of all others.
        absent = torch.full(table.weight.shape[:1], -1, device=table.weight.device)
        self.register_buffer("_row_of", absent, persistent=False)

    def hold(self, ids: np.ndarray, at: torch.Tensor, rows: torch.Tensor) -> None:
        """Look ids up in `rows` from here on; `at` are the same ids, distinct, on the device."""
        self.rows = rows.requires_grad_()
        self._row_of.index_copy_(0, at, torch.arange(len(ids), device=at.device))
        padding = np.flatnonzero(ids == self.padding_idx)
        self._padding_row = int(padding[0]) if len(padding) else None

    def release(self, at: torch.Tensor) -> None:
        """Look ids up in `weight` again."""
        self.rows = None
        self._row_of.index_fill_(0, at, -1)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the embeddings of ids; those of the padding get no gradient, as in torch's."""
        if self.rows is None:
            assert not self.behind, "rows are read that were neither gathered nor caught up"
            return super().forward(ids)
        return nn.functional.embedding(self._row_of[ids], self.rows, self._padding_row)
