"""The trainings of a cell on the page: learning curve, recipe, speed."""

from pathlib import Path
from typing import Any

from xstilts.analysis import chance, numbers
from xstilts.experiment import search
from xstilts.experiment.cells import Cell
from xstilts.experiment.grid import Grid
from xstilts.running.errors import UserError
from xstilts.running.files import read_json

MAX_POINTS = 60  # of a curve; more cannot be told apart on a page


def subsample(points: list[Any], count: int = MAX_POINTS) -> list[Any]:
    """Return at most `count` of the points, evenly spaced, with the first and the last."""
    if len(points) <= count:
        return points
    return [points[round(i * (len(points) - 1) / (count - 1))] for i in range(count)]


def curve(node: dict[str, Any]) -> list[list[float]]:
    """Return [step, loss, dev score] of each evaluation of a training, from its `node.json`.

    The score is in percent; both are as precise as a picture needs.
    """
    points = [[p["step"], round(p["loss"], 4), round(100 * p["score"], 2)] for p in node["history"]]
    return subsample(points)


def summary(node: dict[str, Any], folder: str, chance: float | None = None) -> dict[str, Any]:
    """Return what the page shows of a training.

    Returns:
        folder; task (several joined by +); curve; chance (level of the curve, in percent); best
        (step); score (of that, in percent); spec; facts ([name, text] pairs); warnings (sentences).
    """
    values = node.get(search.CHOSEN, {})
    spec = search.filled(node["spec"], values)
    return {
        "folder": folder,
        "task": spec["task"] if "task" in spec else " + ".join(t["task"] for t in spec["tasks"]),
        "curve": curve(node),
        "chance": chance,
        "best": node["best"]["step"],
        "score": numbers.points(100 * node["best"]["score"]),
        "spec": spec,
        "facts": [
            ["steps", f"{node['steps']:,}"],
            ["examples", f"{node['examples']:,}"],
            *([["chosen on dev", search.name(values)]] if values else []),
            ["time", f"{node['seconds']:,.0f} s"],
            ["speed", f"{node['tokens_per_second']:,.0f} tokens/s"],
            ["device", f"{node['device']}, {node['precision']}"],
            ["peak memory", f"{node['peak_memory'] / 2**20:,.0f} MB"],
        ],
        "warnings": warnings(node),
    }


def warnings(node: dict[str, Any]) -> list[str]:
    """Return what is said of a training at what guessing gives, and of one made again for that."""
    found = []
    if mark := node.get("collapsed"):
        found.append(f"Collapsed: {_beside_guessing(mark)}.")
    if mark := node.get("below_guessing"):
        found.append(f"Below guessing, so it has learnt something else: {_beside_guessing(mark)}.")
    for mark in node.get("at_guessing", []):
        found.append(f"Not learnt in this mix: {mark['task']}, {_beside_guessing(mark)}.")
    if streams := node.get("streams"):
        scores = ", ".join(numbers.points(100 * one["score"]) for one in streams)
        found.append(
            f"Trained {len(streams)} times, because it collapsed (best dev scores {scores}); stream"
            f" {node['stream']} was taken."
        )
    return found


def _beside_guessing(mark: dict[str, Any]) -> str:
    score, guessing = (numbers.points(100 * mark[name]) for name in ("score", "guessing"))
    bounds = numbers.interval(100 * mark["low"], 100 * mark["high"])
    return (
        f"its dev score, {score} (95%: {bounds}), is not above what guessing gives, {guessing}"
        f" ({mark['guess']})"
    )


def read(root: Path, folder: str, chance: float | None = None) -> dict[str, Any] | None:
    """Return the summary of a training folder; None without a complete record of a training."""
    path = root / folder / "node.json"
    if not path.exists():
        return None
    try:
        node = read_json(path)
        return summary(node, folder, chance) if node.get("kind") == "train" else None
    except (UserError, AttributeError, KeyError, TypeError, ValueError):
        return None


class Trainings:
    """The trainings of the cells, each once."""

    def __init__(self, root: Path, grid: Grid | None) -> None:
        self.root, self.grid = root, grid
        self.chance = chance.of_trainings(grid, root / "results") if grid else {}
        self.summaries: list[dict[str, Any]] = []
        self.indices: dict[str, int | None] = {}

    def of(self, cell: Cell) -> list[int]:
        """Return the indices of a cell's trainings that have a record: stage 1 (of a chain all, in
        order), stage 2."""
        if self.grid is None:
            return []
        names = self.grid.chain(cell.intermediate)
        encoders = [self.grid.encoder(cell.model, name, cell.seed) for name in names]
        folders = dict.fromkeys([*encoders, self.grid.checkpoint(cell)])
        return [index for folder in folders if (index := self._index(folder)) is not None]

    def _index(self, folder: str) -> int | None:
        if folder not in self.indices:
            parts = folder.split("/")
            key = ("tune", parts[-1]) if parts[1] == "tuned" else ("intermediate", parts[-2])
            summary = read(self.root, folder, self.chance.get(key))
            self.indices[folder] = None if summary is None else len(self.summaries)
            self.summaries += [summary] if summary else []
        return self.indices[folder]
