"""Pins: the exact bytes of each data set and model that are used, kept in a lock file.

A hub repository is pinned by its commit, a folder by the SHA-256 of its files. The lock is a YAML
file beside the user's config, to be committed: what is in it is used, what is not is looked up once
and added.
"""

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from xstilts.data import layout
from xstilts.data import source as sources
from xstilts.running.errors import Absent, UserError, nearest
from xstilts.running.files import atomic, canonical, read_json, sha256

HEADER = "# Written by xstilts; commit it. The version of each data set and model that is used.\n"
KINDS = ("datasets", "models")
ABSENT = "absent"  # the revision of files of one's own that are not there: nothing is locked


def resolve(
    kind: str,
    source: str,
    root: str,
    name: str,
    revision: str,
    obtain: str | None = None,
    files: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the pin of what `name` is now.

    From the hub {source: "hub", revision: 40-digit commit} (and `branch`, where that is not the one
    that is asked for: the conversion of a script), from a folder {source: "folder",
    revision: SHA-256 over the listing, files: {relative path: SHA-256}}. Of `files` of one's own,
    whose paths are from `root`, the revision is over their contents, so that they may move.

    Raises:
        UserError: it is not there. Absent: one of the files is not.
    """
    if files:
        found = layout.parts(files, root)
        if not found:
            raise Absent(f"{', '.join(files)}: holds no file")
        digests = {path: sha256(file) for path, file in found.items()}
        digest = hashlib.sha256(canonical(list(digests.values())).encode()).hexdigest()
        return {"source": "folder", "revision": digest, "files": digests}
    if sources.from_hub(source, name):
        return {"source": "hub", **sources.commit(kind, name, revision, obtain)}
    listed = listing(sources.folder(root, kind, name, obtain), kind)
    if not listed:
        raise UserError(f"{name}: its folder {sources.folder(root, kind, name)} holds no files")
    digest = hashlib.sha256(canonical(listed).encode()).hexdigest()
    return {"source": "folder", "revision": digest, "files": listed}


def listing(folder: Path, kind: str) -> dict[str, str]:
    """Return {relative path: SHA-256} of a folder's files, of a model's only those it needs."""
    if kind == "models":
        patterns = sources.model_files(path.name for path in folder.iterdir())
        found = {f for pattern in patterns for f in folder.glob(pattern)}
    else:
        found = set(folder.rglob("*"))
    files = {f.relative_to(folder): f for f in found if f.is_file()}
    # Hidden files are download caches and git's own.
    seen = [name for name in sorted(files) if not any(p.startswith(".") for p in name.parts)]
    return {name.as_posix(): sha256(files[name]) for name in seen}


def read_lock(path: str | Path) -> dict[str, dict[str, Any]]:
    """Return {kind: {name: entry}} of a lock file, empty if there is none."""
    try:
        lock = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        lock = {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: is not YAML ({' '.join(str(error).split())})") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read as a lock file: {error.strerror}") from None
    if not isinstance(lock, dict) or not all(_is_lock(lock.get(kind)) for kind in KINDS):
        raise UserError(
            f"{path}: is not a lock file (datasets: org/name: source, requested, revision; "
            "models: the same); delete it to have it written anew"
        )
    return {kind: lock.get(kind) or {} for kind in KINDS}


def _is_lock(entries: Any) -> bool:
    """Whether this is what a lock file may have of data sets or of models: name -> entry."""
    if not isinstance(entries or {}, dict):
        return False
    return all(
        isinstance(name, str)
        and isinstance(entry, dict)
        and all(isinstance(entry.get(key), str) for key in ("source", "revision"))
        and isinstance(entry.get("files", {}), dict)
        for name, entry in (entries or {}).items()
    )


def locked(
    kind: str,
    source: str,
    root: str,
    name: str,
    revision: str,
    lock: str | Path,
    obtain: str | None = None,
    files: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the pin of `name` that the lock file holds, adding it if it has none.

    Safe for many processes at once. UserError if the config asks for another revision or source
    than was locked, or if a locked folder's files have changed.
    """
    with _exclusive(lock):
        entries = read_lock(lock)
        entry = entries[kind].get(name)
        if entry is None:
            pin = resolve(kind, source, root, name, revision, obtain, files)
            entries[kind][name] = {"requested": revision, **pin}
            _write_lock(lock, entries)
            return pin
    anew = f"delete its entry in {lock} to have it pinned anew"
    wanted = "hub" if sources.from_hub(source, name) else "folder"
    if entry["source"] != wanted:
        raise UserError(f"{name}: {lock} has it from a {entry['source']}, not a {wanted}; {anew}")
    if wanted == "hub":
        if entry.get("requested") != revision:
            raise UserError(
                f"{name}: the config asks for revision `{revision}`, {lock} was made for "
                f"`{entry.get('requested')}`; {anew}"
            )
        return {"source": "hub", "revision": entry["revision"]}
    try:
        pin = resolve(kind, source, root, name, revision, obtain, files)
    except Absent:  # it was there when what is made of it was made
        return {key: entry[key] for key in ("source", "revision", "files")}
    if pin["revision"] != entry["revision"]:
        raise UserError(changed(name, entry.get("files") or {}, pin["files"], root, lock))
    return pin


def changed(
    name: str,
    old: Mapping[str, str],
    new: Mapping[str, str],
    root: str,
    lock: str | Path,
    accepts: str | Path = "",
) -> str:
    """Say that files are others than were pinned, and how to accept them.

    Args:
        lock: the lock file that has them, "" if what another experiment has made here is all.
        accepts: the lock file of the experiment, where that is another.
    """
    told = f" since {lock} was written" if lock else " since it was pinned"
    where = "" if sources.is_of_task(name) else f"{name}: "
    return (
        f"{where}{_difference(old, new)} in {root}{told}; {sources.advice(name, lock or accepts)}"
    )


def update(
    lock: str | Path,
    names: Iterable[str] = (),
    root: str = "",
    own: Mapping[str, tuple[str, Sequence[str]]] | None = None,
) -> dict[str, bool]:
    """Look `names` (all if empty) of a lock file up anew.

    Args:
        root: the folder of the mirror, for what is in one.
        own: name of each data set or model of one's own -> its folder and the paths of its files,
            as the config has them; None without a config. A task's name stands for all its data.

    Returns:
        Name -> whether it has another version now.

    Raises:
        UserError: a name is not in the lock, or cannot be looked up.
    """
    told, own = own is not None, own or {}
    with _exclusive(lock):
        entries = read_lock(lock)
        for name in [n for n in entries["datasets"] if sources.is_of_task(n)]:
            if told and name not in own:  # of a task, language or split that is no more
                del entries["datasets"][name]
        known = {name: kind for kind in KINDS for name in sorted(entries[kind])}
        known |= {name: "datasets" for name in own if not sources.is_path(name)}
        now = {}
        for name in _meant(names, known, lock):
            kind = known[name]
            old = entries[kind].get(name, {})
            folder, files = own.get(name, (root, ()))
            if old.get("source") == "folder" and not (folder or sources.is_path(name)):
                raise UserError(f"{name}: is in a mirror; name its folder with --root DIR")
            source = "hub" if old.get("source") == "hub" else folder
            requested = old.get("requested", "main")
            try:
                new = resolve(kind, source, folder, name, requested, files=files)
            except Absent:
                now[name] = entries[kind].pop(name, None) is not None
                continue
            now[name] = new["revision"] != old.get("revision")
            entries[kind][name] = {"requested": requested, **new}
        _write_lock(lock, entries)
    return now


def _meant(names: Iterable[str], known: Iterable[str], lock: str | Path) -> list[str]:
    """Return the names of the lock file that are meant."""
    found = list(known) if not names else []
    for name in names:
        of_task = f"{sources.OWN}/{name}"
        meant = [k for k in known if k in (name, of_task) or k.startswith(f"{of_task}/")]
        if not meant:
            short = [k.split("/")[1] if sources.is_of_task(k) else k for k in known]
            raise UserError(f"{name}: not in {lock}{nearest(name, short)}")
        found += meant
    return found


def adopt(lock: str | Path, pins: Mapping[str, Mapping[str, Any]]) -> None:
    """Take into a lock file what other experiments have pinned in the same results.

    Args:
        pins: path of each pin file -> the spec that is asked for; one of another spec (another
            source or branch) is not taken.
    """
    there = [(read_json(path), spec) for path, spec in pins.items() if Path(path).exists()]
    made = [pin for pin, spec in there if pin.get("spec") == spec and pin.get("revision") != ABSENT]
    entries = read_lock(lock)
    if all(pin["name"] in entries[pin["kind"]] for pin in made):
        return
    with _exclusive(lock):
        entries = read_lock(lock)
        for pin in made:
            kept = {k: pin[k] for k in ("requested", "source", "revision", "files") if k in pin}
            entries[pin["kind"]].setdefault(pin["name"], kept)
        _write_lock(lock, entries)


def _difference(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """Name the first file that differs between two listings."""
    for name in sorted({**old, **new}):
        if old.get(name) != new.get(name):
            how = "is new" if name not in old else "is gone" if name not in new else "has changed"
            return f"{name} {how}"
    return "the files have changed"


def _write_lock(path: str | Path, entries: dict[str, dict[str, Any]]) -> None:
    with atomic(path) as temporary:
        body = yaml.safe_dump(entries, sort_keys=True, allow_unicode=True)
        temporary.write_text(HEADER + body, encoding="utf-8")


@contextlib.contextmanager
def _exclusive(path: str | Path) -> Iterator[None]:
    """Hold the right to change a lock file. Pins are made on one host, so the flock is in its /tmp:
    it works where the config is on NFS, and leaves no file beside it."""
    key = hashlib.sha256(str(Path(path).resolve()).encode()).hexdigest()[:16]
    name = Path(tempfile.gettempdir()) / f"xstilts-{os.getuid()}-{key}.flock"
    with open(name, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
