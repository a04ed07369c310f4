"""How often an answer's interval holds the truth, and how often it claims what is not there.

    PYTHONPATH=workflow:. python tests/bench/coverage.py [--experiments N] [--only PART OF A NAME]

Simulated grids of which the truth is known (`worlds.py`) are asked questions (`asked.py`) in many
settings (`settings.py`). A line of the table, each figure in percent or percent points:

- `held`: share of 95% intervals that hold the truth, with its Monte Carlo error;
- `false`: share of grids without effect in which any p after Holm is below 5%, with its error;
- `width` of an interval; `power`: share of true effects seen; `80%`: the effect that is seen in 80%
  of trials, and what the table of the answer states in its place (`detectable`);
- beside it the same with plain variances of seeds (not moderated), and of versions that ignore that
  seeds are shared by targets, or examples by languages and targets.

`!` marks what is below 95% by more than two errors, or above 5% by more than two.
"""

import argparse
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from tests.bench import asked, worlds
from tests.bench.settings import SETTINGS, Setting, no_interaction
from tests.bench.worlds import World

from xstilts.analysis import estimates
from xstilts.analysis.answer import answer
from xstilts.analysis.evidence import Evidence
from xstilts.experiment.questions import Question

LEVEL, POWER = 0.05, 0.8
SCALES = ("points", "share", "log-odds")


class Outcome(NamedTuple):
    """What many simulated grids of one kind showed.

    Attributes:
        held: array (grids, tested rows), whether the interval held the truth; NaN without a truth.
        seen: the same, whether p after Holm is below 5%.
        width: mean width of an interval.
        detectable: mean of the column.
        error: array (grids, tested rows), estimate minus truth.
        half: the same, half the width.
    """

    held: np.ndarray
    seen: np.ndarray
    width: float
    detectable: float
    error: np.ndarray
    half: np.ndarray


Version = Callable[[Question, Evidence], tuple[Question, Evidence]]
VERSIONS: dict[str, Version] = {
    "": lambda question, evidence: (question, evidence),
    "seeds": lambda q, evidence: (asked.seeds_apart(q), worlds.seeds_apart(evidence)),
    "examples": lambda q, evidence: (q, worlds.examples_apart(evidence)),
}


def outcome(
    setting: Setting, effect: float, experiments: int, seed: int = 0, version: str = ""
) -> Outcome:
    """Return what `experiments` grids with this effect show."""
    world = setting.world(effect)
    question = setting.question(world)
    true = asked.truths(question, world)
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(experiments):
        table = answer(*VERSIONS[version](question, worlds.simulate(world, rng)))
        table = table[table["tested"].astype(bool)]
        keys = list(zip(table["class"], table["kind"], table["scale"], strict=True))
        columns = table[["estimate", "low", "high", "p holm", "detectable"]].to_numpy(float)
        found.append(np.column_stack([columns, [true[key] for key in keys]]))
    estimate, low, high, p, detectable, truth = np.moveaxis(np.array(found), 2, 0)
    held = np.where(np.isnan(truth), np.nan, (low <= truth) & (truth <= high))
    half = (high - low) / 2
    return Outcome(
        held, p < LEVEL, float(2 * half.mean()), float(detectable.mean()), estimate - truth, half
    )  # fmt: skip


def share(hits: np.ndarray) -> tuple[float, float]:
    """Return the mean over grids of a share of hits, and its Monte Carlo error.

    The error is of the grids: intervals of one grid share its data.
    """
    by_grid = hits.mean(axis=1) if hits.ndim > 1 else hits
    n, mean = len(by_grid), float(by_grid.mean())
    # Where all are alike none can be seen to vary: the error of one more that differs.
    deviation = max(float(by_grid.std(ddof=1)), float(np.sqrt(1 / (n + 2))))
    return mean, deviation / float(np.sqrt(n))


def smallest_seen(null: Outcome) -> float:
    """Return the effect that would have been seen in 80% of these grids without one.

    An effect moves the estimate and hardly its error, so each grid sees it where estimate plus
    effect is above half the width; not corrected by Holm, as the column of the table is not.
    """
    return float(np.quantile((null.half - null.error).ravel(), POWER))


class Line(NamedTuple):
    """A line of the table, of one version."""

    held: tuple[float, float]
    false: tuple[float, float]
    width: float
    power: float
    smallest: float
    detectable: float

    def text(self, judged: bool = True) -> str:
        """Return the figures of the line; `!` where they are not what is promised."""
        low = judged and self.held[0] < 1 - LEVEL - 2 * self.held[1]
        many = judged and self.false[0] > LEVEL + 2 * self.false[1]
        return (
            f"{_percent(*self.held)}{'!' if low else ' '} {_percent(*self.false)}"
            f"{'!' if many else ' '} {self.width:6.2f} {100 * self.power:5.0f}"
        )


def _percent(value: float, error: float) -> str:
    return f"{100 * value:5.1f} ±{100 * error:3.1f}" if value == value else "      -    "


def line(setting: Setting, experiments: int, version: str = "") -> Line:
    """Simulate grids with the effect and without."""
    there = outcome(setting, setting.effect, experiments, 1, version)
    null = outcome(setting, 0.0, experiments, 2, version)
    both = np.concatenate([there.held, null.held])
    held = both[~np.isnan(both).any(axis=1)]
    effects = _effects(setting)
    return Line(
        share(held) if len(held) else (np.nan, np.nan),
        share(null.seen.any(axis=1)),
        there.width,
        float(there.seen[:, effects].mean()),
        smallest_seen(null),
        null.detectable,
    )


def _effects(setting: Setting) -> np.ndarray:
    """Return which of the tested rows have a true effect."""
    world = setting.world(setting.effect)
    question = setting.question(world)
    true, null = asked.truths(question, world), asked.truths(question, setting.world(0.0))
    kind = "difference" if question.contrast == "first" else ""
    tested = [key for key in true if (key[1] == "difference") == bool(kind)]
    return np.array([not np.isclose(true[key], null[key], equal_nan=False) for key in tested])


HEADER = f"{'':34}{'held':>11}  {'false':>11}  {'width':>6} {'power':>5} {'80%':>6} {'stated':>6}"


def settings_table(experiments: int, only: str) -> Iterator[str]:
    """Yield the lines of the table of settings."""
    yield HEADER
    for setting in SETTINGS:
        if only not in setting.name:
            continue
        full = line(setting, experiments)
        text = full.text(setting.judged)
        yield f"{setting.name:34}{text} {full.smallest:6.2f} {full.detectable:6.2f}"
        for version in setting.broken:
            broken = line(setting, experiments, version).text(judged=False)
            yield f"{'  ignoring shared ' + version:34}{broken}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=200)
    parser.add_argument("--only", default="", metavar="PART", help="settings whose name has this")
    args = parser.parse_args()
    start = time.monotonic()
    for text in settings_table(args.experiments, args.only):
        print(text, flush=True)
    print(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
