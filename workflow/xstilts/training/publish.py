"""A finished checkpoint: made in the state folder, linked into the declared one.

Snakemake deletes the declared outputs of a node before it starts a job for it, also when a job that
a killed Snakemake left behind has made them, or is about to. So the checkpoint stays in the state
folder until it is first read; a job that finds it whole publishes it again and computes nothing.
The copy is deleted when the next step reads the declared files, since Snakemake then knows of them;
until then it takes no disk, as both names are of the same bytes.
"""

import os
import shutil
from pathlib import Path
from typing import Any

from xstilts.running import lock
from xstilts.running.errors import UserError
from xstilts.running.files import atomic, read_json, sha256, write_json

FINISHED = "finished"  # the folder, in a state folder
RECORD = "node.json"


def create_folder(state: str | Path) -> Path:
    """Return the empty folder to make a checkpoint in."""
    folder = Path(state) / FINISHED
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def publish(
    folder: Path,
    node: dict[str, Any],
    out: str | Path,
    record_alone: bool = False,
    name: str = RECORD,
) -> None:
    """Write the record of a checkpoint with the hashes of its files, and link all into `out`; of a
    trial the record alone. `name`: of the record."""
    files = {path.name: sha256(path) for path in sorted(folder.iterdir())}
    write_json(folder / name, {**node, "files": files})
    _link(folder, Path(out), record_alone, name)


def publish_finished(
    state: str | Path,
    out: str | Path,
    fingerprint: str,
    record_alone: bool = False,
    name: str = RECORD,
) -> bool:
    """Return whether the checkpoint of this fingerprint is already made; it is then in `out`."""
    folder = Path(state) / FINISHED
    if _is_whole(Path(out), fingerprint, name):
        return True
    if _is_whole(folder, fingerprint, name):
        _link(folder, Path(out), record_alone, name)
        return True
    return False


def take(
    trial: str | Path, state: str | Path, out: str | Path, fingerprint: str, about: dict[str, Any]
) -> bool:
    """Return whether a trial has made the checkpoint of this fingerprint; it is then in `out`, and
    its weights are no longer those of the trial.

    about: what its record says otherwise than that of the trial.
    """
    home = lock.folder_of(trial)
    if home is None or not _is_whole(home / FINISHED, fingerprint):
        return False
    folder = create_folder(state)
    _link(home / FINISHED, folder)
    node = read_json(folder / RECORD)
    (folder / RECORD).unlink()
    publish(folder, {**node, **about}, out)
    delete_finished(trial)
    return True


def delete_finished(checkpoint: str | Path) -> None:
    """Delete the copy in the state folder of `results/tuned/...`, which is now being read."""
    if state := lock.folder_of(checkpoint):
        shutil.rmtree(state / FINISHED, ignore_errors=True)


def _is_whole(folder: Path, fingerprint: str, name: str = RECORD) -> bool:
    try:
        node = read_json(folder / name)
        return node["fingerprint"] == fingerprint and all(
            sha256(folder / file) == expected for file, expected in node["files"].items()
        )
    except (UserError, OSError, KeyError, TypeError, AttributeError):
        return False


def _link(folder: Path, out: Path, record_alone: bool = False, name: str = RECORD) -> None:
    """Link every file into `out`, the record last, as new as if it was made now."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name == name):
        if record_alone and path.name != name:
            continue
        with atomic(out / path.name) as temporary:
            try:
                os.link(path, temporary)
            except OSError:  # a file system without links
                shutil.copyfile(path, temporary)
            os.utime(temporary)
