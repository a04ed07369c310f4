"""A fault campaign: random kills over whole grids, and what they cost.

    python -m tests.slurm.campaign --kills 30 --seed 1

A kill hits a job that runs (scancel, or SIGKILL of its process) or, one time in five, Snakemake
itself, after which its orphans are waited for or cancelled and the same command is run again.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.slurm.cluster import Cluster
from tests.slurm.submitting import RECIPES, Submitting, python
from tests.workflow.running import tiny


@dataclass
class Figures:
    """What a campaign came to."""

    kills: Counter = field(default_factory=Counter)  # kind -> number
    grids: int = 0
    runs: int = 0  # of Snakemake
    needless: int = 0  # starts of nodes beyond one and one for each time that it was ended
    different: int = 0  # tables that are not those of the quiet run
    seconds: float = 0.0


def campaign(prepared: Submitting, quiet: dict[str, bytes], kills: int, seed: int, folder: Path):
    """Run grids with random kills until there were `kills`; return the figures."""
    chance, figures, began = random.Random(seed), Figures(), time.monotonic()
    while figures.kills.total() < kills:
        experiment = prepared.copy(folder / f"grid{figures.grids}")
        ended = _grid(experiment, chance, figures, kills)
        counts, tables = experiment.counts(), experiment.tables()
        figures.needless += sum(max(0, counts[node] - 1 - ended[node]) for node in counts)
        figures.different += sum(tables.get(name) != quiet[name] for name in quiet)
        figures.grids += 1
    figures.seconds = round(time.monotonic() - began, 1)
    return figures


def _grid(experiment: Submitting, chance: random.Random, figures: Figures, kills: int) -> Counter:
    """Bring one grid to its end; return node -> how often it was ended."""
    ended: Counter = Counter()
    hit: set[str] = set()  # jobs that were ended, which may not be gone yet
    process = experiment.begin("--retries", "20")
    figures.runs += 1
    try:
        while process.poll() is None:
            time.sleep(chance.uniform(0.5, 3))
            running = [s for s in experiment.starts() if s.job and not s.ended and s.job not in hit]
            if not running or figures.kills.total() >= kills or process.poll() is not None:
                continue
            kind = chance.choice(["snakemake", "scancel", "scancel", "process", "process"])
            figures.kills[kind] += 1
            if kind == "snakemake":
                process.kill()
                process.wait(10)
                what = chance.choice(["--wait", "--cancel"])
                if what == "--cancel":
                    ended.update(start.node for start in running)
                experiment.orphans(what).ok()
                process = experiment.begin("--retries", "20")
                figures.runs += 1
                continue
            start = chance.choice(running)
            hit.add(start.job)
            ended[start.node] += 1
            if kind == "scancel":
                experiment.cluster.ask("scancel", start.job)
            elif Path(f"/proc/{start.pid}").exists():
                os.kill(start.pid, signal.SIGKILL)
        experiment.finish(process).ok()
    finally:
        experiment.end()
    return ended


def main() -> None:
    """Bring up a cluster, run the grid quietly, then the campaign; print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="xstilts-slurm-")))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "prepared").mkdir()
        prepared = Submitting(folder / "prepared", cluster, python(folder / "env"))
        prepared.write(tiny(recipes=RECIPES))
        try:
            cluster.up()
            prepared.local("--until", "encode").ok()
            quiet = prepared.copy(folder / "quiet")
            quiet.submit().ok()
            figures = campaign(prepared, quiet.tables(), args.kills, args.seed, folder)
        finally:
            cluster.down()
    print(figures)
    if figures.needless or figures.different:
        sys.exit("error: a finished node was made again, or a table differs")


if __name__ == "__main__":
    main()
