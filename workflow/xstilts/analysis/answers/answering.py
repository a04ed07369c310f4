"""The answers to the questions of an experiment: what is missing, the table, the points, in words.

An answer is given for all that was asked or not at all, and where trainings collapsed with and
without them.
"""

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from typing import Any

import pandas as pd

from xstilts.analysis.answers import aligned, calculation, unmet
from xstilts.analysis.answers.calculation import Calculation
from xstilts.analysis.answers.files import COLLAPSED, ONE_SEED, Answer, columns_of
from xstilts.analysis.answers.relation import Related
from xstilts.analysis.answers.sentence import sentence
from xstilts.analysis.collapse import listed
from xstilts.analysis.estimates import Estimator
from xstilts.analysis.evidence import Evidence, Part
from xstilts.experiment.cells import NOSEED
from xstilts.experiment.questions import ALIGNMENT, AskedCell, AskedClass, Question
from xstilts.metrics.alignment import BETTER
from xstilts.running.errors import UserError

_Cell = tuple[str, str, str]  # model, intermediate, target


class Answering:
    """Answers questions from one evidence.

    Attributes:
        collapsed: cells one of whose trainings is not above guessing.
        by_example: targets whose score is no mean over examples.
        measured: see `alignment.read`; None where no question is about it.
    """

    def __init__(
        self,
        estimator: Estimator,
        collapsed: aligned.Collapsed = (),
        by_example: Collection[str] = (),
        measured: pd.DataFrame | None = None,
    ) -> None:
        self.evidence, self.estimator, self.measured = estimator.evidence, estimator, measured
        self.collapsed, self.by_example = collapsed, by_example
        self._without: dict[frozenset[tuple[str, ...]], Estimator] = {}

    def answer(self, question: Question) -> Answer:
        """Return the answer to a question."""
        notes = [*question.notes, *unmet.notes(question, self.evidence)]
        reason = ""
        missing = self._missing(question)
        meta = _about(question)
        table, points = (pd.DataFrame(columns=columns) for columns in columns_of(meta))
        try:
            if not missing:
                aligned.check(question, self.evidence)
                found = _numbers(question, self.estimator)
                points = found.points()
                notes += [*found.notes, *_unlike(question, [one.asked for one in found.classes])]
                rest, empty = self._uncollapsed(question, notes)
                parts = [_barred(found.table(), question, self.evidence, empty)]
                if rest:
                    again = _barred(_numbers(question, rest).table(), question, rest.evidence)
                    parts.append(again.assign(without=COLLAPSED))
                table = pd.concat(parts, ignore_index=True)
        except UserError as error:
            reason = str(error)
        targets = {cell.target for cell in _cells(question)}
        if odd := [name for name in self.by_example if name in targets]:
            notes.append(
                f"{', '.join(odd)}: the mean value of the examples, because the score is not a"
                " mean over them."
            )
        meta |= {
            "missing": missing,
            "cells": self._asked(question),
            "reason": reason,
            "notes": notes,
            "classes": {one.name: _behind(one) for one in question.classes},
        }
        meta["sentence"] = sentence(meta, table)
        return Answer(meta, table, points)

    def _asked(self, question: Question) -> int:
        """Return how many cells a question needs, seeds counted."""
        found = set()
        for cell in _cells(question):
            part = Part(cell.target, cell.language)
            for name in filter(None, (cell.intermediate, cell.over)):
                gone = self.evidence.missing.get((cell.model, name, *part[:2]), ())
                there = self.evidence.seeds((cell.model, name), part)
                found |= {(cell.model, name, seed, cell.target) for seed in (*gone, *there)}
        if question.value == ALIGNMENT:
            found = set()
        measured = {at[:3] for at in aligned.needed(question, self.evidence)}
        return len(found) + len(measured)

    def _missing(self, question: Question) -> list[str]:
        """Return the cells that a question lacks, as they are named in paths."""
        gone = [
            f"{model}/{row}/{seed}/{target}"
            for model, row, target, lang in calculation.missing(question, self.evidence)
            for seed in self.evidence.missing[model, row, target, lang]
        ]
        if self.measured is not None:
            gone += aligned.missing(question, self.evidence, self.measured)
        return list(dict.fromkeys(gone))

    def _uncollapsed(
        self, question: Question, notes: list[str]
    ) -> tuple[Estimator | None, Sequence[_Cell]]:
        """Return what estimates without the collapsed trainings that a question rests on, if there
        are any and something is left of each row; and the rows of which nothing is."""
        measures = aligned.targets(question, self.evidence)
        used = {
            (cell.model, row, target)
            for cell in _cells(question)
            for row in (cell.intermediate, cell.over)
            for target in (cell.target, *measures)
        }
        asked = [question.aligned] if question.aligned else []
        encoders = aligned.collapsed(self.collapsed, self.evidence, asked)
        gone = frozenset(
            (model, row, seed, target)
            for model, row, seed, target in (*self.collapsed, *encoders)
            if (model, row, target) in used
        )
        if not gone:
            return None, []
        if gone not in self._without:
            self._without[gone] = Estimator(self.evidence.without(gone))
        called = {target: question.aligned.set for target in measures if question.aligned}
        named = {"/".join((*cell[:3], called.get(cell[3], cell[3]))) for cell in gone}
        names = listed(sorted(named))
        if empty := _empty(question, self._without[gone].evidence):
            rows = ", ".join(map("/".join, empty))
            notes.append(f"Collapsed: {names}; without them nothing is left of {rows}.")
            return None, empty
        notes.append(f"Collapsed: {names}. The answer is given with and without them.")
        return self._without[gone], []


def _numbers(question: Question, estimator: Estimator) -> Calculation | Related:
    """Return what makes the numbers of a question."""
    return (Related if question.relation else Calculation)(question, estimator)


def _about(question: Question) -> dict[str, Any]:
    """Return what was asked."""
    found: dict[str, Any] = {
        "name": question.name,
        "ask": question.ask,
        "value": question.value,
        "contrast": question.contrast,
        "along": question.along,
        "scale": question.scale,
        "scales": list(question.scales),
    }
    if question.aligned:
        better = BETTER[question.aligned.measure]
        found["aligned"] = {**question.aligned._asdict(), "better": better}
    if question.relation:
        found["relation"] = dataclasses.asdict(question.relation)
    return found


def _empty(question: Question, evidence: Evidence) -> list[_Cell]:
    """Return the rows and targets of a question of which no run is left."""
    found = {
        (cell.model, row, cell.target)
        for cell in _cells(question)
        for row in (cell.intermediate, cell.over)
        if row
        and (cell.target, cell.language) in evidence.ids
        and not evidence.seeds((cell.model, row), Part(cell.target, cell.language))
    }
    return sorted(found)


def _barred(
    table: pd.DataFrame, question: Question, evidence: Evidence, empty: Sequence[_Cell] = ()
) -> pd.DataFrame:
    """Return a table in which nothing is claimed of classes that may not be.

    Args:
        empty: rows and targets all of whose trainings collapsed.
    """
    why = {one.name: _why_barred(one, evidence, set(empty)) for one in question.classes}
    own, over = (table[name].map(why).fillna("") for name in ("class", "over"))
    barred = own.where(own != "", over)
    return table.assign(barred=barred, agrees=table["agrees"] & (barred == ""))


def _why_barred(one: AskedClass, evidence: Evidence, empty: Set[_Cell]) -> str:
    """Return why nothing may be claimed of a class, else "": one side of it has collapsed as a
    whole, or a row has one seed, which says nothing of the noise of training."""
    cells = [cell for point in one.points for cell in point.cells]
    own = [(cell, cell.intermediate) for cell in cells]
    over = [(cell, cell.over) for cell in cells if cell.over]
    for side in own, over:
        if side and {(cell.model, row, cell.target) for cell, row in side} <= empty:
            return COLLAPSED
    for cell, row in own + over:
        seeds = evidence.seeds((cell.model, row), Part(cell.target, cell.language))
        if len(seeds) == 1 and seeds != [NOSEED]:
            return ONE_SEED
    return ""


def _unlike(question: Question, classes: Sequence[AskedClass]) -> list[str]:
    """Return what is said where what is compared has in part the same targets, and others.

    Far languages are in other targets than near ones, so that a gain which no target has more of in
    one of them still changes with the distance. Targets that are told apart have none in common.
    """
    found = []
    if any(_overlap([_targets(p.cells) for p in one.points]) for one in classes):
        found.append(
            f"Not all values of {question.along} have the same targets, so a change may be the"
            " difference of targets; `by: target` tells them apart."
        )
    if _overlap([frozenset().union(*(_targets(p.cells) for p in c.points)) for c in classes]):
        found.append(
            "Not all classes have the same targets, so a difference of classes may be that of"
            " targets."
        )
    return found


def _targets(cells: Iterable[AskedCell]) -> frozenset[str]:
    return frozenset(cell.target for cell in cells)


def _overlap(sets: Iterable[frozenset[str]]) -> bool:
    """Return whether two of some sets are different, and not apart."""
    different = list(dict.fromkeys(sets))
    return any(one & two for i, one in enumerate(different) for two in different[:i])


def _cells(question: Question) -> Iterator[AskedCell]:
    return (cell for one in question.classes for point in one.points for cell in point.cells)


def _behind(one: AskedClass) -> dict[str, Any]:
    """Return the rows, targets and languages of a class, in the order of the question."""
    cells = [cell for point in one.points for cell in point.cells]
    return {
        "rows": [list(row) for row in dict.fromkeys((c.model, c.intermediate) for c in cells)],
        "targets": list(dict.fromkeys(cell.target for cell in cells)),
        "languages": list(dict.fromkeys(cell.language for cell in cells)),
    }
