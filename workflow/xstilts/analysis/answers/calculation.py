"""The answer to a question: the value of each class, and how they differ.

One function for all: the mean of each point of each class, on a scale, then a number made of them
(a mean, a slope, a rank correlation) and its difference to that of the first class.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from xstilts.analysis import ranks
from xstilts.analysis.answers.files import (
    COLUMNS,
    CORRELATION,
    DIFFERENCE,
    LOG_ODDS,
    POINT_COLUMNS,
    SHARE,
    SLOPE,
    VALUE,
)
from xstilts.analysis.estimates import SIGNIFICANCE_LEVEL, Estimator, holm, noise_of
from xstilts.analysis.evidence import MIN_EXAMPLES, Evidence, Part
from xstilts.analysis.forms import Form, by_row, combine, mean_form
from xstilts.experiment.classes import FEWEST
from xstilts.experiment.questions import FLOP, HEADROOM, AskedCell, AskedClass, Point, Question
from xstilts.running.errors import UserError


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


class Quantity(NamedTuple):
    """A value, and how it changes with means."""

    value: float
    form: Form


@dataclasses.dataclass(frozen=True)
class Mean:
    """The mean of a point: of the row, and of what the gain is over (None for a score)."""

    row: Quantity
    over: Quantity | None
    examples: int

    def on(self, scale: str) -> Quantity:
        """Return the gain (or score) on a scale, and its derivative.

        points: 100 (m - m0). share: 100 (m - m0) / (1 - m0), of the errors those removed.
        log-odds: logit m - logit m0, with m kept in [1/2n, 1 - 1/2n] for n examples.
        """
        m, m0 = self.row.value, self.over.value if self.over else 0.0
        if scale == SHARE:
            rest = max(1 - m0, 1 / (2 * self.examples))
            value, by_m, by_m0 = (m - m0) / rest, 1 / rest, (m - 1) / rest**2
            value, by_m, by_m0 = 100 * value, 100 * by_m, 100 * by_m0
        elif scale == LOG_ODDS:
            edge = 1 / (2 * self.examples)
            m, m0 = np.clip([m, m0], edge, 1 - edge).tolist()
            value, by_m, by_m0 = np.log(m / (1 - m)), 1 / (m * (1 - m)), 0.0
            if self.over:
                value, by_m0 = value - np.log(m0 / (1 - m0)), -1 / (m0 * (1 - m0))
        else:
            value, by_m, by_m0 = 100 * (m - m0), 100.0, -100.0
        over = [(by_m0, self.over.form)] if self.over else []
        return Quantity(float(value), combine([(by_m, self.row.form), *over]))


@dataclasses.dataclass(frozen=True)
class Measured:
    """A class with the means of its points.

    Attributes:
        means: by point; with headroom by half of the examples, then by point.
        xs: the value of the trait of each, as it is shown; measured in the other half.
    """

    asked: AskedClass
    cells: tuple[AskedCell, ...]
    means: list[list[Mean]]
    xs: list[np.ndarray]


class Calculation:
    """The numbers of the answer to one question."""

    def __init__(self, question: Question, estimator: Estimator) -> None:
        self.question, self.estimator = question, estimator
        self.evidence = estimator.evidence
        self._left_out: dict[str, None] = {}
        self._counts: dict[frozenset[Part], int] = {}
        self.classes = [self._measure(one) for one in question.classes]

    @property
    def notes(self) -> list[str]:
        """What was left out of the classes, a line each."""
        return list(self._left_out)

    # ---- means

    def _measure(self, one: AskedClass) -> Measured:
        points = [dataclasses.replace(p, cells=self._kept(one, p)) for p in one.points]
        points = [point for point in points if point.cells]
        if of_flop := self.question.along.endswith(f" {FLOP}"):
            points = [p for point in points for p in self._with_flop(one, point)]
        cells = tuple(cell for point in points for cell in point.cells)
        if not cells:
            few = (
                f"fewer than {MIN_EXAMPLES} examples in each" if one.examples else "no rows in any"
            )
            if of_flop:
                raise UserError(f"class `{one.name}` has no row whose {FLOP} are known")
            raise UserError(f"class `{one.name}` has {few} language")
        if not self.question.along.endswith(f" {HEADROOM}"):
            means = [[self._mean(one, point, None) for point in points]]
            xs = [np.array([np.nan if p.x is None else p.x for p in points])]
        else:
            means = [[self._mean(one, point, half) for point in points] for half in (0, 1)]
            rooms = [np.array([100 * (1 - m.over.value) for m in half]) for half in means]  # type: ignore[union-attr]
            xs = rooms[::-1]  # of the other half, or the same noise would be on both axes
        self._check_axis(one, points, xs)
        asked = dataclasses.replace(one, points=tuple(points))
        return Measured(asked, cells, means, xs)

    def _with_flop(self, one: AskedClass, point: Point) -> list[Point]:
        """Return a point with the operations of its row; [] where these are not known."""
        row = point.cells[0].model, point.cells[0].intermediate
        if (x := self.evidence.flop.get(row)) is not None:
            return [dataclasses.replace(point, x=x)]
        self._left_out[
            f"{one.name}: without {' / '.join(row)}, whose {FLOP} are not known: a training of it"
            " has no record."
        ] = None
        return []

    def _check_axis(self, one: AskedClass, points: Sequence[Point], xs: list[np.ndarray]) -> None:
        """Refuse what is known only now: a headroom of nothing, too few values that are left."""
        if not self.question.along:
            return
        fewest = min(len(np.unique(x)) for x in xs)
        if fewest < FEWEST:
            raise UserError(
                f"class `{one.name}` has {fewest} different value{'s' * (fewest != 1)} of"
                f" {self.question.along}; a slope needs {FEWEST}"
            )
        if self.question.scale == "log10" and min(x.min() for x in xs) <= 0:
            least = points[int(np.min(xs, axis=0).argmin())].label
            raise UserError(
                f"class `{one.name}`: {self.question.along} of `{least}` is 0, which has no"
                " logarithm; leave it out by `where`, or take another scale"
            )

    def _kept(self, one: AskedClass, point: Point) -> tuple[AskedCell, ...]:
        """Return the cells of a point without languages that have no rows, as was found when they
        were fetched, or too few of the examples."""
        kept = []
        for cell in point.cells:
            what = f"{one.name}: without {cell.target} in {cell.language}, which has"
            if (cell.target, cell.language) not in self.evidence.ids:
                self._left_out[f"{what} no rows."] = None
            elif one.examples and (n := self._size(one, cell)) < MIN_EXAMPLES:
                self._left_out[
                    f"{what} {n} such examples (at least {MIN_EXAMPLES} are needed)."
                ] = None
            else:
                kept.append(cell)
        return tuple(kept)

    def _size(self, one: AskedClass, cell: AskedCell) -> int:
        return self.evidence.size(self._part(one, cell, None))

    def _part(self, one: AskedClass, cell: AskedCell, half: int | None) -> Part:
        return Part(cell.target, cell.language, tuple(sorted(one.examples.items())), half)

    def _mean(self, one: AskedClass, point: Point, half: int | None) -> Mean:
        index, rows = self.evidence.row_index, len(self.evidence.rows)

        def quantity(pairs: Sequence[tuple[int, Part]]) -> Quantity:
            form = mean_form(rows, pairs)
            if self.question.value == "spread":
                return self._spread(form)
            return Quantity(self.estimator.value(form), form)

        parts = [self._part(one, cell, half) for cell in point.cells]
        zipped = list(zip(point.cells, parts, strict=True))
        row = quantity([(index[c.model, c.intermediate], part) for c, part in zipped])
        over = None
        if self.question.value == "gain":
            # The mean of the baselines, each as often as rows of the class are over it.
            forms = {(c.model, c.intermediate): (c.model, c.over) for c in point.cells}
            over_form = combine(
                [(1.0, _moved(row.form, index[a], index[b])) for a, b in forms.items()]
            )
            over = Quantity(self.estimator.value(over_form), over_form)
        return Mean(row, over, self._examples(parts))

    def _spread(self, mean: Form) -> Quantity:
        """Return the standard deviation over the languages of a row and target, then the mean over
        targets and rows as in `mean`, whose weights are the same for all languages of those."""
        size, found = len(self.evidence.rows), list[tuple[float, Quantity]]()
        parts: dict[tuple[int, str], list[Part]] = {}
        for row, weights in by_row(mean).items():
            for part in weights:
                parts.setdefault((row, part.target), []).append(part)
        for (row, target), each in parts.items():
            if len(each) < 2:
                raise UserError(f"{target} is left with one language, which has no spread")
            forms = [mean_form(size, [(row, part)]) for part in each]
            above = np.array([self.estimator.value(form) for form in forms])
            above -= above.mean()
            spread = float(np.sqrt((above**2).sum() / (len(each) - 1)))
            slopes = above / (len(each) - 1) / spread if spread else 0 * above
            share = float(sum(mean[part][row] for part in each))
            found.append((share, Quantity(spread, combine(zip(slopes, forms, strict=True)))))
        value = sum(share * one.value for share, one in found)
        return Quantity(value, combine([(share, one.form) for share, one in found]))

    def _examples(self, parts: Sequence[Part]) -> int:
        """Return the number of different examples of some parts."""
        key = frozenset(parts)
        if key not in self._counts:
            drawn: dict[int, np.ndarray] = {}
            for part in key:
                data, places = self.evidence.places(part)
                seen = drawn.setdefault(data, np.zeros(self.evidence.data_size(data), bool))
                seen[places] = True
            self._counts[key] = sum(int(seen.sum()) for seen in drawn.values())
        return self._counts[key]

    # ---- numbers

    def table(self) -> pd.DataFrame:
        """Return the table of the answer; an estimate that is not there is NaN."""
        rows = [row for scale in self.question.scales for row in self._on_scale(scale)]
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
        cells = [*one.cells, *(over.cells if over else ())]
        parts = [
            self._part(each.asked, cell, None)
            for each in (one, over)
            if each
            for cell in each.cells
        ]
        return {
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
            "noise": noise_of(seeds),
            "tested": tested,
            "agrees": False,
            "rows": len({(cell.model, cell.intermediate) for cell in cells}),
            "targets": len({cell.target for cell in cells}),
            "languages": len({cell.language for cell in cells}),
            "examples": self._examples(parts),
            "without": "",
        }

    def points(self) -> pd.DataFrame:
        """Return the estimate of every point, `POINT_COLUMNS`."""
        rows = []
        for scale in self.question.scales:
            for one in self.classes:
                xs = np.mean(one.xs, axis=0)
                for i, point in enumerate(one.asked.points):
                    parts = [half[i].on(scale) for half in one.means]
                    form = combine([(1 / len(parts), each.form) for each in parts])
                    value = float(np.mean([each.value for each in parts]))
                    low, high = self.estimator.estimate(form, value).interval()
                    row = (one.asked.name, point.label, xs[i], scale, value, low, high)
                    rows.append(row)
        return pd.DataFrame(rows, columns=POINT_COLUMNS)


def _moved(form: Form, row: int, to: int) -> dict[Part, np.ndarray]:
    """Return what a form has of one row, as that of another row."""
    moved = {}
    for part, weights in form.items():
        if weights[row]:
            moved[part] = np.zeros(len(weights))
            moved[part][to] = weights[row]
    return moved


def _agree(table: pd.DataFrame) -> pd.Series:
    """Return of each row whether on all scales it is tested, on one side of zero, and survives."""
    key = ["class", "kind", "over"]
    survives = table["tested"] & (table["p holm"] < SIGNIFICANCE_LEVEL)
    side = np.sign(table["estimate"]).where(survives, 0)
    groups = side.groupby([table[name] for name in key])
    return (groups.transform("min") == groups.transform("max")) & (side != 0)
