"""Part 4: what takes less memory. Steps with gradient checkpointing, whose losses have to be those
without, steps by the 8-bit optimizer, and steps of an adapter, each beside plain steps: time and
peak memory."""

import importlib.util
from typing import Any

from xstilts.models import checkpointing
from xstilts.running import device as devices

from . import models
from .figures import Figures
from .runner import Setting
from .watching import Watch, fit

RELATIVE = 2e-3  # of the losses on a GPU: kernels whose sums are in another order each time
ADAPTER = {"rank": 16, "alpha": 32, "dropout": 0.05, "on": "all-linear"}


def run(setting: Setting, figures: Figures) -> None:
    """Show them."""
    device = devices.choose()
    plain = _both(setting, figures, device, "")
    if importlib.util.find_spec("bitsandbytes") is None:
        figures.show("8 bits", None, note="bitsandbytes is not installed")
    else:
        with figures.alone("8 bits"):
            eight = _steps(setting, figures, device, "8 bits", optimizer="adamw8bit")
            figures.show("8 bits: last loss to that of 32", eight[-1] / plain[-1])
    if importlib.util.find_spec("peft") is None:
        figures.show("adapter", None, note="peft is not installed")
    else:
        with figures.alone("adapter"):
            _both(setting, figures, device, "adapter, ")
    if not setting.gpu:
        figures.needs_gpu("peak memory with checkpointing, with 8 bits, and of an adapter")


def _both(setting: Setting, figures: Figures, device, what: str) -> list[float]:
    """Train without gradient checkpointing and with it; return the losses without."""
    plain = _steps(setting, figures, device, f"{what}plain")
    again = _steps(setting, figures, device, f"{what}checkpointing")
    largest = max(abs(a - b) / abs(b) for a, b in zip(again, plain, strict=True))
    limit = RELATIVE if setting.gpu else 1e-6
    note = f"dropout included; at most {limit:.2g}"
    name = f"{what}checkpointing: losses, largest difference"
    figures.show(name, largest, ok=largest <= limit, note=note)
    return plain


def _steps(setting: Setting, figures: Figures, device, way: str, **recipe: Any) -> list[float]:
    """Train some steps in a way; return their losses."""
    import torch

    size = setting.size
    encoder = models.build(size.shape, device)
    task = models.task(setting.assets, "mnli", encoder, max(size.batches))
    if way.startswith("adapter"):
        from xstilts.models import adapters

        adapters.attach(encoder, ADAPTER, "")
        adapters.place(encoder, device)
    if way.endswith("checkpointing"):
        assert checkpointing.enable(encoder)
    if setting.gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    torch.manual_seed(1)
    last = size.warm + size.steps
    spec = models.spec(last + 1, max(size.batches), learning_rate=1e-5, **recipe)
    watch = fit(encoder, [task], spec, device, size.budget, Watch(size.warm, last))
    figures.show(f"{way}: a step", 1e3 * watch.seconds / size.steps, "ms")
    if setting.gpu:
        figures.show(f"{way}: peak memory", torch.cuda.max_memory_allocated() / 1e9, "GB")
    return [float(loss) for loss in watch.losses]
