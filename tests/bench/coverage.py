"""How often an answer's interval holds the truth, and how often it claims what is not there.

    PYTHONPATH=workflow:. python tests/bench/coverage.py [--experiments N] [--only PART OF A NAME]
        [--table settings|scales|power|bootstrap]

Simulated grids of which the truth is known (`worlds.py`) are asked questions (`asked.py`) in many
settings (`settings.py`). The columns of the table, in percent and percent points:

- held: 95% intervals that hold the truth, of grids with and without an effect, with the Monte Carlo
  error;
- false: grids without an effect in which any p after Holm is below 5%, with the error;
- width: of an interval, on average; power: true effects that are seen;
- 80%: the effect that is seen in 80% of grids; stated: what the answer states for it.

Indented lines are of the same grids: with variances of seeds that are not moderated (plain), and by
versions that ignore that seeds are shared by targets, or examples by languages and targets. `!`
marks what is not promised: held below 95%, or false above 5%, by more than two errors.
"""

import argparse
import contextlib
import time
from collections.abc import Iterator
from typing import NamedTuple
from unittest import mock

import numpy as np
from tests.bench import asked, bootstrap, worlds
from tests.bench.settings import COMPARED, POWER_SETTINGS, SETTINGS, Setting, no_interaction

from xstilts.analysis import estimates, ranks, student_t
from xstilts.analysis.answers.calculation import answer
from xstilts.analysis.evidence import Evidence
from xstilts.analysis.moderation import Moderated
from xstilts.experiment.questions import Question

LEVEL, POWER = 0.05, 0.8
DRAWS = 1000  # of a rank correlation: enough here, and four times as fast
SCALES = ("points", "share", "log-odds")
PLAIN, SEEDS, EXAMPLES = "plain", "seeds", "examples"


class Outcome(NamedTuple):
    """What simulated grids of one kind showed, arrays (grids, tested rows of the answer).

    Attributes:
        held: whether the interval holds the truth; NaN where there is none.
        seen: whether p after Holm is below 5%.
        width: of the interval.
        stated: the effect that the answer says would have been seen in 80%.
        needed: the effect that this grid would have seen: where its estimate, moved by it, is more
            than the half interval of Holm's first step above zero.
    """

    held: np.ndarray
    seen: np.ndarray
    width: np.ndarray
    stated: np.ndarray
    needed: np.ndarray


def outcome(
    setting: Setting, effect: float, experiments: int, seed: int = 0, version: str = ""
) -> Outcome:
    """Return what `experiments` grids with an effect show to a version of the function."""
    world = setting.world(effect)
    question = setting.question(world)
    true = asked.truths(question, world)
    rng = np.random.default_rng(seed)
    found = []
    with _plain() if version == PLAIN else contextlib.nullcontext():
        for _ in range(experiments):
            table = _answer(question, worlds.simulate(world, rng), version)
            keys = list(zip(table["class"], table["kind"], table["scale"], strict=True))
            columns = table[["estimate", "low", "high", "p holm", "detectable", "dof"]]
            found.append(np.column_stack([columns.to_numpy(float), [true[key] for key in keys]]))
    estimate, low, high, p, stated, dof, truth = np.moveaxis(np.array(found), 2, 0)
    held = np.where(np.isnan(truth), np.nan, (low <= truth) & (truth <= high))
    tests = p.shape[1]
    half = (high - low) / 2 * _first_step(dof, tests) / _first_step(dof, 1)
    return Outcome(held, p < LEVEL, high - low, stated, half - (estimate - truth))


def _answer(question: Question, evidence: Evidence, version: str):
    """Return the tested rows of the answer of a version of the function."""
    if version == SEEDS:
        question, evidence = asked.seeds_apart(question), worlds.seeds_apart(evidence)
    elif version == EXAMPLES:
        evidence = worlds.examples_apart(evidence)
    with mock.patch.object(ranks, "DRAWS", DRAWS):
        table = answer(question, evidence)
    return table[table["tested"].astype(bool)]


def _plain():
    """Return a context in which variances of seeds are not moderated."""

    def moderate(variances: np.ndarray, dof: np.ndarray) -> Moderated:
        return Moderated(variances, dof.astype(float), np.zeros(len(variances)), np.inf)

    return mock.patch.object(estimates, "moderate", moderate)


def _first_step(dof: np.ndarray, tests: int) -> np.ndarray:
    """Return the critical t of the first step of Holm's correction."""
    return np.vectorize(lambda nu: student_t.critical_value(nu, 1 - LEVEL / tests))(dof)


class Share(NamedTuple):
    """A share of hits, with its Monte Carlo error."""

    value: float
    error: float

    def __str__(self) -> str:
        if np.isnan(self.value):
            return f"{'-':^10}"
        return f"{100 * self.value:5.1f} ±{100 * self.error:3.1f}"


def share(hits: np.ndarray) -> Share:
    """Return the share of hits; the error is of grids, because intervals of one share its data.

    Args:
        hits: array (grids,) or (grids, rows); grids with NaN are left out.
    """
    by_grid = hits.astype(float).reshape(len(hits), -1).mean(axis=1)
    by_grid = by_grid[~np.isnan(by_grid)]
    n = len(by_grid)
    if not n:
        return Share(np.nan, np.nan)
    # Where all grids agree, as if one of n + 2 did not.
    variance = max(float(by_grid.var(ddof=1)), 1 / (n + 2))
    return Share(float(by_grid.mean()), float(np.sqrt(variance / n)))


class Line(NamedTuple):
    """A line of the table."""

    held: Share
    false: Share
    width: float
    power: float
    needed: float
    stated: float

    @property
    def holds(self) -> bool:
        """Whether at least 95% are held, as far as two errors can tell."""
        return not self.held.value < 1 - LEVEL - 2 * self.held.error

    @property
    def claims_rightly(self) -> bool:
        """Whether at most 5% are false, as far as two errors can tell."""
        return not self.false.value > LEVEL + 2 * self.false.error

    def text(self, name: str, judged: bool) -> str:
        """Return the line; `!` marks what is not promised."""
        marks = ["!" if judged and not good else " " for good in (self.holds, self.claims_rightly)]
        numbers = (f"{x:6.2f}" if x == x else "     -" for x in (self.needed, self.stated))
        return (
            f"{name:40} {self.held}{marks[0]}  {self.false}{marks[1]} {self.width:6.2f}"
            f" {100 * self.power:5.0f}  {'  '.join(numbers)}"
        )


HEADER = (
    f"{'':40} {'held':^10}   {'false':^10}  {'width':>6} {'power':>5}  {'80%':>6}  {'stated':>6}"
)


def line(setting: Setting, experiments: int, version: str = "") -> Line:
    """Simulate grids with the effect and without."""
    there = outcome(setting, setting.effect, experiments, 1, version)
    null = outcome(setting, 0.0, experiments, 2, version)
    ranked = setting.question(setting.world(0.0)).scale == "rank"
    return Line(
        share(np.concatenate([there.held, null.held])),
        share(null.seen.any(axis=1)),
        float(there.width.mean()),
        float(there.seen[:, _effects(setting)].mean()),
        # An effect does not move a rank correlation by its own size.
        np.nan if ranked else float(np.quantile(null.needed, POWER)),
        np.nan if ranked else float(null.stated.mean()),
    )


def _effects(setting: Setting) -> np.ndarray:
    """Return which of the tested rows have a true effect."""
    world = setting.world(setting.effect)
    question = setting.question(world)
    true, null = asked.truths(question, world), asked.truths(question, setting.world(0.0))
    differences = question.contrast == "first"
    tested = [key for key in true if (key[1] == "difference") == differences]
    return np.array([not np.isclose(true[key], null[key]) for key in tested])


def settings_table(experiments: int, only: str) -> Iterator[str]:
    """Yield the table of settings."""
    yield HEADER
    for setting in SETTINGS:
        if only in setting.name:
            yield line(setting, experiments).text(setting.name, setting.judged)
            for version in setting.versions:
                name = "  plain" if version == PLAIN else f"  ignoring shared {version}"
                yield line(setting, experiments, version).text(name, judged=False)


def scales_table(experiments: int) -> Iterator[str]:
    """Yield how often a scale holds that there is no interaction on it, and how often all agree."""
    yield f"{'gains equal in':16} {'held there':^10}  {'agrees':^10}"
    for scale in SCALES:
        held, agrees = scales_outcome(scale, experiments)
        yield f"{scale:16} {share(held)}  {share(agrees)}"


def scales_outcome(scale: str, experiments: int) -> tuple[np.ndarray, np.ndarray]:
    """Return whether the interval of a scale held zero, and whether the answer claimed something,
    for targets that gain the same on that scale: arrays (grids,)."""
    world, question = no_interaction(scale)
    rng = np.random.default_rng(3)
    held, agrees = [], []
    for _ in range(experiments):
        table = _answer(question, worlds.simulate(world, rng), "")
        one = table[table["scale"] == scale].iloc[0]
        held.append(one["low"] <= 0 <= one["high"])
        agrees.append(table["agrees"].any())
    return np.array(held), np.array(agrees)


def power_table(experiments: int, only: str = "") -> Iterator[str]:
    """Yield the smallest difference of gains that is seen in 80% of grids, by size."""
    yield f"{'a shrink of the gain on a second target':40} {'80%':>6} {'stated':>6}"
    for setting in (each for each in POWER_SETTINGS if only in each.name):
        null = outcome(setting, 0.0, experiments)
        seen, stated = np.quantile(null.needed, POWER), null.stated.mean()
        yield f"{setting.name:40} {seen:6.2f} {stated:6.2f}"


def bootstrap_table(experiments: int) -> Iterator[str]:
    """Yield the gain of each row on one target beside the bootstrap that was there before."""
    yield HEADER
    for setting in COMPARED:
        yield line(setting, experiments).text(setting.name, judged=True)
        yield line(setting, experiments, PLAIN).text("  plain", judged=False)
        with mock.patch(f"{__name__}.answer", bootstrap.answer):
            yield line(setting, experiments).text("  bootstrap", judged=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=100, metavar="N", help="grids of each")
    parser.add_argument(
        "--only", default="", metavar="PART", help="only settings with this in their name"
    )
    tables = {
        "settings": lambda n: settings_table(n, args.only),
        "scales": scales_table,
        "power": lambda n: power_table(n, args.only),
        "bootstrap": bootstrap_table,
    }
    parser.add_argument("--table", choices=tables, action="append", help="only this one")
    args = parser.parse_args()
    start = time.monotonic()
    for name in args.table or (["settings"] if args.only else tables):
        for text in tables[name](args.experiments):
            print(text, flush=True)
        print()
    print(f"{args.experiments} grids of each kind, {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
