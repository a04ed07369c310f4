"""A workspace: a config, its lock file, and a folder with results."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xstilts.experiment import config, config_files, graph, plan
from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import PINS, Node
from xstilts.monitoring.records import Pins, Records
from xstilts.running.errors import UserError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Workspace:
    """What a look at the results needs.

    Attributes:
        grid: of the config.
        nodes: its graph.
        records: what is there of it.
        name: of the experiment.
        root: the folder that holds `results`.
        lock: the lock file, "" for none.
    """

    grid: Grid
    nodes: dict[str, Node]
    records: Records
    name: str
    root: Path
    lock: str = ""

    @classmethod
    def of(
        cls,
        given: Sequence[str],
        name: str | None = None,
        lock: str | None = None,
        directory: str | Path = ".",
    ) -> "Workspace":
        """Return that of a config.

        Args:
            given: config files, later ones over the first; or one config as JSON.
            name: of the experiment; None for that of the config.
            lock: its lock file, "" for none; None for that beside the last config file.
            directory: the folder that holds `results`.

        Raises:
            UserError: what is wrong with the config.
        """
        text, root = given[0].lstrip().startswith("{"), Path(directory)
        experiment = config.load(_parsed(given[0]) if text else config_files.read(given))
        name = name or config_files.name(experiment.settings, [] if text else given)
        if lock is None:
            lock = "" if text else config_files.lock_file(given)
        if not experiment.pinned:
            lock = ""
        grid = Grid(experiment)
        nodes, pins = graph.build(grid), Pins(lock, root)
        for node in nodes.values():
            if node.rule in PINS:
                pins.adopt(node)
        return cls(grid, nodes, Records(nodes, pins, root), name, root, lock)

    def own_data(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Return the data sets and models of one's own: name -> folder, paths of the files."""
        made = graph.Graph(self.grid)
        graph.add_test_rows(made)
        every = {**self.nodes, **made.nodes}.values()
        pins = (node for node in every if node.rule in PINS and node.folder)
        return {node.spec["name"]: (node.folder, node.files) for node in pins}

    def grid_rows(self) -> "pd.DataFrame":
        """Return what `grid.csv` says of the config."""
        import pandas as pd

        return pd.DataFrame(plan.rows(self.grid, self.grid.cells))


def _parsed(text: str) -> dict[str, Any]:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"the config that is given as text is not JSON: {error}") from None
