"""Part 9: a training that is recorded for difficulty, whose losses have to be those of one that is
not; and alignment of an encoder, whose measures have to be those of its states in fp32 on a CPU."""

import dataclasses
import math
import shutil
import time
from typing import Any

import numpy as np

from xstilts.metrics import alignment as measures
from xstilts.running import device as devices
from xstilts.scoring import alignment
from xstilts.training import loop

from . import models
from .figures import Figures
from .runner import Setting
from .watching import Done, Watch

EXACT = 1e-6  # of the losses on a CPU
EPOCHS, STEPS = 3, 4  # that are recorded, of so many steps each
SENTENCES = 500  # at most: the CPU that they are compared with has one thread
SWAPPED = 0.3  # of the words of a sentence, which are others in its translation
# Largest difference of a measure: of the same states, but for a nearest sentence that is another by
# rounding; of states in bf16.
SAME, BF16 = 0.005, 0.02
# All but what takes SciPy.
NAMES = [name for name in measures.BETTER if name != "spectral"]


def run_recorded(setting: Setting, figures: Figures) -> None:
    """Show that recording changes no loss, and what it takes."""
    device = devices.choose()
    (one, _), (twice, _), (recorded, found) = (
        _train(setting, device, recorded) for recorded in (False, False, True)
    )
    limit = 3 * _largest(one, twice) + EXACT
    difference = _largest(one, recorded)
    figures.show(
        "recorded: losses, largest difference", difference, ok=difference <= limit,
        note=f"dropout included; at most {limit:.2g}",
    )  # fmt: skip
    values = np.stack(list(found.recorded.values()))
    rows = STEPS * setting.size.batches[0]
    complete = values.shape == (EPOCHS, rows, 4) and bool(np.isfinite(values).all())
    figures.show("recorded: epochs with a value of every row", len(values), ok=complete)
    probability, loss = values[..., 0], values[..., 2]
    apart = float(np.abs(np.exp(-loss) - probability).max())
    figures.show("recorded: probability and loss, largest difference", apart, ok=apart < 1e-4)
    figures.show("recorded: passes", found.evaluation_seconds, "s", note="one an epoch")


def _train(setting: Setting, device, recorded: bool) -> tuple[list[float], Any]:
    """Train some short epochs; return the losses, and the state at the end."""
    encoder, batch = models.build(setting.size.shape, device), setting.size.batches[0]
    task = models.task(setting.assets, "mnli", encoder, batch)
    few = {"en": task.train["en"].first_rows(STEPS * batch)}
    task, last, states = dataclasses.replace(task, train=few), EPOCHS * STEPS, []
    watch = Watch(0, last, hooks={last: states.append})
    spec = models.spec(last + 1, batch, learning_rate=2e-5)
    try:
        loop.fit(encoder, [task], spec, device, setting.size.budget, watch, recorded=recorded)
    except Done:
        return [float(loss) for loss in watch.losses], states[0]
    raise AssertionError("the training has ended before its last step was seen")


def _largest(one: list[float], other: list[float]) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def run_alignment(setting: Setting, figures: Figures) -> None:
    """Show sentences a second, and how far measures are from those in fp32 on a CPU."""
    import torch

    folder = setting.scratch / "aligned"
    encoder = models.build(setting.size.small, torch.device("cpu")).eval()
    encoder.save_pretrained(folder)
    shutil.copy(setting.assets / "tokenizer.json", folder)
    count = min(SENTENCES, setting.size.rows["mnli"][1])
    sides = sentences(setting.size.words, count)
    aligner = alignment.Aligner(str(folder), {}, [], 4 * setting.size.budget, str(folder))
    _, pool, device, tokenizer = aligner.load()
    aligner.means(sides[0][:8], 512)  # warms up
    start = time.perf_counter()
    found = [aligner.means(texts, 512) for texts in sides]
    figures.show("alignment: sentences", 2 * count / (time.perf_counter() - start), "a second")
    every = np.arange(count)
    own = alignment._layers(*found, every, pool.layers, NAMES, device)
    figures.show("alignment: layers", len(own), ok=len(own) == setting.size.small.layers + 1)
    plain = [_states(encoder, tokenizer, texts) for texts in sides]
    same, other = 0.0, 0.0
    for at, layer in enumerate(pool.layers):
        there = [torch.from_numpy(side.layer(at, every)) for side in found]
        same = max(same, _apart(own[str(layer)], measures.measured(*there, NAMES)))
        on_cpu = measures.measured(*(side[layer] for side in plain), NAMES)
        other = max(other, _apart(own[str(layer)], on_cpu))
    figures.show("alignment: of the same states", same, ok=same <= SAME, note=f"at most {SAME}")
    name = "alignment: of states in fp32"
    figures.show(name, other, ok=other <= BF16, note=f"{alignment.precision(device)} here")


def sentences(words: int, count: int) -> tuple[list[str], list[str]]:
    """Return sentences of random words, and as many that differ from each in some words and are up
    to three words longer."""
    draw = np.random.default_rng(5)
    one, other = [], []
    for length in draw.integers(4, 24, count):
        drawn = draw.integers(0, words - 8, length)
        others, keep = draw.integers(0, words - 8, length), draw.random(length) >= SWAPPED
        swapped = np.where(keep, drawn, others)
        one.append(" ".join(f"w{word}" for word in drawn))
        longer = np.append(swapped, others[: draw.integers(0, 4)])
        other.append(" ".join(f"w{word}" for word in longer))
    return one, other


def _states(encoder, tokenizer, texts: list[str]) -> list[Any]:
    """Return layer -> mean states of sentences, run one by one in fp32."""
    import torch

    found = []
    with torch.inference_mode():
        for one in tokenizer.encode(texts, 512):
            states = encoder(torch.tensor([one.ids]), output_hidden_states=True).hidden_states
            found.append(torch.stack([state[0].mean(0) for state in states]))
    return list(torch.stack(found, 1))


def _apart(one: dict[str, float], other: dict[str, float]) -> float:
    assert all(map(math.isfinite, one.values()))
    return max(abs(one[name] - other[name]) for name in one)
