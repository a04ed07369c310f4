"""Part 5: a training that is killed at a random step goes on, and ends as one that was not."""

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

from xstilts.running import device as devices
from xstilts.training import loop
from xstilts.training.saver import StateSaver

from . import models
from .figures import Figures
from .runner import Setting


def run(setting: Setting, figures: Figures) -> None:
    """Train twice undisturbed and once with a kill, each in a process of its own."""
    folder = setting.scratch / "resume"
    ends = {}
    for name in ("undisturbed", "undisturbed again"):
        child = _start(setting, folder / name)
        ends[name] = _ended(child, folder / name)
    steps = setting.size.resumed
    kill_at = random.SystemRandom().randrange(steps // 4, 3 * steps // 4)
    killed = folder / "killed"
    child = _start(setting, killed, kill_at)
    _, status = os.waitpid(child, 0)
    by = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "nobody"
    figures.show("killed after step", kill_at, note=f"by {by}", ok=by == "SIGKILL")
    started = time.monotonic()
    ends["continued"] = _ended(_start(setting, killed), killed)
    seconds = time.monotonic() - started
    resumed = ends["continued"]["resumed"].tolist()
    good = len(resumed) == 1 and 0 < resumed[0] <= kill_at
    figures.show("went on after step", resumed[0] if resumed else None, ok=good,
                 note=f"{seconds:.1f} s from there, start-up included")  # fmt: skip
    twice = _difference(ends["undisturbed"], ends["undisturbed again"])
    figures.show("two undisturbed runs: weights, largest difference", twice)
    once = _difference(ends["undisturbed"], ends["continued"])
    limit = 3 * twice if setting.gpu else 0.0
    note = f"at most {limit:.2g}" + (", three times the two" if setting.gpu else "")
    figures.show("continued: weights, largest difference", once, ok=once <= limit, note=note)


def _start(setting: Setting, folder: Path, kill_at: int | None = None) -> int:
    """Start a training in a process; return its id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _train(setting, folder, kill_at)
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def _ended(child: int, folder: Path) -> dict[str, Any]:
    """Wait for a training; return its weights."""
    from safetensors.torch import load_file

    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"a training ended with status {status}; see the log")
    return load_file(folder / "end.safetensors")


def _train(setting: Setting, folder: Path, kill_at: int | None) -> None:
    import torch
    from safetensors.torch import save_file

    size, device = setting.size, devices.choose()
    encoder = models.build(size.small, device)
    task = models.task(setting.assets, "mnli", encoder, size.batches[0])
    spec = models.spec(size.resumed, size.batches[0], learning_rate=1e-4)
    spec["recipe"]["eval_every"] = size.resumed // 3
    saver = _Saver(folder / "state", kill_at)
    _, record = loop.fit(encoder, [task], spec, device, size.budget, saver)
    weights = {k: v.detach().cpu().contiguous() for k, v in encoder.state_dict().items()}
    weights["resumed"] = torch.tensor(record["resumed_at"])
    save_file(weights, folder / "end.safetensors")


class _Saver(StateSaver):
    """Saves every few steps, by their number, and is killed at one of them."""

    def __init__(self, folder: Path, kill_at: int | None) -> None:
        super().__init__(folder, "the same", 0.0 if kill_at is not None else float("inf"))
        self.kill_at = kill_at

    def save_if_due(self, state) -> None:
        if state.step == self.kill_at:
            while not list(self.folder.glob("*.json")):  # a thread may still write the first
                time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGKILL)
        self.interval = 0.0 if self.kill_at is not None and state.step % 7 == 3 else float("inf")
        super().save_if_due(state)


def _difference(one: dict[str, Any], other: dict[str, Any]) -> float:
    return max(float((one[k] - other[k]).abs().max()) for k in one if _counts(k))


def _counts(name: str) -> bool:
    """Return whether a weight is compared: biases of keys move by rounding alone (see part 3)."""
    return name != "resumed" and not name.endswith("key.bias")
