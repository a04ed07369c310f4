"""The saved states of an unfinished training, in a folder that Snakemake does not know.

A saved state is two files, both written whole: `{step}.safetensors`, the tensors, and
`{step}.json`, last, the record with the digest of the node's spec and the hash of the tensors. Two
are kept, so that a damaged one falls back to the one before. What was made for another spec, or
from other rows, is never read: the newest is set aside, as `aside.*`, until the node is done.

The disk it takes: weights, the best weights and two moments, 16 bytes a parameter and saved state;
for XLM-R large (560 M parameters) 9 GB, two saved states 18 GB. The older one is deleted before a
new one is written, so it is never more.
"""

import os
from pathlib import Path
from typing import Any

from xstilts.running.errors import UserError
from xstilts.running.files import atomic, digest, read_json, sha256, write_json

SAVE_TOTAL_LIMIT = 2


def save(folder: Path, fingerprint: str, step: int, record: dict[str, Any], tensors: dict) -> None:
    """Write a saved state.

    Args:
        fingerprint: of all that the training follows from (`steps.train.fingerprint_of`).
        step: optimizer steps that are done.
        record: plain data.
        tensors: name -> torch tensor on the CPU.

    Raises:
        OSError: the disk is full; the newest one before is still there.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    for partial in folder.glob(".*.part"):  # of a process that was killed while it wrote
        partial.unlink()
    for old in _saved_records(folder)[SAVE_TOTAL_LIMIT - 1 :]:
        _delete(old)
    path = folder / f"{step:09}.json"
    with atomic(path.with_suffix(".safetensors")) as temporary:
        save_file(tensors, temporary)
        _flush(temporary)
        checksum = sha256(temporary)
    record = {"fingerprint": fingerprint, "step": step, "sha256": checksum, **record}
    write_json(path, {"digest": digest(record), **record})


def load(folder: Path, fingerprint: str) -> tuple[dict[str, Any], dict] | None:
    """Return record and tensors of the newest saved state that is whole; None if there is none.

    Prints a line for each that is refused.
    """
    from safetensors.torch import load_file

    for path in _saved_records(folder):
        tensors = path.with_suffix(".safetensors")
        try:
            record = read_json(path)
            if record.pop("digest") != digest(record) or record["sha256"] != sha256(tensors):
                raise ValueError
        except (UserError, OSError, ValueError, KeyError, AttributeError, TypeError):
            print(f"{path.stem}: this saved state is damaged; trying the one before", flush=True)
            _delete(path)
            continue
        if record["fingerprint"] != fingerprint:
            _set_aside(folder, path)
            return None
        return record, load_file(tensors)
    return None


def read(folder: Path, step: int) -> tuple[dict[str, Any], dict]:
    """Return record and tensors of a saved state that another process has found to be whole."""
    from safetensors.torch import load_file

    path = folder / f"{step:09}.json"
    return read_json(path), load_file(path.with_suffix(".safetensors"))


def clear(folder: Path) -> None:
    """Delete every saved state, and what was set aside: the node is done."""
    for pattern in ("*.json", "*.safetensors", ".*.part"):
        for path in folder.glob(pattern):
            path.unlink()


def _saved_records(folder: Path) -> list[Path]:
    """Return the records, the newest first."""
    return sorted(folder.glob("[0-9]*.json"), reverse=True)


def _delete(record: Path) -> None:
    record.unlink(missing_ok=True)
    record.with_suffix(".safetensors").unlink(missing_ok=True)


def _set_aside(folder: Path, newest: Path) -> None:
    for suffix in (".safetensors", ".json"):
        os.replace(newest.with_suffix(suffix), folder / f"aside{suffix}")
    for old in _saved_records(folder):
        _delete(old)
    print(
        f"{newest.stem}: saved for another spec or other rows; set aside, training starts anew",
        flush=True,
    )


def _flush(path: Path) -> None:
    """Wait until a file is on the disk: a machine that goes down must not leave an empty one."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
