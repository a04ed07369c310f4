"""Features of the pictures of a set: a file a split, as a vision encoder sees them.

`<split>.safetensors` holds one tensor, `features`, fp16 [pictures, positions, width], in the order
of the prepared rows of the set, in the layout of safetensors
(https://github.com/huggingface/safetensors#format): a header, then the numbers. Its record is
beside it, `<split>.json`, written last. It is written block by block, and read by batch
(`encoding/features.py`), as it is larger than one would hold in memory. A picture that could not be
read is all zeros, and the rows about it stay.
"""

import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from xstilts.running.errors import UserError
from xstilts.running.files import atomic
from xstilts.running.safetensors import header_in

TENSOR = "features"
DTYPE, KIND = np.dtype("<f2"), "F16"  # its numbers, as numpy and safetensors name them
ALIGNED = 8  # bytes by which a header ends
Shape = tuple[int, int, int]  # pictures, positions, width


def write(path: str | Path, shape: Shape, blocks: Iterable[np.ndarray]) -> None:
    """Write a file of features, atomically.

    Args:
        path: of the safetensors file.
        shape: of all of them.
        blocks: the features in order, fp16 [some, positions, width]; one is in memory at a time.
    """
    size = DTYPE.itemsize * int(np.prod(shape))
    about = {"dtype": KIND, "shape": list(shape), "data_offsets": [0, size]}
    text = json.dumps({TENSOR: about}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNED)
    with atomic(path) as temporary, open(temporary, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for block in blocks:
            file.write(np.ascontiguousarray(block, DTYPE).data)
        if file.tell() != 8 + len(text) + size:
            raise ValueError(f"{path}: the blocks are not {shape}")


def header_of(path: Path) -> tuple[dict[str, Any], int]:
    """Return the header of a safetensors file, and the byte at which its numbers begin.

    Raises:
        UserError: it is not there, or not in that layout.
    """
    try:
        with open(path, "rb") as file:
            return header_in(file)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except (ValueError, OSError, struct.error):
        raise UserError(f"{path}: is not a safetensors file, or was cut off") from None


def shape_of(path: str | Path) -> Shape:
    """Return pictures, positions and width of a file that `write` has written."""
    header, _ = header_of(Path(path))
    pictures, positions, width = header[TENSOR]["shape"]
    return pictures, positions, width
