"""AdamW that leaves the rows of a large embedding table alone until they are read.

A batch reads a thousandth of the rows of XLM-R's table (250,002), of which AdamW reads and writes
all in every step: weights, moments, and a gradient of zeros that is cleared, clipped and read, 44
bytes a number. Here the rows of a batch are brought up to date before they are read
(`lazy_steps.py`: what the steps between have done to them), get gradients of their own, and are
updated by torch's fused AdamW. What is left out of weight and moments is done before all rows are
read, `catch_up`; it is not done when the state is saved, so that saving changes nothing.

The result is that of the dense update but for rounding. Of that there is less here: an fp32 weight
cannot move by less than half of its last bit, 3e-8 to 6e-8 of it, and the recipes' decay is 1e-7 a
step at the peak and less before and after.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch.optim.adamw import adamw

from xstilts.models import shards
from xstilts.training import lazy_steps
from xstilts.training.lazy_embedding import LazyEmbedding
from xstilts.training.lazy_steps import IdleSteps

CHUNK = 8192  # rows that are caught up at once: their copies are small


class AdamW(torch.optim.AdamW):
    """torch's fused AdamW; with a lazy table, equal to it but for rounding.

    The table's weight is in the first group. Its state has one entry more, `last`: the step after
    which each row is as the dense update would have it; int64, but float32 in `state_dict` as
    loaded, which is exact up to 16 million steps.
    """

    def __init__(
        self,
        groups: list[dict[str, Any]],
        rates: Sequence[float],
        table: LazyEmbedding | None = None,
        **options: Any,
    ) -> None:
        """Args: the groups, of which the table's is the first; the learning rate of every step;
        the table; torch's options."""
        super().__init__(groups, fused=True, **options)
        self.rates, self.table, self.steps = rates, table, 0
        self._held: tuple[Any, ...] = ()
        self._idle: IdleSteps | None = None
        if table is not None:
            table.gather = self.gather

    def gather(self, ids: Iterable[np.ndarray]) -> None:
        """Bring the rows of a step's ids up to date, as a leaf of the table."""
        table = self.table
        if table is None or self.steps < lazy_steps.FIRST:
            return
        state = self.state[table.weight]
        if "last" not in state:
            state["last"] = torch.full(
                table.weight.shape[:1], self.steps, device=table.weight.device
            )
        distinct = np.unique(np.concatenate([array.ravel() for array in ids]))
        at = torch.from_numpy(distinct).to(table.weight.device, non_blocking=True)
        tensors = (table.weight.detach(), state["exp_avg"], state["exp_avg_sq"])
        rows, moment, square = (tensor.index_select(0, at) for tensor in tensors)
        self._idle_steps().apply_(rows, moment, square, state["last"][at], self.steps)
        if self._held:  # of an attempt that was undone
            table.release(self._held[0])
        self._held = (at, moment, square)
        table.hold(distinct, at, rows)

    def gradients_of(self, parameters: Iterable[Any]) -> list[Any]:
        """Return the parameters, with the rows that were gathered in place of their table."""
        table = self.table
        if table is None or table.rows is None:
            return list(parameters)
        return [table.rows if p is table.weight else p for p in parameters]

    @torch.no_grad()
    def step(self, closure=None):
        """Update what has a gradient."""
        super().step(closure)
        self.steps += 1
        if not self._held:
            return
        table, group, (at, *moments) = self.table, self.param_groups[0], self._held
        assert table is not None
        assert table.rows is not None
        state, (beta1, beta2) = self.state[table.weight], group["betas"]
        adamw(
            [table.rows], [table.rows.grad], *([m] for m in moments), [], [state["step"]],
            fused=True, amsgrad=False, beta1=beta1, beta2=beta2, lr=group["lr"],
            weight_decay=group["weight_decay"], eps=group["eps"], maximize=False,
        )  # fmt: skip
        tensors = (table.weight, state["exp_avg"], state["exp_avg_sq"])
        for tensor, rows in zip(tensors, (table.rows, *moments), strict=True):
            tensor.index_copy_(0, at, rows)
        state["last"].index_fill_(0, at, self.steps)
        table.release(at)
        table.behind, self._held = True, ()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients."""
        super().zero_grad(set_to_none)
        if self.table is not None and self.table.rows is not None:
            self.table.rows.grad = None

    @torch.no_grad()
    def catch_up(self) -> None:
        """Bring all rows up to date: before all are read."""
        if self.table is not None and self.table.behind:
            self._catch_up(self.table.weight, self.state[self.table.weight])
            self.table.behind = False

    @torch.no_grad()
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state, of the lazy or of the dense update, whichever this one is."""
        super().load_state_dict(state_dict)
        self.steps = max((int(state["step"]) for state in self.state.values()), default=0)
        for parameter, state in self.state.items():
            if "last" not in state:
                continue
            state["last"] = state["last"].long()
            if self.table is not None:
                self.table.behind = True
            else:
                self._catch_up(parameter, state)
                del state["last"]

    def _catch_up(self, weight, state: dict[str, Any]) -> None:
        tensors = [
            shards.local_tensor(t)
            for t in (weight, state["exp_avg"], state["exp_avg_sq"], state["last"])
        ]
        chunks = zip(*(tensor.split(CHUNK) for tensor in tensors), strict=True)
        for rows, moment, square, last in chunks:
            self._idle_steps().apply_(rows, moment, square, last, self.steps)
        tensors[-1].fill_(self.steps)

    def _idle_steps(self) -> IdleSteps:
        if self._idle is None:
            group = self.param_groups[0]
            options = (group["weight_decay"], group["betas"], group["eps"])
            self._idle = IdleSteps(self.rates, *options, group["params"][0])
        return self._idle
