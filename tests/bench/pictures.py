"""What pictures before the text cost in training, and in memory.

    PYTHONPATH=workflow:. python tests/bench/pictures.py [--gigabytes 3] [--steps 12]

Time: steps on texts of 24 tokens behind 16 positions, beside steps on texts of 40 tokens; the least
of some rounds that alternate, in CPU seconds of one thread, so that what else runs matters less.
Memory: the most that a process held that looked at features of so many gigabytes, less that of the
same steps on text alone. Ends with an error where pictures cost more than 10% or take 1 GB.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from xstilts.data import features as files

TEXT, POSITIONS, WIDTH, BATCH = 24, 16, 768, 32
ROUNDS, VOCABULARY = 5, 2000


def write(path: Path, pictures: int) -> None:
    """Write features of so many pictures, 1,000 at a time."""
    drawn = np.random.default_rng(0).normal(size=(1000, POSITIONS, WIDTH)).astype(np.float16)
    sizes = [1000] * (pictures // 1000) + [pictures % 1000]
    files.write(path, (pictures, POSITIONS, WIDTH), (drawn[:size] for size in sizes if size))


def rows(tokens: int, path: Path | None, examples: int):
    """Encoded rows of so many tokens, behind pictures if there is a file of them."""
    from xstilts.encoding import encoded, features

    draw = np.random.default_rng(1)
    arrays = encoded.pack(draw.integers(5, VOCABULARY, (examples, tokens)).tolist())
    arrays["labels"] = draw.integers(0, 3, examples)
    meta = {"spec": {"labels": ["a", "b", "c"]}, "pad": 1, "rows": examples}
    pictures = None
    if path:
        pictures = features.Pictures(features.load(path))
        arrays["image"] = draw.integers(0, len(pictures.features), examples)
    return encoded.Encoded(arrays, meta, pictures=pictures)


def steps(tokens: int, path: Path | None, count: int):
    """What takes so many steps of a small encoder, and returns their CPU seconds."""
    import torch
    import transformers

    from xstilts.experiment.recipe import Recipe
    from xstilts.training import gradients, optimizer
    from xstilts.training.tasks import TrainingTask, with_heads

    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = transformers.XLMRobertaConfig(
        vocab_size=VOCABULARY, hidden_size=256, num_hidden_layers=4, num_attention_heads=4,
        intermediate_size=1024, max_position_embeddings=130,
    )  # fmt: skip
    encoder = transformers.XLMRobertaModel(config, add_pooling_layer=False)
    data = rows(tokens, path, count * BATCH)
    [task] = with_heads([TrainingTask("t", "classification", BATCH, "abc", {"en": data})], encoder)
    update = optimizer.make_optimizer([encoder, task.head], Recipe())

    def run() -> float:
        start = time.process_time()
        for step in range(count):
            examples = np.arange(step * BATCH, (step + 1) * BATCH)
            gradients.accumulate_gradients(
                encoder, task, data, examples, (1, step), torch.device("cpu"), 10**6
            )
            update.step()
            update.zero_grad()
        return time.process_time() - start

    run()
    return run


def peak() -> float:
    """The most memory that this process has held, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def measured(path: Path, steps_of: int, with_pictures: bool) -> float:
    """The peak of a process that takes steps, with pictures or on text alone."""
    command = [sys.executable, __file__, "--one", str(path), "--steps", str(steps_of)]
    command += ["--without"] * (not with_pictures)
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(said)["gigabytes"]


def main() -> None:
    """Measure and judge."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--gigabytes", type=float, default=3.0)
    p.add_argument("--steps", type=int, default=12)
    p.add_argument("--one", type=Path, help="a features file: measure one process on it")
    p.add_argument("--without", action="store_true", help="but on text alone")
    args = p.parse_args()
    if args.one:
        # An epoch over all pictures, of which one may not stay in memory.
        found = None if args.without else args.one
        data = rows(TEXT, found, 1000)
        for start in range(0, len(data.pictures.features) if data.pictures else 0, 1000):
            there = len(data.pictures.features)
            data.pictures.of(np.arange(start, min(start + 1000, there)))
        steps(TEXT, found, args.steps)()
        print(json.dumps({"gigabytes": peak()}))
        return
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.safetensors", Path(folder) / "large.safetensors"
        write(small, 2000)
        seen, text = (steps(TEXT, small, args.steps), steps(TEXT + POSITIONS, None, args.steps))
        times = [(seen(), text()) for _ in range(ROUNDS)]
        pictures, alone = (min(each) for each in zip(*times, strict=True))
        share = pictures / alone - 1
        print(
            f"{POSITIONS} positions: {1000 * pictures / args.steps:.0f} ms a step;"
            f" {POSITIONS} tokens: {1000 * alone / args.steps:.0f} ms; {100 * share:+.1f}%"
        )
        write(large, round(args.gigabytes * 1e9 / (2 * POSITIONS * WIDTH)))
        size = large.stat().st_size / 1e9
        more = measured(large, args.steps, True) - measured(large, args.steps, False)
        print(f"features of {size:.1f} GB: {more:.2f} GB of memory above text alone")
    if share > 0.1 or more > 1:
        sys.exit("more than it may")


if __name__ == "__main__":
    main()
