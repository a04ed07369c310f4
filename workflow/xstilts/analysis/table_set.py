"""All tables of an experiment, made from what its score files hold."""

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from xstilts.analysis import (
    alignment,
    chosen,
    collapse,
    comparison,
    compute,
    cost,
    evidence,
    grounding,
    languages,
    numbers,
    overlap,
    projection,
    results,
    seeds,
    significance,
    strata,
    subsets,
    traits,
)
from xstilts.analysis.answers import aligned
from xstilts.analysis.answers.answering import Answering
from xstilts.analysis.answers.files import FOLDER, Answer
from xstilts.analysis.answers.text import text_table
from xstilts.analysis.estimates import Estimator
from xstilts.analysis.tables import (
    SHORT_METRICS,
    groups_table,
    groups_text_table,
    main_table,
    main_text_table,
    to_long,
    with_deltas,
)
from xstilts.analysis.text_table import TextTable, with_notes
from xstilts.benchmarks import xtreme
from xstilts.benchmarks.benchmark import Benchmark
from xstilts.benchmarks.known import BENCHMARKS
from xstilts.experiment.questions import FLOP, Aligned, Question
from xstilts.scoring import scores


@dataclasses.dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        name: path below the folder of the tables, without suffix.
        csv: what stands between name and `.csv` ("" for nothing, `.long`) -> a CSV file of it.
        text: for readers, as Markdown and LaTeX; None where there is none.
        form: of the numbers in the CSV files.
        about: what is said of it beside it, as JSON; None where there is nothing.
    """

    name: str
    csv: Mapping[str, pd.DataFrame]
    text: TextTable | None = None
    form: str = numbers.CSV
    about: Mapping[str, Any] | None = None


@dataclasses.dataclass(frozen=True)
class Found:
    """What the tables are made from.

    Attributes:
        grid: see `scores.accepted`, with the languages that have rows; on test with the rows of its
            tables as intermediates (`scores.relabel_test_rows`), as `files`.
        files: the accepted score files.
        values: score file -> the value of each example.
        ids, classes: see `scoring.examples`.
        data: target -> its data set, see `evidence.collect`.
        roots: see `Evidence`.
        trainings: see `cost.training_records`.
        lineages: see `collapse.of_scores`.
        checkpoints: model -> the public checkpoint that it is from.
        left_out: what is said of languages without rows.
        choices: the records of what was chosen on dev.
        language_traits: the config's own, by language.
        recorded: how difficult train rows are, and which of them are in subsets.
        products: model -> parameters of its matrix products, where that is known.
        alignment: see `alignment.read`; None where none is measured.
        aligned: the measures of alignment that questions are about.
        overlap: see `overlap.read`; None where it is not asked for.
        controls: see `grounding.controls`.
        chains: intermediate -> those that it follows on, and itself, see `Grid.chain`.
        made: of synthetic rows, see `projection.read`; None where there are none.
        quality: see `quality.means`.
    """

    grid: pd.DataFrame
    files: Mapping[str, Any]
    values: Mapping[str, np.ndarray]
    ids: Mapping[tuple[str, str], Sequence[str]]
    classes: Mapping[tuple[str, str], Mapping[str, Sequence[str | None]]]
    data: Mapping[str, str]
    roots: Mapping[str, str]
    trainings: Mapping[cost.Key, Mapping[str, Any]]
    lineages: Mapping[str, Sequence[cost.Key]]
    checkpoints: Mapping[str, str]
    left_out: Sequence[str] = ()
    choices: Sequence[chosen.Choice] = ()
    language_traits: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    products: Mapping[str, int] = dataclasses.field(default_factory=dict)
    recorded: subsets.Found = dataclasses.field(default_factory=subsets.Found)
    alignment: pd.DataFrame | None = None
    aligned: Sequence[Aligned] = ()
    overlap: pd.DataFrame | None = None
    controls: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    chains: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    made: tuple[pd.DataFrame, pd.DataFrame] | None = None
    quality: Mapping[str, Mapping[tuple[str, str], float]] = dataclasses.field(default_factory=dict)

    @cached_property
    def compute(self) -> compute.Compute:
        """Of the trainings of stage 1 from which the scores come."""
        return compute.of(self.lineages.values(), self.trainings, self.products)

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """See `scores.to_frame`."""
        return scores.to_frame(self.files)

    @cached_property
    def cells(self) -> pd.DataFrame:
        """See `scores.cell_values`."""
        return scores.cell_values(self.grid, self.metrics)

    @cached_property
    def language_values(self) -> pd.DataFrame:
        """See `scores.language_values`."""
        return scores.language_values(self.grid, self.metrics)

    @cached_property
    def estimator(self) -> Estimator:
        """Of the values."""
        models = self.grid["model"].unique() if self.aligned else ()
        found = evidence.collect(
            self.grid, self.values, self.ids, self.classes, self.data, self.roots,
            aligned.runs(models),
        )  # fmt: skip
        if self.alignment is not None:
            found = aligned.extended(found, self.alignment, self.aligned)
        measured = {FLOP: self.compute.rows, **subsets.means(self.recorded), **self.quality}
        return Estimator(dataclasses.replace(found, measured=measured))

    @cached_property
    def deltas(self) -> pd.DataFrame:
        """See `significance.deltas`."""
        return significance.deltas(self.grid, self.metrics, self.values, self.estimator)

    @cached_property
    def main(self) -> pd.DataFrame:
        """See `tables.main_table`."""
        return main_table(self.cells)

    def main_of(self, benchmark: Benchmark) -> pd.DataFrame:
        """Return the main table over the languages of a benchmark."""

        def within(frame: pd.DataFrame) -> pd.DataFrame:
            pairs = zip(frame["target"], frame["language"], strict=True)
            return frame[[benchmark.has(*pair) for pair in pairs]]

        grid = within(self.grid)
        if len(grid) == len(self.grid):
            return self.main
        return main_table(scores.cell_values(grid, within(self.metrics)))

    @cached_property
    def collapsed_runs(self) -> dict[collapse.Run, list[cost.Key]]:
        """See `collapse.runs`."""
        return collapse.runs(self.files, self.lineages, self.trainings)

    @cached_property
    def collapsed(self) -> pd.DataFrame:
        """See `collapse.table`."""
        return collapse.table(self.cells, self.collapsed_runs, self.trainings)

    @cached_property
    def collapse_notes(self) -> list[str]:
        """See `collapse.notes`."""
        return collapse.notes(self.collapsed, self.lineages.values(), self.trainings)

    @cached_property
    def chosen(self) -> pd.DataFrame:
        """See `chosen.table`."""
        return chosen.table(self.choices)

    @cached_property
    def overlapping(self) -> set[tuple[str, str]]:
        """See `overlap.pairs`."""
        return set() if self.overlap is None else overlap.pairs(self.overlap)

    @cached_property
    def grounding(self) -> pd.DataFrame:
        """See `grounding.table`."""
        judged = grounding.of_trainings(self.lineages.values(), self.trainings)
        return grounding.table(judged, self.controls)

    @cached_property
    def unused(self) -> dict[tuple[str, str], list[str]]:
        """See `grounding.unused`."""
        return grounding.unused(self.grounding)

    @property
    def missing(self) -> int:
        """How many score files are missing."""
        return len(self.grid) - len(self.files)


def tables(found: Found, asked: Collection[str], questions: Iterable[Question]) -> Iterator[Table]:
    """Yield the tables of an experiment, the main one last.

    Args:
        asked: the names of those that could have something in them (`products.table_names`).
        questions: that are to be answered.
    """
    yield Table("results", {"": results.table(found.grid, found.files)}, form=numbers.EXACT)
    yield Table("deltas", {"": found.deltas}, form="%.6f")
    yield Table("curves", {"": cost.curves(found.files, found.trainings)})
    yield Table("compute", {"": found.compute.runs}, form=numbers.EXACT)
    yield Table("collapsed", {"": found.collapsed})
    yield from _languages(found)
    for each in BENCHMARKS.values():
        if each.table in asked:
            groups = groups_table(found.main_of(each), each)
            yield Table(each.table, _both(groups, "group"), groups_text_table(groups, each))
    if "traits" in asked:
        yield _traits(found)
    if "strata" in asked:
        yield _strata(found)
    yield _seeds(found)
    if "comparison" in asked:
        yield _comparison(found, groups_table(found.main_of(xtreme.XTREME)))
    if "chosen" in asked:
        yield Table("chosen", {"": found.chosen}, chosen.text_table(found.chosen))
    if "difficulty" in asked:
        long = subsets.table(found.recorded)
        csv = {"": long, ".map": subsets.points(found.recorded)}
        yield Table("difficulty", csv, subsets.text_table(long), numbers.EXACT)
    if "overlap" in asked and found.overlap is not None:
        text = overlap.text_table(found.overlap)
        yield Table("overlap", {"": found.overlap}, text, numbers.EXACT)
    if "grounding" in asked:
        text = grounding.text_table(found.grounding)
        yield Table("grounding", {"": found.grounding}, text, numbers.EXACT)
    if "projection" in asked and found.made is not None:
        text = projection.text_table(*found.made)
        csv = dict(zip(("", ".dropped"), found.made, strict=True))
        yield Table("projection", csv, text, numbers.EXACT)
    costs = cost.table(found.files, found.trainings, chosen.losers(found.choices))
    yield Table("cost", {"": costs}, cost.text_table(costs))
    if "alignment" in asked and found.alignment is not None:
        yield _alignment(found.alignment)
    yield from _answers(found, questions)
    yield Table("main", _both(found.main, "target"), _main_text(found))


def _main_text(found: Found) -> TextTable:
    """Return the main table for readers."""
    metrics = {row.target: SHORT_METRICS[row.metric] for row in found.grid.itertuples()}
    counts = found.missing, len(found.grid)
    text = main_text_table(found.main, found.deltas, metrics, *counts, found.overlapping)
    notes = [*found.collapse_notes, *grounding.notes(found.unused)]
    notes += [*chosen.notes(found.chosen), *found.left_out]
    return with_notes(text, notes)


def _both(wide: pd.DataFrame, name: str) -> dict[str, pd.DataFrame]:
    """Return a wide table, and its long form."""
    return {"": wide, ".long": to_long(wide, name)}


def _languages(found: Found) -> Iterator[Table]:
    for target, wide in languages.by_target(found.language_values).items():
        table = with_deltas(wide)
        own = found.deltas[found.deltas["target"] == target]
        read_before = [name for name, of in found.overlapping if of == target]
        text = languages.text_table(table, own, found.missing, len(found.grid), read_before)
        yield Table(f"languages/{target}", _both(table, "language"), text)


def _traits(found: Found) -> Table:
    known = traits.language_traits(own=found.language_traits)
    long = traits.table(found.language_values, known)
    deltas = traits.deltas(found.grid, known, found.estimator)
    wide = traits.wide(long, deltas)
    csv = {"": wide, ".long": long, ".deltas": deltas}
    return Table("traits", csv, traits.text_table(wide, deltas))


def _strata(found: Found) -> Table:
    long = strata.table(found.grid, found.files, found.values, found.classes)
    deltas = strata.deltas(found.grid, found.classes, found.estimator)
    wide = strata.wide(long, deltas)
    csv = {"": wide, ".long": long, ".deltas": deltas}
    return Table("strata", csv, strata.text_table(wide, deltas))


def _seeds(found: Found) -> Table:
    long = seeds.table(found.cells, found.deltas)
    text = with_notes(seeds.text_table(long), found.collapse_notes)
    return Table("seeds", {"": long, ".wide": seeds.wide(long)}, text)


def _comparison(found: Found, groups: pd.DataFrame) -> Table:
    split, of = found.grid["split"].iloc[0], found.checkpoints
    others = [name for name in of if not xtreme.is_published(of[name], split)]
    names = {model: xtreme.published_name(of[model]) for model in of if model not in others}
    measured = comparison.measured_results(found.main, groups, found.language_values)
    table = comparison.compare(measured, comparison.published_results(), split, names)
    return Table("comparison", {"": table}, comparison.text_table(table, names, others))


def _alignment(values: pd.DataFrame) -> Table:
    by_layer = alignment.by_layer(values)
    summary = alignment.summary(by_layer)
    csv = {"": summary, ".long": values, ".layers": by_layer}
    return Table("alignment", csv, alignment.text_table(summary, values), numbers.EXACT)


def _answers(found: Found, questions: Iterable[Question]) -> Iterator[Table]:
    of_values = found.deltas["statistic"] == significance.EXAMPLE_VALUES
    by_example = found.deltas.loc[of_values, "target"].unique().tolist()
    answering = Answering(found.estimator, found.collapsed_runs, by_example, found.alignment)
    for question in questions:
        cells = [c for one in question.classes for point in one.points for c in point.cells]
        asked = ((cell.intermediate, cell.target) for cell in cells)
        more = overlap.notes(found.overlapping, asked)
        rows = ((c.model, row) for c in cells for row in (c.intermediate, c.over))
        more += grounding.notes(found.unused, rows, found.chains)
        yield _answer(question, answering.answer(question), more)


def _answer(question: Question, found: Answer, more: Sequence[str]) -> Table:
    """Return an answer as a table, with further notes."""
    meta = {**found.meta, "notes": [*found.meta["notes"], *more]}
    csv = {"": found.table, ".points": found.points}
    text = text_table(meta, found.table)
    if found.table.empty:  # why, since there is nothing else to read
        text = dataclasses.replace(text, notes=[meta["sentence"], *text.notes])
    return Table(f"{FOLDER}/{question.name}", csv, text, numbers.EXACT, meta)
