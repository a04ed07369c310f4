"""A table of the mirror: one split of a data set."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from xstilts.toy import schema as hub

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Table:
    """One split of one configuration of a hub data set.

    `gold` are the pairs of ids that belong together, which BUCC keeps in a file of their own.
    `files` are (name, text) of a data set of text files, which has no features.
    """

    repository: str
    config: str
    split: str
    features: dict[str, hub.Feature]
    rows: Rows
    gold: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()


def take(stream: Iterator, count: int) -> list:
    """The next `count` items of a stream."""
    return list(islice(stream, count))


def only(languages: tuple[str, ...], *codes: str) -> list[str]:
    """Those of the languages that a hub data set has."""
    return [code for code in languages if code in codes]


def with_column(table: Table, name: str, values: Iterable[str]) -> Table:
    """A table with one more column of text, the last."""
    rows = [{**row, name: value} for row, value in zip(table.rows, values, strict=True)]
    return replace(table, features={**table.features, name: hub.STRING}, rows=rows)
