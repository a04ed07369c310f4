"""In which order Snakemake starts the jobs of the graph: their priorities.

By the longest chain of jobs that waits for a job, the longest first: list scheduling by the
critical path. (Any list takes at most 2 - 1/devices times what the best does: Graham 1969, SIAM J.
Appl. Math. 17:416.) Before all trainings come evaluations of tuned models, so that few of these
wait to be deleted, which costs next to no time as they are short (tests/bench/makespan.py); and
rows, on which all else waits and in which mistakes of data show.
"""

from collections.abc import Mapping
from pathlib import Path

from xstilts.experiment import reference
from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import Node
from xstilts.monitoring.estimate.forecast import Forecaster, device_of
from xstilts.monitoring.estimate.remaining import start_of
from xstilts.monitoring.estimate.schedule import chains

# What comes before what; a job's own share is below 1.
TRAINING, ROWS, EVALUATION = 0, 1, 10


def priorities(grid: Grid, nodes: Mapping[str, Node], root: Path) -> dict[str, float]:
    """Return key -> the priority of each node.

    All differ, so that nothing is left to chance. Times are counted in FLOP, not measured: what
    counts is which is longer, and no record of a finished job has to be read for it.

    Args:
        grid: of the resolved config.
        nodes: of it, what is needed first.
        root: the folder that holds `results`.
    """
    device = device_of(grid)
    forecasts = Forecaster(grid, nodes, root, (), reference.device(device)).of(nodes)
    start = start_of(device)
    seconds = {key: start + forecasts[key].seconds if key in forecasts else 0.0 for key in nodes}
    chain = chains(seconds, {key: node.needs for key, node in nodes.items()})
    ranked = sorted(reversed(list(nodes)), key=chain.__getitem__)  # of equal ones the first is last
    return {
        key: _level(nodes[key], nodes) + round(rank / (len(ranked) + 1), 6)
        for rank, key in enumerate(ranked, 1)
    }


def _level(node: Node, nodes: Mapping[str, Node]) -> int:
    if any(nodes[need].rule == "tune" for need in node.needs):
        return EVALUATION
    return TRAINING if node.state else ROWS
