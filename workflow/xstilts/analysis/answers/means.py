"""The means of a question: of each point of each class, and what was left out of them."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from xstilts.analysis.answers.files import LOG_ODDS, SHARE
from xstilts.analysis.estimates import Estimator
from xstilts.analysis.evidence import MIN_EXAMPLES, Part
from xstilts.analysis.forms import Form, by_row, combine, mean_form
from xstilts.experiment.classes import FEWEST
from xstilts.experiment.questions import (
    ALL,
    FLOP,
    HEADROOM,
    LEVELS,
    MEASURE,
    MEASURED,
    AskedCell,
    AskedClass,
    Point,
    Question,
)  # fmt: skip
from xstilts.running.errors import UserError


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

    @property
    def faultless(self) -> bool:
        """Whether what the gain is over makes less than one error: it has no share to remove."""
        return self.over is not None and (1 - self.over.value) * self.examples < 1

    def on(self, scale: str) -> Quantity:
        """Return the gain (or score) on a scale, and its derivative.

        points: 100 (m - m0). share: 100 (m - m0) / (1 - m0), of the errors those removed.
        log-odds: logit m - logit m0, with m kept in [1/2n, 1 - 1/2n] for n examples. measure, of
        alignment: m - m0.
        """
        m, m0 = self.row.value, self.over.value if self.over else 0.0
        if scale == SHARE:
            rest = 1 - m0  # not 0: see `faultless`
            value, by_m, by_m0 = (m - m0) / rest, 1 / rest, (m - 1) / rest**2
            value, by_m, by_m0 = 100 * value, 100 * by_m, 100 * by_m0
        elif scale == LOG_ODDS:
            edge = 1 / (2 * self.examples)
            m, m0 = np.clip([m, m0], edge, 1 - edge).tolist()
            value, by_m, by_m0 = np.log(m / (1 - m)), 1 / (m * (1 - m)), 0.0
            if self.over:
                value, by_m0 = value - np.log(m0 / (1 - m0)), -1 / (m0 * (1 - m0))
        else:
            unit = 1.0 if scale == MEASURE else 100.0
            value, by_m, by_m0 = unit * (m - m0), unit, -unit
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


class Means:
    """The means of the points of a question.

    Attributes:
        classes: of the question, in its order.
        scales: those of the question that there are numbers on.
    """

    def __init__(self, question: Question, estimator: Estimator) -> None:
        self.question, self.estimator = question, estimator
        self.evidence = estimator.evidence
        self._left_out: dict[str, None] = {}
        self._counts: dict[frozenset[Part], int] = {}
        self.classes = [self._measure(one) for one in question.classes]
        self.scales = self._scales()

    @property
    def notes(self) -> list[str]:
        """What was left out of the classes, a line each."""
        return list(self._left_out)

    def _scales(self) -> tuple[str, ...]:
        """Return the scales without the share of errors, if the row that a gain is over makes none:
        what is lost of nothing is no share, and would be a number of any size.

        Raises:
            UserError: no other scale is asked for.
        """
        if SHARE not in self.question.scales:
            return self.question.scales
        names = [
            one.asked.name
            for one in self.classes
            if any(mean.faultless for means in one.means for mean in means)
        ]
        if not names:
            return self.question.scales
        of = "" if names == [ALL] else f" of {', '.join(names)}"
        why = f"the row that the gain{of} is over makes no error"
        if rest := tuple(scale for scale in self.question.scales if scale != SHARE):
            self._left_out[f"Without the share of errors: {why}."] = None
            return rest
        raise UserError(f"{why}, so there is no share of them; ask with `scales: [points]`")

    def _measure(self, one: AskedClass) -> Measured:
        points = [dataclasses.replace(p, cells=self._kept(one, p)) for p in one.points]
        points = [point for point in points if point.cells]
        trait = self.question.along.removeprefix("intermediate ")
        if measured := ("intermediate", trait) in MEASURED:
            points = [p for point in points for p in self._with_trait(one, point, trait)]
        cells = tuple(cell for point in points for cell in point.cells)
        if not cells:
            few = (
                f"fewer than {MIN_EXAMPLES} examples in each" if one.examples else "no rows in any"
            )
            if measured:
                are = "are" if trait == FLOP else "is"
                raise UserError(f"class `{one.name}` has no row whose {trait} {are} known")
            raise UserError(f"class `{one.name}` has {few} language")
        if not self.question.along.endswith(f" {HEADROOM}"):
            means = [[self.mean(one, point, None) for point in points]]
            xs = [np.array([np.nan if p.x is None else p.x for p in points])]
        else:
            means = [[self.mean(one, point, half) for point in points] for half in (0, 1)]
            rooms = [np.array([100 * (1 - m.over.value) for m in half]) for half in means]  # type: ignore[union-attr]
            xs = rooms[::-1]  # of the other half, or the same noise would be on both axes
        self._check_axis(one, points, xs)
        asked = dataclasses.replace(one, points=tuple(points))
        return Measured(asked, cells, means, xs)

    def _with_trait(self, one: AskedClass, point: Point, trait: str) -> list[Point]:
        """Return a point with what was measured of its row; [] where that is not known."""
        row = point.cells[0].model, point.cells[0].intermediate
        if (x := self.evidence.measured.get(trait, {}).get(row)) is not None:
            return [dataclasses.replace(point, x=x)]
        said = "are not known: a training of it has no record" if trait == FLOP else "is not known"
        self._left_out[f"{one.name}: without {' / '.join(row)}, whose {trait} {said}."] = None
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
        return self.evidence.size(self.part(one, cell))

    def part(self, one: AskedClass, cell: AskedCell, half: int | None = None) -> Part:
        """Return what a cell of a class is averaged over."""
        return Part(cell.target, cell.language, tuple(sorted(one.examples.items())), half)

    def mean(self, one: AskedClass, point: Point, half: int | None = None) -> Mean:
        """Return the mean of a point of a class, over a half of the examples or all."""
        index, rows = self.evidence.row_index, len(self.evidence.rows)

        def quantity(pairs: Sequence[tuple[int, Part]]) -> Quantity:
            form = mean_form(rows, pairs)
            if self.question.value == "spread":
                return self._spread(form)
            return Quantity(self.estimator.value(form), form)

        parts = [self.part(one, cell, half) for cell in point.cells]
        zipped = list(zip(point.cells, parts, strict=True))
        row = quantity([(index[c.model, c.intermediate], part) for c, part in zipped])
        over = None
        if self.question.value not in LEVELS:
            # The mean of the baselines, each as often as rows of the class are over it.
            forms = {(c.model, c.intermediate): (c.model, c.over) for c in point.cells}
            over_form = combine(
                [(1.0, _moved(row.form, index[a], index[b])) for a, b in forms.items()]
            )
            over = Quantity(self.estimator.value(over_form), over_form)
        return Mean(row, over, self.examples(parts))

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

    def counts(self, one: Measured, over: Measured | None) -> dict[str, float]:
        """Return how many rows, targets, languages and examples are behind a class, or behind two
        that are compared."""
        each = [found for found in (one, over) if found]
        cells = [cell for found in each for cell in found.cells]
        parts = [self.part(found.asked, cell) for found in each for cell in found.cells]
        return {
            "rows": len({(cell.model, cell.intermediate) for cell in cells}),
            "targets": len({cell.target for cell in cells}),
            "languages": len({cell.language for cell in cells}),
            "examples": self.examples(parts),
        }

    def examples(self, parts: Sequence[Part]) -> int:
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


def _moved(form: Form, row: int, to: int) -> dict[Part, np.ndarray]:
    """Return what a form has of one row, as that of another row."""
    moved = {}
    for part, weights in form.items():
        if weights[row]:
            moved[part] = np.zeros(len(weights))
            moved[part][to] = weights[row]
    return moved
