"""The cells that a training collapsed for, by the records of all trainings that they need."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from xstilts.analysis.collapse import listed
from xstilts.experiment.cells import Cell
from xstilts.experiment.nodes import Node
from xstilts.running.files import digest
from xstilts.training.collapse import COLLAPSED

# Rules of the trainings that a cell is made of. Trials, which `nodes.TRAININGS` has too, are left
# out: no cell scores them.
FINAL = ("intermediate", "tune")


def trainings(nodes: Mapping[str, Node], root: Path) -> dict[str, dict[str, Any]]:
    """Return the record of a training (`node.json`, below `root`) -> its mark, of those that have
    one and are of the spec that is asked for."""
    marks = {}
    for key, node in nodes.items():
        if node.rule in FINAL:
            mark = _mark(root / key, node.outputs[key])
            if mark is not None:
                marks[key] = mark
    return marks


def _mark(path: Path, spec: str | None) -> dict[str, Any] | None:
    try:
        text = path.read_bytes()
        if f'"{COLLAPSED}"'.encode() not in text:  # as it is of most; a grid has thousands
            return None
        record = json.loads(text)
        return record.get(COLLAPSED) if digest(record["spec"]) == spec else None
    except (OSError, ValueError, KeyError, AttributeError):
        return None  # a missing or damaged record is a matter of what is to be made


def cells(nodes: Mapping[str, Node], marked: Collection[str]) -> set[Cell]:
    """Return the cells whose trainings, of any stage, are among the marked.

    Args:
        nodes: key -> node, what is needed first (`graph.build`).
        marked: keys of trainings, see `trainings`.
    """
    below: dict[str, bool] = {}
    for key, node in nodes.items():
        below[key] = key in marked or any(below.get(need, False) for need in node.needs)
    return {
        Cell(*node.name.split("/"))
        for key, node in nodes.items()
        if node.rule == "evaluate" and below[key]
    }


def line(nodes: Mapping[str, Node], marked: Collection[str], root: Path) -> str:
    """Return how many of the trainings that were made are at what guessing gives, and which first;
    "" if none."""
    count = sum(n.rule in FINAL and (root / key).exists() for key, n in nodes.items())
    names = [nodes[key].name for key in marked]
    if not names:
        return ""
    return f"{len(names)} of {count} trainings ended at what guessing gives: {listed(names)}"
