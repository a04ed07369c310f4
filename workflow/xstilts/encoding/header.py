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
    try:
        with open(path, "rb") as file:
            # A damaged length may be anything, so no more is read than there is.
            size = min(int.from_bytes(file.read(8), "little"), Path(path).stat().st_size)
            header = json.loads(file.read(size))
        record = json.loads(header.pop("__metadata__")["xstilts"])
        end = max((array["data_offsets"][1] for array in header.values()), default=0)
        if Path(path).stat().st_size != 8 + size + end:
            raise ValueError  # a copy that was cut off
        return {name: array["shape"] for name, array in header.items()}, record
    except (OSError, KeyError, TypeError, ValueError, AttributeError):
        raise UserError(f"{path}: damaged; delete it to have it made anew") from None
