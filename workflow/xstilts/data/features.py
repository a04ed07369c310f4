"""Features of the pictures of a set: a file a split, as a vision encoder (or one's own) sees them.

`<split>.safetensors` holds one tensor, `features`, fp16 [pictures, positions, width], in the order of
the prepared rows of the set, in the layout of safetensors
(https://github.com/huggingface/safetensors#format): a header, then the numbers. Its record is beside
it, `<split>.json`, written last. The file is written block by block and read through a memory map, as
it is larger than one would hold in memory. A picture that could not be read is all zeros.
"""

import json
import os
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from xstilts.running.errors import UserError
from xstilts.running.files import atomic, read_json
from xstilts.running.record import same_spec

TENSOR = "features"
DTYPE = np.dtype("<f2")
ALIGNED = 8  # bytes by which a header ends
Shape = tuple[int, int, int]  # pictures, positions, width


def record_of(path: str | Path) -> Path:
    """Return the path of the record of a file of features."""
    return Path(path).with_suffix(".json")


def write(path: str | Path, shape: Shape, blocks: Iterable[np.ndarray]) -> None:
    """Write a file of features, atomically.

    Args:
        path: of the safetensors file.
        shape: of all of them.
        blocks: the features in order, fp16 [some, positions, width]; one is in memory at a time.
    """
    size = DTYPE.itemsize * int(np.prod(shape))
    about = {"dtype": "F16", "shape": list(shape), "data_offsets": [0, size]}
    text = json.dumps({TENSOR: about}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNED)
    with atomic(path) as temporary, open(temporary, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for block in blocks:
            file.write(np.ascontiguousarray(block, DTYPE).data)
        if file.tell() != 8 + len(text) + size:
            raise ValueError(f"{path}: the blocks are not {shape}")


def shape_of(path: str | Path) -> Shape:
    """Return pictures, positions and width of a file, by its header.

    Raises:
        UserError: it is not there, is no file of features, or was cut off.
    """
    return _header(Path(path))[0]


def read(path: str | Path, spec: str | None = None) -> np.ndarray:
    """Return the features in a file as a memory map, fp16 [pictures, positions, width].

    Args:
        path: of the safetensors file.
        spec: the digest of the spec that it must be made by; None if that is not looked at.

    Raises:
        UserError: there is no whole file, or it is of another set, encoder or size.
    """
    record = read_json(record_of(path))
    if spec is not None:
        same_spec(path, record["spec"], spec)
    shape, start = _header(Path(path))
    if list(shape) != record.get("shape"):
        raise UserError(f"{path}: has another shape than its record says; delete both, run again")
    return np.memmap(path, DTYPE, "r", start, shape)


def check(path: str | Path, pictures: int, positions: int | None = None) -> Shape:
    """Return the shape of a file, which must have features of so many pictures and positions.

    Raises:
        UserError: it has not.
    """
    shape = shape_of(path)
    for noun, found, wanted in zip(
        ("pictures", "positions"), shape, (pictures, positions), strict=False
    ):
        if wanted is not None and found != wanted:
            raise UserError(f"{path}: has features of {found} {noun}, not of {wanted}")
    return shape


def _header(path: Path) -> tuple[Shape, int]:
    """Return the shape of the features in a file, and where they begin."""
    header, start, size = header_of(path)
    about = header.get(TENSOR)
    if not isinstance(about, Mapping):
        raise UserError(f"{path}: holds no tensor `{TENSOR}` (it has {_names(header)})")
    shape = tuple(about["shape"])
    if about["dtype"] != "F16" or len(shape) != 3 or set(header) - {TENSOR, "__metadata__"}:
        raise UserError(f"{path}: `{TENSOR}` is {about['dtype']} {list(shape)}, not fp16 of 3 axes")
    if size != start + DTYPE.itemsize * int(np.prod(shape)):
        raise UserError(f"{path}: was cut off; delete it, run again")
    return (shape[0], shape[1], shape[2]), start


def header_of(path: Path) -> tuple[dict[str, Any], int, int]:
    """Return the header of a safetensors file, where its numbers begin, and its bytes in all.

    Raises:
        UserError: it is not there, or not in that layout.
    """
    try:
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            size = os.fstat(file.fileno()).st_size
            if length > size:
                raise ValueError
            return json.loads(file.read(length)), 8 + length, size
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except (ValueError, OSError, struct.error):
        raise UserError(f"{path}: is not a safetensors file, or was cut off") from None


def _names(header: Mapping[str, Any]) -> str:
    return ", ".join(name for name in header if name != "__metadata__") or "none"
