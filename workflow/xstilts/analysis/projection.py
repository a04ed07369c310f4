"""The table `projection`: what became of the rows that were made in other languages.

Of each filter, task and language: how many came through, why the others did not, by what their
labels were found, and how often these are right, where the truth is known (the toy world).
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.analysis import numbers
from xstilts.analysis.text_table import TableCell, TextTable, without_empty
from xstilts.experiment.filters import MEASURES
from xstilts.experiment.nodes import Node
from xstilts.running.errors import UserError
from xstilts.running.files import digest
from xstilts.scoring import scores

NAMES = ["variant", "task", "language"]
MARKS, WORDS = "marks", "words"  # by what labels are found
COUNTS = ["rows", "made", "kept"]
FOUND = [f"{by}{what}" for by in (MARKS, WORDS) for what in ("", " known", " right", " share")]
MEANS = {f"mean {name}": name for name in MEASURES}  # column -> measure
COLUMNS = [*NAMES, *COUNTS, *FOUND, *MEANS]
DROPPED = [*NAMES, "reason", "rows"]


def read(
    nodes: Iterable[Node], root: Path = Path(), content: Callable[[str], Any] = scores.read
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Return what is recorded of rows, `COLUMNS`, why others were dropped, `DROPPED`, and a line
    for each file that is refused: made for another spec than the config asks for, or damaged. What
    is not there is left out.

    `rows`: of the source; `made`: of these in the language, before any filter; `kept`: that pass;
    `marks`, `words`: of those made, whose labels were found by marks or by aligned words; of these
    `known`: of which the truth is known, `right`: that are right in all, `share`: the mean share of
    the labels of a row that is right; and the mean of each measure over the rows made.

    Args:
        nodes: of the filters.
        root: the folder that holds `results`.
        content: absolute path -> what is in a file, None where there is none.
    """
    lines, dropped, refused = list[dict[str, Any]](), list[dict[str, Any]](), list[str]()
    for node in nodes:
        try:
            if (found := content(str(root / node.key))) is not None:
                own, reasons = _lines(node, found)
                lines.append(own)
                dropped += reasons
        except UserError as error:
            refused.append(str(error).removeprefix(f"{root}/"))
    return pd.DataFrame(lines, columns=COLUMNS), pd.DataFrame(dropped, columns=DROPPED), refused


def _lines(node: Node, found: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the line of a record, and one for each reason for which rows were dropped.

    Raises:
        UserError: it is not what is asked for.
    """
    names = dict(zip(NAMES, node.name.split("/"), strict=True))
    try:
        if digest(found["spec"]) != digest(dict(node.spec)):
            problem = "made for another spec than the config asks for"
            raise UserError(f"{node.key}: {problem}; delete it, run again")
        line = {**names, "rows": int(found["rows_total"]), "made": int(found["rows_made"])}
        line["kept"] = int(found["rows_kept"])
        for by, of in found.get("projected", {}).items():
            line[by] = int(of["rows"])
            line |= {f"{by} {what}": of[what] for what in ("known", "right", "share") if what in of}
        known = found["measures"]
        line |= {mean: known[name]["mean"] for mean, name in MEANS.items() if name in known}
        reasons = [{**names, "reason": why, "rows": int(n)} for why, n in found["dropped"].items()]
        return line, reasons
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserError(f"{node.key}: holds no counts; delete it, run again") from None


def text_table(table: pd.DataFrame, dropped: pd.DataFrame) -> TextTable:
    """Return the table for readers."""
    columns = [
        *COUNTS, "dropped", MARKS, f"{MARKS} right", WORDS, f"{WORDS} right", *MEANS
    ]  # fmt: skip
    why = {
        names: ", ".join(f"{row.reason} {numbers.count(row.rows)}" for row in part.itertuples())
        for names, part in dropped.groupby(NAMES, sort=False)
    }
    lines = []
    for row in table.to_dict("records"):
        names = tuple(row[name] for name in NAMES)
        cells = [
            *(TableCell(numbers.count(row[name])) for name in COUNTS),
            TableCell(why.get(names, numbers.MISSING)),
        ]
        for by in (MARKS, WORDS):
            cells += [
                TableCell(numbers.count(row[by])),
                TableCell(numbers.points(100 * row[f"{by} share"])),
            ]
        cells += [TableCell(numbers.points(row[name], 2)) for name in MEANS]
        lines.append((names, cells))
    notes = [
        "rows: of the source; made: of these in the language; kept: those that pass the filter."
        " marks, words: rows whose answer was found between its marks, or whose labels by aligned"
        " words; right: in percent, of those of which the truth is known (the toy world), the"
        " answers, or the characters with the right tag. The others are means of the measures over"
        " the rows made; projection.dropped.csv has a row for each reason."
    ]
    return without_empty(
        TextTable(NAMES, [name.replace("_", " ") for name in columns], lines, notes)
    )
