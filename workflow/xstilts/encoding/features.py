"""Features of pictures: a file of what a frozen vision encoder makes of every picture of a set.

`features` float16 [pictures, positions, width], in the order of the prepared rows of the set; its
record, `.json` beside it, says by which spec. What a batch needs is read from the file, so a set of
any size takes no memory of the process.
"""

import dataclasses
import hashlib
import math
import os
import struct
import weakref
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from xstilts.data.features import DTYPE, KIND, TENSOR, Shape
from xstilts.running.errors import UserError
from xstilts.running.files import read_json
from xstilts.running.record import same_spec
from xstilts.running.safetensors import header_in

PART = "pictures"  # of a head: what makes of features the text encoder's input
# What is before a text: its own picture, another one, or none. The last two are controls, which
# `images:` of an intermediate asks for.
OWN, SHUFFLED, NONE = "pictures", "shuffled", "none"


@dataclasses.dataclass(frozen=True, eq=False)
class Features:
    """The features of a set's pictures in one split.

    Attributes:
        path: of the file.
        file: its descriptor; a file that is replaced meanwhile stays the one that was opened.
        start: the byte at which the array begins.
        shape: pictures, positions, width.
    """

    path: str
    file: int
    start: int
    shape: Shape

    def __len__(self) -> int:
        """Return the number of pictures."""
        return self.shape[0]

    @property
    def positions(self) -> int:
        """The positions that a picture takes before a text."""
        return self.shape[1]

    def rows(self, numbers: np.ndarray) -> np.ndarray:
        """Return the features of some pictures, float16 [numbers, positions, width].

        They are read, not mapped: pages of a map count as memory of the process as soon as they
        have been looked at, and an epoch looks at all.

        Raises:
            UserError: the file has become shorter.
        """
        found: np.ndarray = np.empty((len(numbers), *self.shape[1:]), dtype=np.float16)
        size = found[:1].nbytes if len(found) else 0
        for place, number in zip(found, numbers, strict=True):
            if os.preadv(self.file, [place.data], self.start + int(number) * size) != size:
                raise UserError(f"{self.path}: was cut off; delete it to have it made anew")
        return found


@dataclasses.dataclass(frozen=True, eq=False)
class Pictures:
    """The pictures before the texts of a file of encoded rows.

    Attributes:
        features: of all pictures of the set.
        instead: int64 [pictures], the picture that is shown in place of each; None for itself.
    """

    features: Features
    instead: np.ndarray | None = None

    def of(self, numbers: np.ndarray) -> np.ndarray:
        """Return the features that are shown for some pictures."""
        return self.features.rows(numbers if self.instead is None else self.instead[numbers])


def derangement(pictures: int, seed: int, name: str) -> np.ndarray:
    """Return another picture for each, int64 [pictures]: none keeps its own, each is there once.

    All pictures follow one another in one circle, drawn from the seed by a published algorithm
    (Philox4x64-10, as in `training/sample.py`), and each has the next one's place.

    Args:
        pictures: how many; at least two.
        seed: of the training.
        name: of what is shuffled, so that two splits are shuffled independently.

    Raises:
        UserError: there is only one picture.
    """
    if pictures < 2:
        raise UserError(f"images: shuffled: {name} has {pictures} picture(s); none is another")
    key = hashlib.sha256(f"pictures {seed} {name}".encode()).digest()[:16]
    drawn = np.random.Philox(key=int.from_bytes(key, "little")).random_raw(pictures)
    circle = np.argsort(drawn, kind="stable")
    instead: np.ndarray = np.empty(pictures, dtype=np.int64)
    instead[circle] = np.roll(circle, -1)
    return instead


def record_of(path: str | Path) -> Path:
    """Return the path of the record of a features file."""
    return Path(path).with_suffix(".json")


def record(path: str | Path) -> dict[str, Any]:
    """Return what the record of a features file says."""
    return read_json(record_of(path))


def digest_of(path: str | Path) -> str:
    """Return the SHA-256 of a features file, as its record has it: it need not be read for that."""
    return record(path)["sha256"]


def load(path: str | Path, spec_digest: str | None = None) -> Features:
    """Open the features of a set's pictures.

    Args:
        path: of the file.
        spec_digest: of the spec that its record must say; None: not looked at.

    Raises:
        UserError: there is none, it is damaged or cut off, or made by another spec.
    """
    if spec_digest is not None:
        same_spec(record_of(path), read_json(record_of(path))["spec"], spec_digest)
    try:
        file = open(path, "rb")  # noqa: SIM115 (for as long as the features are)
    except OSError:
        raise UserError(f"{path}: there is no such file; delete its record, run again") from None
    try:
        shape, start = _array(file)
    except (OSError, KeyError, TypeError, ValueError, AttributeError, struct.error):
        file.close()
        line = "damaged, or cut off; delete it to have it made anew"
        raise UserError(f"{path}: {line}") from None
    found = Features(str(path), file.fileno(), start, shape)
    weakref.finalize(found, file.close)
    return found


def _array(file: BinaryIO) -> tuple[Shape, int]:
    """Return shape and first byte of the array of a file; ValueError where it is no such file."""
    header, start = header_in(file)
    array = header[TENSOR]
    pictures, positions, width = array["shape"]
    first, last = array["data_offsets"]
    end = start + max(one["data_offsets"][1] for k, one in header.items() if k[:2] != "__")
    size = math.prod(array["shape"]) * DTYPE.itemsize
    there = os.fstat(file.fileno()).st_size
    if array["dtype"] != KIND or last - first != size or there != end:
        raise ValueError
    return (pictures, positions, width), start + first
