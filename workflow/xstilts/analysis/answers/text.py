"""An answer for readers: its sentence, its notes, its table."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from xstilts.analysis import numbers
from xstilts.analysis.answers import findings, relation_text
from xstilts.analysis.answers.files import COLLAPSED, CORRELATION, DIFFERENCE, SLOPE, VALUE
from xstilts.analysis.answers.sentence import Meta, sentence
from xstilts.analysis.estimates import SIGNIFICANCE_LEVEL
from xstilts.analysis.text_table import TableCell, TextTable
from xstilts.experiment.questions import ALIGNMENT, MEASURE

__all__ = ["notes", "sentence", "text_table"]

LABELS = ["what", "class"]
COLUMNS = ["estimate", "95%", "p (Holm)", "detectable"]
COUNTS = ["rows", "targets", "languages", "examples"]
_SCALES = {
    "points": "points",
    "share": "% of the errors",
    "log-odds": "log-odds",
    MEASURE: "",
}


def text_table(meta: Meta, table: pd.DataFrame) -> TextTable:
    """Return the table: a block for what is estimated on a scale, a row for a class.

    What is claimed is marked. A table without rows has headings and notes.

    Args: see `sentence`.
    """
    if meta.get("relation"):
        return relation_text.text_table(meta, table)
    table = findings.asked(meta, table)
    claimed = findings.claimed(table)
    rows = []
    for _, block in table.groupby(["without", "scale", "kind", "over"], sort=False):
        for row in block.to_dict("records"):
            key = row["class"], row["over"], row["without"]
            mark = bool(row["tested"]) and key in claimed
            names = [_what(meta, row), findings.plain(row["class"])]
            rows.append((names, _cells(meta, row, mark)))
    return TextTable(LABELS, [*COLUMNS, *COUNTS], rows, notes(meta, table))


def _cells(meta: Meta, row: Mapping[str, Any], mark: bool) -> list[TableCell]:
    digits = findings.digits(meta, row)
    signed = numbers.delta if row["kind"] == DIFFERENCE else numbers.points
    p = row["p holm"] if row["tested"] else None
    return [
        TableCell(signed(row["estimate"], digits), marked=mark),
        TableCell(numbers.interval(row["low"], row["high"], digits)),
        TableCell(numbers.p_value(p)),
        TableCell(numbers.points(row["detectable"], digits)),
        *(TableCell(numbers.count(row[name])) for name in COUNTS),
    ]


def _what(meta: Meta, row: Mapping[str, Any]) -> str:
    """Return the heading of a block: `slope of the gain, points`."""
    what, value, scale = findings.what(meta), findings.noun(meta), row["scale"]
    thing = {SLOPE: "slope of the ", CORRELATION: "rank correlation of the "}.get(what, "") + value
    if row["kind"] == DIFFERENCE:
        of = {SLOPE: " of the slope", CORRELATION: " of the rank correlation"}.get(what, "")
        thing = f"difference{of} to {findings.inline(row['over'])}"
    unit = (
        "percent"
        if value == "score" and (row["kind"], scale) == (VALUE, "points")
        else _SCALES[scale]
    )
    if what == CORRELATION:
        unit = "" if scale == "points" else f"in {findings.IN[scale]}"
    without = "without collapsed trainings" if row["without"] == COLLAPSED else ""
    return ", ".join(filter(None, [thing, unit, without]))


def notes(meta: Meta, table: pd.DataFrame) -> list[str]:
    """Return what a reader has to know of the table, then the notes that the answer has itself."""
    found = [] if table.empty else _explained(meta, table)
    return list(dict.fromkeys([*found, *meta.get("notes", [])]))


def _explained(meta: Meta, table: pd.DataFrame) -> list[str]:
    over, what, rows = " and ".join(dict.fromkeys(table["noise"])), findings.what(meta), []
    if meta.get("relation"):
        return relation_text.explained(meta, table)
    first = "Standard deviations" if meta["value"] == "spread" else "Means"
    then = (
        "means over targets, then over rows" if first != "Means" else "over targets, then over rows"
    )
    if meta["value"] == ALIGNMENT:
        better, layer = meta["aligned"]["better"], ", ".join(meta["aligned"]["layers"])
        rows.append(
            f"Means over the languages of a row, then over rows, at layer {layer}; {better} values"
            f" are those of better aligned languages; 95%: over {over}, of the same sentences."
        )
    else:
        rows.append(
            f"{first} over the languages of a row and target, then {then}; 95%: over {over}."
        )
    if what == SLOPE:
        rows.append(f"Slope: change for {findings.step(meta)}.")
    elif what == CORRELATION:
        rows.append(f"Rank correlation with {findings.plain(meta['along'])}; it has no unit.")
    scales = set(table["scale"])
    if "share" in scales:
        rows.append("% of the errors: of those of the row that the gain is over.")
    if "log-odds" in scales:
        rows.append("Log-odds: differences of natural logarithms.")
    table = findings.asked(meta, table)
    main = table[table["tested"] & (table["without"] == "")]
    if len(main):
        number = len(findings.of(main))
        corrected = f", corrected for {number} of them (Holm)" if number > 1 else ""
        every = " on every scale" if len(scales) > 1 else ""
        rows.append(
            f"p: against zero{corrected}. *: the interval leaves out zero and p is below"
            f" {SIGNIFICANCE_LEVEL:g}{every}. Detectable: what would have been seen with 80% power."
        )
    return rows
