"""Part 6: two processes claim devices; the energy that the driver counts; the peak of the memory
in the record."""

import multiprocessing
import os
import time
from pathlib import Path

from xstilts.running import device as devices
from xstilts.running import gpus
from xstilts.running.energy import Meter

from .figures import Figures
from .runner import Setting

HELD = 1.0  # seconds that the first process keeps its device


def run(setting: Setting, figures: Figures) -> None:
    """Show that a device is one process's at a time, and what the records say of it."""
    folder = setting.scratch / "claims"
    one = (gpus.pool() if setting.gpu else [])[:1] or ["0"]
    first, second = _both(folder / "one", one)
    waited = second["began"] - first["ended"]
    figures.show("of one device: the second process waits", waited, "s after", ok=waited >= 0)
    first, second = _both(folder / "two", ["0", "1"])
    apart = first["device"] != second["device"] and second["began"] < first["ended"]
    figures.show("of two devices: each has its own", apart, ok=apart, note="made-up names")
    if setting.gpu:
        _energy(figures)
    else:
        figures.needs_gpu("energy", "peak memory of the device")
    said = devices.describe(devices.choose())["peak_memory"]
    figures.show(
        "peak memory in the record", round(int(str(said)) / 1e6), "MB", ok=int(str(said)) > 0
    )


def _both(folder: Path, names: list[str]) -> list[dict]:
    """Claim a device of some in two processes, the second once the first has it."""
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    children = []
    for number in range(2):
        child = context.Process(
            target=_claim, args=(folder, names, queue, HELD if not number else 0)
        )
        child.start()
        children.append(child)
        time.sleep(0.3)
    found = [queue.get(timeout=20) for _ in children]
    for child in children:
        child.join()
    return sorted(found, key=lambda one: -one["held"])


def _claim(folder: Path, names: list[str], queue, held: float) -> None:
    gpus.FOLDER = folder
    gpus.held.clear()
    environ = {"CUDA_VISIBLE_DEVICES": ",".join(names)}
    claimed = gpus.claim(lambda: len(names), environ)
    began = time.monotonic()
    time.sleep(held)
    queue.put({"device": claimed, "began": began, "ended": time.monotonic(), "held": held})
    queue.close()
    queue.join_thread()
    os._exit(0)


def _energy(figures: Figures) -> None:
    import torch

    with figures.alone("energy"):
        meter, a = Meter(), torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
        start = time.monotonic()
        while time.monotonic() - start < 3:
            a @ a
            torch.cuda.synchronize()
        joules, seconds = meter.joules, time.monotonic() - start
        watts = None if joules is None else joules / seconds
        ok = watts is not None and 50 < watts < 2000
        figures.show("energy counter under load", watts, "W", ok=ok)
