"""Questions: how a gain differs between classes, or changes along a number, as it was asked.

`asking.py` makes them of a config. All cells that are behind an answer are in them.
"""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from xstilts.experiment.selectors import Condition

if TYPE_CHECKING:
    from xstilts.experiment.grid import Grid

VALUES = ("gain", "score", "spread")
LEVELS = ("score", "spread")  # of a row alone, and not of its difference to another
SCALES = ("points", "share", "log-odds")  # of an effect
ALONG = ("linear", "log10", "rank")  # the scales of a number
ALL = "all"  # the class of a question that tells none apart
FLOP = "flop"  # operations of the trainings of stage 1, of an intermediate of a model; from records
HEADROOM = "headroom"  # what a target or language leaves to gain; measured, so known only then


class AskedCell(NamedTuple):
    """A row of the grid, with a target and one of its languages; all seeds are meant.

    Attributes:
        over: the intermediate that the gain is over; "" where the value is a score.
    """

    model: str
    intermediate: str
    over: str
    target: str
    language: str


@dataclasses.dataclass(frozen=True)
class Point:
    """Cells that have one value of the trait that a question goes along; without one, all.

    Its mean is over the languages of each row and target, then over the targets of each row, then
    over rows, unweighted.

    Attributes:
        x: that value, before any logarithm; None without, or where it is measured.
        label: what has this value.
    """

    cells: tuple[AskedCell, ...]
    x: float | None = None
    label: str = ""


@dataclasses.dataclass(frozen=True)
class AskedClass:
    """A class of cells.

    Attributes:
        points: by `x`; one without `along`.
        examples: stratum -> what it has to be; {} for all examples.
    """

    name: str
    points: tuple[Point, ...]
    examples: Mapping[str, Condition] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Question:
    """A question.

    Attributes:
        name: part of the names of files.
        ask: the question as a sentence; by default its name.
        value: one of `VALUES`.
        contrast: "first": the other classes are compared to the first; "zero": each is for itself.
        along: thing and trait, "intermediate rows"; "" without.
        scale: one of `ALONG`; "" without `along`.
        scales: those of `SCALES` in which the effect is given.
        notes: what is in no class without being a mistake, a line each.
    """

    name: str
    ask: str
    classes: tuple[AskedClass, ...]
    value: str = "gain"
    contrast: str = "zero"
    along: str = ""
    scale: str = ""
    scales: tuple[str, ...] = ("points",)
    notes: tuple[str, ...] = ()


def all_of(grid: "Grid") -> list[Question]:
    """Return the questions that are asked of a grid, in the order of its config."""
    return list(grid.experiment.questions)
