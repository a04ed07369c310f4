"""Part 3: our steps against a plain loop in fp32, dropout off; packed against padded, compiled
against eager, all from the same weights and on the same batches."""

import contextlib
import dataclasses
import importlib.util
from typing import Any

import numpy as np

from xstilts.running import device as devices
from xstilts.scoring import predict

from . import assets, models, plain
from .figures import Figures
from .runner import Setting
from .watching import Watch, fit

EXACT = 1e-5  # of losses and weights in fp32 on a CPU
# In tf32 products (10 bits of mantissa) and other orders of sums, over 50 steps.
FP32_LOSS = 5e-3
BF16 = 2  # times what bf16 costs the plain loop
LEARNING_RATE = 2e-5


@dataclasses.dataclass
class Trained:
    """The losses of a training, and how far its weights are from where they began."""

    losses: list[float]
    weights: list[Any]


def run(setting: Setting, figures: Figures) -> None:
    """Show how far each way of training is from the plain loop."""
    device = devices.choose()
    reference = _plain(setting, device, False)
    first, last = np.mean(reference.losses[:5]), np.mean(reference.losses[-5:])
    figures.show("loss of the plain loop", float(last), note=f"{first:.4f} at first")
    allowed = None
    if setting.gpu:
        narrow = _plain(setting, device, True)
        allowed = _show(figures, "plain loop in bf16", narrow, reference, None)
        del narrow
    for way, prepare in models.ways(setting.gpu).items():
        if way not in models.EAGER:
            continue
        with figures.alone(f"ours, {way}, fp32"), fp32():
            trained = _ours(setting, device, prepare)
            limit = FP32_LOSS if setting.gpu else EXACT
            _show(figures, f"ours, {way}, fp32", trained, reference, limit, not setting.gpu)
            del trained
        if allowed is not None:
            with figures.alone(f"ours, {way}, bf16"):
                trained = _ours(setting, device, prepare)
                _show(figures, f"ours, {way}, bf16", trained, reference, BF16 * allowed)
                del trained
    _outputs(setting, figures, device)
    if setting.gpu and importlib.util.find_spec("peft"):
        with figures.alone("adapter, frozen weights in bf16"):
            _adapter(setting, figures, device)
    if not setting.gpu:
        figures.needs_gpu("bf16 against fp32")


def run_compiled(setting: Setting, figures: Figures) -> None:
    """Show how far compiled steps are from the plain loop."""
    if not setting.gpu:
        figures.needs_gpu("compiled against eager")
        return
    device = devices.choose()
    reference = _plain(setting, device, False)
    allowed = _show(figures, "plain loop in bf16", _plain(setting, device, True), reference, None)
    way = models.COMPILED[0]
    trained = _ours(setting, device, models.ways(True)[way])
    _show(figures, f"ours, {way}, bf16", trained, reference, BF16 * allowed)


def run_captured(setting: Setting, figures: Figures) -> None:
    """Show how far captured steps are from those that are launched one by one: the kernels are the
    same, so as far as two of these; with dropout only if generators go on alike."""
    if not setting.gpu:
        figures.needs_gpu("graphs against eager")
        return
    device, ways = devices.choose(), models.ways(True)
    for dropout in (0.0, None):
        one, twice, captured = (
            _ours(setting, device, ways[way], dropout).losses
            for way in ("packed", "packed", models.CAPTURED)
        )
        what = "captured - packed" + (", with dropout" if dropout is None else "")
        limit, difference = 3 * _largest(one, twice) + EXACT, _largest(one, captured)
        figures.show(
            f"{what}: loss, largest difference", difference, note=f"at most {limit:.2g}",
            ok=difference <= limit if dropout == 0.0 else None,
        )  # fmt: skip


def _start(setting: Setting, device, dropout: float | None = 0.0):
    encoder = models.build(setting.size.shape, device, dropout=dropout)
    return encoder, models.task(setting.assets, "mnli", encoder, setting.size.batches[0])


def _spec(setting: Setting) -> dict[str, Any]:
    size = setting.size
    rate = LEARNING_RATE if setting.gpu else 1e-3
    return models.spec(size.compared + 1, size.batches[0], learning_rate=rate)


def _weights(encoder, task) -> list[Any]:
    """Return all weights but the biases of keys: attention does not depend on them, their gradient
    is rounding alone, and AdamW makes steps of the learning rate of it."""
    named = [*encoder.named_parameters(), *task.head.named_parameters()]
    return [p.detach().clone() for name, p in named if not name.endswith("key.bias")]


def _plain(setting: Setting, device, bf16: bool) -> Trained:
    encoder, task = _start(setting, device)
    losses = plain.train(encoder, task, _spec(setting), device, setting.size.compared, bf16)
    return Trained(losses, _weights(encoder, task))


def _ours(setting: Setting, device, prepare, dropout: float | None = 0.0) -> Trained:
    encoder, task = _start(setting, device, dropout)
    prepare(encoder)
    steps = setting.size.compared
    found: list[Any] = []

    def take(state) -> None:
        if hasattr(state.optimizer, "catch_up"):  # a lazy one: the weights are read
            state.optimizer.catch_up()
        found.extend(_weights(encoder, task))

    watch = Watch(0, steps, hooks={steps: take})
    fit(encoder, [task], _spec(setting), device, setting.size.budget, watch)
    return Trained([float(loss) for loss in watch.losses], found)


def _show(
    figures: Figures, name: str, trained: Trained, reference: Trained, limit: float | None,
    exact: bool = False,
) -> float:  # fmt: skip
    """Show the differences from the reference; return the mean one of the losses."""
    differences = np.abs(np.subtract(trained.losses, reference.losses))
    mean = float(differences.mean())
    ok = None if limit is None else bool((differences.max() if exact else mean) <= limit)
    note = "" if limit is None else f"at most {limit:.2g}" + (" in every step" if exact else "")
    figures.show(f"{name}: loss, mean difference", mean, ok=ok, note=note)
    figures.show(f"{name}: loss, largest difference", float(differences.max()))
    pairs = list(zip(trained.weights, reference.weights, strict=True))
    largest = max(float((a - b).abs().max()) for a, b in pairs)
    figures.show(
        f"{name}: weights, largest difference", largest, ok=largest <= EXACT if exact else None
    )
    return mean


def _adapter(setting: Setting, figures: Figures, device) -> None:
    """Show that frozen weights in bf16 come to what autocast makes of those in fp32: the first loss
    is the same, and the others as far as those of the same training twice, since gradients of
    attention are summed in any order."""
    import torch

    from xstilts.models import adapters

    adapter = {"rank": 8, "alpha": 16, "dropout": 0.0, "on": "all-linear"}
    losses: list[Any] = []
    for name in ("fp32", "fp32", "bf16"):
        encoder, task = _start(setting, device)
        torch.manual_seed(0)
        adapters.attach(encoder, adapter, "")
        if name == "bf16":
            adapters.place(encoder, device)
        watch = Watch(0, setting.size.compared)
        fit(encoder, [task], _spec(setting), device, setting.size.budget, watch)
        losses.append([float(loss) for loss in watch.losses])
        if len(losses) > 1:  # the first two are the same
            memory = sum(p.numel() * p.element_size() for p in encoder.parameters())
            figures.show(f"adapter, frozen weights in {name}: bytes of weights", memory)
    one, twice, half = losses
    what, limit = "adapter, frozen weights in bf16 - in fp32", 3 * _largest(one, twice) + EXACT
    figures.show(f"{what}: first loss", first := abs(one[0] - half[0]), ok=first <= EXACT)
    difference = _largest(one, half)
    note = f"at most {limit:.2g}, three times that of two in fp32"
    figures.show(f"{what}: loss, largest difference", difference, ok=difference <= limit, note=note)


def _largest(one: list[float], other: list[float]) -> float:
    return float(np.abs(np.subtract(one, other)).max())


@contextlib.contextmanager
def fp32():
    """Train in fp32 where a GPU would take bf16."""
    import torch

    real = devices.autocast, torch.cuda.is_bf16_supported
    devices.autocast = lambda device: contextlib.nullcontext()
    torch.cuda.is_bf16_supported = lambda *_, **__: False
    try:
        yield
    finally:
        devices.autocast, torch.cuda.is_bf16_supported = real


def _outputs(setting: Setting, figures: Figures, device) -> None:
    """Show the scores of dev rows in each way against those of padded batches."""
    dev, _ = assets.read(setting.assets, "mnli", "dev")
    dev, scores = dev.first_rows(64), {}
    for way, prepare in models.ways(setting.gpu).items():
        with figures.alone(f"scores, {way}"):
            encoder, task = _start(setting, device)
            prepare(encoder)
            budget = 4 * setting.size.budget
            found = predict.reduced(task.page, encoder, task.head, dev, device, budget)
            scores[way] = np.stack(found)
            difference = float(np.abs(scores[way] - scores["padded"]).max())
            limit = 2e-2 if setting.gpu else EXACT  # of scores of about 1, in bf16
            figures.show(f"scores, {way} - padded", difference, ok=difference <= limit)
