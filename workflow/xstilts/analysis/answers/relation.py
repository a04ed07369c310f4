"""The answer to a question of relations: how the change in alignment correlates with the gain."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from xstilts.analysis import relations
from xstilts.analysis.answers import aligned
from xstilts.analysis.answers.files import (
    CORRELATION,
    PARTIAL,
    RELATED_COLUMNS,
    RELATED_POINT_COLUMNS,
    WITHIN,
)  # fmt: skip
from xstilts.analysis.answers.means import Mean, Means, Measured, Quantity
from xstilts.analysis.estimates import SIGNIFICANCE_LEVEL, Estimator, noise_of
from xstilts.analysis.forms import combine
from xstilts.analysis.ranks import Draws
from xstilts.analysis.relations import Scoring, Tested
from xstilts.experiment.classes import FEWEST
from xstilts.experiment.questions import MEASURE, Aligned, AskedClass, Point, Question
from xstilts.experiment.questions import Relation as Asked
from xstilts.running.errors import UserError

POINTS = "points"  # the scale of gains


class _Part(NamedTuple):
    """What is correlated, of a layer.

    Attributes:
        kind: over all points (`CORRELATION`), those of a family, `WITHIN` families, or `PARTIAL`.
        order: of the points in permutations; None where it is not tested.
    """

    kind: str
    family: str
    scoring: Scoring
    order: np.ndarray | None


class Related:
    """The numbers of the answer to one question of relations.

    Attributes:
        classes: see `Means`.
    """

    def __init__(self, question: Question, estimator: Estimator) -> None:
        if question.aligned is None or question.relation is None:
            raise ValueError(f"{question.name} is no question of relations")
        self.aligned: Aligned = question.aligned
        self.asked: Asked = question.relation
        self.question, self.estimator = question, estimator
        self.means = Means(question, estimator)
        self.classes = self.means.classes
        self._gone: list[str] = []
        self._of = [(one, self._layers(one)) for one in self.classes]

    @property
    def notes(self) -> list[str]:
        """What was left out, a line each."""
        return [*self.means.notes, *self._gone]

    def _layers(self, one: Measured) -> dict[str, list[Mean]]:
        """Return layer -> the alignment of each point of a class."""
        number = len({point.label for point in one.asked.points})
        if number < FEWEST:
            of = f"{number} {self.asked.across}{'s' * (number != 1)}"
            raise UserError(f"class `{one.asked.name}` is left with {of}; a correlation needs 3")
        found, gone = aligned.layers(self.aligned, one.cells, self.estimator.evidence)
        if gone:
            self._gone.append(
                f"{one.asked.name}: without what is not measured of all, layer {', '.join(gone)}."
            )
        return {layer: [self._alignment(p, layer) for p in one.asked.points] for layer in found}

    def _alignment(self, point: Point, layer: str) -> Mean:
        """Return the alignment of a point: of its rows in its languages, each once."""
        target = self.aligned.target(layer)
        cells = tuple(dict.fromkeys(cell._replace(target=target) for cell in point.cells))
        return self.means.mean(AskedClass("", ()), Point(cells))

    def table(self) -> pd.DataFrame:
        """Return the table of the answer, `RELATED_COLUMNS`."""
        rows, tests = list[dict[str, object]](), list[Tested]()
        for one, layers in self._of:
            for row, test in self._rows(one, layers):
                rows.append(row)
                tests += [test] if test else []
        table = pd.DataFrame(rows, columns=RELATED_COLUMNS).astype({"tested": bool})
        chances = relations.by_chance(tests)
        for name, values in (
            ("p", [chance.p for chance in chances]),
            ("p holm", [chance.p_any for chance in chances]),
            ("least", [chance.least for chance in chances]),
        ):
            table.loc[table["tested"], name] = values
        beyond = (table["low"] > 0) | (table["high"] < 0)
        table["agrees"] = table["tested"] & beyond & (table["p holm"] < SIGNIFICANCE_LEVEL)
        return table

    def _rows(
        self, one: Measured, layers: dict[str, list[Mean]]
    ) -> Iterator[tuple[dict[str, object], Tested | None]]:
        """Yield the rows of a class, each with its test if it has one."""
        number, parts = len(one.asked.points), list(self._parts(one.asked))
        gains = _scaled([mean.on(POINTS) for mean in one.means[0]])
        sides = [gains, *(_scaled([m.on(MEASURE) for m in means]) for means in layers.values())]
        values, forms = zip(*(each for side in sides for each in side), strict=True)
        draws = Draws(self.estimator, values, forms)
        ys: np.ndarray = np.arange(number)
        counts = self.means.counts(one, None)
        for i, layer in enumerate(layers, start=1):
            xs: np.ndarray = ys + i * number
            for part in parts:
                value, low, high = relations.interval(draws, part.scoring, xs, ys)
                test = None
                if part.order is not None:
                    x, y = draws.values[xs], draws.values[ys]
                    test = relations.tested(part.scoring, x, y, part.order)
                yield (
                    {
                        "class": one.asked.name,
                        "kind": part.kind,
                        "over": "",
                        "scale": POINTS,
                        "estimate": value,
                        "low": low,
                        "high": high,
                        "p": np.nan,
                        "p holm": np.nan,
                        "detectable": np.nan,
                        "dof": draws.dof,
                        "noise": noise_of(draws.seeds),
                        "tested": test is not None,
                        "agrees": False,
                        **counts,
                        "without": "",
                        "barred": "",
                        "layer": layer,
                        "family": part.family,
                        "points": sum(map(len, part.scoring.groups)),
                        "least": np.nan,
                    },
                    test,
                )

    def _parts(self, one: AskedClass) -> Iterator[_Part]:
        """Yield what is correlated of a class, of each layer."""
        labels = [point.label for point in one.points]
        families = [point.family for point in one.points]
        random, every = np.random.default_rng(0), np.arange(len(labels))
        order = relations.shuffles(labels, families, False, random)
        yield _Part(CORRELATION, "", Scoring((every,)), order)
        if self.asked.given:
            given = np.array([point.given for point in one.points])
            yield _Part(PARTIAL, "", Scoring((every,), given), order)
        if not self.asked.within:
            return
        groups = {name: every[np.array(families) == name] for name in dict.fromkeys(families)}
        for name, group in groups.items():
            if len(group) >= FEWEST:
                yield _Part(CORRELATION, name, Scoring((group,)), None)
        if inside := tuple(group for group in groups.values() if len(group) >= FEWEST):
            order = relations.shuffles(labels, families, True, random)
            yield _Part(WITHIN, "", Scoring(inside), order)

    def points(self) -> pd.DataFrame:
        """Return the estimates of every point at each layer, `RELATED_POINT_COLUMNS`."""
        rows = []
        for one, layers in self._of:
            for layer, means in layers.items():
                for point, gain, mean in zip(one.asked.points, one.means[0], means, strict=True):
                    x, y = mean.on(MEASURE), gain.on(POINTS)
                    rows.append(
                        (
                            one.asked.name, point.label, x.value, POINTS, y.value,
                            *self._interval(y), layer, point.family, *self._interval(x, False),
                        )
                    )  # fmt: skip
        return pd.DataFrame(rows, columns=RELATED_POINT_COLUMNS)

    def _interval(self, of: Quantity, examples: bool = True) -> tuple[float, float]:
        """Return an interval; NaN where none of its noise is known."""
        found = self.estimator.estimate(of.form, of.value)
        return found.interval() if examples or found.seeds else (np.nan, np.nan)


def _scaled(side: list[Quantity]) -> list[Quantity]:
    """Return estimates in units of their deviation, so that the noise of both sides counts alike
    where it is summed up."""
    unit = float(np.std([each.value for each in side])) or 1.0
    return [Quantity(each.value / unit, combine([(1 / unit, each.form)])) for each in side]
