"""Part 7: evaluation, rows a second of each format, decoding included; mining of two pools."""

import inspect
import resource
import time
import weakref
from typing import Any

import numpy as np

from xstilts.metrics import mining
from xstilts.running import device as devices
from xstilts.scoring import predict

from . import assets, models
from .figures import Figures
from .runner import Setting

REPEATS = 3
SEED = 7


def run(setting: Setting, figures: Figures) -> None:
    """Show rows a second, and that the hidden states of the layers are not kept."""
    device = devices.choose()
    encoder = models.build(setting.size.shape, device)
    for name in setting.size.rows:
        with figures.alone(name):
            task = models.task(setting.assets, name, encoder, 1)
            data, rows = assets.read(setting.assets, name, "dev")
            taken = []
            for _ in range(REPEATS):  # the first warms up
                start = time.perf_counter()
                found = predict.reduced(
                    task.page, encoder, task.head, data, device, 4 * setting.size.budget
                )
                task.page.decode(found, data, rows)
                taken.append(time.perf_counter() - start)
            figures.show(f"{name}: rows", len(rows) / min(taken[1:]), "a second")
    with figures.alone("hidden states"):
        _states(setting, figures, encoder)


def _states(setting: Setting, figures: Figures, encoder) -> None:
    """Show how many outputs of layers are alive at once, at most, in an evaluation."""
    alive: list[Any] = []
    most = 0

    def count(module, args, output) -> None:
        nonlocal most
        hidden = output[0] if isinstance(output, tuple) else output
        alive[:] = [one for one in alive if one() is not None] + [weakref.ref(hidden)]
        most = max(most, len(alive))

    handles = [layer.register_forward_hook(count) for layer in encoder.encoder.layer]
    task = models.task(setting.assets, "mnli", encoder, 1)
    predict.reduced(task.page, encoder, task.head, task.dev, encoder.device, setting.size.budget)
    for handle in handles:
        handle.remove()
    layers = setting.size.shape.layers
    note = f"of {layers} layers"
    figures.show("hidden states alive at once", most, ok=0 < most <= 2, note=note)


def run_mining(setting: Setting, figures: Figures) -> None:
    """Show the seconds and the memory that mining of two pools takes."""
    device = devices.choose()
    count, width = setting.size.mined
    pools = pool(count, width)
    wanted = {"device": device} if "device" in inspect.signature(mining.mine).parameters else {}
    if setting.gpu:
        import torch

        torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    mined = mining.mine(*pools, **wanted)
    seconds = time.perf_counter() - start
    note = "" if wanted or not setting.gpu else "on the CPU: this code has no other way"
    name = f"mining {count:,} x {count:,} x {width}"
    figures.show(name, seconds, "s", note=note)
    right = float((mined.source == mined.target).mean())
    figures.show("mined pairs that are right", right, ok=right > 0.99)
    if setting.gpu:
        import torch

        figures.show("mining: memory", round(torch.cuda.max_memory_allocated() / 1e9, 2), "GB")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    figures.show("mining: memory of the host", round(peak, 2), "GB")


def pool(count: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two pools of embeddings, float32 [count, width], each the other's with noise."""
    draw = np.random.default_rng(SEED)
    source = draw.standard_normal((count, width), dtype=np.float32)
    noise = draw.standard_normal((count, width), dtype=np.float32)
    return source, source + 0.5 * noise
