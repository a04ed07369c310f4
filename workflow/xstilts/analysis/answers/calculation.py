"""The answer to a question: the value of each class, and how they differ.

One function for all: the mean of each point of each class, on a scale, then a number made of them
(a mean, a slope, a rank correlation) and its difference to that of the first class.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from xstilts.analysis import ranks
from xstilts.analysis.answers.files import (
    COLUMNS,
    CORRELATION,
    DIFFERENCE,
    POINT_COLUMNS,
    SLOPE,
    VALUE,
)  # fmt: skip
from xstilts.analysis.answers.means import Means, Measured, Quantity
from xstilts.analysis.estimates import SIGNIFICANCE_LEVEL, Estimate, Estimator, holm, noise_of
from xstilts.analysis.evidence import Evidence
from xstilts.analysis.forms import combine
from xstilts.experiment.questions import ALIGNMENT, Question


def answer(
    question: Question, evidence: Evidence, estimator: Estimator | None = None
) -> pd.DataFrame:
    """Return the table of an answer, `COLUMNS`; see docs/questions.md.

    Args:
        estimator: of the same evidence, which remembers what it has worked out.

    Raises:
        UserError: a class has no examples, or is left with too few values to go along.
    """
    return Calculation(question, estimator or Estimator(evidence)).table()


def points(question: Question, evidence: Evidence) -> pd.DataFrame:
    """Return the estimate of every point of every class: `POINT_COLUMNS`."""
    return Calculation(question, Estimator(evidence)).points()


def missing(question: Question, evidence: Evidence) -> list[tuple[str, str, str, str]]:
    """Return what a question needs of which a run is missing: (model, intermediate, target,
    language), in the order of the question."""
    gone = set(evidence.missing)
    needed = (
        (cell.model, row, cell.target, cell.language)
        for one in question.classes
        for point in one.points
        for cell in point.cells
        for row in (cell.intermediate, cell.over)
        if row
    )
    return [key for key in dict.fromkeys(needed) if key in gone]


class Calculation:
    """The numbers of the answer to one question."""

    def __init__(self, question: Question, estimator: Estimator) -> None:
        self.question, self.estimator = question, estimator
        self.means = Means(question, estimator)
        self.classes = self.means.classes
        # Alignment has no noise but that of seeds; where these do not show it, none is known.
        self._aligned = question.value == ALIGNMENT

    @property
    def notes(self) -> list[str]:
        """What was left out of the classes, a line each."""
        return self.means.notes

    def table(self) -> pd.DataFrame:
        """Return the table of the answer; an estimate that is not there is NaN."""
        rows = [row for scale in self.means.scales for row in self._on_scale(scale)]
        table = pd.DataFrame(rows, columns=COLUMNS).astype({"tested": bool})
        for _, part in table[table["tested"]].groupby("scale", sort=False):
            table.loc[part.index, "p holm"] = holm(part["p"].tolist())
        table["agrees"] = _agree(table)
        return table

    def _on_scale(self, scale: str) -> Iterator[dict[str, object]]:
        first = self.question.contrast == "first"
        if self.question.scale == "rank":
            yield from self._ranked(scale, first)
            return
        kind = SLOPE if self.question.along else VALUE
        numbers = [self._number(one, scale) for one in self.classes]
        tests = len(numbers) - 1 if first else len(numbers)
        for one, number in zip(self.classes, numbers, strict=True):
            yield self._row(one, None, kind, scale, number, tests, tested=not first)
        for one, number in zip(self.classes[1:], numbers[1:], strict=True) if first else ():
            reference = numbers[0]
            form = combine([(1.0, number.form), (-1.0, reference.form)])
            difference = Quantity(number.value - reference.value, form)
            yield self._row(one, self.classes[0], DIFFERENCE, scale, difference, tests, True)

    def _number(self, one: Measured, scale: str) -> Quantity:
        """Return the value of a class, or its slope."""
        if not self.question.along:
            return one.means[0][0].on(scale)
        terms: list[tuple[float, Quantity]] = []
        for means, xs in zip(one.means, one.xs, strict=True):
            x = np.log10(xs) if self.question.scale == "log10" else xs
            # Least squares: the slope is a weighted sum of what is above the points.
            weights = (x - x.mean()) / ((x - x.mean()) ** 2).sum() / len(one.means)
            terms += [(float(w), m.on(scale)) for w, m in zip(weights, means, strict=True)]
        value = sum(weight * each.value for weight, each in terms)
        return Quantity(value, combine([(weight, each.form) for weight, each in terms]))

    def _ranked(self, scale: str, first: bool) -> Iterator[dict[str, object]]:
        quantities: list[Quantity] = []
        orders: list[ranks.Order] = []
        for one in self.classes:
            order = []
            for means, xs in zip(one.means, one.xs, strict=True):
                order.append((xs, np.arange(len(quantities), len(quantities) + len(means))))
                quantities += [mean.on(scale) for mean in means]
            orders.append(order)
        values, forms = zip(*quantities, strict=True)
        draws = ranks.Draws(self.estimator, values, forms)
        found: list[tuple[Measured, Measured | None, str, list[ranks.Order]]] = [
            (one, None, CORRELATION, [order])
            for one, order in zip(self.classes, orders, strict=True)
        ]
        if first:
            found += [
                (one, self.classes[0], DIFFERENCE, [order, orders[0]])
                for one, order in zip(self.classes[1:], orders[1:], strict=True)
            ]
        for one, over, kind, pair in found:
            number = draws.correlation(pair)
            yield self._columns(
                one, over, kind, scale, number.value, (number.low, number.high), number.p,
                number.detectable, draws.dof, draws.seeds, first == (kind == DIFFERENCE),
            )  # fmt: skip

    def _row(
        self,
        one: Measured,
        over: Measured | None,
        kind: str,
        scale: str,
        number: Quantity,
        tests: int,
        tested: bool,
    ) -> dict[str, object]:
        found = self.estimator.estimate(number.form, number.value)
        return self._columns(
            one, over, kind, scale, found.value, found.interval(), found.p_value(),
            found.detectable(max(1, tests)), found.dof, found.seeds, tested,
        )  # fmt: skip

    def _columns(
        self, one, over, kind, scale, value, interval, p, detectable, dof, seeds, tested
    ) -> dict[str, object]:
        counts = self.means.counts(one, over)
        if self._aligned:
            counts["examples"] = np.nan
        if self._aligned and not seeds:
            interval, p, detectable = (np.nan, np.nan), np.nan, np.nan
        found = {
            "class": one.asked.name,
            "kind": kind,
            "over": over.asked.name if over else "",
            "scale": scale,
            "estimate": value,
            "low": interval[0],
            "high": interval[1],
            "p": p,
            "p holm": np.nan,
            "detectable": detectable,
            "dof": dof,
            "noise": noise_of(seeds, examples=not self._aligned),
            "tested": tested,
            "agrees": False,
        }
        return {**found, **counts, "without": "", "barred": ""}

    def points(self) -> pd.DataFrame:
        """Return the estimate of every point, `POINT_COLUMNS`."""
        rows = []
        for scale in self.means.scales:
            for one in self.classes:
                xs = np.mean(one.xs, axis=0)
                for i, point in enumerate(one.asked.points):
                    parts = [half[i].on(scale) for half in one.means]
                    form = combine([(1 / len(parts), each.form) for each in parts])
                    value = float(np.mean([each.value for each in parts]))
                    low, high = self._shown(self.estimator.estimate(form, value))
                    row = (one.asked.name, point.label, xs[i], scale, value, low, high)
                    rows.append(row)
        return pd.DataFrame(rows, columns=POINT_COLUMNS)

    def _shown(self, found: Estimate) -> tuple[float, float]:
        """Return the interval of an estimate; NaN where none of its noise is known."""
        return (np.nan, np.nan) if self._aligned and not found.seeds else found.interval()


def _agree(table: pd.DataFrame) -> pd.Series:
    """Return of each row whether on all scales it is tested, on one side of zero, and survives."""
    key = ["class", "kind", "over"]
    survives = table["tested"] & (table["p holm"] < SIGNIFICANCE_LEVEL)
    side = np.sign(table["estimate"]).where(survives, 0)
    groups = side.groupby([table[name] for name in key])
    return (groups.transform("min") == groups.transform("max")) & (side != 0)
