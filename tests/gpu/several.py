"""Part 8: several small trainings on one device at once, against one after another."""

import multiprocessing
from typing import Any

from xstilts.running import device as devices
from xstilts.running import gpus

from . import models
from .figures import Figures
from .runner import Setting
from .training import BUDGET
from .watching import Watch, fit


def run(setting: Setting, figures: Figures) -> None:
    """Show how many times as much several do together as one alone in the same time."""
    count = setting.size.at_once
    [alone] = _together(setting, 1)
    figures.show("one small training", 1000 * alone / setting.size.steps, "ms a step")
    slowest = max(_together(setting, count))
    figures.show(f"each of {count} at once", 1000 * slowest / setting.size.steps, "ms a step")
    gain = count * alone / slowest
    note = "" if setting.gpu else f"{count} processes of one thread each"
    figures.show(f"{count} at once against one after another", gain, "times", note=note)
    if not setting.gpu:
        figures.needs_gpu("several trainings on one GPU")


def _together(setting: Setting, count: int) -> list[float]:
    """Train `count` times at once; return the seconds of the measured steps of each."""
    context = multiprocessing.get_context("fork")
    barrier, queue = context.Barrier(count), context.Queue()
    args = (setting, count, barrier, queue)
    children = [context.Process(target=_train, args=args) for _ in range(count)]
    for child in children:
        child.start()
    found = [queue.get(timeout=60) for _ in children]
    for child in children:
        child.join()
    return found


def _train(setting: Setting, count: int, barrier, queue) -> None:
    import os

    os.environ[gpus.SHARE] = str(count)
    gpus.FOLDER = setting.scratch / "several"
    size, device = setting.size, devices.choose()
    encoder = models.build(size.small, device)
    task = models.task(setting.assets, "mnli", encoder, size.batches[0])
    steps = size.steps * (3 if setting.gpu else 1)
    last = size.warm + steps
    watch = _Together(size.warm, last, hooks={})
    watch.barrier = barrier
    spec = models.spec(last + 1, size.batches[0], learning_rate=1e-5)
    queue.put(fit(encoder, [task], spec, device, BUDGET, watch).seconds * size.steps / steps)


class _Together(Watch):
    """Waits for the others before the first step that is measured."""

    barrier: Any

    def save_if_due(self, state) -> None:
        if state.step == self.first:
            self.barrier.wait(60)
        super().save_if_due(state)
