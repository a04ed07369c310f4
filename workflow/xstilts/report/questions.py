"""The answers that the page opens with: sentence, figure, table, the cells behind each class."""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from xstilts.analysis.answers import files as answer_files
from xstilts.analysis.answers import findings
from xstilts.analysis.answers import text as answer_text
from xstilts.monitoring import products

MAX_FIGURE = 1_000_000  # bytes; larger ones stay in their folder
MISSING = 200  # cells that are named
POINTS = re.compile(r'\b(width|height)="([\d.]+)pt"')
PIXELS = 96 / 72  # a point, in CSS
Row = tuple[str, str]  # model, intermediate


def read(
    home: Path, rows: Sequence[Row], targets: Sequence[str], order: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """Return what the page shows of each question; [] where none is asked.

    Args:
        home: the folder of the experiment.
        rows: of the page.
        targets: of the page.
        order: names of the questions, in the order of the config.

    Raises:
        UserError: a file of an answer is damaged.
    """
    tables = home / "tables"
    return [
        _question(answer_files.read(tables, name), name, home, rows, targets)
        for name in answer_files.names(tables, order)
    ]


def _question(
    found: answer_files.Answer, name: str, home: Path, rows: Sequence[Row], targets: Sequence[str]
) -> dict[str, Any]:
    """Return a question as plain data.

    Returns:
        name, ask, sentence, answered; notes; missing (see `_missing`); figure (see `_figure`);
        columns and blocks of the table, a block with the rows of one heading, a row with the index
        of its class (None where that is unknown), its name, `cells` and whether it is `marked`;
        classes (see `_class`).
    """
    meta = found.meta
    classes = meta.get("classes") or {}
    table = answer_text.text_table(meta, found.table)
    at = {findings.plain(key): index for index, key in enumerate(classes)}
    blocks: dict[str, list[dict[str, Any]]] = {}
    for (heading, shown), cells in table.rows:
        line = {"class": at.get(shown), "name": shown, "cells": [cell.text for cell in cells]}
        blocks.setdefault(heading, []).append({**line, "marked": any(c.marked for c in cells)})
    return {
        "name": name,
        "ask": findings.plain(meta["ask"]) or name,
        "sentence": meta["sentence"] or answer_text.sentence(meta, found.table),
        "answered": not (meta["missing"] or found.table.empty),
        "notes": list(table.notes),
        "missing": _missing(meta["missing"], rows, targets),
        "figure": _figure(home / f"figures/{products.QUESTIONS}/{name}.svg"),
        "columns": list(table.columns),
        "blocks": [{"heading": heading, "rows": lines} for heading, lines in blocks.items()],
        "classes": [_class(key, about, rows, targets) for key, about in classes.items()],
    }


def _class(
    name: str, about: Mapping[str, Any], rows: Sequence[Row], targets: Sequence[str]
) -> dict[str, Any]:
    """Return a class: name, languages, and the indices of its rows and targets on the page.

    What the grid no longer has is left out.
    """
    of = [tuple(row) for row in about.get("rows", [])]
    return {
        "name": findings.plain(name),
        "rows": [at for at, row in enumerate(rows) if row in of],
        "targets": [at for at, target in enumerate(targets) if target in about.get("targets", [])],
        "languages": list(about.get("languages", [])),
    }


def _missing(
    cells: Sequence[str | Sequence[str]], rows: Sequence[Row], targets: Sequence[str]
) -> dict[str, Any]:
    """Return `cells`, each its name and the indices of its row and target or None, and `more`."""
    named = []
    for cell in cells[:MISSING]:
        parts = cell.split("/") if isinstance(cell, str) else list(cell)
        row, target = tuple(parts[:2]), parts[3] if len(parts) > 3 else ""
        place = (
            [rows.index(row), targets.index(target)] if row in rows and target in targets else None
        )
        named.append({"name": "/".join(parts), "at": place})
    return {"cells": named, "more": max(0, len(cells) - MISSING)}


def _figure(path: Path) -> dict[str, Any] | None:
    """Return `src` (a picture as a data URI, in which no script runs), `width` and `height`.

    None where there is no such figure, or it is too large for a page.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    size = dict(POINTS.findall(content[:2000].decode("utf-8", "replace")))
    if len(content) > MAX_FIGURE or set(size) != {"width", "height"}:
        return None
    pixels = {side: round(float(points) * PIXELS) for side, points in size.items()}
    return {"src": f"data:image/svg+xml;base64,{base64.b64encode(content).decode()}", **pixels}
