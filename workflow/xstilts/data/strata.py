"""Strata: named classes of a row (`genre: fiction`), from raw rows to unified ones.

A task says `strata: {name: column}`. A class is read from what the task's row function returns
under `strata`, else from the raw column, else it is one of `MADE`. In a unified row all of them are
one column, `strata`: a struct of text, null where the row is of no class.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from xstilts.data import columns, hops
from xstilts.data.rows import label_decoder
from xstilts.data.source import SPLIT_NAMES
from xstilts.running.errors import Problems, UserError, nearest

Row = dict[str, Any]
NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_-]*")  # of a stratum: part of a column's name
MANY = 200  # classes of a stratum that are worth a note: a column of ids has as many as rows
ANSWERABLE, SPLIT = "answerable", "split"
# Columns that there are without the data having them, and in which formats.
MADE: dict[str, tuple[str, ...]] = {ANSWERABLE: ("span",)}
# What a row function of `rows.py` returns under `strata`.
RETURNED: dict[str, tuple[str, ...]] = dict(hops.STRATA)


def wanted(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return name -> column of the strata of a data spec; a column "" holds no classes."""
    return dict(spec.get("strata") or {})


def without(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a data spec without its strata: that of rows as they are encoded and trained on."""
    return {key: value for key, value in spec.items() if key != "strata"}


def by_split(spec: Mapping[str, Any], names: Iterable[str]) -> bool:
    """Whether a stratum is which part of a split (`dev_r1+dev_r2`) a row is from."""
    return SPLIT in wanted(spec).values() and SPLIT not in names


def part(split: str) -> str:
    """Return the class of the rows of a part of a split: `r1` of `dev_r1`, `matched` of
    `validation_matched`, since the classes of dev and test are to have the same names."""
    name = re.sub(r"\[.*\]", "", split).strip()
    first, _, rest = name.partition("_")
    return rest if rest and any(first in names for names in SPLIT_NAMES.values()) else name


def with_split(table: pa.Table, parts: Mapping[str, int]) -> pa.Table:
    """Return raw rows with the column `split`, the class of the part that each is from.

    Args:
        table: of all parts, one after another.
        parts: part -> number of its rows.
    """
    values = [part(name) for name, rows in parts.items() for _ in range(rows)]
    return table.append_column(SPLIT, pa.array(values, pa.string()))


def field(names: Iterable[str]) -> pa.Field:
    """Return the column of unified rows that holds strata of these names."""
    return pa.field("strata", pa.struct([(name, pa.string()) for name in names]))


class Strata:
    """Takes the strata of raw rows to unified ones."""

    def __init__(
        self,
        schema: pa.Schema,
        spec: Mapping[str, Any],
        where: str,
        features: Mapping[str, Any] | None = None,
    ) -> None:
        """Look at the columns.

        Args:
            schema: of the raw rows.
            spec: of the data.
            where: how a message begins.
            features: of the data set, for the names of its ClassLabels.

        Raises:
            UserError: a line for each column that is not there, or holds no classes.
        """
        self.wanted, self.where = wanted(spec), where
        returned = RETURNED.get(spec.get("rows") or "", ())
        made = [name for name, formats in MADE.items() if spec["format"] in formats]
        self.made = {*made} - {*returned, *schema.names}
        self.decoders = {
            column: decoder
            for column in self.wanted.values()
            if (decoder := label_decoder((features or {}).get(column)))
        }
        valid, problems = [*returned, *schema.names, *made], Problems()
        for name, column in self.wanted.items():
            with problems.noted():
                if column and column not in valid:
                    parts = column != SPLIT and not spec.get("files")
                    there = dict.fromkeys([*valid, *([SPLIT] if parts else [])])
                    raise columns.no_column(f"{where}: strata: {name}:", column, list(there))
                if column in schema.names and column not in returned:
                    self._one_value(name, column, schema.field(column).type)
        problems.end()

    def _one_value(self, name: str, column: str, kind: pa.DataType) -> None:
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            noun = "bytes" if not pa.types.is_nested(kind) else "lists or objects"
            raise UserError(
                f"{self.where}: strata: {name}: column `{column}` holds {noun}; a row is of one"
                " class"
            )

    def take(self, raw: Row, rows: Sequence[Row]) -> None:
        """Put the values of a raw row into its unified rows, in place.

        Args:
            raw: as it is in the data set.
            rows: unified; what a row function said under `strata` gives way to the whole.

        Raises:
            UserError: a row function says a stratum that the task does not declare.
        """
        given = {c: raw.get(c) for c in self.wanted.values()}
        given |= {c: decode(given[c]) for c, decode in self.decoders.items()}
        for row in rows:
            said = row.pop("strata", None) or {}
            for name in said:
                if name not in self.wanted.values():
                    raise UserError(
                        f"{self.where}: its row function returns the stratum `{name}`, which the"
                        f" task does not declare{nearest(name, self.wanted)}; say `strata:"
                        f" [{', '.join([*self.wanted, name])}]`"
                    )
            if self.wanted:
                row["strata"] = {n: said.get(c, given[c]) for n, c in self.wanted.items()}

    def settle(self, rows: Sequence[Row]) -> dict[str, int]:
        """Make the values of all rows the names of their classes, in place; return name -> number
        of classes, of strata that have more than `MANY`."""
        many = {}
        for name, column in self.wanted.items():
            values = [row["strata"][name] for row in rows]
            if column in self.made:
                values = [any(row["answers"]["text"]) for row in rows]
            found = classes(values)
            for row, value in zip(rows, found, strict=True):
                row["strata"][name] = value
            if (number := len(Counter(filter(None, found)))) > MANY:
                many[name] = number
        return many


def classes(values: Iterable[Any]) -> list[str | None]:
    """Return the names of the classes of values: text without blanks around it, yes or no, and
    numbers as they are written, 2.0 as `2` where all of them are whole. None for no class: null,
    blank, NaN."""
    found = [None if isinstance(v, float) and math.isnan(v) else v for v in values]
    whole = all(v.is_integer() for v in found if isinstance(v, float))
    return [_name(value, whole) for value in found]


def _name(value: Any, whole: bool) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and whole:
        value = int(value)
    return None if value is None else str(value).strip() or None
