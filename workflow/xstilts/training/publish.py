"""Finished: a trained checkpoint, kept in its state folder until it is first read.

Snakemake deletes the declared outputs of a node before it starts a job for it, also when a job that
a killed Snakemake left behind has made them, or is about to. So a checkpoint is made in the state
folder and linked into the declared one; a job that finds it whole takes it and computes nothing.
The links go when the next step reads the declared files, since Snakemake then knows of them; until
then they take no disk, as both names are of the same bytes.
"""

import os
import shutil
from pathlib import Path
from typing import Any

from xstilts.running import lock
from xstilts.running.errors import UserError
from xstilts.running.files import atomic, read_json, sha256, write_json

KEPT = "finished"  # the folder, in a state folder
RECORD = "node.json"


def begin(state: str | Path) -> Path:
    """Return the empty folder to make a checkpoint in."""
    folder = Path(state) / KEPT
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def end(folder: Path, node: dict[str, Any], out: str | Path) -> None:
    """Write the record of a checkpoint with the hashes of its files, and deliver all to `out`."""
    files = {path.name: sha256(path) for path in sorted(folder.iterdir())}
    write_json(folder / RECORD, {**node, "files": files})
    _deliver(folder, Path(out))


def found(state: str | Path, out: str | Path, fingerprint: str) -> bool:
    """Return whether the checkpoint of this fingerprint is there, whole; then it is in `out`."""
    kept = Path(state) / KEPT
    if _whole(Path(out), fingerprint):
        return True
    if _whole(kept, fingerprint):
        _deliver(kept, Path(out))
        return True
    return False


def settle(checkpoint: str | Path) -> None:
    """Forget the links of a checkpoint, `results/tuned/...`: it is being read."""
    if state := lock.folder_of(checkpoint):
        shutil.rmtree(state / KEPT, ignore_errors=True)


def _whole(folder: Path, fingerprint: str) -> bool:
    try:
        node = read_json(folder / RECORD)
        return node["fingerprint"] == fingerprint and all(
            sha256(folder / name) == expected for name, expected in node["files"].items()
        )
    except (UserError, OSError, KeyError, TypeError, AttributeError):
        return False


def _deliver(folder: Path, out: Path) -> None:
    """Link every file into `out`, the record last, as new as if it was made now."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name == RECORD):
        with atomic(out / path.name) as temporary:
            try:
                os.link(path, temporary)
            except OSError:  # a file system without links
                shutil.copyfile(path, temporary)
            os.utime(temporary)
