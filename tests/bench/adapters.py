"""Training an adapter against all of a decoder: steps in turns, and what a checkpoint takes.

    PYTHONPATH=workflow:. python tests/bench/adapters.py [--rounds 7] [--parts 4]

Of Qwen3 0.6B four layers, in each direction a part of its size, random, and so the adapter's rank
(16 of the whole); sequences of random tokens, padded, of the lengths of MNLI. On one thread of a
CPU: forward, backward, clipping and AdamW. Prints the median seconds of that processor a step of
either (on a loaded machine the clock tells less), the median of the ratios of neighbours (above 1:
the adapter is faster) with the lowest and highest, and the bytes of both checkpoints. `--parts 2`
is nearer to the real thing, and takes longer.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from tests.models.test_adapters import decoder

from xstilts.experiment.recipe import Recipe
from xstilts.models import adapters, checkpoint
from xstilts.training.optimizer import make_optimizer

LENGTHS = (12, 90)  # of a sequence of MNLI, in pieces, most of them


class Side:
    """A model that is trained on."""

    def __init__(self, folder: Path, adapter: dict | None) -> None:
        torch.manual_seed(0)
        self.encoder = checkpoint.load_encoder(folder, dropout=0.1)
        if adapter:
            adapters.attach(self.encoder, adapter, folder)
        self.head = torch.nn.Linear(self.encoder.config.hidden_size, 3)
        self.modules = [self.encoder.train(), self.head]
        self.optimizer = make_optimizer(self.modules, Recipe())

    def step(self, batch: dict[str, torch.Tensor], labels: torch.Tensor) -> float:
        """Train a step; return its seconds."""
        start = time.process_time()
        hidden = self.encoder(**batch).last_hidden_state
        last = hidden[torch.arange(len(hidden)), batch["attention_mask"].sum(1) - 1]
        torch.nn.functional.cross_entropy(self.head(last), labels).backward()
        own = [p for module in self.modules for p in module.parameters() if p.requires_grad]
        torch.nn.utils.clip_grad_norm_(own, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return time.process_time() - start


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--parts", type=int, default=4, help="the size is divided by this")
    parser.add_argument("--batch", type=int, default=16)
    args = parser.parse_args()
    torch.set_num_threads(1)
    adapter = {"rank": 16 // args.parts, "alpha": 32, "dropout": 0.05, "on": "all-linear"}
    with tempfile.TemporaryDirectory() as name:
        base = decoder(Path(name) / "m", args.parts)
        sides = {"whole": Side(base, None), "adapter": Side(base, adapter)}
        draw, taken = np.random.default_rng(0), {side: list[float]() for side in sides}
        vocabulary = sides["whole"].encoder.config.vocab_size
        for number in range(args.rounds + 1):
            lengths = np.sort(draw.integers(*LENGTHS, args.batch))
            mask = torch.from_numpy(np.arange(lengths.max()) < lengths[:, None]).long()
            ids = torch.from_numpy(draw.integers(1, vocabulary, mask.shape)) * mask
            labels = torch.from_numpy(draw.integers(0, 3, args.batch))
            for side, model in sides.items():
                seconds = model.step({"input_ids": ids, "attention_mask": mask}, labels)
                if number:  # the first has memory to ask for
                    taken[side].append(seconds)
        weights = {"encoder": adapters.trained(sides["adapter"].encoder), "head": {}}
        checkpoint.save(weights, base, Path(name) / "a", adapter)
        sizes = [
            path.stat().st_size
            for path in (base / "model.safetensors", Path(name) / "a" / adapters.WEIGHTS)
        ]
    ratios = sorted(w / a for w, a in zip(taken["whole"], taken["adapter"], strict=True))
    for side, seconds in taken.items():
        print(f"{side}: {statistics.median(seconds):.3f} s a step")
    print(f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    print(f"bytes: {sizes[0]:,} and {sizes[1]:,}, {100 * sizes[1] / sizes[0]:.2f}%")


if __name__ == "__main__":
    main()
