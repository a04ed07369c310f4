"""What makes nodes: each once, after what it needs. Pure."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from xstilts.experiment import difficulty
from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import ADAPTER, CHECKPOINT, Files, Node
from xstilts.running.files import digest


class Maker:
    """The nodes of a grid that were asked for."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.nodes: dict[str, Node] = {}

    def _once(self, key: str, make: Callable[[str], Node]) -> Node:
        if key not in self.nodes:
            node = make(key)  # which first makes what it needs
            self.nodes[key] = node
        return self.nodes[key]

    def _node(
        self,
        rule: str,
        name: str,
        key: str,
        spec: Mapping[str, Any],
        inputs: Files,
        needs: Iterable[Node],
        pins: Iterable[str] = (),
        outputs: Mapping[str, str | None] | None = None,
        log: str = "",
    ) -> Node:
        parents = list(needs)
        return Node(
            rule=rule,
            name=name,
            key=key,
            spec=spec,
            outputs={key: digest(spec)} if outputs is None else outputs,
            inputs=inputs,
            needs=tuple(dict.fromkeys(parent.key for parent in parents)),
            pins=frozenset(pins).union(*(parent.pins for parent in parents)),
            log=log or (f"results/logs/{rule}/{name}.log" if name else f"results/logs/{rule}.log"),
        )


def rows_of(node: Node) -> str:
    """Return the file of the rows that a node makes."""
    return difficulty.rows_of(node.key) if node.key.endswith(".json") else node.key


def outputs_of(key: str, spec: Any) -> dict[str, str | None]:
    """What a checkpoint's node makes: the record, and weights that do not tell their spec."""
    weights = (ADAPTER if "adapter" in spec else CHECKPOINT)[0]
    return {key: digest(spec), f"{os.path.dirname(key)}/{weights}": None}


def beside_rows(key: str, spec: Any) -> dict[str, str | None]:
    """What a node makes whose record is beside its rows."""
    return {key: digest(spec), difficulty.rows_of(key): None}
