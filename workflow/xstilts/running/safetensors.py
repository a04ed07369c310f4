"""The header of a safetensors file, by the standard library alone."""

import json
import os
import struct
from typing import Any, BinaryIO


def header_in(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """Return the header of an open safetensors file, and the byte at which its numbers begin;
    ValueError or struct.error where it is none."""
    (length,) = struct.unpack("<Q", file.read(8))
    if length > os.fstat(file.fileno()).st_size:  # a damaged length may be anything
        raise ValueError
    return json.loads(file.read(length)), 8 + length
