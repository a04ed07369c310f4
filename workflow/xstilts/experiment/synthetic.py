"""Synthetic train rows: a task's rows in other languages, made from its English ones.

What is made in one way is a variant: by whom, what passes which filter, and of a control what is
done with it then. Its rows lie in `results/synthetic/{variant}/{task}/{lang}.train.parquet`, and
are trained on as prepared rows are.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

FOLDER = "results/synthetic"
TRANSLATED, GENERATED = "translated", "generated"  # keys of an intermediate
MADE = (TRANSLATED, GENERATED)
UNFILTERED = "none"  # the filter that all rows pass


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way in which rows are made.

    Attributes:
        name: of its folder.
        made: one of `MADE`.
        by: the name of the translator, or of what generates.
        filter: what decides which rows pass.
        languages: that were asked for; of a control those that it is made from.
        control: what is done with the rows that pass, `{"kind": ...}` and its numbers; empty where
            they are taken as they are.
        options: of its entry, what else the rows follow from.
    """

    name: str
    made: str
    by: str
    filter: str
    languages: tuple[str, ...]
    control: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def plain(self) -> str:
        """The name of the variant that a control is made from: itself, of no control."""
        return f"{self.by}.{self.filter}"

    @property
    def stem(self) -> str:
        """Its name without the filter, of no control: what all filters of the same rows share."""
        return self.name.removesuffix(f".{self.filter}")


def with_unfiltered(variants: Mapping[str, Variant]) -> dict[str, Variant]:
    """Return variants and, of each that is no control, the one of all its rows: of these is
    measured what a filter asks models for."""
    names = {f"{of.stem}.{UNFILTERED}": of for of in variants.values() if not of.control}
    every = {
        name: dataclasses.replace(of, name=name, filter=UNFILTERED) for name, of in names.items()
    }
    return {**every, **variants}


def is_synthetic(path: str) -> bool:
    """Whether a file of rows is one of a variant."""
    return f"{FOLDER}/" in path


def rows_file(variant: str, task: str, lang: str) -> str:
    """Return the path of the rows of a variant; their record is beside them."""
    return f"{FOLDER}/{variant}/{task}/{lang}.train.parquet"
