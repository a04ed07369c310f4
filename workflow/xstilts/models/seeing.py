"""The features of a set of pictures: block by block, so that a next attempt goes on where one
ended.

A finished block is a file of the state folder. What is in one is computed from the first picture of
it on, in batches of the same size, so that it has the same bytes whoever makes it.
"""

import itertools
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from xstilts.models import memory, pixels
from xstilts.models.pixels import CHUNK, Blob
from xstilts.running.errors import UserError
from xstilts.running.files import atomic

BLOCK = 1024  # pictures of a file
BATCH = 4  # chunks that go through the encoder at once
MOST = 1000  # of so many pictures one may be unreadable


class Unreadable:
    """The pictures that cannot be read, of which there may be few."""

    def __init__(self, where: str, ids: list[str]) -> None:
        """Take the ids of all pictures; `where` is how a message begins."""
        self.where, self.ids, self.found = where, ids, list[int]()

    def add(self, places: list[int]) -> None:
        """Count some; UserError, with the first, where they are more than one in `MOST`."""
        self.found += places
        if len(self.found) * MOST > len(self.ids):
            most = len(self.ids) // MOST
            raise UserError(
                f"{self.where}: {len(self.found)} of its {len(self.ids)} pictures cannot be read,"
                f" the first is {self.ids[self.found[0]]}; at most {most} may be (one in"
                f" {MOST:,})"
            )


class State:
    """The finished blocks of a set, in a folder."""

    def __init__(self, folder: str | Path, key: str) -> None:
        """Look at them; those that were made for another `key` are deleted."""
        self.folder = Path(folder) / "blocks"
        told = self.folder / "key"
        if self.folder.exists() and (not told.exists() or told.read_text() != key):
            shutil.rmtree(self.folder)
        if not told.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic(told) as temporary:
                temporary.write_text(key)

    def path(self, number: int) -> Path:
        """Return the path of a block."""
        return self.folder / f"{number:06}.npz"

    def save(self, number: int, block: np.ndarray, unread: list[int], seconds: float) -> None:
        """Write a block: its features, the places in it that could not be read, what it took."""
        told = {"unread": np.array(unread, np.int64), "seconds": np.array(seconds)}
        with atomic(self.path(number)) as temporary, open(temporary, "wb") as file:
            np.savez(file, features=block, **told)

    def load(self, number: int) -> dict[str, Any] | None:
        """Return what is in a block; None if it is not there, or damaged."""
        try:
            with np.load(self.path(number)) as file:
                return {name: file[name] for name in ("features", "unread", "seconds")}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def delete(self) -> None:
        """Delete all blocks."""
        shutil.rmtree(self.folder, ignore_errors=True)


def see(
    pictures: Callable[[int], Iterator[Blob]],
    total: int,
    tower: Any,
    folder: str | Path,
    processes: int,
    state: State,
    unreadable: Unreadable,
) -> tuple[float, Iterator[np.ndarray]]:
    """Compute the blocks that are missing; return the seconds that all took, and their features.

    Args:
        pictures: yields the pictures of the set, in order, from one on.
        total: how many there are.
        tower: a `vision.Tower`.
        folder: of the vision encoder, for its processor.
        processes: that decode.

    Raises:
        UserError: too many pictures cannot be read.
    """
    blocks = range(-(-total // BLOCK))
    done = 0
    while done < len(blocks) and (block := state.load(done)) is not None:
        unreadable.add([done * BLOCK + int(at) for at in block["unread"]])
        done += 1
    if done and done < len(blocks):
        print(f"goes on with picture {done * BLOCK + 1} of {total}", flush=True)
    if done < len(blocks):
        with pixels.reading(folder, processes) as read:
            _see(pictures(done * BLOCK), done, total, tower, read, state, unreadable)
    seconds = sum(float(found["seconds"]) for found in map(state.load, blocks) if found)

    def features() -> Iterator[np.ndarray]:
        for number in blocks:
            found = state.load(number)
            if found is None:
                raise UserError(f"{state.path(number)}: is gone; run again")
            yield found["features"]

    return seconds, features()


def _see(
    blobs: Iterator[Blob],
    first: int,
    total: int,
    tower: Any,
    read: Callable[[Iterator[list[Blob]]], Iterator[tuple[np.ndarray | None, list[int]]]],
    state: State,
    unreadable: Unreadable,
) -> None:
    """Compute blocks from one on. (Chunks do not cross blocks, as these are so many chunks.)"""
    chunks = read(iter(lambda: list(itertools.islice(blobs, CHUNK)), []))
    for number in range(first, -(-total // BLOCK)):
        start, size = time.monotonic(), min(BLOCK, total - number * BLOCK)
        block: np.ndarray | None = None
        unread: list[int] = []
        for at in range(0, size, BATCH * CHUNK):
            places, seen = [], []
            for begin in range(at, min(at + BATCH * CHUNK, size), CHUNK):
                made, gone = next(chunks)
                here = range(begin, min(begin + CHUNK, size))
                unread += [begin + place for place in gone]
                places += [place for place in here if place - begin not in gone]
                seen += [] if made is None else [made]
            if seen:
                features = _features(np.concatenate(seen), tower)
                if block is None:
                    block = np.zeros((size, *features.shape[1:]), np.float16)
                block[places] = features
        unreadable.add([number * BLOCK + place for place in unread])
        if block is None:
            raise UserError(f"{unreadable.where}: none of its pictures can be read")
        state.save(number, block, unread, time.monotonic() - start)
        done = min((number + 1) * BLOCK, total)
        print(f"{done} of {total} pictures", flush=True)


def _features(batch: np.ndarray, tower: Any) -> np.ndarray:
    """Return the features of some pictures, fp16 [pictures, positions, width]; by halves where they
    do not fit the GPU.

    Raises:
        UserError: one has features that fp16 has no numbers for.
    """
    import torch

    def work(places: np.ndarray) -> list[np.ndarray]:
        return list(tower(torch.from_numpy(batch[places])).cpu().numpy())

    found = np.stack(memory.retry_in_halves(work, np.arange(len(batch))))
    if not np.isfinite(found).all():
        raise UserError(
            "vision: the encoder's states are too large for fp16, or no numbers; take another"
        )
    return found
