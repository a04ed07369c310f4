"""A recipe: the hyper-parameters of one training."""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Hyper-parameters; the defaults are those of Phang et al. 2020 as read in jiant's scripts.

    Attributes:
        learning_rate: peak of the schedule (linear warm-up, then linear decay to 0).
        batch_size: examples an optimizer step (a span window counts as one), however they are cut
            into micro-batches.
        epochs: passes over the training data.
        max_steps: upper bound on the optimizer steps; None for no bound.
        max_length: pieces a sequence, special tokens included. Windows overlap by a third of it.
        warmup: share of the steps in which the learning rate rises.
        weight_decay: AdamW's, on matrices only (not on biases and LayerNorm).
        clip: largest gradient norm, applied after accumulation.
        dropout: of encoder and head; None keeps the encoder's own.
        eval_every: optimizer steps between evaluations on the English dev set (and one at the end).
        eval_rows: dev examples that such an evaluation reads (the first ones); None for all.
        patience: evaluations without a gain after which training stops.
    """

    learning_rate: float = 1e-5
    batch_size: int = 32
    epochs: float = 3
    max_steps: int | None = None
    max_length: int = 256
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    dropout: float | None = None
    eval_every: int = 1000
    eval_rows: int | None = 500
    patience: int = 30


def resolve(*layers: Mapping[str, Any]) -> Recipe:
    """Return the defaults overridden by each layer in turn; later layers win."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged.update(layer)
    return Recipe(**merged)


def stride(max_length: int) -> int:
    """Return the pieces by which two windows overlap: 128 at the 384 of the SQuAD scripts."""
    return max_length // 3
