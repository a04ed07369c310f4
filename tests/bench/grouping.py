"""Batches of examples of like length against independent ones: scores and speed on real rows.

    PYTHONPATH=workflow python tests/bench/grouping.py --data /work/shared/data [--rows 3000]

Trains on MNLI from `models/local/me5-small-xlmr-32k-6l` of `--data`, by the loop, with `grouping:
length` and `grouping: none` in turn, once a seed; scores the last weights on dev rows of MNLI and
of XNLI in de, zh and sw. Prints a line a training, then for each language the mean accuracy of
both (in points), the mean of the differences over the seeds (none - length) with their standard
deviation and the half of their 95% interval, and the examples a second, of the clock and of the
processor. The seed decides the head, the dropout and the order, so the two of a seed are a pair.
"""

import argparse
import dataclasses
import statistics
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from xstilts import formats
from xstilts.encoding.encoded import Encoded
from xstilts.encoding.tokenizer import load_tokenizer
from xstilts.experiment.recipe import Recipe
from xstilts.models import checkpoint
from xstilts.running import device as devices
from xstilts.scoring import predict
from xstilts.training import loop
from xstilts.training.tasks import TrainingTask

LABELS = ["entailment", "neutral", "contradiction"]  # in the order of the hub's numbers
MODEL = "models/local/me5-small-xlmr-32k-6l"
TRAIN, DEV = "nyu-mll/glue/mnli/train", "nyu-mll/glue/mnli/validation_matched"
XNLI = ("de", "zh", "sw")
GROUPINGS = ("length", "none")
T = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}  # seeds -> 97.5% quantile of Student's t
FEW = 32  # rows that the loop itself evaluates, so that this takes no time
PAGE = formats.page("classification")


def read(data: Path, name: str, count: int) -> list[dict]:
    """Return the first rows of a file of the mirror, unified."""
    table = pq.read_table(data / "datasets" / f"{name}-00000-of-00001.parquet").slice(0, count)
    return [
        {
            "id": str(i), "text": row["premise"], "text_pair": row["hypothesis"],
            "label": LABELS[row["label"]],
        }
        for i, row in enumerate(table.to_pylist())
    ]  # fmt: skip


def encode(tokenizer, rows: list[dict], length: int) -> Encoded:
    """Return rows as the encode step makes them."""
    arrays, cut = PAGE.encode(rows, tokenizer, LABELS, length)
    meta = {"spec": {"labels": LABELS}, "pad": tokenizer.pad_token_id}
    return Encoded(arrays, meta | {"rows": len(rows), "cut": cut})


def accuracy(encoder, head, data: Encoded, rows: list[dict], device, budget: int) -> float:
    """Return the accuracy on some rows in points."""
    reduced = predict.reduced(PAGE, encoder, head, data, device, 4 * budget)
    values, _ = PAGE.score(rows, PAGE.decode(reduced, data, rows), "accuracy", "en")
    return 100 * values["accuracy"]


def train(grouping: str, seed: int, train_data, scored, args) -> dict[str, float]:
    """Train once; return accuracies by language, and examples a second."""
    import torch

    torch.manual_seed(seed)
    device = devices.choose()
    encoder = checkpoint.load_encoder(args.data / MODEL).to(device)
    encoder.config.classifier_pooling = "mean"  # as in tests/real: its first piece tells nothing
    head = PAGE.head(encoder, LABELS).to(device)
    data, rows = scored["en"]
    data, rows = data.first_rows(FEW), rows[:FEW]
    task = TrainingTask(
        "mnli", "classification", args.batch_size, LABELS, {"en": train_data}, head, data, rows,
        metric="accuracy",
    )  # fmt: skip
    recipe = Recipe(
        learning_rate=args.learning_rate, batch_size=args.batch_size, epochs=args.epochs,
        max_length=args.length, eval_every=10**6, eval_rows=None, grouping=grouping,
    )  # fmt: skip
    spec = {"recipe": dataclasses.asdict(recipe), "seed": seed}
    clock, processor = time.monotonic(), time.process_time()
    _, record = loop.fit(encoder, [task], spec, device, args.budget)
    clock, processor = time.monotonic() - clock, time.process_time() - processor
    examples = record["drawn"]["mnli"]["en"]["examples"]
    found = {
        lang: accuracy(encoder, head, data, rows, device, args.budget)
        for lang, (data, rows) in scored.items()
    }
    return found | {"clock": examples / clock, "processor": examples / processor}


def main() -> None:
    """Compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--scored", type=int, default=1000, help="rows of each language")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=float, default=1.5)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--budget", type=int, default=512)
    args = parser.parse_args()
    print(vars(args))
    tokenizer = load_tokenizer(args.data / MODEL / "tokenizer.json")
    files = {"en": DEV} | {lang: f"facebook/xnli/{lang}/validation" for lang in XNLI}
    rows = {lang: read(args.data, name, args.scored) for lang, name in files.items()}
    scored = {lang: (encode(tokenizer, rows[lang], args.length), rows[lang]) for lang in files}
    train_data = encode(tokenizer, read(args.data, TRAIN, args.rows), args.length)
    found: dict[str, list[dict[str, float]]] = {grouping: [] for grouping in GROUPINGS}
    for seed in range(1, args.seeds + 1):
        for grouping in GROUPINGS:
            one = train(grouping, seed, train_data, scored, args)
            found[grouping].append(one)
            print(f"seed {seed} {grouping}:", {k: round(v, 2) for k, v in one.items()}, flush=True)
    print(f"{'':<12}{'length':>15}{'none':>15}{'difference':>12}{'sd':>7}{'95%':>9}")
    for key in [*scored, "mean", "clock", "processor"]:
        values = {
            grouping: [np.mean([r[k] for k in (scored if key == "mean" else [key])]) for r in runs]
            for grouping, runs in found.items()
        }
        differences = [b - a for a, b in zip(values["length"], values["none"], strict=True)]
        spread = statistics.stdev(differences) if args.seeds > 1 else float("nan")
        half = T.get(args.seeds, float("nan")) * spread / args.seeds**0.5
        columns = "".join(
            f"{np.mean(v):>8.2f} ± {np.std(v, ddof=min(1, len(v) - 1)):4.2f}"
            for v in values.values()
        )
        print(f"{key:<12}{columns}{np.mean(differences):>+12.2f}{spread:>7.2f}{half:>+9.2f}")


if __name__ == "__main__":
    main()
