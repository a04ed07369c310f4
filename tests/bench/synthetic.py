"""Write a grid of any size with simulated score files, to measure the tables and figures on.

    PYTHONPATH=workflow:. python tests/bench/synthetic.py --out DIR

Writes DIR/results, of the experiment `synthetic`: 3 models x 12 intermediates (and `none`) x 14
targets x 5 seeds by default; the targets are XTREME's, then XTREME's again, with all their
languages up to --languages.
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from xstilts.benchmarks import xtreme
from xstilts.experiment import plan
from xstilts.running.files import digest, write_json


def targets(count: int) -> dict[str, list[str]]:
    """Return target -> languages: XTREME's in turn, English first."""
    known = list(xtreme.TASKS.items())
    targets = {}
    for i in range(count):
        name, task = known[i % len(known)]
        rest = [language for language in task.languages if language != "en"]
        english = ["en"] if "en" in task.languages else []
        targets[name if i < len(known) else f"{name}{i // len(known)}"] = english + rest
    return targets


def write(root: Path, models=3, intermediates=12, count=14, seeds=5, languages=6, rows=200) -> int:
    """Write grid.csv, score files and predictions below `root`/results; return how many scores."""
    rng = np.random.default_rng(0)
    lines = []
    for target, target_languages in targets(count).items():
        chosen = target_languages[:languages]
        ease = {language: rng.normal(0, 1, rows) for language in chosen}
        for m in range(models):
            for i in range(intermediates + 1):
                for s in range(seeds):
                    gain = rng.normal(0.1 * i if i % 2 else 0, 0.05)
                    for language in chosen:
                        row = dict(model=f"model{m}", intermediate=f"task{i}" if i else "none")
                        row |= dict(seed=f"seed{s + 1}", target=target, language=language)
                        path = "/".join(["results/scores", *row.values()]) + ".json"
                        spec = {"kind": "score", "of": path, "model": "0"}
                        noise = rng.normal(0, 1, rows)
                        value = (ease[language] + gain + noise + 0.3 * m > 0).astype(float)
                        score = dict(score=value.mean(), metrics={"accuracy": value.mean()})
                        speed = dict(seconds=1.0, tokens_per_second=1000.0, device="cpu")
                        write_json(root / path, {**row, **score, **speed, "n": rows, "spec": spec})
                        names = [str(k) for k in range(rows)]
                        table = pa.table({"id": names, "prediction": names, "value": value})
                        file = (root / path).with_suffix(".parquet")
                        pq.write_table(table, file, compression="zstd")
                        files = dict(split="dev", metric="accuracy", score=path)
                        lines.append({**row, **files, "spec": digest(spec)})
    plan.write(lines, root / "results/experiments/synthetic/grid.csv")
    return len(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, type=Path)
    for name, default in (("models", 3), ("intermediates", 12), ("count", 14), ("seeds", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--languages", type=int, default=6, help="most of a target")
    parser.add_argument("--rows", type=int, default=200, help="examples of a language")
    args = parser.parse_args()
    size = {k: v for k, v in vars(args).items() if k != "out"}
    print(f"{write(args.out, **size)} score files in {args.out}/results")


if __name__ == "__main__":
    main()
