"""The optimizer of every training, and its learning rate over time."""

import math
from collections.abc import Sequence
from typing import Any

from xstilts.experiment.recipe import Recipe
from xstilts.running import ranks

# Numbers of a table whose update is lazy. One of 12 M gains 2% of a step on a CPU, one of 96 M a
# fifth (tests/bench/lazy_table.py); on a GPU the launches should cost as much as moving 30 M,
# so 30_000_000. Off: with the recipes' rates it is not within 1e-5 of the dense one in fp32, which
# is as far from itself in double precision (tests/bench/lazy_equal.py).
MIN_LAZY = math.inf


def make_optimizer(modules: Sequence[Any], recipe: Recipe, total_steps: int = 0):
    """Return AdamW without weight decay on biases and LayerNorm, betas and eps as in jiant.

    The update of a large embedding table is lazy (`adamw.py`); not where it is tied to a head, or
    several ranks train.

    Args:
        modules: the encoder, then the heads.
        recipe: of the training.
        total_steps: of the training; 0 if not known, then nothing is lazy.
    """
    from xstilts.training.adamw import AdamW
    from xstilts.training.lazy_embedding import LazyEmbedding
    from xstilts.training.lazy_steps import FIRST, MAX_DECAY

    table = _large_table(modules)
    decay_of_a_step = recipe.learning_rate * recipe.weight_decay
    if total_steps <= FIRST or decay_of_a_step > MAX_DECAY:
        table = None
    if table is not None:
        table = LazyEmbedding(table)
        modules[0].set_input_embeddings(table)
    parameters = [p for module in modules for p in module.parameters()]
    decay = [p for p in parameters if p.ndim > 1]
    no_decay = [p for p in parameters if p.ndim <= 1]
    groups = [
        {"params": decay, "weight_decay": recipe.weight_decay},
        {"params": no_decay, "weight_decay": 0.0},
    ]
    factors = (lr_factor(step, total_steps, recipe.warmup) for step in range(total_steps))
    rates = [recipe.learning_rate * factor for factor in factors]
    return AdamW(groups, rates, table, lr=recipe.learning_rate, betas=(0.9, 0.999), eps=1e-8)


def _large_table(modules: Sequence[Any]):
    """Return the encoder's embedding table if a lazy update of it is possible, and pays."""
    from torch import nn

    from xstilts.formats.heads import MaskedLMHead

    encoder, *heads = modules
    table = encoder.get_input_embeddings()
    tied = any(isinstance(head, MaskedLMHead) for head in heads)
    plain = isinstance(table, nn.Embedding) and not (table.max_norm or table.scale_grad_by_freq)
    if tied or not plain or ranks.size() > 1 or table.weight.numel() < MIN_LAZY:
        return None
    return table


def lr_factor(step: int, total_steps: int, warmup: float) -> float:
    """Return the share of the peak learning rate at a step: linear warmup, then linear decay."""
    warmup_steps = max(1, math.ceil(total_steps * warmup - 1e-9))
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    return max(0.0, (total_steps - step) / max(1, total_steps - warmup_steps))
