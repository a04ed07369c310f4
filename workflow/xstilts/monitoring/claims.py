"""Whose a node is: what the experiments of a results folder ask for.

Nodes are shared by all experiments of a folder. What each asks for is in
`results/experiments/<name>/nodes.json`, which its plan writes; a node that another experiment still
asks for is never replaced without a word.
"""

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xstilts.data.pin import read_lock
from xstilts.experiment.nodes import BY_FILE, Node
from xstilts.monitoring.records import Records, read
from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json

EXPERIMENTS = "results/experiments"
NODES = "nodes.json"
TEST_GRID = "test/grid.csv"


def content(
    name: str, lock: str, nodes: Mapping[str, Node], configs: Sequence[str] = ()
) -> dict[str, Any]:
    """Return what `nodes.json` of an experiment says: path -> digest of what it asks for, and the
    config files by which it was run last."""
    outputs = {path: spec for node in nodes.values() for path, spec in node.outputs.items()}
    keys = {node.key: None for node in nodes.values() if node.key not in outputs}
    about = {"experiment": name, "lock": lock, "configs": list(configs)}
    return {**about, "nodes": outputs | keys}


class Experiment:
    """What one experiment asks for: `nodes`, path -> digest of the spec, or None; and its
    `configs`, the files by which it was run last."""

    def __init__(self, folder: Path) -> None:
        """Read it; what is damaged asks for nothing."""
        self.name, self.folder = folder.name, folder
        self.lock, self.nodes, self.configs = "", {}, []
        try:
            about = read_json(folder / NODES)
            self.lock, self.nodes = about["lock"], dict(about["nodes"])
            self.configs = list(about.get("configs", []))
            with open(folder / TEST_GRID, newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    self.nodes[row["score"]] = row["spec"]
                    self.nodes[f"{row['score'].rpartition('/')[0]}/cell.json"] = None
        except (UserError, OSError, KeyError, TypeError, ValueError, AttributeError):
            pass

    def wants(self, path: str, record: Mapping[str, Any]) -> bool:
        """Return whether it asks for what lies at `path`, pins included."""
        if self.nodes.get(path) != digest(record["spec"]):
            return False
        try:
            entries = read_lock(self.lock) if self.lock else {}
        except (UserError, OSError):
            entries = {}
        for name, revision in record.get("pins", {}).items():
            kind, _, of = name.partition("/")
            entry = entries.get(kind, {}).get(of)
            if entry and entry["revision"] != revision:
                return False
        return True


def experiments(root: Path, but: str = "") -> list[Experiment]:
    """Return the experiments of a folder that holds `results`, all but one."""
    folders = sorted((root / EXPERIMENTS).glob(f"*/{NODES}"))
    return [Experiment(path.parent) for path in folders if path.parent.name != but]


def conflict(node: Node, records: Records, others: list[Experiment]) -> str | None:
    """Say in one line that to make a node would replace what another experiment asks for.

    Names the first node on the way to it of which that is so, what differs there, and the ways out;
    None if no other experiment asks for what is there.
    """
    for path, record, spec, needed in _on_disk(node, records):
        for other in others:
            if other.wants(path, record):
                key, old, new = difference(record, spec, records, needed)
                return (
                    f"{path}: made for the experiment `{other.name}`, where {key} is {old}; here it"
                    f" is {new}. Give yours another name, or replace theirs: --config replace=true;"
                    " or take another folder: --directory DIR"
                )
    return None


def _on_disk(
    node: Node, records: Records
) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any], Node]]:
    """Yield path, record, asked spec and node of all that is there of another spec, first things
    first. Manifests are left out: they list the languages that are asked for, and cost nothing."""
    stale: list[Node] = []
    seen = {node.key}

    def visit(one: Node) -> None:
        for need in one.needs:
            if need not in seen and not records.current(need):
                seen.add(need)
                visit(records.nodes[need])
        stale.append(one)

    visit(node)
    for one in stale:
        if one.rule == "manifest":
            continue
        paths = list(one.outputs) if one.rule in BY_FILE else [one.key]
        for path in paths:
            record = read(records.root / path)
            if record is None:
                continue
            same = digest(record["spec"]) == one.outputs[path]
            if not same or not records.pinned(one, record):
                yield path, record, one.spec, one


def difference(
    record: Mapping[str, Any], spec: Mapping[str, Any], records: Records, node: Node
) -> tuple[str, str, str]:
    """Return the first key that differs between a record and what is asked for, both values."""
    if node.rule not in BY_FILE:
        old, new = _flat(record["spec"]), _flat(spec)
        changed = [key for key in dict.fromkeys([*new, *old]) if old.get(key) != new.get(key)]
        told = [key for key in changed if not _is_digest(old.get(key, new.get(key)))]
        for key in told or changed:
            return f"`{key}`", f"{old.get(key, 'not set')}", f"{new.get(key, 'not set')}"
    for name in sorted(node.pins):
        wanted, made = records.pins.wanted(name), record.get("pins", {}).get(name)
        if wanted is not None and wanted != made:
            return f"the pin of {name}", f"{made}", wanted
    return "what it is made from", "another", "of another spec"


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {name: value}
    return {
        key: item
        for part, inner in value.items()
        for key, item in _flat(inner, f"{name}.{part}" if name else str(part)).items()
    }


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 16 and not set(value) - set("0123456789abcdef")


def known(root: Path) -> set[str]:
    """Return every path that an experiment of the folder asks for, and what jobs are called by: the
    folders they are in, or their names without what files end in."""
    paths = {path for one in experiments(root) for path in one.nodes}
    return {out for p in paths for out in (p, p.rpartition("/")[0], os.path.splitext(p)[0])}
