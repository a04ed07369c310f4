"""Predictions for rows that need no gold, by the path of the evaluation."""

import contextlib
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from xstilts import formats
from xstilts.data import columns, shapes
from xstilts.encoding.encoded import Encoded
from xstilts.encoding.tokenizer import load_tokenizer
from xstilts.export.trained import Trained
from xstilts.models import adapters
from xstilts.running import device
from xstilts.running.errors import UserError
from xstilts.scoring import predict

Row = dict[str, Any]
# What a row must have of its format, or there is nothing to predict.
CONTENT = {
    "classification": ("text",), "regression": ("text",), "choice": ("choices",),
    "tagging": ("tokens",), "span": ("question", "context"), "dual": ("text", "text_pair"),
}  # fmt: skip


def rows_of(table: pa.Table, spec: Mapping[str, Any], name: str) -> list[Row]:
    """Return the unified rows of a table of raw ones; their gold is blank.

    Args:
        table: of the file.
        spec: `format`, `labels`, `strata` and `columns` {raw column: unified column}: those of the
            task, which hold for a file that has one of them, or (`said`) for any.
        name: of the file.

    Raises:
        UserError: the columns are not found.
    """
    given = {str(raw): f for raw, f in spec["columns"].items() if f not in columns.GOLD}
    pairs, there = [raw for raw in given if given[raw] == "text_pair"], table.column_names
    if not set(given) & set(there) and not spec.get("said"):
        given = {}
    found = columns.find(table.schema, {**spec, "columns": given}, name, gold=False)
    if pairs and "text_pair" not in found:
        raise columns.no_column(name, pairs[0], there)
    shape = shapes.of({"format": spec["format"]})
    blank = {"answers": None, "tags": None, "text_pair": None}
    rows: list[Any] = [shape({**blank, **columns.pick(found, raw)}) for raw in table.to_pylist()]
    label = spec["labels"][0] if spec["labels"] else 0
    for number, row in enumerate(rows):
        row.setdefault("id", str(number))  # which a dual encoder predicts
        row |= {"label": label, "tags": [None] * len(row.get("tokens") or [])}
    return rows


def names(trained: Trained) -> tuple[str, ...]:
    """Return the columns that predictions add; UserError for a model that predicts nothing."""
    if trained.head is None:
        raise UserError(
            f"{trained.name}: has nothing to predict, since nothing is tuned for"
            f" {trained.task.name}; `xstilts export` writes its encoder"
        )
    page = formats.page(trained.format)
    return ("prediction", "probability") if hasattr(page, "confidence") else ("prediction",)


def is_empty(row: Row, format: str) -> bool:
    """Whether a row lacks what is to be predicted from."""
    return not all(row[field] for field in CONTENT[format])


def predicted(trained: Trained, rows: Sequence[Row], max_tokens: int) -> dict[str, list[Any]]:
    """Return the columns to add: `prediction`, and `probability` where it is one of a few.

    A prediction is a label, the number of a choice from 0, a list of tags, an answer, a number, or
    the ids of the rows with the nearest passages; None of a row that is empty.

    Args:
        trained: the model.
        rows: unified.
        max_tokens: of a batch, with its padding if it has any.
    """
    format = trained.format
    page = formats.page(format)
    full = [i for i, row in enumerate(rows) if not is_empty(row, format)]
    found: dict[str, list[Any]] = {name: [None] * len(rows) for name in names(trained)}
    if not full:
        return found
    data = _encoded(trained, page, [rows[i] for i in full])
    encoder, head = trained.load()
    with contextlib.redirect_stdout(sys.stderr):  # stdout is for the rows
        where = device.choose()
        reduced = predict.reduced(page, encoder.to(where), head.to(where), data, where, max_tokens)
    predictions = page.decode(reduced, data, [rows[i] for i in full])
    for i, text in zip(full, predictions, strict=True):
        found["prediction"][i] = _typed(text, format)
    if "probability" in found:
        for i, probability in zip(full, page.confidence(reduced), strict=True):
            found["probability"][i] = round(probability, 6)
    return found


def _encoded(trained: Trained, page: Any, rows: Sequence[Row]) -> Encoded:
    """Return rows as the encode step has them."""
    tokenizer = load_tokenizer(adapters.backbone(trained.folder) / "tokenizer.json")
    arrays, cut = page.encode(rows, tokenizer, list(trained.labels), trained.max_length)
    spec = {
        "format": trained.format,
        "labels": list(trained.labels),
        "no_answer": trained.task.no_answer,
    }
    return Encoded(
        arrays, {"spec": spec, "pad": tokenizer.pad_token_id, "rows": len(rows), "cut": cut}
    )


def _typed(text: str, format: str) -> Any:
    if format == "tagging":
        return text.split(" ")
    if format == "choice":
        return int(text)
    if format == "dual":
        return json.loads(text)
    return float(text) if format == "regression" else text
