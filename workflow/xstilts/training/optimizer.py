"""The optimizer of every training, and its learning rate over time."""

import math
from collections.abc import Sequence
from typing import Any

from xstilts.experiment.recipe import Recipe


def optimizer_for(modules: Sequence[Any], recipe: Recipe):
    """Return AdamW without weight decay on biases and LayerNorm, betas and eps as in jiant."""
    import torch

    parameters = [p for module in modules for p in module.parameters()]
    decayed = [p for p in parameters if p.ndim > 1]
    plain = [p for p in parameters if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=recipe.learning_rate, betas=(0.9, 0.999), eps=1e-8, fused=True
    )


def rate(done: int, steps: int, warmup: float) -> float:
    """Return the share of the peak learning rate after `done` of `steps`: linear up, then down."""
    rising = max(1, math.ceil(steps * warmup - 1e-9))
    if done < rising:
        return (done + 1) / rising
    return max(0.0, (steps - done) / max(1, steps - rising))
