"""The evidence of an experiment: the value of every example in every run, and means of it."""

import dataclasses
import functools
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from xstilts.experiment.cells import CELL, NOSEED

Run = tuple[str, str, str]  # model, intermediate, seed
Row = tuple[str, str]  # model, intermediate
MIN_EXAMPLES = 20  # of a stratum in a language: the mean of fewer says nothing


class Part(NamedTuple):
    """Examples of a target in a language: all, those of some strata, or one half of them.

    Attributes:
        examples: (name of a stratum, condition on its class), all of which have to hold.
        half: 0 or 1, by a hash of the id; None for both.
    """

    target: str
    language: str
    examples: tuple[tuple[str, Any], ...] = ()
    half: int | None = None


@dataclasses.dataclass
class Evidence:
    """Values of examples.

    Attributes:
        runs: the seeds of each row.
        values: (target, language) -> array (runs, examples), float32, NaN where there is none.
        ids: (target, language) -> the id of each example. What has one id is one example, in
            whatever languages and targets: its translations, and other views of it.
        strata: (target, language) -> name -> class of each example, None where it has none.
        missing: (model, intermediate, target, language) -> the seeds that were asked for and are
            not there.
        roots: intermediate -> the first of the chain that it is the end of (`after`), whose
            encoders all of the chain share, seed by seed; by default each is its own.
        measured: trait of an intermediate -> row -> its value, where that is known (`flop`, and
            the measures of difficulty).
    """

    runs: Sequence[Run]
    values: Mapping[tuple[str, str], np.ndarray]
    ids: Mapping[tuple[str, str], Sequence[str]]
    strata: Mapping[tuple[str, str], Mapping[str, Sequence[str | None]]] = dataclasses.field(
        default_factory=dict
    )
    missing: Mapping[tuple[str, str, str, str], Sequence[str]] = dataclasses.field(
        default_factory=dict
    )
    roots: Mapping[str, str] = dataclasses.field(default_factory=dict)
    measured: Mapping[str, Mapping[Row, float]] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows: list[Row] = list(dict.fromkeys(run[:2] for run in self.runs))
        self.row_index = {row: i for i, row in enumerate(self.rows)}
        self._runs_of: dict[Row, list[int]] = {row: [] for row in self.rows}
        for i, run in enumerate(self.runs):
            self._runs_of[run[:2]].append(i)
        self._masks: dict[Part, np.ndarray] = {}
        self._means: dict[Part, np.ndarray] = {}
        self._row_means: dict[Part, np.ndarray] = {}
        self._averages: dict[tuple[str, str], np.ndarray] = {}

    def root(self, row: int) -> Row:
        """Return the row whose encoders a row goes on from: its own, or the first of its chain."""
        model, intermediate = self.rows[row]
        return model, self.roots.get(intermediate, intermediate)

    def runs_of(self, row: int) -> list[int]:
        """Return the runs of a row in which something is trained."""
        return [i for i in self._runs_of[self.rows[row]] if self.runs[i][2] != NOSEED]

    def seeds(self, row: Row, part: Part) -> list[str]:
        """Return the seeds of a row that have values of a part; also `NOSEED`."""
        if (part.target, part.language) not in self.values:
            return []
        means = self.means(part)
        return [self.runs[i][2] for i in self._runs_of[row] if not np.isnan(means[i])]

    def mask(self, part: Part) -> np.ndarray:
        """Return which examples of its target and language are in a part: bool (examples,)."""
        if part not in self._masks:
            key = (part.target, part.language)
            mask: np.ndarray = np.ones(len(self.ids[key]), bool)
            for name, condition in part.examples:
                classes = self.strata.get(key, {}).get(name)
                if classes is None:
                    mask[:] = False
                else:
                    match = {each: condition.matches(each) for each in set(classes)}
                    mask &= np.array([match[each] for each in classes], bool)
            if part.half is not None:
                mask &= np.array([half(name) == part.half for name in self.ids[key]], bool)
            self._masks[part] = mask
        return self._masks[part]

    def size(self, part: Part) -> int:
        """Return the number of examples of a part."""
        return int(self.mask(part).sum()) if (part.target, part.language) in self.ids else 0

    def means(self, part: Part) -> np.ndarray:
        """Return the mean of each run over a part: float64 (runs,), NaN where there is none."""
        if part not in self._means:
            values = self.chosen(part, self.values[part.target, part.language])
            self._means[part] = values.mean(axis=1, dtype=np.float64)
        return self._means[part]

    def row_means(self, part: Part) -> np.ndarray:
        """Return the mean of each row over its runs and a part: float64 (rows,)."""
        if part not in self._row_means:
            means = self.means(part)[:, None]
            self._row_means[part] = _by_row(means, self._runs_of.values())[:, 0]
        return self._row_means[part]

    def averages(self, part: Part) -> np.ndarray:
        """Return the mean of each row over its runs, for all examples of the target and language
        of a part: float32 (rows, examples)."""
        key = (part.target, part.language)
        if key not in self._averages:
            self._averages[key] = _by_row(self.values[key], self._runs_of.values())
        return self._averages[key]

    def places(self, part: Part) -> tuple[int, np.ndarray]:
        """Return the data set of a target, and where in it the examples of a part are."""
        data, by_language = self._index[part.target]
        return data, self.chosen(part, by_language[part.language])

    def chosen(self, part: Part, values: np.ndarray) -> np.ndarray:
        """Return what is of a part: array (..., examples) of all of its target and language."""
        whole = not part.examples and part.half is None  # of which no copy is made
        return values if whole else values[..., self.mask(part)]

    def data_size(self, data: int) -> int:
        """Return the number of different examples of a data set."""
        return self._sizes[data]

    @functools.cached_property
    def _index(self) -> dict[str, tuple[int, dict[str, np.ndarray]]]:
        """Target -> number of its data set, and by language the places of its examples there.

        Targets that have an id in common are of one data set: what is drawn of one is drawn of all.
        """
        owner: dict[str, str] = {}  # id -> the first target that has it
        parent = {target: target for target, _ in self.ids}

        def root(target: str) -> str:
            while parent[target] != target:
                target = parent[target]
            return target

        for (target, _), names in self.ids.items():
            for other in {owner.setdefault(name, target) for name in names}:
                parent[root(target)] = root(other)
        places: dict[str, dict[str, int]] = {}
        found: dict[str, tuple[int, dict[str, np.ndarray]]] = {}
        for (target, language), names in self.ids.items():
            place = places.setdefault(root(target), {})
            number = list(places).index(root(target))
            at = np.array([place.setdefault(name, len(place)) for name in names], np.intp)
            found.setdefault(target, (number, {}))[1][language] = at
        self._sizes = [len(place) for place in places.values()]
        return found

    def without(self, cells: Collection[tuple[str, str, str, str]]) -> "Evidence":
        """Return the evidence without some cells: (model, intermediate, seed, target)."""
        run = {name: i for i, name in enumerate(self.runs)}
        gone: dict[str, list[int]] = {}
        for model, intermediate, seed, target in cells:
            gone.setdefault(target, []).append(run[model, intermediate, seed])
        values = {}
        for key, array in self.values.items():
            values[key] = array.copy() if key[0] in gone else array
            values[key][gone.get(key[0], [])] = np.nan
        return dataclasses.replace(self, values=values)


def collect(
    grid: pd.DataFrame,
    values: Mapping[str, np.ndarray],
    ids: Mapping[tuple[str, str], Sequence[str]],
    strata: Mapping[tuple[str, str], Mapping[str, Sequence[str | None]]] | None = None,
    data: Mapping[str, str] | None = None,
    roots: Mapping[str, str] | None = None,
    also: Iterable[Run] = (),
) -> Evidence:
    """Return the evidence of a grid.

    Args:
        grid: see `scores.accepted`.
        values: score file -> the value of each example.
        ids: (target, language) -> the id of each example.
        strata: see `Evidence`.
        data: target -> its data set; by default each has its own. An id that is a mere number says
            which example it is in its data set alone.
        roots: see `Evidence`.
        also: runs that have no cell in the grid.
    """
    columns = [grid[name] for name in (*CELL, "language", "score")]
    lines = list(zip(*columns, strict=True))
    runs: dict[Run, int] = {}
    for model, intermediate, seed, *_ in lines:
        runs.setdefault((model, intermediate, seed), len(runs))
    for run in also:
        runs.setdefault(run, len(runs))
    arrays: dict[tuple[str, str], np.ndarray] = {
        key: np.full((len(runs), len(names)), np.nan, np.float32) for key, names in ids.items()
    }
    missing: dict[tuple[str, str, str, str], list[str]] = {}
    for model, intermediate, seed, target, language, path in lines:
        if path in values:
            arrays[target, language][runs[model, intermediate, seed]] = values[path]
        else:
            missing.setdefault((model, intermediate, target, language), []).append(seed)
    named = {
        (target, language): qualified(names, (data or {}).get(target, target))
        for (target, language), names in ids.items()
    }
    return Evidence(list(runs), arrays, named, strata or {}, missing, roots or {})


def qualified(names: Sequence[str], data: str) -> list[str]:
    """Return ids of which those that are mere numbers have the name of their data set before."""
    return [f"{data}:{name}" if name.isdigit() else name for name in names]


def half(name: str) -> int:
    """Return 0 or 1 by the hash of an id, so that an example is in one half in every language."""
    return hashlib.blake2b(name.encode(), digest_size=1).digest()[0] & 1


def _by_row(values: np.ndarray, runs: Collection[Sequence[int]]) -> np.ndarray:
    """Average the runs of each row that have values: array (rows, examples) of (runs, examples)."""
    out = np.full((len(runs), values.shape[1]), np.nan, values.dtype)
    there = ~np.isnan(values).any(axis=1)
    for i, members in enumerate(runs):
        if chosen := [run for run in members if there[run]]:
            out[i] = values[chosen].mean(axis=0, dtype=np.float64)
    return out
