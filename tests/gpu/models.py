"""Encoders of random weights, the tasks on them, and the ways in which a step can be executed."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xstilts.experiment.recipe import Recipe
from xstilts.training.tasks import TrainingTask, with_heads

from . import assets
from .sizes import Shape

EAGER = ("padded", "packed")
CAPTURED = "packed, captured"
COMPILED = ("packed, compiled", "packed, compiled, captured")


def build(shape: Shape, device, seed: int = 1, dropout: float | None = None) -> Any:
    """Return an encoder of random weights on a device; the same ones for the same seed."""
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaModel

    more = {} if dropout is None else {
        "hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout,
    }  # fmt: skip
    config = XLMRobertaConfig(
        vocab_size=shape.vocabulary, hidden_size=shape.hidden, num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads, intermediate_size=shape.intermediate,
        max_position_embeddings=shape.positions, type_vocab_size=1, **more,
    )  # fmt: skip
    torch.manual_seed(seed)
    with torch.device(device):
        return XLMRobertaModel(config, add_pooling_layer=False)


def task(folder: Path, name: str, encoder, batch_size: int, dev_rows: int = 8) -> TrainingTask:
    """Return an asset as a task of a training, with a new head on an encoder."""
    train, _ = assets.read(folder, name, "train")
    dev, rows = assets.read(folder, name, "dev")
    few = dev.first_rows(dev_rows)
    bare = TrainingTask(
        name, assets.FORMATS[name], batch_size, train.labels, {"en": train},
        dev=dataclasses.replace(few), dev_rows=rows[:dev_rows], metric=assets.METRICS[name],
    )  # fmt: skip
    return with_heads([bare], encoder)[0]


def spec(steps: int, batch_size: int, **recipe) -> dict[str, Any]:
    """Return the spec of a training of so many steps, evaluated at its end alone.

    Batches are independent: packed ones need not be of like length, and have fewer shapes so.
    """
    recipe.setdefault("grouping", "none")
    chosen = Recipe(batch_size=batch_size, eval_every=1 << 30, **recipe)
    return {"recipe": dataclasses.asdict(chosen), "seed": 1, "steps": steps}


def sync(device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        import torch

        torch.cuda.synchronize()


def ways(gpu: bool) -> dict[str, Callable[[Any], None]]:
    """Return name -> what makes an encoder run so from then on.

    Compiled on a GPU only, as it takes a compiler, and minutes; captured in graphs there too.
    """
    from xstilts.models import execution

    from . import graphs

    def use(encoder, chosen) -> None:
        execution._chosen[encoder] = chosen  # what `Execution.choose` answers from now on

    prepare, padded = execution.Execution.prepare, execution.Execution()

    def special(encoder, compiled: bool, captured: bool):
        made = prepare(encoder, compiled=compiled)
        if captured:
            graphs.enable(encoder)
        return made

    found = {
        "padded": lambda encoder: use(encoder, padded),
        "packed": lambda encoder: use(encoder, prepare(encoder)),
    }
    if gpu:
        for name in (CAPTURED, *COMPILED):
            found[name] = lambda encoder, name=name: use(
                encoder, special(encoder, name in COMPILED, "captured" in name)
            )
    return found
