"""A training step with the dense and with the lazy update of the embedding table, interleaved.

    PYTHONPATH=workflow python tests/bench/lazy_table.py [--model DIR | --vocabulary N --hidden H]

`DIR` is a checkpoint; without it a random 6-layer XLM-R of that size. Batches are of MNLI's shape:
32 pairs of like length, log-normal with mean 40 (at most 128), ids by Zipf's law (the r-th with
1 / r). Steps of the two take turns. Prints the median milliseconds of a step and of its update
(gathering, clipping, AdamW), on a CPU those of the process, and the ratios.
"""

import argparse
import statistics
import time

import numpy as np
import torch
from transformers import XLMRobertaConfig, XLMRobertaModel

from xstilts.experiment.recipe import Recipe
from xstilts.formats.heads import PooledHead
from xstilts.models import checkpoint
from xstilts.running import device
from xstilts.training import optimizer as optimizers
from xstilts.training.lazy_steps import FIRST

STEPS = 100_000  # of the schedule


def make_batch(generator: np.random.Generator, vocabulary: int, size: int = 32) -> np.ndarray:
    """Return ids [size, width], padded with 1."""
    pool = np.sort(np.clip(generator.lognormal(3.6, 0.45, 50 * size), 8, 128).astype(int))
    at = size * generator.integers(50)
    lengths = pool[at : at + size]  # batches are of like length
    ids = np.ones((size, lengths.max()), dtype=np.int64)
    for row, length in enumerate(lengths):
        ranks = np.exp(generator.random(length) * np.log(vocabulary - 4)).astype(int)
        ids[row, :length] = ranks + 3
    return ids


class Trainer:
    """An encoder with head and optimizer, far enough in its schedule."""

    def __init__(self, args, where, lazy: bool) -> None:
        torch.manual_seed(0)
        if args.model:
            encoder = checkpoint.load_encoder(args.model)
        else:
            config = XLMRobertaConfig(
                vocab_size=args.vocabulary, hidden_size=args.hidden, num_hidden_layers=args.layers,
                num_attention_heads=args.hidden // 32, intermediate_size=4 * args.hidden,
                max_position_embeddings=514, type_vocab_size=1,
            )  # fmt: skip
            encoder = XLMRobertaModel(config, add_pooling_layer=False)
        self.encoder = encoder.to(where).train()
        self.head = PooledHead(encoder.config, 3).to(where)
        optimizers.MIN_LAZY = 0
        modules = [self.encoder, self.head]
        self.optimizer = optimizers.make_optimizer(modules, Recipe(), STEPS if lazy else 0)
        self.parameters = [p for module in modules for p in module.parameters()]
        self.where = where
        self.step(np.full((1, 8), 5))
        for state in self.optimizer.state.values():
            state["step"] += FIRST
        self.optimizer.steps += FIRST

    def step(self, ids: np.ndarray) -> tuple[float, float]:
        """Return the seconds of all, and of the update with what prepares it."""
        start = self._now()
        gather = getattr(self.encoder.get_input_embeddings(), "gather", None)
        if gather:
            gather([ids])
        gathered = self._now()
        mask = torch.from_numpy(ids != 1).to(self.where)
        with device.autocast(self.where):
            hidden = self.encoder(torch.from_numpy(ids).to(self.where), mask).last_hidden_state
            scores = self.head(hidden, mask)
        labels = torch.zeros(len(ids), dtype=torch.int64, device=self.where)
        torch.nn.functional.cross_entropy(scores.float(), labels).backward()
        passed = self._now()
        torch.nn.utils.clip_grad_norm_(self.optimizer.gradients_of(self.parameters), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        end = self._now()
        return end - start, gathered - start + end - passed

    def _now(self) -> float:
        if self.where.type == "cuda":
            torch.cuda.synchronize()
            return time.perf_counter()
        return time.process_time()  # others may use the same cores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model")
    parser.add_argument("--vocabulary", type=int, default=250_002)
    parser.add_argument("--hidden", type=int, default=384)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--batch", type=int, default=32)
    args = parser.parse_args()
    where, generator = device.choose(), np.random.default_rng(0)
    trainers = {lazy: Trainer(args, where, lazy) for lazy in (False, True)}
    vocabulary = trainers[True].encoder.config.vocab_size
    times: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for number in range(args.steps + 2):
        ids = make_batch(generator, vocabulary, args.batch)
        for lazy, trainer in sorted(trainers.items(), reverse=bool(number % 2)):
            taken = trainer.step(ids)
            if number >= 2:
                times[lazy].append(taken)
    medians = {
        k: [1000 * statistics.median(t) for t in zip(*v, strict=True)] for k, v in times.items()
    }
    for lazy, (whole, update) in medians.items():
        print(
            f"{'lazy' if lazy else 'dense':6} {whole:8.1f} ms a step,"
            f" {update:8.1f} of them the update"
        )
    ratios = [dense / lazy for dense, lazy in zip(medians[False], medians[True], strict=True)]
    print(
        f"{trainers[True].encoder.get_input_embeddings().weight.numel() / 1e6:.2f} M numbers:"
        f" {ratios[0]:.3f} times faster, the update {ratios[1]:.2f} times"
    )


if __name__ == "__main__":
    main()
