"""The parameters of a checkpoint, by the header of its file; the weights are not read."""

import json
import math
from collections.abc import Iterable
from pathlib import Path

FP32 = 4  # bytes of a parameter as it is loaded, in whatever type it is stored


def parameters(path: str | Path) -> int:
    """Return how many a safetensors file has; 0 where its header cannot be read, as loading it
    will say.

    Raises:
        OSError: there is no such file, or it cannot be opened.
    """
    with open(path, "rb") as file:
        try:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
            return sum(math.prod(one["shape"]) for k, one in header.items() if k != "__metadata__")
        except (ValueError, KeyError, TypeError, AttributeError, MemoryError, OverflowError):
            return 0


def decoder(records: Iterable[str | Path]) -> int:
    """Return the bytes of the weights beside the record of a decoder, as stored; 0 of none.

    Raises:
        FileNotFoundError: it is not made yet.
    """
    found = 0
    for record in records:
        Path(record).stat()
        found += sum(file.stat().st_size for file in Path(record).parent.glob("*.safetensors"))
    return found


def loaded(path: str | Path) -> int:
    """Return the bytes of a checkpoint in fp32, as it is loaded; of a file that tells nothing, its
    own.

    Raises:
        OSError: see `parameters`; FileNotFoundError if it is not made yet.
    """
    return FP32 * parameters(path) or Path(path).stat().st_size
