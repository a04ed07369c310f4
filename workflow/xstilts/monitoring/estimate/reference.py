"""Sizes of data sets and encoders, and speeds of devices, from `workflow/reference/`."""

import csv
from functools import cache

from xstilts import WORKFLOW
from xstilts.experiment import sizes
from xstilts.running.errors import UserError, nearest

FOLDER = WORKFLOW / "reference"


@cache
def _table(name: str) -> list[dict[str, str]]:
    with open(FOLDER / f"{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def size(task: str, split: str) -> tuple[int, float] | None:
    """Return the rows of one language of a task, and the tokens of a row; None if not known."""
    row = sizes.table().get((task, split))
    return (int(row["rows"]), float(row["pieces"])) if row else None


def encoder(name: str) -> tuple[int, int, int] | None:
    """Return layers, width and parameters of a public encoder; None if not known."""
    for row in _table("encoders"):
        if row["name"] == name:
            return int(row["layers"]), int(row["width"]), int(row["parameters"])
    return None


def device(name: str) -> float:
    """Return the assumed FLOP a second of a device; UserError if it is not known."""
    known = {row["device"]: row for row in _table("devices")}
    if name not in known:
        raise UserError(
            f"device: there is no `{name}`{nearest(name, known)} (valid: {', '.join(known)})"
        )
    return float(known[name]["tflops"]) * 1e12 * float(known[name]["utilisation"])
