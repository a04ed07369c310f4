"""Alignment as evidence: what is measured of an encoder, as a target that has a single example.

So a gain in alignment is a form as any other: its noise is that of the seeds, which it shares with
the scores that come from the same encoders, and an example that is alone adds none.
"""

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from xstilts.analysis.evidence import Evidence, Part, Run
from xstilts.experiment.cells import NOSEED
from xstilts.experiment.experiment import NONE
from xstilts.experiment.questions import ALIGNMENT, LAST, Aligned, AskedCell, Question
from xstilts.running.errors import UserError

Collapsed = Collection[tuple[str, str, str, str]]


def runs(models: Iterable[str]) -> list[Run]:
    """Return the runs of `none` whose alignment is measured: one of each model."""
    return [(model, NONE, NOSEED) for model in models]


def extended(evidence: Evidence, measured: pd.DataFrame, asked: Iterable[Aligned]) -> Evidence:
    """Return evidence that has the measures that questions are about, each layer as a target.

    Args:
        evidence: with the `runs` of its models.
        measured: see `alignment.read`.
    """
    values, ids = dict(evidence.values), dict(evidence.ids)
    at = {run: i for i, run in enumerate(evidence.runs)}
    for one in dict.fromkeys(asked):
        part = measured[(measured["set"] == one.set) & (measured["measure"] == one.measure)]
        deepest = part.groupby("model")["layer"].max().to_dict()
        for layer in one.layers or map(str, sorted(part["layer"].unique())):
            target = one.target(layer)
            number = part["model"].map({name: _number(layer, deepest[name]) for name in deepest})
            for language, known in part[part["layer"] == number].groupby("language"):
                found: np.ndarray = np.full((len(evidence.runs), 1), np.nan, np.float32)
                for *run, value in known[["model", "intermediate", "seed", "value"]].to_numpy():
                    if (place := at.get(tuple(run))) is not None:
                        found[place] = value
                values[target, language] = found
                ids[target, language] = [f"{target} in {language}"]
    return dataclasses.replace(evidence, values=values, ids=ids)


def _number(layer: str, deepest: int) -> int:
    """Return the number of a layer of a model; the last one is the deepest that is measured."""
    if layer == LAST:
        return deepest
    return round(float(layer) * deepest) if "." in layer else int(layer)


def needed(question: Question, evidence: Evidence) -> list[tuple[str, str, str, str]]:
    """Return (model, intermediate, seed, language) of what a question needs to be measured."""
    if question.aligned is None:
        return []
    found = (
        (model, row, seed, cell.language)
        for cell in _cells(question)
        for model, row in ((cell.model, cell.intermediate), (cell.model, cell.over))
        if row
        for seed in _seeds(evidence, model, row)
    )
    return list(dict.fromkeys(found))


def missing(question: Question, evidence: Evidence, measured: pd.DataFrame) -> list[str]:
    """Return what of it is not measured: model/intermediate/seed/set."""
    if question.aligned is None:
        return []
    name = question.aligned.set
    columns = ["model", "intermediate", "seed", "language"]
    part = measured.loc[measured["set"] == name, columns]
    there = set(part.drop_duplicates().itertuples(index=False, name=None))
    gone = (at for at in needed(question, evidence) if at not in there)
    return list(dict.fromkeys("/".join((*at[:3], name)) for at in gone))


def collapsed(cells: Collapsed, evidence: Evidence, asked: Iterable[Aligned]) -> Collapsed:
    """Return the alignments of encoders which no target learned anything from, as such cells.

    Args:
        cells: model, intermediate, seed, target whose training collapsed.
    """
    of: dict[Run, set[str]] = {}
    for *run, target in cells:
        of.setdefault((run[0], run[1], run[2]), set()).add(target)
    at = {run: i for i, run in enumerate(evidence.runs)}
    starts = tuple(one.target("") for one in asked)
    if not (of and starts):
        return set()
    own = {target for target, _ in evidence.ids if target.startswith(starts)}
    there: dict[str, np.ndarray] = {}  # target -> which runs have values
    for (target, _), values in evidence.values.items():
        there[target] = there.get(target, False) | ~np.isnan(values).any(axis=1)
    return {
        (*run, target)
        for run, gone in of.items()
        if gone >= {name for name, has in there.items() if name not in own and has[at[run]]}
        for target in own
    }


def _seeds(evidence: Evidence, model: str, row: str) -> list[str]:
    """Return the seeds whose encoders are measured."""
    if row == NONE:
        return [NOSEED]
    index = evidence.row_index.get((model, row))
    return [] if index is None else [evidence.runs[i][2] for i in evidence.runs_of(index)]


def layers(
    asked: Aligned, cells: Sequence[AskedCell], evidence: Evidence
) -> tuple[list[str], list[str]]:
    """Return the layers of a measure that all cells have, and those that some have not.

    Raises:
        UserError: there is none that all have.
    """
    found, gone = list[str](), list[str]()
    for layer in _layers(asked, evidence):
        (gone if _lacking(asked.target(layer), cells, evidence) else found).append(layer)
    if not found:
        models = ", ".join(dict.fromkeys(cell.model for cell in cells))
        raise UserError(
            f"no layer ({', '.join(gone) or 'all'}) of `{asked.set}` is measured of all of {models}"
        )
    return found, gone


def targets(question: Question, evidence: Evidence) -> list[str]:
    """Return what stands for the measures of a question in place of targets."""
    if question.aligned is None:
        return []
    return [question.aligned.target(layer) for layer in _layers(question.aligned, evidence)]


def check(question: Question, evidence: Evidence) -> None:
    """Refuse a value that is not measured of all models.

    Raises:
        UserError: the layer.
    """
    if question.value == ALIGNMENT and question.aligned:
        layers(question.aligned, list(_cells(question)), evidence)


def _layers(asked: Aligned, evidence: Evidence) -> Sequence[str]:
    """Return the layers that are asked for, or all that there are, ascending."""
    start = asked.target("")
    found = {target.removeprefix(start) for target, _ in evidence.ids if target.startswith(start)}
    return asked.layers or sorted((name for name in found if name.isdigit()), key=int)


def _lacking(target: str, cells: Sequence[AskedCell], evidence: Evidence) -> bool:
    """Return whether a cell has no value of a target."""
    for cell in cells:
        if (target, cell.language) not in evidence.ids:
            return True
        means = evidence.row_means(Part(target, cell.language))
        rows = [(cell.model, row) for row in (cell.intermediate, cell.over) if row]
        if np.isnan([means[evidence.row_index[row]] for row in rows]).any():
            return True
    return False


def _cells(question: Question) -> Iterator[AskedCell]:
    return (cell for one in question.classes for point in one.points for cell in point.cells)
