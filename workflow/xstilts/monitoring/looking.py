"""What is wrong with data and models of a folder, found before anything runs.

All tasks are looked at, and all that is wrong is said together. Only what the next run would read
is: what is made already needs its data no more.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

from xstilts.data import (
    checklist,
    files,
    layout,
    mirror,
    own_features,
    pools,
    prepare,
    published,
    strata,
)
from xstilts.data import pin as pinning
from xstilts.data import source as sources
from xstilts.encoding.encode import labels_of
from xstilts.experiment.graph import Graph, add_test_rows
from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import TRAININGS, Node
from xstilts.experiment.tasks import POOL
from xstilts.models import adapters, repository, vision
from xstilts.monitoring.records import TO_PIN, Pins, Records, next_run
from xstilts.running.errors import LABELS_SHOWN, Absent, Problems, UserError, brief, nearest

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
    source = grid.experiment.settings["source"]
    if source in ("hub", "toy") and not any(node.folder for node in nodes.values()):
        return found  # the common case costs nothing
    for node in nodes.values():
        if node.rule == "pin_data" and node.folder:
            with found.problems.noted():
                _unchanged(node, records.pins, records.root)
    run = next_run(nodes, records)
    trained_on = set(_trained_on(nodes, run))
    tests = Graph(grid)
    later = {node.key for node in add_test_rows(tests) if node.key not in nodes}
    every = {**nodes, **tests.nodes}
    # Train rows first, since labels are theirs.
    rows = [n for n in every.values() if n.rule == "prepare" and n.key in run | later]
    look = _Rows(grid, every, records.pins)
    for node in sorted(rows, key=lambda n: n.spec["split"] != "train"):
        try:
            look(node)
        except Absent as error:
            if node.key in trained_on:
                found.problems.lines.append(f"{error}; a training needs it")
            elif node.spec["lang"] == POOL:
                found.problems.lines.append(f"{error}; these are the candidates")
            elif node.key not in later:
                found.notes.append(f"{error}; {node.spec['lang']} is left out")
                look.gone.append(node.key)
        except UserError as error:
            found.problems.lines.append(str(error))
    found.notes += look.notes
    for node in nodes.values():
        if node.rule == "manifest" and node.key in run and set(node.inputs["rows"]) <= {*look.gone}:
            task = every[node.inputs["rows"][0]].spec["task"]
            found.problems.lines.append(f"task {task}: there are no rows in any language")
        if node.rule == "model" and node.key in run:
            with found.problems.noted():
                _look_at_model(grid, node, nodes)
        if node.rule == "vision" and node.key in run:
            with found.problems.noted():
                _look_at_vision(grid, node, nodes)
        if node.rule in ("translator", "generator") and node.key in run:
            with found.problems.noted():
                _look_at_checkpoint(grid, node, nodes)
    found.problems.lines = list(dict.fromkeys(found.problems.lines))
    return found


def _trained_on(nodes: Mapping[str, Node], run: set[str]) -> Iterator[str]:
    """The rows that a training of the next run reads."""
    for key in run:
        if nodes[key].rule in TRAININGS:
            for need in nodes[key].needs:
                yield need
                yield from nodes[need].needs


def _unchanged(node: Node, pins: Pins, root: Path) -> None:
    """Refuse files of one's own that are others than were pinned."""
    name = node.spec["name"]
    wanted = pins.wanted(f"datasets/{name}")
    if wanted in (None, TO_PIN, pinning.ABSENT) or not Path(node.folder).is_dir():
        return
    if node.files and not layout.are_there(node.files, node.folder):
        return  # which matters where rows are to be made of them
    there = (
        layout.parts(node.files, node.folder).values()
        if node.files
        else [p for p in Path(node.folder).rglob("*") if p.is_file()]
    )
    if sum(path.stat().st_size for path in there) > HASHED:
        return
    now = pinning.resolve("datasets", "own", node.folder, name, "main", files=node.files)
    if now["revision"] != wanted:
        key = f"datasets/{name}"
        lock = pins.lock if key in pins.locked else ""
        old = pins.files(key, root / node.key)
        raise UserError(pinning.changed(name, old, now["files"], node.folder, lock, pins.lock))


class _Rows:
    """Looks at the rows of one task, language and split after another."""

    def __init__(self, grid: Grid, nodes: Mapping[str, Node], pins: Pins) -> None:
        self.grid, self.nodes, self.pins = grid, nodes, pins
        self.labels: dict[str, set[str]] = {}  # task -> those of its train rows
        self.gone: list[str] = []  # keys of rows that are not there
        self.notes: list[str] = []  # what becomes of rows

    def __call__(self, node: Node) -> None:
        """Refuse rows that `prepare` would refuse."""
        spec, pin = dict(node.spec), self.nodes[node.pin]
        where = f"task {spec['task']} ({spec['lang']})"
        try:
            if pin.files:
                self._own_files(spec, pin, where)
            elif pin.folder or not (self.grid.experiment.toy or self.grid.experiment.root is None):
                self._folder(spec, pin)
        except UserError as error:
            line = str(error)
            told = line.startswith(("task ", "source: "))
            raise type(error)(line if told else f"{where}: {line}") from None

    def _folder(self, spec: dict, pin: Node) -> None:
        root, task = pin.folder or self.grid.experiment.root or "", self.grid.tasks[spec["task"]]
        try:
            folder = sources.folder(root, "datasets", spec["hub"], task.obtain)
        except UserError as error:  # the same for every language
            own = f" {task.obtain}" if task.obtain and pin.folder else ""
            line = str(error)
            whole = line if line.startswith("source: ") else f"task {task.name}: {line}.{own}"
            raise UserError(whole.removesuffix(".")) from None
        names: list[str] = []
        if spec.get("rows") in {checklist.ROWS, *published.FILES}:
            names = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
        if spec.get("rows") == checklist.ROWS:
            checklist.check(task.name, spec["hub"], names)
            return
        of_pool = spec["lang"] == POOL
        absent: list[Absent] = []
        configs = [*spec["pool"].values()] if of_pool else [spec.get("config")]
        for config in configs:
            try:
                if found := published.file(spec, config, names):
                    schema = published.schema(folder / found, spec["rows"])
                else:
                    schema = mirror.schema(folder, spec["hub"], config, spec["split"])
            except Absent as error:  # candidates of a language are left out, if there are others
                absent.append(error)
                continue
            if schema is not None:
                if spec.get("rows") == pools.LAREQA:
                    pools.check_sentences(task.name, f"{spec['hub']} {config}", schema.names)
                if strata.by_split(spec, schema.names):
                    schema = strata.with_split(schema.empty_table(), {}).schema
                prepare.check_columns(schema, spec)
        if len(absent) == len(configs):
            raise absent[0]

    def _own_files(self, spec: dict, pin: Node, where: str) -> None:
        """Unify the rows of files of one's own, of large ones the first."""
        try:
            there = layout.parts(pin.files, pin.folder)
        except Absent as error:
            if pin.spec["name"] in self.pins.own_locked:
                lock = self.pins.lock
                gone = f"{error}, which {lock} has; {sources.advice(pin.spec['name'], lock)}"
                raise UserError(gone) from None
            raise
        if spec["format"] == "images":
            own_features.look(list(there.values()))
            return
        large = sum(path.stat().st_size for path in there.values()) > LARGE
        # That none of the first rows has an answer, or is of the language, says nothing of others.
        spec["no_answer"] = self.grid.tasks[spec["task"]].no_answer or large
        table = files.head(list(there.values()), spec, FIRST if large else None)
        if large:
            prepare.check_columns(table.schema, spec)
            return
        rows, report = prepare.unify(table, {}, spec | {"files": list(there)})
        paths = ", ".join(there)
        if said := prepare.notes(report):
            self.notes.append(f"{where}: {paths}: {', '.join(said)}")
        if spec["format"] in ("classification", "tagging"):
            self._labels(spec, rows, f"{where}: {paths}")

    def _labels(self, spec: dict, rows: list[dict], where: str) -> None:
        """Refuse a label that the train rows have not, where labels are theirs; tell such a tag."""
        task, own = spec["task"], set(labels_of(rows))
        of = self.grid.labelled_by(task)
        if of is None or self.grid.tasks[task].other_labels:
            return
        if (task, spec["lang"], spec["split"]) == of:
            self.labels[task] = own
            return
        known = self.labels.get(of[0])
        if known and (odd := sorted(own - known)):
            line = (
                f"{where}: label `{odd[0]}` is none of those of the train rows:"
                f" {brief(', '.join(sorted(known)), LABELS_SHOWN)}{nearest(odd[0], known)}"
            )
            if spec["format"] == "tagging":  # a rare tag may be missing among few train rows
                self.notes.append(line)
                return
            raise UserError(line)


def _look_at_model(grid: Grid, node: Node, nodes: Mapping[str, Node]) -> None:
    """Refuse a folder that holds no model, or not the modules that have an adapter."""
    pin = nodes[node.pin]
    if grid.experiment.toy or not (pin.folder or grid.experiment.root):
        return
    name = node.spec["from"]
    folder = sources.folder(pin.folder or grid.experiment.root or "", "models", name)
    repository.check_folder(folder, name)
    if adapter := grid.adapter(node.name):
        try:
            adapters.check(folder, adapter)
        except UserError as error:
            raise UserError(f"models: {node.name}: {error}") from None


def _look_at_vision(grid: Grid, node: Node, nodes: Mapping[str, Node]) -> None:
    """Refuse a folder that holds no vision encoder."""
    pin, name = nodes[node.pin], node.spec["from"]
    if grid.experiment.toy or not (pin.folder or grid.experiment.root):
        return
    try:
        vision.check(sources.folder(pin.folder or grid.experiment.root or "", "models", name), name)
    except UserError as error:
        raise UserError(f"vision: {node.name}: {error}") from None


def _look_at_checkpoint(grid: Grid, node: Node, nodes: Mapping[str, Node]) -> None:
    """Refuse a translator or generator whose folder is none of a model."""
    root = nodes[node.pin].folder or ("" if grid.experiment.toy else grid.experiment.root)
    if not root:
        return
    name = node.spec["from"]
    try:
        repository.read_config(sources.folder(root, "models", name), name)
    except UserError as error:
        raise UserError(f"{node.rule}s: {node.name}: {error}") from None
