"""How long the tables of an experiment take: scores and predictions of all its cells, simulated.

    PYTHONPATH=workflow:. python tests/bench/answers.py --out DIR [--config CONFIG]

By default of experiments/multihop.yaml. Writes DIR/results, with about as many rows as the targets
have, and ids that views of one data set share; then says how to make the tables.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from xstilts.experiment import config_files
from xstilts.experiment.cells import CELL
from xstilts.experiment.config import load
from xstilts.experiment.graph import overlap_file
from xstilts.experiment.grid import Grid
from xstilts.running.files import write_json
from xstilts.scoring.examples import stratum
from xstilts.steps import plan

ROWS = {"xnli": 2490, "pawsx": 2000, "xquad": 1190, "hotpot": 7405, "musique": 2417}  # or 1,000
CLASSES = {"hops": ["2", "2", "3", "4"], "type": ["bridge", "bridge", "bridge", "comparison"]}


def write(config: Path, root: Path) -> int:
    """Write grid, resolved config, scores, predictions and overlap below `root`; return how many
    scores."""
    settings = config_files.read([config])
    grid, rng = Grid(load(settings)), np.random.default_rng(0)
    home = root / f"results/experiments/{config.stem}"
    home.mkdir(parents=True, exist_ok=True)
    args = ["--config", json.dumps(settings), "--name", config.stem, "--out", f"{home}/grid.csv"]
    for name, file in (("resolved", "config.yaml"), ("nodes", "nodes.json")):
        args += [f"--{name}", f"{home}/{file}"]
    args += ["--traits", f"{home}/traits.csv", "--record", f"{home}/.made/plan.json"]
    plan.main(plan.parser().parse_args(args))
    split, written = grid.experiment.settings["split"], 0
    lucks: dict[tuple[str, ...], float] = {}
    for cell in grid.cells:
        task = grid.tasks[cell.target]
        for lang in grid.languages(cell.target, split):
            data = cell.target.split("_")[0]  # hotpot_x_gold asks what hotpot asks
            n = ROWS.get(data, 1000)
            hard = np.random.default_rng(n).normal(0, 1, n)
            luck = lucks.setdefault((cell.intermediate, cell.seed), rng.normal(0, 0.05))
            value = (hard + rng.normal(0, 1, n) + luck > 0).astype(float)
            names = [f"{data} {k:06}" for k in range(n)]
            columns = {"id": names, "prediction": names, "value": value}
            for name in task.strata:
                of = CLASSES.get(name, ["a", "b"]) if task.rows != "musique_last" else ["1"]
                columns[stratum(name)] = [of[k % len(of)] for k in range(n)]
            path = root / grid.score(cell, lang, split)
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.table(columns), path.with_suffix(".parquet"), compression="zstd")
            spec = grid.score_spec(cell, lang, split)
            about = dict(zip(CELL, str(cell).split("/"), strict=True))
            score = {"score": value.mean(), "metrics": {"f1": value.mean()}, "n": n}
            write_json(path, {**about, "language": lang, **score, "spec": spec, "pins": {}})
            written += 1
    for task, targets in grid.overlapping().items():
        for target in targets:
            counts = dict.fromkeys(("question", "context", "either"), 9)
            spec = grid.overlap_specs(task)[target]
            write_json(root / overlap_file(task, target), {"spec": spec, "rows": 600, **counts})
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--config", type=Path, default=Path("experiments/multihop.yaml"))
    args = parser.parse_args()
    print(f"{write(args.config, args.out)} score files in {args.out}/results; there:")
    name = f"results/experiments/{args.config.stem}/grid.csv"
    print(f"/usr/bin/time -v python -m xstilts.steps.tables --grid {name} --out tables")


if __name__ == "__main__":
    main()
