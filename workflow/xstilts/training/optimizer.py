"""The optimizer of every training, and its learning rate over time."""

import math
from collections.abc import Sequence
from typing import Any

from xstilts.experiment.recipe import Recipe


def make_optimizer(modules: Sequence[Any], recipe: Recipe):
    """Return AdamW without weight decay on biases and LayerNorm, betas and eps as in jiant."""
    import torch

    parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
    decay = [p for p in parameters if p.ndim > 1]
    no_decay = [p for p in parameters if p.ndim <= 1]
    groups = [
        {"params": decay, "weight_decay": recipe.weight_decay},
        {"params": no_decay, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=recipe.learning_rate, betas=(0.9, 0.999), eps=1e-8, fused=True
    )


def lr_factor(step: int, total_steps: int, warmup: float) -> float:
    """Return the share of the peak learning rate at a step: linear warmup, then linear decay."""
    warmup_steps = max(1, math.ceil(total_steps * warmup - 1e-9))
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    return max(0.0, (total_steps - step) / max(1, total_steps - warmup_steps))
