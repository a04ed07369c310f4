"""A question, resolved: the classes that it compares, as cells of the grid."""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple


class AskedCell(NamedTuple):
    """What one score of a class is: of a row and target in a language, over another row."""

    model: str
    intermediate: str
    over: str  # the row that the gain is over; "" where `value` is score
    target: str
    language: str


@dataclasses.dataclass(frozen=True)
class Point:
    """Cells of one value of the trait that a question is along; all of a class without one."""

    cells: tuple[AskedCell, ...]
    x: float | None = None  # before log10; None without `along`, or where it is measured (headroom)
    label: str = ""


@dataclasses.dataclass(frozen=True)
class AskedClass:
    """One class of a question."""

    name: str
    points: tuple[Point, ...]
    examples: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Question:
    """A question whose names are all known."""

    name: str
    ask: str
    classes: tuple[AskedClass, ...]
    value: str = "gain"
    contrast: str = "zero"
    along: str = ""
    scale: str = ""
    scales: tuple[str, ...] = ("points",)
