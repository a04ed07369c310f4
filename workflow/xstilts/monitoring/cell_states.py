"""The state of a grid, from what lies in `results/`: which cells are done, why others are not."""

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from xstilts.encoding.header import read_header
from xstilts.experiment import config
from xstilts.experiment.graph import Node, ancestors
from xstilts.experiment.grid import CELL, Cell, Grid
from xstilts.running import lock, logs
from xstilts.running.errors import UserError
from xstilts.running.files import digest
from xstilts.running.logs import Ending
from xstilts.scoring import scores

STATES = ("done", "running", "failed", "partial", "stale", "missing")


@dataclasses.dataclass(frozen=True)
class CellState:
    """State of a cell.

    Attributes:
        state: one of `STATES`. `stale`: a score is of another spec than grid.csv asks for, or
            damaged; `partial`: some languages have a score.
        have: score files that are there and as asked.
        asked: score files that grid.csv asks for.
        reason: the last error line of what failed, or what is wrong with a score; "" if done.
        log: path of the log that says so; "" if none does.
    """

    state: str
    have: int
    asked: int
    reason: str = ""
    log: str = ""


def read_grid(path: str | Path) -> pd.DataFrame:
    """Read `grid.csv`, all as text; UserError if it is missing or not one."""
    try:
        grid = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise UserError(
            f"{path}: there is no such file; `snakemake results/grid.csv` makes it"
        ) from None
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: cannot be read as CSV ({error})") from None
    columns = [*CELL, "language", "split", "metric", "score", "spec"]
    absent = [name for name in columns if name not in grid]
    if absent or grid.empty:
        raise UserError(f"{path}: no grid: " + (f"no column `{absent[0]}`" if absent else "no row"))
    return grid


def read_config(path: str | Path) -> Grid:
    """Return the grid of the resolved config that lies beside grid.csv."""
    try:
        settings = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"{path}: there is no such file; `snakemake results/config.yaml` makes it"
        ) from None
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(settings, dict):
        raise UserError(f"{path}: holds no config")
    try:
        return Grid(config.load(settings))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def collect(
    lines: pd.DataFrame, root: Path, read: Callable[[str], Any] = scores.read
) -> tuple[pd.DataFrame, list[str]]:
    """Return `scores.collect` of the score files below `root`, which they are named from.

    Args:
        read: absolute path -> the score, or None where there is none.
    """
    found, refused = scores.collect(lines, lambda path: read(str(root / path)))
    return found, [line.removeprefix(f"{root}/") for line in refused]


def cells(
    grid: pd.DataFrame,
    found: pd.DataFrame,
    refused: Iterable[str],
    trouble: Callable[[Cell], tuple[Ending, str] | None],
) -> dict[Cell, CellState]:
    """Return the state of every cell, in the grid's order.

    Args:
        grid: rows of grid.csv.
        found: see `scores.collect`.
        refused: see `scores.collect`; a line begins with the path of its score file.
        trouble: how what a cell needs ended, and the log that says so; asked where it is not done.
    """
    key = [*CELL, "language"]
    have = set(found.loc[found["metric"] == "score", key].itertuples(index=False, name=None))
    wrong = {line.partition(": ")[0]: line for line in refused}
    by_cell: dict[Cell, list[tuple[bool, str]]] = {}
    columns = [grid[name] for name in [*key, "score"]]
    for *values, path in zip(*columns, strict=True):
        good = tuple(values) in have
        by_cell.setdefault(Cell(*values[:4]), []).append((good, wrong.get(path, "")))
    return {
        cell: _state(files, None if all(good for good, _ in files) else trouble(cell))
        for cell, files in by_cell.items()
    }


def _state(files: list[tuple[bool, str]], ended: tuple[Ending, str] | None) -> CellState:
    have, asked = sum(good for good, _ in files), len(files)
    if have == asked:
        return CellState("done", have, asked)
    ending, log = ended or (Ending("", ""), "")
    if ending.state in ("failed", "running"):
        return CellState(ending.state, have, asked, ending.line, log)
    refused = [line for _, line in files if line]
    if refused:
        return CellState("stale", have, asked, refused[0])
    said = "its log ends without an error: it was killed, or what it made was deleted"
    reason, log = (said, log) if ending.state == "silent" else ("", "")
    return CellState("partial" if have else "missing", have, asked, reason, log)


class Results:
    """What lies in a folder of results; each file is looked at once."""

    def __init__(self, root: Path, nodes: Mapping[str, Node]) -> None:
        self.root, self.nodes = root, nodes
        self.keys = {n.name: key for key, n in nodes.items() if n.rule == "evaluate"}
        self.made: dict[str, bool] = {}
        self.endings: dict[str, Ending | None] = {}

    def current(self, key: str) -> bool:
        """Return whether all outputs of a node are there, by the spec that is asked for."""
        if key not in self.made:
            outputs = self.nodes[key].outputs.items()
            self.made[key] = all(made_by(self.root / path, spec) for path, spec in outputs)
        return self.made[key]

    def trouble(self, cell: Cell) -> tuple[Ending, str] | None:
        """Return how the first node that failed on the way to a cell ended, else one that runs.

        Where none does: the cell's own log, if it has one. The path of the log comes with it.
        """
        told: list[tuple[Ending, str]] = []
        for one in ancestors(self.nodes, self.keys[str(cell)]):
            if not (self.current(one) or self._outdated(one)):
                ending = self._ending(self.nodes[one])
                told += [(ending, self.nodes[one].log)] if ending else []
        for state in ("failed", "running", "silent"):
            for ending, log in told:
                if ending.state == state:
                    return ending, log
        return None

    def _outdated(self, key: str) -> bool:
        """Return whether outputs of another spec are there, so that the log is of an older job.

        Snakemake deletes what a job is about to make, and what a failed one has made.
        """
        outputs = self.nodes[key].outputs.items()
        paths = [(self.root / path, spec) for path, spec in outputs]
        return any(path.exists() and not made_by(path, spec) for path, spec in paths)

    def _ending(self, node: Node) -> Ending | None:
        if node.log not in self.endings:
            found = logs.read_ending(self.root / node.log)
            if node.state and lock.busy(self.root / node.state):
                found = Ending("running", found.line if found else "")
            self.endings[node.log] = found
        return self.endings[node.log]


def made_by(path: Path, spec: str | None) -> bool:
    """Return whether a file is there, and made by the spec of this digest (any, for None)."""
    if not path.exists():
        return False
    if spec is None:
        return True
    try:
        return digest(_spec_of(path)) == spec
    except (UserError, OSError, KeyError, TypeError, ValueError):
        return False  # damaged, or not ours: it has to be made again


def _spec_of(path: Path) -> Any:
    """Return the spec that a file of ours tells: JSON, rows (parquet) or encoded (safetensors)."""
    if path.suffix == ".parquet":
        from xstilts.data import prepare

        return prepare.metadata(path)["spec"]
    if path.suffix == ".safetensors":
        return read_header(path)[1]["spec"]
    return json.loads(path.read_text(encoding="utf-8"))["spec"]


def next_run(nodes: Mapping[str, Node], current: Callable[[str], bool]) -> set[str]:
    """Return the keys of the jobs that the next run would do, the tables not among them.

    A job runs if a score needs it and an output is missing or made by another spec, or if what it
    reads is made again. (Snakemake leaves out what turns out to have the same bytes.)
    """
    run: set[str] = set()
    asked = ("evaluate", "pin_data", "pin_model")  # by the rule `all`
    demanded = [key for key, node in nodes.items() if node.rule in asked and not current(key)]
    while demanded:
        while demanded:
            key = demanded.pop()
            if key not in run:
                run.add(key)
                demanded += [need for need in nodes[key].needs if not current(need)]
        demanded = [
            key
            for key, node in nodes.items()
            if key not in run and any(need in run for need in node.needs)
        ]
    return run
