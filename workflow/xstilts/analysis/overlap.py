"""The table `overlap`: how much of the English targets stands in the train rows of stage 1."""

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.analysis import numbers
from xstilts.analysis.text_table import TableCell, TextTable
from xstilts.data import overlap as found_in
from xstilts.experiment.graph import overlap_file
from xstilts.experiment.grid import Grid
from xstilts.running.errors import UserError
from xstilts.running.files import digest
from xstilts.scoring import scores

MOST = 100 * found_in.MOST  # percent of a target's rows beyond which a difference is marked
COUNTS = ["rows", "question", "context", "either"]
COLUMNS = ["task", "intermediates", "target", *COUNTS, "percent"]
NOTE = (
    f"†: more than {MOST:g}% of the English rows of the target stand in the train rows of the"
    " intermediate task (overlap.md), so it may have been read before."
)
Pairs = Collection[tuple[str, str]]  # intermediate, target


def read(
    grid: Grid, root: Path = Path(), content: Callable[[str], Any] = scores.read
) -> tuple[pd.DataFrame, list[str]]:
    """Return what was counted, `COLUMNS`, and a line for each file that is refused: made for
    another spec than the config asks for, or damaged. What is not there is left out.

    `intermediates`: those that train on the task, separated by ", "; `percent` of the target's rows
    of which the question or a run of words of the context was found.

    Args:
        grid: of the resolved config.
        root: the folder that holds `results`.
        content: absolute path -> what is in a file, None where there is none.
    """
    lines, refused = list[dict[str, Any]](), list[str]()
    names = list(dict.fromkeys(cell.intermediate for cell in grid.cells))
    for task in grid.overlapping():
        trained = ", ".join(
            name for name in names if any(grid.from_english(one, task) for one in grid.chain(name))
        )
        for target, spec in grid.overlap_specs(task).items():
            path = overlap_file(task, target)
            try:
                if (found := content(str(root / path))) is not None:
                    counts = _counts(found, spec, path)
                    percent = 100 * counts["either"] / counts["rows"] if counts["rows"] else 0.0
                    about = {"task": task, "intermediates": trained, "target": target}
                    lines.append({**about, **counts, "percent": percent})
            except UserError as error:
                refused.append(str(error).removeprefix(f"{root}/"))
    return pd.DataFrame(lines, columns=COLUMNS), refused


def _counts(found: Any, spec: dict[str, Any], path: str) -> dict[str, int]:
    """Return the counts in a file.

    Raises:
        UserError: it is not what is asked for.
    """
    try:
        if digest(found["spec"]) != digest(spec):
            problem = "counted for another spec than the config asks for"
            raise UserError(f"{path}: {problem}; delete it, run again")
        return {name: int(found[name]) for name in COUNTS}
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{path}: holds no counts; delete it, run again") from None


def pairs(table: pd.DataFrame) -> set[tuple[str, str]]:
    """Return the intermediates and targets of which the difference is marked."""
    above = table[table["percent"] > MOST]
    return {
        (name, row.target) for row in above.itertuples() for name in row.intermediates.split(", ")
    }


def notes(pairs: Pairs, asked: Iterable[tuple[str, str]]) -> list[str]:
    """Return what is said of an answer that rests on such pairs, of those that are asked about."""
    by_row: dict[str, list[str]] = {}
    for name, target in dict.fromkeys(asked):
        if (name, target) in pairs:
            by_row.setdefault(name, []).append(target)
    alike: dict[str, list[str]] = {}
    for name, targets in by_row.items():
        alike.setdefault(", ".join(targets), []).append(name)
    named = "; ".join(f"{targets} after {', '.join(rows)}" for targets, rows in alike.items())
    where = f"of {named}, more than {MOST:g}% of the English rows stand in the train rows"
    return [f"Overlap: {where} of the intermediate task (overlap.md)."] if named else []


def note(text: TextTable) -> list[str]:
    """Return what the marks of a table say, if it has any."""
    return [NOTE] if any(cell.overlaps for _, cells in text.rows for cell in cells) else []


def text_table(table: pd.DataFrame) -> TextTable:
    """Return the table for readers: a row a task, a column a target."""
    targets = list(dict.fromkeys(table["target"]))
    rows = []
    for (task, trained), part in table.groupby(["task", "intermediates"], sort=False):
        of = part.set_index("target")["percent"].to_dict()
        cells = [
            TableCell(numbers.points(of.get(name)), overlaps=of.get(name, 0.0) > MOST)
            for name in targets
        ]
        rows.append(((task, trained), cells))
    notes = [
        "English rows of each target, in percent, of which the question (of pairs: both texts) is"
        " that of a train row of the task, or 13 running words of the context stand in one; in"
        f" lower case, without signs. †: more than {MOST:g}%. overlap.csv has both apart."
    ]
    return TextTable(("task", "intermediates"), targets, rows, notes)
