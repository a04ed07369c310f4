"""The saved states of an unfinished training, in a folder that Snakemake does not know.

A saved state is two files, both written whole: `{step}.safetensors`, the tensors, and
`{step}.json`, last, the record with the digest of the node's spec and the hash of the tensors. Of a
sharded training each rank writes its pieces of the tensors, `{step}.{rank}.safetensors`; any number
of ranks can read them. Two are kept, so that a damaged one falls back to the one before. What was
made for another spec, or from other rows, is never read: the newest is set aside, as `aside.*`,
until the node is done.

The disk it takes: weights, the best weights and two moments, 16 bytes a parameter and saved state;
for XLM-R large (560 M parameters) 9 GB, two saved states 18 GB. The older one is deleted before a
new one is written, so it is never more.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from xstilts.running import ranks
from xstilts.running.errors import UserError
from xstilts.running.files import atomic, digest, read_json, sha256, write_json

SAVE_TOTAL_LIMIT = 2


def save(folder: Path, fingerprint: str, step: int, record: dict[str, Any], tensors: dict) -> str:
    """Write a saved state of one file of tensors; return their hash.

    Args:
        fingerprint: of all that the training follows from (`steps.train.fingerprint_of`).
        step: optimizer steps that are done.
        record: plain data.
        tensors: name -> torch tensor on the CPU.

    Raises:
        OSError: the disk is full; the newest one before is still there.
    """
    make_room(folder)
    checksum = save_tensors(folder, step, tensors)
    _save_record(folder, fingerprint, step, record, checksum)
    return checksum


def make_room(folder: Path) -> None:
    """Delete what a process that was killed has half written, and all but the newest state."""
    folder.mkdir(parents=True, exist_ok=True)
    for partial in folder.glob(".*.part"):
        partial.unlink()
    for old in _saved_records(folder)[SAVE_TOTAL_LIMIT - 1 :]:
        _delete(old)


def save_tensors(folder: Path, step: int, tensors: dict, rank: int | None = None) -> str:
    """Write the tensors of a saved state, or those of one rank; return their hash."""
    from safetensors.torch import save_file

    [path] = _files(folder / f"{step:09}.json", [rank])
    with atomic(path) as temporary:
        save_file(tensors, temporary)
        _flush(temporary)
        return sha256(temporary)


def settle(folder: Path, fingerprint: str, step: int, record: dict[str, Any], checksum: str) -> str:
    """Write the record of a saved state of which each rank has written its pieces, with their
    hashes; return "" where one has not (its hash is ""). All ranks have to call this."""
    checksums = ranks.every(checksum)
    if ranks.rank() == 0 and all(checksums):
        try:
            _save_record(folder, fingerprint, step, record, checksums)
        except OSError as error:
            print(f"the state of step {step} is not saved: {error}", flush=True)
            checksums = [""]
    return ranks.agreed("".join(checksums) if all(checksums) else "")


def _save_record(
    folder: Path, fingerprint: str, step: int, record: dict[str, Any], checksum: str | list[str]
) -> None:
    record = {"fingerprint": fingerprint, "step": step, "sha256": checksum, **record}
    write_json(folder / f"{step:09}.json", {"digest": digest(record), **record})


class Tensors(Mapping[str, Any]):
    """The tensors of a saved state by name, read when they are asked for.

    Those of which each rank has written a piece are put together along the first dimension.
    """

    def __init__(self, paths: list[Path]) -> None:
        from safetensors import safe_open

        self.files = [safe_open(path, "pt") for path in paths]
        self._where: dict[str, list[Any]] = {}
        for file in self.files:
            for name in list(file.keys()):
                self._where.setdefault(name, []).append(file)

    def __iter__(self) -> Iterator[str]:
        return iter(self._where)

    def __len__(self) -> int:
        return len(self._where)

    def __getitem__(self, name: str) -> Any:
        import torch

        pieces = self.pieces(name)
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)

    def pieces(self, name: str) -> list[Any]:
        """Return the pieces of a tensor, in the order of the ranks; one if it was saved whole."""
        return [file.get_tensor(name) for file in self._where[name]]

    def rows(self, name: str, first: int, after: int) -> Any:
        """Return the rows from `first` on, without `after`, of which alone is read."""
        import torch

        found, start = [], 0
        for file in self._where[name]:
            piece = file.get_slice(name)
            end = start + piece.get_shape()[0]
            if max(first, start) < min(after, end):
                found.append(piece[max(first, start) - start : min(after, end) - start])
            start = end
        if not found:
            return self._where[name][0].get_tensor(name)[:0]
        return found[0] if len(found) == 1 else torch.cat(found)


def load(folder: Path, fingerprint: str) -> tuple[dict[str, Any], Tensors] | None:
    """Return record and tensors of the newest saved state that is whole; None if there is none.

    Prints a line for each that is refused.
    """
    for path in _saved_records(folder):
        try:
            record = read_json(path)
            tensors, checksums = _of_record(path, record)
            if record.pop("digest") != digest(record) or checksums != [*map(sha256, tensors)]:
                raise ValueError
        except (UserError, OSError, ValueError, KeyError, AttributeError, TypeError):
            print(f"{path.stem}: this saved state is damaged; trying the one before", flush=True)
            _delete(path)
            continue
        if record["fingerprint"] != fingerprint:
            _set_aside(folder, path)
            return None
        return record, Tensors(tensors)
    return None


def read(folder: Path, step: int) -> tuple[dict[str, Any], Tensors]:
    """Return record and tensors of a saved state that another process has found to be whole."""
    path = folder / f"{step:09}.json"
    record = read_json(path)
    return record, Tensors(_of_record(path, record)[0])


def clear(folder: Path) -> None:
    """Delete every saved state, and what was set aside: the node is done."""
    for pattern in ("*.json", "*.safetensors", ".*.part"):
        for path in folder.glob(pattern):
            path.unlink()


def _saved_records(folder: Path) -> list[Path]:
    """Return the records, the newest first."""
    return sorted(folder.glob("[0-9]*.json"), reverse=True)


def _files(record: Path, by: Iterable[int | None]) -> list[Path]:
    """Return the files of tensors beside a record: of ranks or, for None, the only one."""
    return [record.with_suffix(f"{'' if n is None else f'.{n}'}.safetensors") for n in by]


def _of_record(path: Path, record: dict[str, Any]) -> tuple[list[Path], list[str]]:
    """Return the files of tensors of a saved state, and the hashes that they should have."""
    found = record["sha256"]
    if isinstance(found, str):
        return _files(path, [None]), [found]
    return _files(path, range(len(found))), found


def _delete(record: Path) -> None:
    record.unlink(missing_ok=True)
    for tensors in record.parent.glob(f"{record.stem}*.safetensors"):
        tensors.unlink()


def _set_aside(folder: Path, newest: Path) -> None:
    for path in (*folder.glob(f"{newest.stem}*.safetensors"), newest):
        os.replace(path, folder / path.name.replace(newest.stem, "aside", 1))
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
