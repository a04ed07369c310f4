"""The header of a safetensors file: shapes and our record, without reading the arrays."""

import contextlib
import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from xstilts.running.errors import UserError
from xstilts.running.files import sha256
from xstilts.running.safetensors import header_in

DIGEST = "sha256"  # in the record of a file, of the file without it


def read_header(path: str | Path) -> tuple[dict[str, list[int]], dict[str, Any]]:
    """Return name -> shape of the arrays of an encoded file, and its record (`Encoded.meta`).

    Raises:
        UserError: the file is missing, damaged, or not an encoded file.
    """
    with opened(path) as file:
        arrays, record = read_arrays(file)
    return {name: shape for name, (_, shape, _) in arrays.items()}, record


def digest_of(path: str | Path) -> str:
    """Return the SHA-256 of an encoded file as it is without this digest in its header.

    `Encoded.save` has put it there, so no job has to read the file for it: 0.2 GB/s. A file from
    before that is hashed, to the same digest, so what was made from it stays. Files are ours alone
    and are replaced, never changed in place; one that is cut off is refused (`read_arrays`), and
    one that was written by other means over ours, with our header, is not found out.

    Raises:
        UserError: see `read_header`.
    """
    with opened(path) as file:
        _, record = _read(file)
    return record.get(DIGEST) or sha256(path)


def read_arrays(
    file: BinaryIO,
) -> tuple[dict[str, tuple[str, list[int], int]], dict[str, Any]]:
    """Return name -> kind of numbers (as safetensors names it), shape, and the byte at which it
    begins, of the arrays of an encoded file; and its record."""
    arrays, record = _read(file)
    record.pop(DIGEST, None)
    return arrays, record


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[BinaryIO]:
    """Open an encoded file; UserError if it is missing, or turns out to be damaged."""
    try:
        with open(path, "rb") as file:
            yield file
    except (OSError, KeyError, TypeError, ValueError, AttributeError, struct.error):
        raise UserError(f"{path}: damaged; delete it to have it made anew") from None


def _read(file: BinaryIO) -> tuple[dict[str, tuple[str, list[int], int]], dict[str, Any]]:
    header, start = header_in(file)
    record = json.loads(header.pop("__metadata__")["xstilts"])
    end = max((array["data_offsets"][1] for array in header.values()), default=0)
    if os.fstat(file.fileno()).st_size != start + end:
        raise ValueError  # a copy that was cut off
    return {
        name: (array["dtype"], array["shape"], start + array["data_offsets"][0])
        for name, array in header.items()
    }, record
