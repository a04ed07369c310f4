"""One safetensors file that several ranks write, none of which holds all of it."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xstilts.running import ranks
from xstilts.running.files import atomic


def save(tensors: Mapping[str, Any], path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write one safetensors file, whole or not at all, of tensors of which each rank has a piece,
    or the first rank all (None in the others); all ranks have to call this.

    They are on one machine, so each writes its rows at their place of the file.
    """
    from safetensors.torch import save_file

    pieces = {name: value for name, value in tensors.items() if value is not None}
    layout = ranks.every({name: (str(t.dtype), list(t.shape)) for name, t in pieces.items()})
    together = any(layout[1:])
    with ranks.leading(atomic(path)) as temporary:
        shared = ranks.agreed(temporary)
        if together:
            _save_pieces(pieces, layout, shared, metadata)
        elif not ranks.rank():
            save_file(pieces, shared, metadata=metadata)
        ranks.every(None)  # the first one renames when all have written


def _save_pieces(
    pieces: Mapping[str, Any],
    layout: list[dict[str, Any]],
    path: Path,
    metadata: dict[str, str] | None,
) -> None:
    import torch
    from safetensors.torch import _TYPES

    codes = {str(dtype): code for code, dtype in _TYPES.items()}
    sizes = {str(dtype): dtype.itemsize for dtype in _TYPES.values()}
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    places, end = {}, 0
    # As safetensors has it: the widest numbers first, then by name.
    for name in sorted(layout[0], key=lambda name: (-sizes[layout[0][name][0]], name)):
        dtype, shape = layout[0][name]
        by_rank = [own[name][1] for own in layout if name in own]
        row = sizes[dtype] * math.prod(shape[1:])
        before = sum(own[0] for own in by_rank[: ranks.rank()]) if shape else 0
        places[name] = end + row * before
        full = [sum(own[0] for own in by_rank), *shape[1:]] if shape else shape
        bounds = [end, end := end + sizes[dtype] * math.prod(full)]
        header[name] = {"dtype": codes[dtype], "shape": full, "data_offsets": bounds}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    start = 8 + len(text)
    if not ranks.rank():
        with open(path, "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            file.truncate(start + end)
    ranks.agreed(None)  # the file is there
    with open(path, "r+b") as file:
        for name, piece in pieces.items():
            file.seek(start + places[name])
            file.write(piece.contiguous().flatten().view(torch.uint8).numpy())
        os.fsync(file.fileno())
