"""Which nodes are made: what their records say, held against what is asked for.

A node is made again if and only if its record is missing or damaged, or was made for another spec
or other pins. Times and Snakemake's own metadata decide nothing. The graph, the status and the
tables ask here.
"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from xstilts.data import layout
from xstilts.data import pin as pinning
from xstilts.data.source import OWN
from xstilts.encoding.header import read_header
from xstilts.experiment import search
from xstilts.experiment.nodes import BY_FILE, PINS, Node
from xstilts.running.errors import UserError
from xstilts.running.files import digest
from xstilts.scoring import scores

Record = Mapping[str, Any]
TO_PIN = "to be pinned"  # a revision that no record has


def read(path: Path) -> Record | None:
    """Return the record that a file is or holds: `spec`, and `pins` by name; None if it has none.

    JSON, rows (parquet) or encoded rows (safetensors).
    """
    try:
        record = _held(path)
        whole = isinstance(record["spec"], dict) and isinstance(record.get("pins", {}), dict)
        return record if whole else None
    except (UserError, OSError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _held(path: Path) -> Any:
    if path.suffix == ".parquet":
        from xstilts.data import prepare

        rows = prepare.metadata(path)
        return {**rows, "pins": prepare.pins(rows)}
    if path.suffix == ".safetensors":
        return read_header(path)[1]
    return json.loads(path.read_bytes())


class Pins:
    """The revision that an experiment wants of each data set and model.

    That of its lock file; where the lock has none, what is pinned in the results folder, which is
    taken into the lock (`adopted`); None where nothing is pinned yet, and for the toy world, whose
    specs say all of it. Of a search (`chosen/<name>`) what was chosen, as its record says.
    """

    def __init__(self, lock: str, root: Path) -> None:
        """Read a lock file; "" for none."""
        entries = pinning.read_lock(lock) if lock else {}
        self.lock, self.root, self.entries = lock, root, entries
        self.locked = {
            f"{kind}/{name}": entry["revision"]
            for kind, named in entries.items()
            for name, entry in named.items()
        }
        self.adopted: dict[str, str] = {}
        self._chosen: dict[str, str | None] = {}

    def adopt(self, node: Node) -> None:
        """Take what another experiment has pinned here, as the lock says nothing of it.

        Files of one's own that are not locked are what is there: nothing, or something to pin.
        """
        name = f"{node.spec['of']}/{node.spec['name']}"
        if not self.lock or name in self.locked or node.spec["source"].startswith("toy"):
            return
        record = read(self.root / node.key)
        same = record and digest(record["spec"]) == digest(node.spec)
        pinned = record.get("revision") if same and record else None
        if node.files and pinned in (None, pinning.ABSENT):
            there = layout.are_there(node.files, node.folder)
            self.adopted[name] = TO_PIN if there else pinning.ABSENT
        elif pinned:
            self.adopted[name] = pinned

    @property
    def own_locked(self) -> set[str]:
        """The files of one's own that the lock file has, by their names as data sets."""
        return {name.removeprefix("datasets/") for name in self.locked if f"/{OWN}/" in name}

    @property
    def to_lock(self) -> bool:
        """Whether there are pins that the lock file is still to be told of."""
        return any(pin not in (pinning.ABSENT, TO_PIN) for pin in self.adopted.values())

    def differs(self, pins: Mapping[str, Any], names: Iterable[str]) -> str | None:
        """Return the first of the names of which a record has another revision than is wanted."""
        for name in names:
            wanted = self.wanted(name)
            if wanted is not None and pins.get(name) != wanted:
                return name
        return None

    def score(self, path: str) -> Any:
        """Return what is in a score file, None if there is none.

        Raises:
            UserError: it is damaged, or made from other versions than are wanted.
        """
        score = scores.read(path)
        pins = score.get("pins") if isinstance(score, dict) else None
        if isinstance(pins, dict) and (name := self.differs(pins, pins)):
            if name.startswith(f"{search.CHOSEN}/"):
                raise UserError(
                    f"{path}: made with {pins[name]}, but {self.wanted(name)} is chosen"
                )
            raise UserError(f"{path}: made from another version of {name} than {self.lock} says")
        return score

    def files(self, name: str, record: Path) -> Mapping[str, str]:
        """Return the hashes of the files that are pinned, by path: of the lock, else of a pin."""
        kind, _, of = name.partition("/")
        entry = self.entries.get(kind, {}).get(of) or read(record) or {}
        return entry.get("files") or {}

    def wanted(self, name: str) -> str | None:
        """Return the revision of `datasets/<name>` or `models/<name>`, the values that were chosen
        of `chosen/<name>`."""
        if name.startswith(f"{search.CHOSEN}/"):
            if name not in self._chosen:
                record = read(self.root / f"results/{name}.json") or {}
                self._chosen[name] = record.get(search.CHOSEN)
            return self._chosen[name]
        return self.locked.get(name) or self.adopted.get(name)

    def forget(self) -> None:
        """Look anew at what is chosen."""
        self._chosen.clear()


class Records:
    """The records of a results folder; each is read once."""

    def __init__(self, nodes: Mapping[str, Node], pins: Pins, root: Path = Path()) -> None:
        """Look at nothing yet.

        Args:
            nodes: key -> node; may grow.
            pins: what is wanted of each data set and model.
            root: the folder that holds `results`.
        """
        self.nodes, self.pins, self.root = nodes, pins, root
        self._current: dict[str, bool] = {}

    def current(self, key: str) -> bool:
        """Return whether a node is made, by the spec and the pins that are asked for."""
        if key not in self._current:
            node = self.nodes[key]
            made = self._measured(node) if node.rule in BY_FILE else self._made(node)
            self._current[key] = made
        return self._current[key]

    def forget(self) -> None:
        """Look anew at what is made, as something was chosen meanwhile."""
        self._current.clear()
        self.pins.forget()

    def undecided(self, node: Node) -> list[str]:
        """Return the choices that a node that is made follows from, and that are to be made anew:
        whether it is still current is not known before."""
        if not any(name.startswith(f"{search.CHOSEN}/") for name in node.pins):
            return []
        if not self.current(node.key):
            return []
        keys = [f"results/{n}.json" for n in sorted(node.pins) if n.startswith(search.CHOSEN + "/")]
        return [key for key in keys if not self.current(key)]

    def exists(self, key: str) -> bool:
        """Return whether a node has a record or an output, of whatever spec."""
        if not os.path.isdir(os.path.dirname(self.root / key)):
            return False  # the common case in a new folder: a look a node, not one a language
        paths = (key, *self.nodes[key].outputs)
        return any((self.root / path).exists() for path in paths)

    def _made(self, node: Node) -> bool:
        if not all((self.root / path).exists() for path in node.outputs):
            return False
        record = read(self.root / node.key)
        if record is None or digest(record["spec"]) != node.outputs[node.key]:
            return False
        if node.rule == "manifest" and not all(map(self.current, node.needs)):
            return False  # what it lists is read by who reads it
        if node.rule in PINS:
            wanted = self.pins.wanted(f"{node.spec['of']}/{node.spec['name']}")
            return "revision" in record and wanted in (None, record["revision"])
        return self.pinned(node, record)

    def pinned(self, node: Node, record: Record) -> bool:
        """Return whether a record was made from what is pinned now.

        Files of one's own are pinned by language, of which a score has its own alone; so has the
        overlap of a target.
        """
        made, own = record.get("pins", {}), f"datasets/{OWN}/"
        alone = node.rule == "overlap"
        names = (n for n in node.pins if n in made or not (alone or n.startswith(own)))
        return self.pins.differs(made, names) is None

    def _measured(self, node: Node) -> bool:
        """Return whether every language (or target) that is asked for has its file, and
        predictions beside a score, or has no rows."""
        cell = read(self.root / node.key)
        if cell is None:
            return False
        absent = cell.get("absent", {})
        for path, spec in node.outputs.items():
            gone = absent.get(Path(path).stem, {})
            if gone.get("spec") == spec and self.pins.differs(gone["pins"], gone["pins"]) is None:
                continue
            record = read(self.root / path)
            if record is None:
                return False
            beside = (self.root / path).with_suffix(".parquet")
            if node.rule == "evaluate" and not beside.exists():
                return False
            if digest(record["spec"]) != spec or not self.pinned(node, record):
                return False
        return True


def next_run(nodes: Mapping[str, Node], records: Records) -> set[str]:
    """Return the keys of the jobs that the next run would do, the tables not among them.

    A node that a score, a measure or the lock file needs is made if it is not current, and so is
    what it reads.
    """
    demanded = [
        key
        for key, node in nodes.items()
        if node.rule in (*BY_FILE, "choose", "bag_of_words", *PINS) and not records.current(key)
    ]
    run: set[str] = set()
    while demanded:
        key = demanded.pop()
        if key not in run:
            run.add(key)
            demanded += [need for need in nodes[key].needs if not records.current(need)]
    return run
