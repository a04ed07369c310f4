"""The rows of a language that pass a filter, read and written block by block: beside a block there
are eight bytes a row in memory.

Each file of translated rows has some of the English rows, in their order; each file of a measure
some of those.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from xstilts.data.prepare import SCHEMAS
from xstilts.experiment.filters import MEASURES, TEXT, Filter
from xstilts.running.errors import UserError
from xstilts.running.files import atomic
from xstilts.translation import filtering, measures
from xstilts.translation.measures import Row

BLOCK = 4096  # rows that are looked at together


class Files(NamedTuple):
    """What is read: English rows (none where rows are not translated), the rows of shards, and
    files of measures by name."""

    english: str
    parts: Sequence[str]
    measured: Mapping[str, str]


class Rows(NamedTuple):
    """What the rows are: their format, language, and the language of their source."""

    format: str
    lang: str
    home: str


class _Stream:
    """The rows of a file one after another."""

    def __init__(self, path: str) -> None:
        self.rows = _rows(path)
        self.next = next(self.rows, None)

    def take(self, name: str) -> Row | None:
        """Return the next row if it is of this id."""
        row = self.next
        if row is None or row["id"] != name:
            return None
        self.next = next(self.rows, None)
        return row


def _rows(path: str) -> Iterator[Row]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH):
            yield from batch.to_pylist()


BATCH = 2000  # rows of a file that are objects at once


def blocks(files: Files) -> Iterator[tuple[list[Row] | None, list[Row]]]:
    """Yield rows with their sources, in the order of these; None in place of the sources of rows
    that have none.

    Raises:
        UserError: a file has a row that is not of the English, or in another order.
    """
    if not files.english:
        held: list[Row] = []
        for path in files.parts:
            for row in _rows(path):
                held.append(row)
                if len(held) == BLOCK:
                    yield None, held
                    held = []
        if held:
            yield None, held
        return
    streams = {path: _Stream(path) for path in files.parts}
    sources: list[Row] = []
    made: list[Row] = []
    for source in _rows(files.english):
        for stream in streams.values():
            if (taken := stream.take(source["id"])) is not None:
                sources.append(source)
                made.append(taken)
                break
        if len(made) == BLOCK:
            yield sources, made
            sources, made = [], []
    if made:
        yield sources, made
    for path, stream in streams.items():
        if stream.next is not None:
            raise UserError(
                f"{path}: row `{stream.next['id']}` is not where it is in {files.english}; delete"
                " it, run again"
            )


class Measurer:
    """The measures of rows, of which some follow from all of them: `first` has to see all before
    `measured` is asked."""

    def __init__(self, rows: Rows, measured: Mapping[str, str]) -> None:
        """Take what the rows are, and measure -> file of what a model says of them."""
        self.rows = rows
        self.lengths = measures.Lengths()
        self._prints: list[np.ndarray] = []
        self._streams = {name: _Stream(path) for name, path in measured.items()}
        self._done = 0

    def first(self, sources: list[Row] | None, made: list[Row]) -> None:
        """See a block of rows."""
        texts = self._texts(made)
        self._prints.append(measures.fingerprints(texts))
        if sources is not None:
            self.lengths.add(texts, self._texts(sources))

    def measured(self, sources: list[Row] | None, made: list[Row]) -> dict[str, np.ndarray]:
        """Return measure -> its value of each row of a block, float32; the blocks as before."""
        if self._done == 0:
            self._copies = measures.duplicate(np.concatenate(self._prints))
        texts, lang = self._texts(made), self.rows.lang
        before = None if sources is None else self._texts(sources)
        unknown: np.ndarray = np.full(len(made), np.nan, dtype=np.float32)
        found = dict.fromkeys((n for n, m in MEASURES.items() if m.needs == TEXT), unknown)
        found["empty"] = measures.empty(texts, before)
        found["language"] = measures.in_language(texts, lang)
        found["duplicate"] = self._copies[self._done : self._done + len(made)]
        if before is not None:
            found["length_ratio"] = self.lengths.measured(texts, before)
            found["numbers"] = measures.numbers(texts, before)
            found["names"] = measures.names(texts, before)
            if lang != self.rows.home:
                found["copied"] = measures.copied(texts, before)
        for name, stream in self._streams.items():
            values = [stream.take(row["id"]) for row in made]
            found[name] = np.array(
                [np.nan if one is None or one["value"] is None else one["value"] for one in values],
                dtype=np.float32,
            )
        self._done += len(made)
        return found

    def _texts(self, rows: Sequence[Row]) -> list[list[str]]:
        return [measures.texts(row, self.rows.format) for row in rows]


def passed(
    files: Files, rows: Rows, by: Filter, out: Path, measured: Path, record: dict[str, Any]
) -> dict[str, Any]:
    """Write the rows that pass, with `record` and what is counted in the metadata, and the measures
    of all; return what is counted: {rows_kept, dropped, outside, measures}.

    Args:
        files: what is read.
        rows: what they are.
        by: the filter.
        out: parquet, as `prepare.write` writes it.
        measured: parquet: `id`, a column a measure, `kept`.
        record: {spec, pins, rows_total, dropped}; `dropped` is added to.
    """
    measurer = Measurer(rows, files.measured)
    names = [name for name, of in MEASURES.items() if of.needs == TEXT or name in files.measured]
    for sources, made in blocks(files):
        measurer.first(sources, made)
    schema = SCHEMAS[rows.format]
    columns = [("id", pa.string()), *((name, pa.float32()) for name in names), ("kept", pa.bool_())]
    of_measures = pa.schema(columns)
    dropped, outside, kept_rows = Counter[str](record["dropped"]), Counter[str](), 0
    with atomic(out) as rows_file, atomic(measured) as measures_file:
        with (
            # With a schema of Arrow's in the file, what is added last would not be found there.
            pq.ParquetWriter(rows_file, schema, compression="zstd", store_schema=False) as writer,
            pq.ParquetWriter(measures_file, of_measures, compression="zstd") as values_writer,
        ):
            for sources, made in blocks(files):
                values = measurer.measured(sources, made)
                kept, counted = filtering.decided(values, by, len(made))
                dropped.update(counted["dropped"])
                outside.update(counted["outside"])
                passing = [row for row, stays in zip(made, kept, strict=True) if stays]
                kept_rows += len(passing)
                if passing:
                    writer.write_table(pa.Table.from_pylist(passing, schema=schema))
                table = {
                    "id": [row["id"] for row in made],
                    **{name: pa.array(values[name], from_pandas=True) for name in names},
                    "kept": kept,
                }
                values_writer.write_table(pa.table(table, schema=of_measures))
            counts = {"rows_kept": kept_rows, "dropped": dict(dropped), "outside": dict(outside)}
            said = json.dumps({**record, **counts}, ensure_ascii=False)
            writer.add_key_value_metadata({"xstilts": said})
        summaries = {name: _summary(measures_file, name) for name in names}
    return counts | {"measures": summaries}


def _summary(path: Path, name: str) -> dict[str, Any]:
    column = pq.read_table(path, columns=[name])[name].to_numpy()
    return filtering.summary(np.asarray(column, dtype=np.float32))
