"""The state of a grid, from what lies in `results/`: which cells are done, why others are not."""

import dataclasses
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from xstilts.experiment import config
from xstilts.experiment.cells import CELL, Cell
from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import Node, ancestors
from xstilts.monitoring.records import Records
from xstilts.running import ledger, logs
from xstilts.running.errors import UserError
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
        raise UserError(f"{path}: there is no such file; `snakemake plan` makes it") from None
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: cannot be read as CSV ({error})") from None
    columns = [*CELL, "language", "split", "metric", "score", "spec"]
    absent = [name for name in columns if name not in grid]
    if absent or grid.empty:
        raise UserError(f"{path}: no grid: " + (f"no column `{absent[0]}`" if absent else "no row"))
    return grid


def there(grid: pd.DataFrame, root: Path) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of `grid.csv` of languages that have rows, and a line for each that has none.

    An evaluation says in `cell.json` of which languages its target has no rows: they are no part of
    a mean.

    Args:
        grid: see `read_grid`.
        root: the folder that holds `results`.
    """
    absent: dict[tuple[str, str], str] = {}
    folders = grid["score"].str.rpartition("/")[0]
    for folder, target in dict(zip(folders, grid["target"], strict=True)).items():
        try:
            record = json.loads((root / folder / "cell.json").read_bytes())
            for lang, gone in record.get("absent", {}).items():
                absent.setdefault((target, lang), str(gone["reason"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    pairs = zip(grid["target"], grid["language"], strict=True)
    kept = grid[[pair not in absent for pair in pairs]]
    notes = [f"{target}: without {lang}: {reason}." for (target, lang), reason in absent.items()]
    return kept.reset_index(drop=True), notes


def read_config(path: str | Path) -> Grid:
    """Return the grid of the resolved config that lies beside grid.csv."""
    try:
        settings = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; `snakemake plan` makes it") from None
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
    metrics, refused = scores.collect(lines, lambda path: read(str(root / path)))
    return metrics, [line.removeprefix(f"{root}/") for line in refused]


def cells(
    grid: pd.DataFrame,
    metrics: pd.DataFrame,
    refused: Iterable[str],
    trouble: Callable[[Cell], tuple[Ending, str] | None],
) -> dict[Cell, CellState]:
    """Return the state of every cell, in the grid's order.

    Args:
        grid: rows of grid.csv.
        metrics: see `scores.collect`.
        refused: see `scores.collect`; a line begins with the path of its score file.
        trouble: how what a cell needs ended, and the log that says so; asked where it is not done.
    """
    key = [*CELL, "language"]
    have = set(metrics.loc[metrics["metric"] == "score", key].itertuples(index=False, name=None))
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
    silent = "its log ends without an error: it was killed, or what it made was deleted"
    reason, log = (silent, log) if ending.state == "silent" else ("", "")
    return CellState("partial" if have else "missing", have, asked, reason, log)


class Endings:
    """How the jobs of a graph ended, by their logs; each is looked at once."""

    def __init__(self, records: Records) -> None:
        """Look at nothing yet."""
        self.records = records
        self._endings: dict[str, Ending | None] = {}
        self._unfinished: set[str] | None = None
        self._keys = {n.name: key for key, n in records.nodes.items() if n.rule == "evaluate"}

    def trouble(self, cell: Cell) -> tuple[Ending, str] | None:
        """Return how the first node that failed on the way to a cell ended, else one that runs.

        Where none does: the cell's own log, if it has one. The path of the log comes with it.

        Raises:
            UserError: the config has no such cell.
        """
        if str(cell) not in self._keys:
            raise UserError(f"grid.csv has the cell {cell}, which config.yaml has not")
        endings: list[tuple[Ending, str]] = []
        for key in ancestors(self.records.nodes, self._keys[str(cell)]):
            # A job that ran since would have lost its record first: the log is of an earlier one.
            node = self.records.nodes[key]
            outdated = (self.records.root / key).exists()
            if not (self.records.current(key) or outdated):
                ending = self._ending(node)
                endings += [(ending, node.log)] if ending else []
        for state in ("failed", "running", "silent"):
            for ending, log in endings:
                if ending.state == state:
                    return ending, log
        return None

    def _ending(self, node: Node) -> Ending | None:
        if node.log not in self._endings:
            ending = logs.read_ending(self.records.root / node.log)
            if ending and ending.state == "silent" and node.log in self._killed():
                ending = Ending("failed", ledger.KILLED)
            self._endings[node.log] = ending
        return self._endings[node.log]

    def _killed(self) -> set[str]:
        """The logs of the jobs that have started, and neither failed nor finished since."""
        if self._unfinished is None:
            events = ledger.read(self.records.root / "results" / ledger.NAME)
            failures = ledger.open_failures(events)
            self._unfinished = {e["log"] for e in failures if e["kind"] == "killed"}
        return self._unfinished
