"""Part 2, the other side: HF Trainer at its best, on the same rows, encoder and recipe."""

from typing import Any

from xstilts.running import device as devices

from . import models
from .figures import Figures
from .runner import Setting
from .trainer import Epoch, train
from .training import cases

OURS = "2 training step", "2 training step, captured", "2 training step, compiled"
GOAL = 1.5  # times Trainer at its best, on an H100


def run(setting: Setting, figures: Figures) -> None:
    """Show Trainer without torch.compile, and how many times as fast we are."""
    _run(setting, figures, False)


def run_compiled(setting: Setting, figures: Figures) -> None:
    """Show Trainer with torch.compile, where it works."""
    if setting.gpu:
        _run(setting, figures, True)
    else:
        figures.needs_gpu("HF Trainer with torch.compile")


def _run(setting: Setting, figures: Figures, compiled: bool) -> None:
    device, size = devices.choose(), setting.size
    encoder = models.build(size.shape, device)
    warm = size.settled
    for name, asset, batch in cases(setting):
        with figures.alone(name):
            task = models.task(setting.assets, asset, encoder, batch)
            epoch = Epoch(warm, size.steps, batch, workers=4 if setting.gpu else 0)
            seconds, tokens, by = train(encoder, task, device, epoch, "best", compiled)
            figures.show(name, 1000 * seconds / size.steps, "ms a step", note=by)
            figures.show(f"{name}: tokens", tokens / seconds, "a second")
            _compare(setting, figures, name, tokens / seconds)


def _compare(setting: Setting, figures: Figures, name: str, theirs: float) -> None:
    ours = {
        way: value
        for way in models.ways(setting.gpu)
        for part in OURS
        if (value := setting.figure(part, f"{name}, {way}: tokens")) is not None
    }
    if not ours:
        return
    way, best = max(ours.items(), key=lambda one: one[1])
    ratio: Any = best / theirs
    ok = ratio >= GOAL if setting.gpu else None
    figures.show(f"{name}: ours, {way}", ratio, "times", ok=ok, note=f"goal {GOAL}, on an H100")
