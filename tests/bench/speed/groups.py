"""What is compared with what: groups of measurements that take turns, so that what a shared machine
does to one it does to all."""

import contextlib
import dataclasses
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from . import rows
from .worker import ROOT, Worker

ROUNDS = 3
OURS, BEFORE = "ours", "before"
TRAINER = {"HF Trainer, default": "default", "HF Trainer, best": "best"}
ENCODED, MINED = (2000, 800), (6000, 3000)  # rows, sentences of either side: full and short


@dataclasses.dataclass(frozen=True)
class Group:
    """Ours and its peers.

    Attributes:
        name: of what is measured.
        count, unit: what one repeat does so many of; a unit without count is "s".
        sides: name -> what returns the seconds of one repeat; `OURS` first.
        warm: whether a first repeat of each is not counted.
        times: turns for each that is asked for: more where one is short, and its ratio noisy.
    """

    name: str
    count: int
    unit: str
    sides: dict[str, Callable[[], float]]
    warm: bool = True
    times: int = 1


def measured(group: Group, rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Return the seconds of every repeat of each side, in turns."""
    taken: dict[str, list[float]] = {side: [] for side in group.sides}
    for number in range(rounds * group.times + group.warm):
        for side, run in group.sides.items():
            seconds = run()
            if number >= group.warm:
                taken[side].append(seconds)
    return taken


def compared(group: Group, taken: dict[str, list[float]]) -> dict[str, dict]:
    """Return "name: peer" -> `ours`, `theirs` (medians, of so many a second, or seconds), `unit`,
    `ratio` (above 1: ours is faster; the median over the rounds), `lowest`, `highest`."""

    def shown(seconds: list[float]) -> float:
        middle = statistics.median(seconds)
        return round(group.count / middle if group.unit != "s" else middle, 2)

    found = {}
    for peer, theirs in taken.items():
        if peer == OURS:
            continue
        ratios = sorted(b / a for a, b in zip(taken[OURS], theirs, strict=True))
        found[f"{group.name}: {peer}"] = {
            "ours": shown(taken[OURS]), "theirs": shown(theirs), "unit": group.unit,
            "ratio": round(statistics.median(ratios), 2),
            "lowest": round(ratios[0], 2), "highest": round(ratios[-1], 2),
        }  # fmt: skip
    return found


def groups(folder: Path, short: bool, before: Path | None, only: str) -> Iterator[Group]:
    """Yield the groups, whose name has `only` in it; their workers end with the last.

    Args:
        folder: with what `rows.make` writes.
        short: the shortened form.
        before: a checkout whose code is measured beside ours.
    """
    workers = {OURS: Worker(folder), "theirs": Worker(folder)}
    workers |= {BEFORE: Worker(folder, before)} if before else {}
    with contextlib.ExitStack() as stack:
        for worker in workers.values():
            stack.callback(worker.close)
        made = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        every = [_in_workers(workers, short), _start_up(made, before, short)]
        every += [] if short else [_planning(made, before)]
        yield from (group for part in every for group in part if only in group.name)


def _in_workers(workers: dict[str, Worker], short: bool) -> Iterator[Group]:
    def sides(ours: tuple, peers: dict[str, tuple]) -> dict[str, Callable[[], float]]:
        calls = {OURS: ours} | ({BEFORE: ours} if BEFORE in workers else {}) | peers
        return {
            side: lambda side=side, call=call: workers.get(side, workers["theirs"]).seconds(*call)
            for side, call in calls.items()
        }

    ways = {"HF Trainer, best": "best"} if short else TRAINER
    for case in rows.CASES:
        steps = case.short if short else case.steps
        if steps:
            peers = {side: ("train_trainer", case.name, way) for side, way in ways.items()}
            both = sides(("train", case.name), peers)
            yield Group(f"training, {case.name}", steps * case.batch, "examples/s", both, False)
    for case in rows.CASES:
        count = case.evaluated // (3 if short else 1)
        if count and (case.short or not short):
            peers = {side: ("evaluate_trainer", case.name, way) for side, way in ways.items()}
            both = sides(("evaluate", case.name), peers)
            yield Group(f"evaluation, {case.name}", count, "rows/s", both, False)
    count = ENCODED[short]
    both = sides(("encode", count), {"transformers": ("encode_transformers", count)})
    yield Group("encoding", count, "rows/s", both, times=3)
    count = MINED[short]
    peers = {"a bare product": ("mine_product", count)}
    peers |= {} if short else {"faiss, flat": ("mine_faiss", count)}
    both = sides(("mine", count), peers)
    yield Group("mining", 2 * count, "sentences/s", both, times=3 if short else 1)


def _start_up(made: Path, before: Path | None, short: bool) -> Iterator[Group]:
    """To the first batch of a training and of an evaluation, beside importing torch and loading
    the weights."""
    from tests.bench import startup

    ways = startup.inputs(made, None)

    def side(way: str, code: Path) -> Callable[[], float]:
        return lambda: startup.timed(*ways[way], code / "workflow")[0]

    for way in ("train",) if short else ("train", "evaluate"):
        sides = {OURS: side(way, ROOT)}
        sides |= {BEFORE: side(way, before)} if before else {}
        sides |= {"torch and weights": side("bare", ROOT)}
        yield Group(f"start-up, {way}", 1, "s", sides, warm=not short)


def _planning(made: Path, before: Path | None) -> Iterator[Group]:
    """The plan of the paper's grid with nothing there, beside `snakemake --version`."""
    import yaml
    from tests.bench import planning

    (made / "c.yaml").write_text(yaml.safe_dump(planning.PAPER, sort_keys=False))

    def run(code: Path, *options: str) -> Callable[[], float]:
        return lambda: _seconds([*planning.SNAKEMAKE, *options], made, code)

    def plan(code: Path) -> Callable[[], float]:
        options = ("--snakefile", str(code / "Snakefile"), "--configfile", "c.yaml")
        return run(code, *options, "--cores", "2", "--dry-run", "--quiet", "rules")

    sides = {OURS: plan(ROOT)} | ({BEFORE: plan(before)} if before else {})
    sides |= {"snakemake --version": run(ROOT, "--version")}
    yield Group("planning, the paper's grid", 1, "s", sides, False)


def _seconds(command: list[str], folder: Path, code: Path) -> float:
    environ = os.environ | {"PYTHONPATH": str(code / "workflow")}
    start = time.perf_counter()
    run = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if run.returncode:
        raise RuntimeError(f"{json.dumps(command)}: {run.stdout}{run.stderr}")
    return seconds
