"""What is wrong with data and models of a folder, found before anything runs.

All tasks are looked at, and all that is wrong is said together. Only what the next run would read
is: what is made already needs its data no more.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

from xstilts.data import files, layout, mirror, prepare
from xstilts.data import pin as pinning
from xstilts.data import source as sources
from xstilts.experiment.graph import Node
from xstilts.experiment.grid import Grid
from xstilts.monitoring.records import TO_PIN, Pins, Records, next_run
from xstilts.running.errors import Absent, Problems, UserError, nearest

LARGE = 2**26  # bytes of a file of which the first rows alone are looked at
FIRST = 20_000  # those rows
HASHED = 2**30  # bytes of a data set up to which a change is found when a run is planned


@dataclasses.dataclass
class Found:
    """What a look has found: mistakes, and what is left out without being one; a line each."""

    problems: Problems = dataclasses.field(default_factory=Problems)
    notes: list[str] = dataclasses.field(default_factory=list)


def look(grid: Grid, nodes: Mapping[str, Node], records: Records) -> Found:
    """Look at what the next run would read of folders: mirrors, files and models of one's own."""
    found = Found()
    looked = [n for n in nodes.values() if n.folder] or grid.experiment.settings["source"] not in (
        "hub",
        "toy",
    )
    if not looked:
        return found  # the common case costs nothing
    for node in nodes.values():
        if node.rule == "pin_data" and node.folder:
            with found.problems.noted():
                _unchanged(node, records.pins, records.root)
    run = next_run(nodes, records)
    trained_on = set(_trained_on(nodes, run))
    labels: dict[str, set[str]] = {}
    # Train rows first, since labels are theirs.
    rows = [n for n in nodes.values() if n.rule == "prepare" and n.key in run]
    for node in sorted(rows, key=lambda n: n.spec["split"] != "train"):
        try:
            _look_at_rows(grid, node, nodes, labels)
        except Absent as error:
            if node.key in trained_on:
                found.problems.lines.append(f"{error}; it is to be trained on")
            else:
                found.notes.append(f"{error}; {node.spec['lang']} is left out")
        except UserError as error:
            found.problems.lines.append(str(error))
    for node in nodes.values():
        if node.rule == "model" and node.key in run:
            with found.problems.noted():
                _look_at_model(grid, node, nodes)
    return found


def _trained_on(nodes: Mapping[str, Node], run: set[str]) -> Iterator[str]:
    """The rows that a training of the next run reads."""
    for key in run:
        if nodes[key].rule in ("intermediate", "tune"):
            for need in nodes[key].needs:
                yield need
                yield from nodes[need].needs


def _unchanged(node: Node, pins: Pins, root: Path) -> None:
    """Refuse files of one's own that are others than were pinned."""
    name = node.spec["name"]
    wanted = pins.wanted(f"datasets/{name}")
    if wanted in (None, TO_PIN, pinning.ABSENT) or not Path(node.folder).is_dir():
        return
    there = (
        layout.parts(node.files, node.folder)
        if node.files
        else {str(p): p for p in Path(node.folder).rglob("*") if p.is_file()}
    )
    if not there or sum(path.stat().st_size for path in there.values()) > HASHED:
        return
    now = pinning.resolve("datasets", "own", node.folder, name, "main", files=node.files)
    if now["revision"] != wanted:
        old = pins.files(f"datasets/{name}", root / node.key)
        raise UserError(pinning.changed(name, old, now["files"], node.folder, pins.lock))


def _look_at_rows(
    grid: Grid, node: Node, nodes: Mapping[str, Node], labels: dict[str, set[str]]
) -> None:
    """Refuse rows that `prepare` would refuse."""
    spec, pin = dict(node.spec), nodes[node.pin]
    where = f"task {spec['task']} ({spec['lang']})"
    if pin.files:
        spec["no_answer"] = grid.tasks[spec["task"]].no_answer
        rows = _rows(spec, pin, where)
        if spec["format"] == "classification":
            _check_labels(grid, spec, rows, labels, where)
        return
    if not pin.folder and (grid.experiment.toy or grid.experiment.root is None):
        return
    folder = sources.folder(pin.folder or grid.experiment.root or "", "datasets", spec["hub"])
    try:
        schema = mirror.schema(folder, spec["hub"], spec.get("config"), spec["split"])
        if schema is not None:
            prepare.check_columns(schema, spec)
    except UserError as error:
        line = str(error)
        raise type(error)(line if line.startswith("task ") else f"{where}: {line}") from None


def _rows(spec: dict, pin: Node, where: str) -> list[dict]:
    """Return the unified rows of files of one's own, of large ones the first."""
    there = layout.parts(pin.files, pin.folder)
    if not there:
        paths, mean = ", ".join(pin.files), layout.elsewhere(pin.files[0], pin.folder)
        raise Absent(f"{where}: {paths}: there is no such file in {pin.folder}{mean}")
    large = sum(path.stat().st_size for path in there.values()) > LARGE
    # That none of the first rows has an answer says nothing of the others.
    spec["no_answer"] = spec["no_answer"] or large
    try:
        table = files.head(list(there.values()), spec, FIRST if large else None)
        return prepare.unify(table, {}, spec | {"files": list(there)})[0]
    except UserError as error:
        line = str(error)
        raise UserError(line if line.startswith("task ") else f"{where}: {line}") from None


def _check_labels(
    grid: Grid, spec: dict, rows: list[dict], labels: dict[str, set[str]], where: str
) -> None:
    """Refuse a label that the train rows have not, where labels are theirs."""
    task, own = spec["task"], {row["label"] for row in rows}
    of = grid.labelled_by(task)
    if of is None:
        return
    if (task, spec["lang"], spec["split"]) == of:
        labels[task] = own
        return
    known = labels.get(of[0])
    if known and (odd := sorted(own - known)):
        raise UserError(
            f"{where}: {spec['split']}: label `{odd[0]}` is none of those of the train rows:"
            f" {', '.join(sorted(known))}{nearest(odd[0], known)}"
        )


def _look_at_model(grid: Grid, node: Node, nodes: Mapping[str, Node]) -> None:
    """Refuse a folder that holds no model."""
    pin = nodes[node.pin]
    if grid.experiment.toy or not (pin.folder or grid.experiment.root):
        return
    name = node.spec["from"]
    folder = sources.folder(pin.folder or grid.experiment.root or "", "models", name)
    if not list(folder.glob("*.safetensors")) or not (folder / "config.json").is_file():
        raise UserError(
            f"models: {node.name}: {folder} holds no model: config.json and *.safetensors"
        )
