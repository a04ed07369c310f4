"""What filters measure of the synthetic rows that an intermediate is trained on, as numbers that a
question can go along."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from xstilts.experiment.config import NONE
from xstilts.experiment.filters import MEASURES
from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import Node

KEPT = "kept"  # the column of the rows that pass


def means(
    grid: Grid, nodes: Mapping[str, Node], root: Path, current: Callable[[str], bool]
) -> dict[str, dict[tuple[str, str], float]]:
    """Return measure -> model and intermediate -> its mean over the synthetic rows of the
    intermediate that pass, of all its tasks and languages together, as far as it is known of them.

    A control, whose rows are made of those that pass, has none of its own.

    Args:
        grid: of the experiment.
        nodes: of its graph.
        root: the folder that holds `results`.
        current: whether a node, by its key, is made as the config asks for.
    """
    found: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    filtered = {node.name: key for key, node in nodes.items() if node.rule == "filter"}
    files = dict[str, dict[str, tuple[float, int]]]()  # what of each is known, read once
    for model, name in dict.fromkeys((c.model, c.intermediate) for c in grid.cells):
        sums: dict[str, tuple[float, int]] = defaultdict(lambda: (0.0, 0))
        for member in grid.mixture(name, model) if name != NONE else ():
            for lang, variant in member.variants.items():
                key = filtered.get(f"{variant}/{member.task}/{lang}")
                if key is None or not current(key):
                    continue
                if key not in files:
                    files[key] = _sums(root / f"{key.removesuffix('.json')}.measures.parquet")
                for measure, (total, rows) in files[key].items():
                    before = sums[measure]
                    sums[measure] = before[0] + total, before[1] + rows
        for measure, (total, rows) in sums.items():
            if rows:
                found[measure][model, name] = total / rows
    return dict(found)


def _sums(path: Path) -> dict[str, tuple[float, int]]:
    """Return measure -> the sum over the rows that pass, and of how many it is known."""
    with pq.ParquetFile(path) as file:
        names = [name for name in MEASURES if name in file.schema_arrow.names]
        table = file.read(columns=[*names, KEPT]).filter(pc.field(KEPT))
    found = {}
    for name in names:
        values = table[name].drop_null()
        found[name] = float(pc.sum(values).as_py() or 0.0), len(values)
    return found
