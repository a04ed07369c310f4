"""What is wrong with an experiment, and how much of it is left: what a dry-run looks at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xstilts.experiment.graph import Graph
from xstilts.monitoring import claims, looking, products
from xstilts.monitoring.records import Records, next_run
from xstilts.monitoring.workspace import Workspace
from xstilts.running.errors import UserError


@dataclass
class Checked:
    """What a check found.

    Attributes:
        cells: of the grid.
        jobs: that a run would do now; what is chosen for the test split is known only once all is
            scored on dev.
        mistakes: a line each; [] if nothing is wrong.
        notes: what is left out without being a mistake, a line each.
    """

    cells: int = 0
    jobs: int = 0
    mistakes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check(
    given: Sequence[str],
    name: str | None = None,
    lock: str | None = None,
    directory: str | Path = ".",
) -> Checked:
    """Look at a config, its lock file and the results; change nothing.

    Args:
        given, name, lock, directory: as of `Workspace.of`.
    """
    try:
        here = Workspace.of(given, name, lock, directory)
    except UserError as error:
        return Checked(mistakes=str(error).splitlines())
    graph = Graph(here.grid)
    listed = products.listed(graph, here.name, here.root)
    records = Records(graph.nodes, here.records.pins, here.root)
    ends = products.Products(products.home(here.name), records, listed)
    left = next_run(graph.nodes, records)
    jobs = len(left) + sum(not ends.current(rule) for rule in ends.named)
    found = looking.look(here.grid, graph.nodes, records)
    mistakes = [*found.problems.lines, *_conflicts(here, graph, records, left)]
    notes = [*here.grid.experiment.notes, *found.notes]
    return Checked(len(here.grid.cells), jobs, list(dict.fromkeys(mistakes)), notes)


def _conflicts(here: Workspace, graph: Graph, records: Records, left: set[str]) -> Iterator[str]:
    """Yield which nodes are made for another experiment, the first of each experiment."""
    if here.grid.experiment.settings["replace"]:
        return
    for other in claims.experiments(here.root, but=here.name):
        lines = [
            line
            for key, node in graph.nodes.items()
            if key in left and records.exists(key)
            if (line := claims.conflict(node, records, [other]))
        ]
        if lines:
            yield lines[0] + (f" ({len(lines) - 1} more are)" if lines[1:] else "")
