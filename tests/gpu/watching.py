"""A training by our own loop, watched from its saver, which it calls before every step."""

import math
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

from xstilts.training import loop
from xstilts.training.saver import StateSaver
from xstilts.training.tasks import TrainingTask

from .models import sync


class Done(BaseException):
    """The steps that were asked for are done; no final evaluation."""


class Watch(StateSaver):
    """Keeps the loss of every step, and the clock and the tokens at two of them.

    Attributes:
        first, last: steps between which `seconds` and `tokens` are counted.
        end: the step after which the training is left.
        hooks: step -> what is called before it.
        losses: of each step, as tensors: reading one would wait for the device.
    """

    def __init__(
        self,
        first: int,
        last: int,
        end: int | None = None,
        hooks: dict[int, Callable[[Any], None]] | None = None,
    ) -> None:
        super().__init__(tempfile.gettempdir(), "watched", math.inf)
        self.first, self.last, self.end = first, last, last if end is None else end
        self.hooks, self.seconds, self.tokens = hooks or {}, 0.0, 0
        self.losses: list[Any] = []

    def resume(self, state) -> None:
        """Resume nothing."""

    def save_if_due(self, state) -> None:
        """Take note; raise `Done` after the last step."""
        step = state.step
        if step:
            self.losses.append(state.recent_losses[-1][1].detach().clone())
        if step in (self.first, self.last):
            sync(state.encoder.device)
        if step == self.first:
            self.seconds, self.tokens = time.perf_counter(), state.tokens
        if step == self.last:
            self.seconds = time.perf_counter() - self.seconds
            self.tokens = state.tokens - self.tokens
        if step in self.hooks:
            self.hooks[step](state)
        if step == self.end:
            raise Done


def fit(
    encoder, tasks: Sequence[TrainingTask], spec: dict[str, Any], device, budget: int, watch: Watch
) -> Watch:
    """Train by `loop.fit` until the watch has seen its last step; return it.

    The spec has to ask for more steps than the watch wants to see.
    """
    try:
        loop.fit(encoder, tasks, spec, device, budget, watch)
    except Done:
        return watch
    raise AssertionError("the training has ended before its last step was seen")
