"""The trainings behind a cell, as the page shows them: learning curve, recipe, speed."""

from pathlib import Path
from typing import Any

from xstilts.experiment.grid import Cell, Grid
from xstilts.running.errors import UserError
from xstilts.running.files import read_json

POINTS = 60  # of a curve; more cannot be told apart on a page


def thin(points: list[Any], most: int = POINTS) -> list[Any]:
    """Return at most `most` of the points, evenly chosen, the first and the last among them."""
    if len(points) <= most:
        return points
    return [points[round(i * (len(points) - 1) / (most - 1))] for i in range(most)]


def curve(node: dict[str, Any]) -> list[list[float]]:
    """Return [step, loss, dev score] of each evaluation in a record (`node.json`) of a training."""
    points = [[p["step"], round(p["loss"], 4), round(p["score"], 4)] for p in node["history"]]
    return thin(points)


def summary(node: dict[str, Any], folder: str) -> dict[str, Any]:
    """Return what the page shows of the record of a training.

    Returns:
        folder; task (several joined by +); curve; best (step); spec (all of it); facts: [name,
        text] pairs of how it ran.
    """
    spec = node["spec"]
    return {
        "folder": folder,
        "task": spec["task"] if "task" in spec else " + ".join(t["task"] for t in spec["tasks"]),
        "curve": curve(node),
        "best": node["best"]["step"],
        "spec": spec,
        "facts": [
            ["steps", f"{node['steps']:,}"],
            ["examples", f"{node['examples']:,}"],
            ["time", f"{node['seconds']:,.0f} s"],
            ["speed", f"{node['tokens_per_second']:,.0f} tokens/s"],
            ["device", f"{node['device']}, {node['precision']}"],
            ["peak memory", f"{node['peak_memory'] / 2**20:,.0f} MB"],
        ],
    }


def read(root: Path, folder: str) -> dict[str, Any] | None:
    """Return the summary of a training folder; None if there is no whole record of a training."""
    path = root / folder / "node.json"
    if not path.exists():
        return None
    try:
        node = read_json(path)
        return summary(node, folder) if node.get("kind") == "train" else None
    except (UserError, AttributeError, KeyError, TypeError, ValueError):
        return None


class Trainings:
    """The trainings behind the cells, each once."""

    def __init__(self, root: Path, grid: Grid | None) -> None:
        self.root, self.grid = root, grid
        self.found: list[dict[str, Any]] = []
        self.index: dict[str, int | None] = {}

    def of(self, cell: Cell) -> list[int]:
        """Return the indices of a cell's trainings: stage 1, stage 2; those that have a record."""
        if self.grid is None:
            return []
        start = self.grid.encoder(cell.model, cell.intermediate, cell.seed)
        folders = dict.fromkeys([start, self.grid.checkpoint(cell)])
        return [number for folder in folders if (number := self._number(folder)) is not None]

    def _number(self, folder: str) -> int | None:
        if folder not in self.index:
            summary = read(self.root, folder)
            self.index[folder] = None if summary is None else len(self.found)
            self.found += [summary] if summary else []
        return self.index[folder]
