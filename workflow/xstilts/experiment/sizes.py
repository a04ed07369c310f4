"""Rows of the known data sets, from `workflow/reference/sizes.csv`."""

import csv
from functools import cache

from xstilts import WORKFLOW

PATH = WORKFLOW / "reference/sizes.csv"
CERTAIN = ("read", "derived")  # of what is told of the rows: not from memory, not guessed


@cache
def table() -> dict[tuple[str, str], dict[str, str]]:
    """Return (task, split) -> its line: `rows` of one language, `pieces` of a row, `certainty`."""
    with open(PATH, newline="", encoding="utf-8") as file:
        return {(row["task"], row["split"]): row for row in csv.DictReader(file)}


def certain_rows(task: str, split: str) -> int | None:
    """Return the rows of one language of a task, where they are known for certain."""
    row = table().get((task, split))
    return int(row["rows"]) if row and row["certainty"] in CERTAIN else None
