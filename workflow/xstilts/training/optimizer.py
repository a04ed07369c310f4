"""The optimizer of every training, its learning rate over time, and its state."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from xstilts.encoding.features import PART
from xstilts.experiment.recipe import Recipe
from xstilts.models import shards
from xstilts.training import adamw8bit
from xstilts.training.storage import Tensors


def trained(modules: Iterable[Any]) -> list[Any]:
    """Return the parameters that are trained, each once: heads may share a part."""
    every = (p for module in modules for p in module.parameters() if p.requires_grad)
    return list({id(p): p for p in every}.values())


def make_optimizer(modules: Sequence[Any], recipe: Recipe):
    """Return AdamW without weight decay on biases and LayerNorm, betas and eps as in jiant.

    Each group has `peak`, the learning rate at the top of its schedule: what makes of pictures the
    encoder's input has one of its own, since it begins at nothing.
    """
    import torch

    projectors = [getattr(module, PART) for module in modules if hasattr(module, PART)]
    of_pictures = {id(p) for projector in projectors for p in projector.parameters()}
    parameters = trained(modules)
    groups = []
    for own, peak in ((False, recipe.learning_rate), (True, recipe.image_learning_rate)):
        some = [p for p in parameters if (id(p) in of_pictures) is own]
        for params, decay in (
            ([p for p in some if p.ndim > 1], recipe.weight_decay),
            ([p for p in some if p.ndim <= 1], 0.0),
        ):
            if params or not own:
                groups.append({"params": params, "weight_decay": decay, "peak": peak})
    settings: dict[str, Any] = {"lr": recipe.learning_rate, "betas": (0.9, 0.999), "eps": 1e-8}
    if recipe.optimizer == "adamw8bit":
        return adamw8bit.make(modules, groups, settings)
    return torch.optim.AdamW(groups, **settings, fused=True)


def lr_factor(step: int, total_steps: int, warmup: float) -> float:
    """Return the share of the peak learning rate at a step: linear warmup, then linear decay."""
    warmup_steps = max(1, math.ceil(total_steps * warmup - 1e-9))
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    return max(0.0, (total_steps - step) / max(1, total_steps - warmup_steps))


def moments(optimizer) -> dict[str, Any]:
    """Return the state of an optimizer: `NUMBER KEY` -> tensor, the parameters numbered through
    all groups. Of parameters that are cut the moments are too."""
    state = adamw8bit.state(optimizer) if adamw8bit.made(optimizer) else None
    by_number = optimizer.state_dict()["state"] if state is None else state
    return {f"{number} {key}": v for number, own in by_number.items() for key, v in own.items()}


def restore(optimizer, tensors: Tensors) -> None:
    """Go on from the moments in a saved state, `optimizer NUMBER KEY`, of any number of ranks."""
    names: dict[int, list[str]] = {}
    for name in tensors:
        kind, _, rest = name.partition(" ")
        if kind == "optimizer":
            number, _, key = rest.partition(" ")
            names.setdefault(int(number), []).append(key)
    if adamw8bit.made(optimizer):
        adamw8bit.restore(optimizer, tensors, names)
        return
    parameters = [p for group in optimizer.param_groups for p in group["params"]]

    def saved(number: int, key: str):
        name, parameter = f"optimizer {number} {key}", parameters[number]
        if key == "step":
            return tensors[name]
        piece = shards.saved_piece(parameter, tensors, name)
        return shards.cut_like(piece.to(parameter.device), parameter)

    state = {number: {key: saved(number, key) for key in keys} for number, keys in names.items()}
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
