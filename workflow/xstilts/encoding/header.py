"""The header of a safetensors file: shapes and our record, without reading the arrays."""

import json
from pathlib import Path
from typing import Any

from xstilts.running.errors import UserError


def read_header(path: str | Path) -> tuple[dict[str, list[int]], dict[str, Any]]:
    """Return name -> shape of the arrays of an encoded file, and its record (`Encoded.meta`).

    Raises:
        UserError: the file is missing, damaged, or not an encoded file.
    """
    arrays, record = read_arrays(path)
    return {name: shape for name, (_, shape, _) in arrays.items()}, record


def read_arrays(path: str | Path) -> tuple[dict[str, tuple[str, list[int], int]], dict[str, Any]]:
    """Return name -> kind of numbers (as safetensors names it), shape, and the byte at which it
    begins, of the arrays of an encoded file; and its record.

    Raises:
        UserError: see `read_header`.
    """
    try:
        with open(path, "rb") as file:
            # A damaged length may be anything, so no more is read than there is.
            size = min(int.from_bytes(file.read(8), "little"), Path(path).stat().st_size)
            header = json.loads(file.read(size))
        record = json.loads(header.pop("__metadata__")["xstilts"])
        end = max((array["data_offsets"][1] for array in header.values()), default=0)
        if Path(path).stat().st_size != 8 + size + end:
            raise ValueError  # a copy that was cut off
        return {
            name: (array["dtype"], array["shape"], 8 + size + array["data_offsets"][0])
            for name, array in header.items()
        }, record
    except (OSError, KeyError, TypeError, ValueError, AttributeError):
        raise UserError(f"{path}: damaged; delete it to have it made anew") from None
