"""How far 1,000 steps with the lazy update of the table are from those with the dense one.

    PYTHONPATH=workflow python tests/bench/lazy_equal.py [--rate 1e-3 --decay 0.01]

A random XLM-R of one layer and 4,000 words, ids by Zipf's law, two micro-batches a step, warm-up,
linear decay, clipping at 1. Beside it: the dense update from weights moved by their last bit, and
in double precision (both updates). Differences of the losses, and of weights and moments of the
tensor that differs most, relative to its norm. Biases of keys are not trained: their gradient is 0
but for rounding, of which AdamW makes steps of full length.
"""

import argparse

import numpy as np
import torch
from transformers import XLMRobertaConfig, XLMRobertaModel

from xstilts.experiment.recipe import Recipe
from xstilts.formats.heads import PooledHead
from xstilts.training import optimizer as optimizers

STEPS, VOCABULARY = 1000, 4000


def train(lazy: bool, recipe: Recipe, dtype=torch.float32, moved: float = 0.0) -> dict:
    """Return the losses and, by kind, the tensors after the last step."""
    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64, type_vocab_size=1,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    encoder = XLMRobertaModel(config, add_pooling_layer=False).to(dtype)
    head = PooledHead(config, 3).to(dtype)
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad_("key.bias" not in name)
    encoder.get_input_embeddings().weight.data.mul_(1 + moved)
    optimizers.MIN_LAZY = 1 if lazy else 10**9
    optimizer = optimizers.make_optimizer([encoder, head], recipe, STEPS)
    parameters = [*encoder.parameters(), *head.parameters()]
    generator, losses = np.random.default_rng(1), []
    for step in range(STEPS):
        factor = optimizers.lr_factor(step, STEPS, recipe.warmup)
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * factor
        ids = 2 + np.minimum(generator.zipf(1.2, (2, 8, 12)), VOCABULARY - 203)
        if step % 50 == 7:
            ids[0, 0, 3] = VOCABULARY - 1 - step // 50  # seen once
        ids[:, 0, -3:] = config.pad_token_id
        if lazy:
            encoder.get_input_embeddings().gather(list(ids))
        losses.append(0.0)
        for part in map(torch.from_numpy, ids):
            mask = part != config.pad_token_id
            scores = head(encoder(part, mask).last_hidden_state, mask)
            labels = (part[:, 0] + part[:, 1]) % 3
            loss = torch.nn.functional.cross_entropy(scores, labels) / 2
            loss.backward()
            losses[-1] += loss.item()
        torch.nn.utils.clip_grad_norm_(optimizer.gradients_of(parameters), recipe.clip)
        optimizer.step()
        optimizer.zero_grad()
    optimizer.catch_up()
    moments = [state for state in optimizer.state.values() if "exp_avg" in state]
    return {
        "loss": np.array(losses),
        "weights": [p.detach() for p in parameters if p.requires_grad],
        "m": [state["exp_avg"] for state in moments],
        "v": [state["exp_avg_sq"] for state in moments],
    }


def difference(name: str, one: dict, other: dict) -> None:
    """Print how far two trainings are apart."""
    figures = {"loss": np.abs(one["loss"] / other["loss"] - 1).max()}
    for kind in ("weights", "m", "v"):
        pairs = [(a.double(), b.double()) for a, b in zip(one[kind], other[kind], strict=True)]
        figures[kind] = max(float((a - b).norm() / b.norm()) for a, b in pairs)
    print(f"{name:38}", "  ".join(f"{kind} {value:.1e}" for kind, value in figures.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--decay", type=float, default=0.01)
    args = parser.parse_args()
    torch.set_num_threads(1)
    recipe = Recipe(learning_rate=args.rate, weight_decay=args.decay)
    dense, double = train(False, recipe), train(False, recipe, torch.float64)
    difference("lazy, dense", train(True, recipe), dense)
    difference("dense from other last bits, dense", train(False, recipe, moved=1.2e-7), dense)
    difference("dense, dense in double precision", dense, double)
    difference("lazy, dense, both in double precision", train(True, recipe, torch.float64), double)


if __name__ == "__main__":
    main()
