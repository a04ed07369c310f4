"""Part 4: out of memory. A budget that cannot fit is halved until it does, and the result is that
of a small one; of an example that is too long the user reads one line."""

import contextlib
import io
from collections.abc import Iterator
from typing import Any

from xstilts.models import shape
from xstilts.models.execution import Execution
from xstilts.models.gpu_memory import GpuMemory
from xstilts.running import device as devices
from xstilts.running import failure
from xstilts.running.errors import DoesNotFit
from xstilts.training import loop
from xstilts.training.tasks import largest_batch

from . import models
from .figures import Figures
from .runner import Setting
from .watching import Watch, fit

STEPS = 2


def run(setting: Setting, figures: Figures) -> None:
    """Show both."""
    device = devices.choose()
    size = setting.size
    small, budget, _ = _train(setting, device, size.budget)
    with _little_memory(setting, size.budget):
        huge, found, said = _train(setting, device, size.huge)
    figures.show("tokens a micro-batch, asked for", size.huge)
    figures.show("tokens a micro-batch, at the end", found, ok=found < size.huge)
    lines = [line for line in said.splitlines() if "out of GPU memory" in line]
    figures.show("lines that say so", len(lines), ok=bool(lines), note=(lines or [""])[-1])
    largest = max(float((a - b).abs().max()) for a, b in zip(small, huge, strict=True))
    # AdamW's first steps are of the size of the learning rate, whatever the gradient is.
    limit = 2.5 * STEPS * 1e-4 if setting.gpu else 1e-5
    note = f"against {budget} tokens; at most {limit:.2g}"
    figures.show("weights, largest difference", largest, ok=largest <= limit, note=note)
    _too_long(setting, figures, device)
    _by_formula(setting, figures, device)
    if not setting.gpu:
        figures.needs_gpu("memory that runs out: on a CPU a stand-in says so")


def _train(setting: Setting, device, budget: int) -> tuple[list[Any], int, str]:
    """Train a few steps on spans; return the weights, the tokens a micro-batch, and the output."""
    encoder = models.build(setting.size.shape, device, dropout=0.0)
    task = models.task(setting.assets, "span", encoder, max(setting.size.batches))
    spec = models.spec(STEPS + 1, max(setting.size.batches), learning_rate=1e-4)
    ended: list[int] = []
    hook = {STEPS: lambda state: ended.append(state.max_tokens)}
    said = io.StringIO()
    with _stand_in(setting, encoder), contextlib.redirect_stdout(said):
        fit(encoder, [task], spec, device, budget, Watch(0, STEPS, hooks=hook))
    print(said.getvalue())
    return [p.detach().cpu().clone() for p in encoder.parameters()], ended[0], said.getvalue()


def _too_long(setting: Setting, figures: Figures, device) -> None:
    """Show what is said of one example that does not fit."""
    encoder = models.build(setting.size.shape, device, dropout=0.0)
    task = models.task(setting.assets, "span", encoder, 2)
    spec = models.spec(2, 2, learning_rate=1e-4)
    Execution.choose(encoder, device)  # while there is memory
    try:
        with _little_memory(setting, 1), _stand_in(setting, encoder, most=1):
            loop.fit(encoder, [task], spec, device, setting.size.huge)
    except DoesNotFit as error:
        line = failure.line(error)
        figures.show("one example too long", len(line.splitlines()), "line", ok=True, note=line)
    else:
        figures.show("one example too long", None, ok=False, note="it was trained on")


def _by_formula(setting: Setting, figures: Figures, device) -> None:
    """Show the peak of a training by the formula of the estimate, to the one that is measured."""
    name = "peak memory, formula to measured"
    if not setting.gpu:
        figures.needs_gpu(name)
        return
    import torch

    encoder = models.build(setting.size.shape, device, dropout=0.1)
    task = models.task(setting.assets, "span", encoder, max(setting.size.batches))
    spec = models.spec(STEPS + 1, max(setting.size.batches))
    Execution.choose(encoder, device)
    torch.cuda.reset_peak_memory_stats()
    fit(encoder, [task], spec, device, setting.size.budget, Watch(0, STEPS))
    measured = torch.cuda.max_memory_allocated()
    told = shape.of_config(encoder.config.to_dict())
    assert told
    memory = GpuMemory(told.with_parameters(sum(p.numel() for p in encoder.parameters())))
    tokens = min(setting.size.budget, largest_batch([task]))
    ratio = memory.peak(tokens, setting.size.length) / measured
    note = f"{measured / 1e9:.2f} GB measured; within 15%"
    figures.show(name, round(ratio, 3), ok=abs(ratio - 1) <= 0.15, note=note)


@contextlib.contextmanager
def _little_memory(setting: Setting, budget: int) -> Iterator[None]:
    """Leave a GPU as much memory as the size says; of a budget of 1, what is taken already."""
    if not setting.gpu:
        yield
        return
    import gc

    import torch

    gc.collect()
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    share = setting.size.memory
    if budget == 1:
        share = (torch.cuda.memory_reserved() + 2**28) / total
    torch.cuda.set_per_process_memory_fraction(share)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


@contextlib.contextmanager
def _stand_in(setting: Setting, encoder, most: int | None = None) -> Iterator[None]:
    """On a CPU, let the encoder run out of memory above a number of tokens."""
    if setting.gpu:
        yield
        return
    import torch

    most = setting.size.budget if most is None else most

    def refuse(module, args, keywords) -> None:
        tokens = keywords["input_ids"].numel()
        if tokens > most:
            raise torch.OutOfMemoryError(f"CUDA out of memory. {tokens} tokens, of {most}")

    handle = encoder.register_forward_pre_hook(refuse, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()
