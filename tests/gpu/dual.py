"""Part 3: a dual encoder, whose loss is of a batch as a whole. Embedded at once and in parts, which
are embedded twice: the same losses; and with dropout what is drawn again is what was drawn."""

import math
from typing import Any

import numpy as np

from xstilts.models.execution import Execution
from xstilts.running import device as devices
from xstilts.training import grad_cache, gradients

from . import models
from .correctness import FP32_LOSS, fp32
from .figures import Figures
from .runner import Setting
from .watching import Watch, fit

WHOLE = 1 << 16  # tokens, in which every batch fits
PARTS = 8  # of the tokens of a micro-batch
GRADIENT = 0.05  # of its length, in bf16; with other dropout it is about 1
EXACT = 1e-4  # on a CPU; cosines are times 100


def run(setting: Setting, figures: Figures) -> None:
    """Show both."""
    device, size = devices.choose(), setting.size
    losses = {}
    for name, budget in (("at once", WHOLE), ("in parts", size.budget // PARTS)):
        with figures.alone(f"dual, {name}"):
            losses[name] = _losses(setting, figures, device, name, budget)
    if len(losses) == 2:
        largest = float(np.abs(np.subtract(*losses.values())).max())
        limit = FP32_LOSS if setting.gpu else EXACT
        what, note = "dual, in parts - at once: loss, largest difference", f"at most {limit:.2g}"
        figures.show(what, largest, ok=largest <= limit, note=note)
    _dropout(setting, figures, device)
    if not setting.gpu:
        figures.needs_gpu("dual: the generator of a GPU set back, weights in bf16")


def _start(setting: Setting, device, dropout: float | None):
    encoder = models.build(setting.size.shape, device, dropout=dropout)
    encoder.config.classifier_pooling = "mean"  # of random weights first tokens are all alike
    return encoder, models.task(setting.assets, "dual", encoder, setting.size.batches[0])


def _losses(setting: Setting, figures: Figures, device, name: str, budget: int) -> list[float]:
    """Train some steps without dropout in fp32; return their losses."""
    size, twice = setting.size, 0
    real = grad_cache._drawing

    def drawing(*given: Any):
        nonlocal twice
        twice += 1
        return real(*given)

    encoder, task = _start(setting, device, 0.0)
    last = size.warm + size.steps
    rate = 1e-5 if setting.gpu else 1e-3
    spec = models.spec(last + 1, size.batches[0], learning_rate=rate)
    grad_cache._drawing = drawing
    try:
        with fp32():
            watch = fit(encoder, [task], spec, device, budget, Watch(size.warm, last))
    finally:
        grad_cache._drawing = real
    losses = [float(loss) for loss in watch.losses]
    finite = all(map(math.isfinite, losses))
    figures.show(
        f"dual, {name}: last loss", losses[-1], ok=finite, note=f"{losses[0]:.4f} at first"
    )
    figures.show(f"dual, {name}: a step, fp32", 1e3 * watch.seconds / size.steps, "ms")
    right = twice > last if name == "in parts" else twice == 0
    figures.show(f"dual, {name}: micro-batches embedded twice", twice, ok=right)
    return losses


def _dropout(setting: Setting, figures: Figures, device) -> None:
    """Show how far gradients of micro-batches that are embedded twice are from those of the same
    micro-batches embedded once, with dropout."""
    import torch

    size = setting.size
    encoder, task = _start(setting, device, None)
    encoder.train()
    task.head.train()
    examples, execution = np.arange(size.batches[0]), Execution.choose(encoder, device)
    own = gradients.share(
        task, task.train["en"], examples, (), size.budget // PARTS, execution
    )  # fmt: skip
    found = []
    for tokens, seed in ((WHOLE, 1), (own.max_tokens, 1), (WHOLE, 2)):
        encoder.zero_grad()
        task.head.zero_grad()
        torch.manual_seed(seed)
        grad_cache.accumulate(encoder, task, own._replace(max_tokens=tokens), own.weight, device)
        found.append(torch.cat([p.grad.flatten() for p in encoder.parameters()]))
    once, twice, other = found
    limit = GRADIENT if setting.gpu else EXACT
    for name, its, right in (("twice - once", twice, True), ("other dropout", other, False)):
        far = float((its - once).norm() / once.norm())
        ok, note = (far <= limit, f"at most {limit:.2g}") if right else (far > 2 * limit, "")
        figures.show(f"dual, dropout: gradient, {name}, of its length", far, ok=ok, note=note)
