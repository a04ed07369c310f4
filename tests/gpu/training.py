"""Part 2: a training step, by what it takes, what the matmul ceiling would let it take, and where
the time goes."""

import time
from collections.abc import Sequence
from typing import Any

from xstilts.running import device as devices
from xstilts.training import loop

from . import models, profiling
from .figures import Figures
from .models import CAPTURED, COMPILED, EAGER
from .runner import Setting
from .watching import Watch, fit

BUDGET = 1 << 16  # tokens: each of these batches is one micro-batch
CEILING = "matmul"
# Goals of the issue, for an H100: ms a step, share of the ceiling in the forward and backward part.
GOALS = {32: (15.0, 0.45), 128: (None, 0.55)}


def cases(setting: Setting) -> list[tuple[str, str, int]]:
    """Return name, asset and batch size of what is measured."""
    size = setting.size
    mnli = [(f"MNLI, batch {batch}", "mnli", batch) for batch in size.batches]
    return [*mnli, (f"span of {size.length}, batch {size.span_batch}", "span", size.span_batch)]


def run(setting: Setting, figures: Figures) -> None:
    """Show each case in each way in which it can be computed, but for those below."""
    _run(setting, figures, EAGER)
    if not setting.gpu:
        figures.needs_gpu("launches a step")


def run_captured(setting: Setting, figures: Figures) -> None:
    """Show each case with passes captured in graphs."""
    if setting.gpu:
        _run(setting, figures, [CAPTURED])
    else:
        figures.needs_gpu("a step, captured")


def run_compiled(setting: Setting, figures: Figures) -> None:
    """Show each case compiled, and compiled and captured."""
    if setting.gpu:
        _run(setting, figures, COMPILED)
    else:
        figures.needs_gpu("a step, compiled")


def _run(setting: Setting, figures: Figures, ways: Sequence[str]) -> None:
    device = devices.choose()
    for way in ways:
        prepare = models.ways(setting.gpu)[way]
        encoder = models.build(setting.size.shape, device)
        with figures.alone(way):
            prepare(encoder)
        for name, asset, batch in cases(setting):
            with figures.alone(f"{name}, {way}"):
                measure(setting, figures, encoder, (f"{name}, {way}", asset, batch))


def measure(setting, figures, encoder, case: tuple[str, str, int]) -> None:
    """Show one case in one way."""
    (name, asset, batch), size, device = case, setting.size, encoder.device
    task = models.task(setting.assets, asset, encoder, batch)
    shaped = name.endswith((CAPTURED, *COMPILED))
    warm = size.warm if shaped else size.settled
    last = warm + size.steps
    passes, profile = Passes(device, warm, last), profiling.Profile(device)
    end = last + profiling.STEPS
    hooks = {last: lambda _: profile.start(), end: lambda _: profile.stop()}
    watch = Watch(warm, last, end, hooks)
    spec = models.spec(end + 1, batch, learning_rate=1e-5)
    if shaped:  # the same steps: what is made once a shape is made before the measurement
        start = time.perf_counter()
        fit(encoder, [task], spec, device, BUDGET, Watch(0, end))
        figures.show(f"{name}: made in", time.perf_counter() - start, "s, the steps included")
    with passes:
        fit(encoder, [task], spec, device, BUDGET, watch)
    milliseconds = 1000 * watch.seconds / size.steps
    figures.show(name, milliseconds, "ms a step", ok=_goal(setting, milliseconds, batch, asset))
    figures.show(f"{name}: tokens", watch.tokens / watch.seconds, "a second")
    parameters = size.shape.matmul_parameters
    if ceiling := setting.figure("1 ceilings", CEILING):
        # 6 operations a parameter and token: a product, and two for its gradients.
        done = 6 * parameters * watch.tokens / ceiling / 1e12
        figures.show(f"{name}: share of the matmul ceiling", done / watch.seconds)
        note = f"{1000 * passes.seconds / size.steps:.3g} ms a step"
        goal = GOALS.get(batch, (None, None))[1] if setting.gpu and asset == "mnli" else None
        share = done / passes.seconds
        ok = None if goal is None or not way_counts(name) else share >= goal
        figures.show(f"{name}: share, forward and backward", share, ok=ok, note=note)
    profile.show(figures, name)


def way_counts(name: str) -> bool:
    """Return whether a goal is for this way: padded is what a step falls back to."""
    return not name.endswith("padded")


def _goal(setting: Setting, milliseconds: float, batch: int, asset: str) -> bool | None:
    goal = GOALS.get(batch, (None, None))[0] if setting.gpu and asset == "mnli" else None
    return None if goal is None else milliseconds <= goal or None


class Passes:
    """Counts what the forward and backward part of the steps takes on the device.

    `loop.accumulate_gradients` is wrapped with two events, for which nothing waits.
    """

    def __init__(self, device, first: int, last: int) -> None:
        self.device, self.first, self.last = device, first, last
        self.events: list[Any] = []

    def __enter__(self) -> None:
        real = self.real = loop.accumulate_gradients

        def timed(*args, **keywords):
            before = self._mark()
            result = real(*args, **keywords)
            self.events.append((before, self._mark()))
            return result

        loop.accumulate_gradients = timed

    def __exit__(self, *_) -> None:
        loop.accumulate_gradients = self.real

    def _mark(self) -> Any:
        import torch

        if self.device.type != "cuda":
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    @property
    def seconds(self) -> float:
        """Seconds of the steps that were measured."""
        models.sync(self.device)
        counted = self.events[self.first : self.last]
        if self.device.type != "cuda":
            return sum(after - before for before, after in counted)
        return sum(before.elapsed_time(after) for before, after in counted) / 1000
