"""The files of an answer to a question: its table, the points of its figure, and what it says."""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.analysis.figure_data import TEXT_COLUMNS, read_table
from xstilts.running.errors import UserError

FOLDER = "questions"  # in the folder of the tables
# Columns are only ever added, at the end: others read these files.
COLUMNS = (
    "class", "kind", "over", "scale", "estimate", "low", "high", "p", "p holm", "detectable",
    "dof", "noise", "tested", "agrees", "rows", "targets", "languages", "examples", "without",
    "barred",
)  # fmt: skip
POINT_COLUMNS = ("class", "label", "x", "scale", "estimate", "low", "high")
# Of relations; `layer` is text, because it may be a share of the depth.
RELATED_COLUMNS = (*COLUMNS, "layer", "family", "points", "least")
RELATED_POINT_COLUMNS = (*POINT_COLUMNS, "layer", "family", "x low", "x high")
VALUE, SLOPE, CORRELATION, DIFFERENCE = "value", "slope", "correlation", "difference"  # kinds
WITHIN, PARTIAL = "within", "partial"  # kinds of correlations in relations
SHARE, LOG_ODDS = "share", "log-odds"  # scales, beside points
COLLAPSED = "collapsed"  # in the columns `without` and `barred`
ONE_SEED = "one seed"  # in the column `barred`
META = ("name", "ask", "sentence", "along", "scale", "scales", "contrast", "value", "missing")
_TEXT = {*TEXT_COLUMNS, "class", "scale", "noise", "without", "barred", "label", "layer", "family"}


@dataclasses.dataclass(frozen=True)
class Answer:
    """An answer.

    Attributes:
        meta: what `<name>.json` holds: the question, the sentence, the cells that are missing, what
            is behind each class.
        table: `COLUMNS`, a row for each thing that is estimated; none while cells are missing. Of
            relations `RELATED_COLUMNS`.
        points: `POINT_COLUMNS`, a row for each point of a slope. Of relations
            `RELATED_POINT_COLUMNS`, a row for each point and layer.
    """

    meta: Mapping[str, Any]
    table: pd.DataFrame
    points: pd.DataFrame


def names(tables: Path, order: Iterable[str] = ()) -> list[str]:
    """Return the questions that have files in the folder of the tables.

    Args:
        tables: the folder.
        order: of the config; others come behind, by name.
    """
    there = {path.name.removesuffix(".json") for path in (tables / FOLDER).glob("*.json")}
    first = [name for name in dict.fromkeys(order) if name in there]
    return [*first, *sorted(there - set(first))]


def read(tables: Path, name: str) -> Answer:
    """Return an answer; UserError names the file that is not there, damaged or of another form."""
    path = tables / FOLDER / f"{name}.json"
    again = "the step `tables` makes it"
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; {again}") from None
    except ValueError:
        raise UserError(f"{path}: is damaged; delete it, {again}") from None
    lacking = [key for key in META if key not in meta] if isinstance(meta, dict) else META
    if lacking:
        raise UserError(f"{path}: has no `{lacking[0]}`; delete it, {again}")
    table, points = (
        _read(path.with_name(f"{name}{end}"), columns)
        for end, columns in zip((".csv", ".points.csv"), columns_of(meta), strict=True)
    )
    return Answer(meta, table, points)


def columns_of(meta: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the columns of the table and of the points of an answer."""
    if meta.get("relation"):
        return RELATED_COLUMNS, RELATED_POINT_COLUMNS
    return COLUMNS, POINT_COLUMNS


def _read(path: Path, columns: Iterable[str]) -> pd.DataFrame:
    try:
        table = read_table(path, _TEXT)
        return table[[*columns]]
    except KeyError as error:
        raise UserError(f"{path}: {error.args[0]}; the step `tables` makes it") from None
    except ValueError as error:
        raise UserError(f"{path}: is damaged ({error}); the step `tables` makes it") from None
