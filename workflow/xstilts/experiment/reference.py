"""What is known of data sets, encoders, devices and languages: `workflow/reference/`."""

import csv
from functools import cache

from xstilts import WORKFLOW
from xstilts.running.errors import UserError, nearest

FOLDER = WORKFLOW / "reference"
CERTAIN = ("read", "derived")  # of what is told of the rows: not from memory, not guessed


@cache
def table(name: str) -> list[dict[str, str]]:
    """Return the rows of a file of the reference, as text."""
    with open(FOLDER / f"{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def size(task: str, split: str) -> tuple[int, float] | None:
    """Return the rows of one language of a task, and the tokens of a row; None if not known."""
    row = _sizes().get((task, split))
    return (int(row["rows"]), float(row["pieces"])) if row else None


def certain_rows(task: str, split: str) -> int | None:
    """Return the rows of one language of a task, where they are known for certain."""
    row = _sizes().get((task, split))
    return int(row["rows"]) if row and row["certainty"] in CERTAIN else None


@cache
def _sizes() -> dict[tuple[str, str], dict[str, str]]:
    """Return (task, split) -> its line of `sizes.csv`."""
    return {(row["task"], row["split"]): row for row in table("sizes")}


def encoder(name: str) -> tuple[int, int, int] | None:
    """Return layers, width and parameters of a public encoder; None if not known."""
    for row in table("encoders"):
        if row["name"] == name:
            return int(row["layers"]), int(row["width"]), int(row["parameters"])
    return None


def device(name: str) -> float:
    """Return the assumed FLOP a second of a device; UserError if it is not known."""
    known = {row["device"]: row for row in table("devices")}
    if name not in known:
        raise UserError(
            f"device: there is no `{name}`{nearest(name, known)} (valid: {', '.join(known)})"
        )
    return float(known[name]["tflops"]) * 1e12 * float(known[name]["utilisation"])
