"""A fault campaign: random kills over whole grids, and what they cost.

    python -m tests.slurm.campaign --kills 30 --seed 1

A kill hits a job that runs (scancel, or SIGKILL of its process) or, one time in five, Snakemake
itself, after which its orphans are waited for or cancelled and the same command is run again.
"""

import argparse
import contextlib
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
from tests.slurm.submitting import LOCAL, RECIPES, Submitting, python
from tests.workflow.running import tiny

MOST = 6  # ends of one node, so that those after it have their share


@dataclass
class Figures:
    """What a campaign came to."""

    kills: Counter = field(default_factory=Counter)  # kind -> number
    grids: int = 0
    runs: int = 0  # of Snakemake
    needless: int = 0  # starts of nodes beyond one and one for each time that it was ended
    different: int = 0  # tables that are not those of the quiet run, without a cluster
    seconds: float = 0.0
    evidence: list[str] = field(default_factory=list, repr=False)  # of each needless start


def campaign(prepared: Submitting, kills: int, seed: int, folder: Path) -> tuple[Figures, list]:
    """Run grids with random kills until there were `kills`; return the figures, and the tables of
    each grid."""
    chance, figures, began = random.Random(seed), Figures(), time.monotonic()
    tables = []
    while figures.kills.total() < kills:
        experiment = prepared.copy(folder / f"grid{len(tables)}")
        ended, events = _grid(experiment, chance, figures, kills)
        for node, starts in experiment.counts().items():
            if starts > 1 + ended[node]:
                figures.needless += starts - 1 - ended[node]
                figures.evidence += _evidence(experiment, node, ended[node], events)
        tables.append(experiment.tables())
    figures.grids = len(tables)
    figures.seconds = round(time.monotonic() - began, 1)
    return figures, tables


def _grid(
    experiment: Submitting, chance: random.Random, figures: Figures, kills: int
) -> tuple[Counter, list[str]]:
    """Bring one grid to its end; return node -> how often it was ended, and what was done to it."""
    ended: Counter = Counter()
    events: list[str] = []
    hit: set[str] = set()  # jobs that were ended, which may not be gone yet
    process = experiment.begin("--retries", "20")
    figures.runs += 1
    try:
        while process.poll() is None:
            time.sleep(chance.uniform(0.3, 1.5))
            running = [
                start
                for start in experiment.starts()
                if start.job and not start.ended and start.job not in hit
                if ended[start.node] < MOST
            ]
            if not running or figures.kills.total() >= kills or process.poll() is not None:
                continue
            kind = chance.choice(["snakemake", "scancel", "scancel", "process", "process"])
            figures.kills[kind] += 1
            if kind == "snakemake":
                process.kill()
                process.wait(10)
                what = chance.choice(["--wait", "--cancel"])
                said = experiment.orphans(what).ok().out
                events.append(f"{time.time():.3f} snakemake, {what}: {said!r}")
                if what == "--cancel":  # also what has started meanwhile
                    listed = _running(said) - hit
                    ended.update(s.node for s in experiment.starts() if s.job in listed)
                process = experiment.begin("--retries", "20")
                figures.runs += 1
                continue
            start = chance.choice(running)
            hit.add(start.job)
            ended[start.node] += 1
            events.append(f"{time.time():.3f} {kind} of job {start.job}, {start.node}")
            if kind == "scancel":
                experiment.cluster.ask("scancel", start.job)
            elif Path(f"/proc/{start.pid}").exists():
                os.kill(start.pid, signal.SIGKILL)
        experiment.finish(process).ok()
    finally:
        experiment.end()
    return ended, events


def _running(said: str) -> set[str]:
    """Return the jobs that were running when orphans were listed. One whose step has just ended is
    among them: cancelled in its last moment, it deletes what the step has made, and the next start
    finds all that was computed in the state folder."""
    lines = (line.split("\t") for line in said.splitlines())
    return {fields[0] for fields in lines if len(fields) == 3 and fields[1] != "COMPLETING"}


def _evidence(experiment: Submitting, node: str, ended: int, events: list[str]) -> list[str]:
    """Say how a node came to be started more often than it was ended."""
    log = experiment.path(f"logs/{node}.log")
    return [
        f"{node}: ended {ended} times, and started",
        *(f"  {start}" for start in experiment.starts() if start.node == node),
        *(f"  {event}" for event in events),
        *(f"  log: {line}" for line in (log.read_text().splitlines() if log.exists() else ())),
        *(f"  {line}" for line in experiment.out.splitlines() if node in line or "rror" in line),
    ]


def main() -> None:
    """Bring up a cluster; run the grid without it, and the campaign on it; print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="xstilts-slurm-")))
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as at_end:
        folder = Path(name)
        (folder / "prepared").mkdir()
        prepared = Submitting(folder / "prepared", cluster, python(folder / "env"))
        prepared.write(tiny(recipes=RECIPES))
        at_end.callback(cluster.down)
        cluster.up()
        prepared.local("--until", "encode").ok()
        quiet = prepared.copy(folder / "quiet")
        at_end.callback(quiet.end)
        undisturbed = quiet.begin(profile=LOCAL)  # while the first jobs are submitted
        figures, found = campaign(prepared, args.kills, args.seed, folder)
        quiet.finish(undisturbed).ok()
        expected = quiet.tables()
        figures.different = sum(
            tables.get(name) != expected[name] for tables in found for name in expected
        )
    print(figures, *figures.evidence, sep="\n")
    if figures.needless or figures.different:
        sys.exit("error: a finished node was made again, or a table differs")


if __name__ == "__main__":
    main()
