"""Questions about simulated grids, and their true answers."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from tests.bench.worlds import NONE, World, at

from xstilts.experiment.questions import AskedCell, AskedClass, Point, Question

Key = tuple[str, str, str]  # class, kind, scale, as in the table of an answer


def point(
    world: World,
    rows: Iterable[str] | None = None,
    targets: Iterable[str] | None = None,
    languages: Iterable[str] | None = None,
    x: float | None = None,
) -> Point:
    """Return the point of the gains of all that is given; what is not is all of the world."""
    cells = tuple(
        AskedCell(world.model, row, NONE, target, language)
        for row in rows or world.rows
        for target in targets or world.targets
        for language in languages or world.languages
    )
    return Point(cells, x, "" if x is None else f"{x:g}")


def compare(classes: Mapping[str, Point], scales: Sequence[str] = ("points",)) -> Question:
    """Return the question how each class differs from the first."""
    asked = tuple(AskedClass(name, (only,)) for name, only in classes.items())
    return Question("q", "q", asked, contrast="first", scales=tuple(scales))


def each(classes: Mapping[str, Point], scales: Sequence[str] = ("points",)) -> Question:
    """Return the question which classes gain at all."""
    return dataclasses.replace(compare(classes, scales), contrast="zero")


def along(classes: Mapping[str, Sequence[Point]], scale: str, contrast: str = "zero") -> Question:
    """Return the question how the gain of each class changes along x."""
    asked = tuple(AskedClass(name, tuple(points)) for name, points in classes.items())
    return Question("q", "q", asked, contrast=contrast, along="x", scale=scale)


def seeds_apart(question: Question) -> Question:
    """Return the question about rows that are others in each target; see `worlds.seeds_apart`."""

    def apart(cell: AskedCell) -> AskedCell:
        row, over = at(cell.intermediate, cell.target), at(cell.over, cell.target)
        return cell._replace(intermediate=row, over=over)

    def moved(old: Point) -> Point:
        return dataclasses.replace(old, cells=tuple(map(apart, old.cells)))

    classes = tuple(
        dataclasses.replace(c, points=tuple(map(moved, c.points))) for c in question.classes
    )
    return dataclasses.replace(question, classes=classes)


def truths(question: Question, world: World) -> dict[Key, float]:
    """Return (class, kind, scale) -> the true estimate, in the units of an answer's table."""
    found: dict[Key, float] = {}
    for scale in question.scales:
        unit = 1 if scale == "log-odds" else 100
        for i, c in enumerate(question.classes):
            gains = [unit * true_gain(p, world, scale) for p in c.points]
            if not question.along:
                kind, value = "value", gains[0]
            elif question.scale == "rank":
                kind, value = "correlation", _rank_correlation([p.x for p in c.points], gains)
            else:
                kind, value = "slope", _slope([p.x for p in c.points], gains, question.scale)
            found[c.name, kind, scale] = value
            if i and question.contrast == "first":
                first = found[question.classes[0].name, kind, scale]
                found[c.name, "difference", scale] = value - first
    return found


def true_gain(asked: Point, world: World, scale: str) -> float:
    """Return the gain of a point on a scale: of means over languages, targets and rows."""
    rows: dict[str, dict[str, list[str]]] = {}
    for cell in asked.cells:
        rows.setdefault(cell.intermediate, {}).setdefault(cell.target, []).append(cell.language)

    def mean(baseline: bool) -> float:
        scores = [
            np.mean(
                [
                    np.mean([world.score(NONE if baseline else row, t, lang) for lang in langs])
                    for t, langs in part.items()
                ]
            )
            for row, part in rows.items()
        ]
        return float(np.mean(scores))

    after, before = mean(baseline=False), mean(baseline=True)
    if scale == "points":
        return after - before
    if scale == "share":
        return (after - before) / (1 - before)
    return math.log(after / (1 - after)) - math.log(before / (1 - before))


def _slope(xs: list[float | None], ys: list[float], scale: str) -> float:
    x = np.array(xs, float)
    return float(np.polyfit(np.log10(x) if scale == "log10" else x, ys, 1)[0])


def _rank_correlation(xs: list[float | None], ys: list[float]) -> float:
    """Return Spearman's correlation; NaN where the true gains are all the same."""
    if np.ptp(ys) < 1e-9:
        return math.nan
    ranks = [np.argsort(np.argsort(np.array(values, float))) for values in (xs, ys)]
    return float(np.corrcoef(*ranks)[0, 1])
