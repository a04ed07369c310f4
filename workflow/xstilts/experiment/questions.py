"""Questions: how a gain differs between classes, or changes along a number, as it was asked.

`asking.py` makes them of a config. All cells that are behind an answer are in them.
"""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from xstilts.experiment import difficulty, filters
from xstilts.experiment.selectors import Condition

if TYPE_CHECKING:
    from xstilts.experiment.grid import Grid

VALUES = ("gain", "score", "spread")
ALIGNMENT = "alignment"  # the value of a question that is about a measure of it
LEVELS = ("score", "spread")  # of a row alone, and not of its difference to another
SCALES = ("points", "share", "log-odds")  # of an effect
MEASURE = "measure"  # the scale of alignment: the unit of its measure
ALONG = ("linear", "log10", "rank")  # the scales of a number
ALL = "all"  # the class of a question that tells none apart
FLOP = "flop"  # operations of the trainings of stage 1, of an intermediate of a model; from records
HEADROOM = "headroom"  # what a target or language leaves to gain; measured, so known only then
# What is known of things once they have run, or have been measured.
MEASURED = (  # no set: what a config has in their place may be a list
    ("target", HEADROOM),
    ("language", HEADROOM),
    *(("intermediate", trait) for trait in (FLOP, *difficulty.MEASURES, *filters.MEASURES)),
)
ROW, LANGUAGE = "row", "language"  # what the points of a relation are
WITHIN = "within"  # the correlation within the families of a relation, pooled
LAST = "last"  # the layer behind which an encoder has none


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
        family: in a relation, the class of `within` that it is in; "" without.
        given: in a relation, the values that are taken out.
    """

    cells: tuple[AskedCell, ...]
    x: float | None = None
    label: str = ""
    family: str = ""
    given: tuple[float, ...] = ()


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


class Aligned(NamedTuple):
    """A measure of alignment on a set of parallel sentences.

    Attributes:
        layers: "0" is the embeddings, "12" the twelfth layer, `LAST` the last, "0.5" the one at
            half of the depth; () for all that there are.
    """

    set: str
    measure: str
    layers: tuple[str, ...]

    def target(self, layer: str) -> str:
        """Return what stands in place of a target where its values are those of a layer."""
        return f"{self.measure} on {self.set}, layer {layer}"


@dataclasses.dataclass(frozen=True)
class Relation:
    """What is related to the value of a question: the change in alignment over its points.

    Attributes:
        across: what its points are, `ROW` or `LANGUAGE`.
        given: thing and trait whose ranks are taken out of both, of each.
        within: things and traits, "intermediate tasks", that tell families apart; "" without.
    """

    across: str
    given: tuple[str, ...] = ()
    within: str = ""


@dataclasses.dataclass(frozen=True)
class Question:
    """A question.

    Attributes:
        name: part of the names of files.
        ask: the question as a sentence; by default its name.
        value: one of `VALUES`, or `ALIGNMENT`.
        contrast: "first": the other classes are compared to the first; "zero": each is for itself.
        along: thing and trait, "intermediate rows"; "" without.
        scale: one of `ALONG`; "" without `along`.
        scales: those of `SCALES` in which the effect is given.
        notes: what is in no class without being a mistake, a line each.
        aligned: the measure that it is about, or that its value is related to.
        relation: how they are related; None where the question is none of relations.
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
    aligned: Aligned | None = None
    relation: Relation | None = None


def all_of(grid: "Grid") -> list[Question]:
    """Return the questions that are asked of a grid, in the order of its config."""
    return list(grid.experiment.questions)
