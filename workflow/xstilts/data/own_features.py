"""Features of one's own, in place of pictures: a tensor in safetensors, and ids of pictures.

So any model can see them, and regions of pictures can be features too. `features` is [pictures,
positions, width] or [pictures, width], of any kind of float; the ids are a text file, a line each.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from xstilts.data.features import DTYPE, TENSOR, Shape, header_of
from xstilts.running.errors import UserError, nearest

KINDS = {"F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8"}  # as safetensors names them
BLOCK = 4096  # pictures that are in memory at a time
LARGEST = 65504.0  # of fp16


@dataclasses.dataclass(frozen=True)
class OwnFeatures:
    """Files of features, looked at and not yet read.

    Attributes:
        path: of the safetensors file.
        kind: of its numbers, a key of `KINDS`.
        start: the byte at which they begin.
        shape: pictures, positions, width.
        ids: of the pictures, in their order.
    """

    path: Path
    kind: str
    start: int
    shape: Shape
    ids: list[str]

    def blocks(self, numbers: Sequence[int]) -> Iterator[np.ndarray]:
        """Yield the features of some pictures, block by block, fp16 [some, positions, width].

        Raises:
            UserError: a number is none, or too large for fp16; the first picture of which that is
                so.
        """
        stored: np.ndarray = np.memmap(self.path, KINDS[self.kind], "r", self.start, self.shape)
        for first in range(0, len(numbers), BLOCK):
            chosen = np.asarray(numbers[first : first + BLOCK])
            block = stored[chosen]
            if self.kind == "BF16":  # the upper half of a float32
                block = (block.astype(np.uint32) << 16).view(np.float32)
            wrong = ~(np.abs(block) <= LARGEST).all((1, 2))
            if wrong.any():
                name = self.ids[int(chosen[wrong.argmax()])]
                raise UserError(
                    f"{self.path}: the features of {name} are too large for fp16, or no numbers"
                )
            yield block.astype(DTYPE)


def look(paths: Sequence[Path]) -> OwnFeatures:
    """Return what is in the files of a split.

    Raises:
        UserError: they are not a safetensors file and a text file that belong together.
    """
    tensors = [path for path in paths if path.suffix == ".safetensors"]
    others = [path for path in paths if path.suffix != ".safetensors"]
    if len(tensors) != 1 or len(others) != 1 or others[0].suffix != ".txt":
        there = ", ".join(path.name for path in paths)
        raise UserError(
            "features of one's own are a .safetensors file with the tensor `features`, and a .txt"
            f" file with the id of a picture a line, not {there}"
        )
    path, header, start = tensors[0], *header_of(tensors[0])
    names = [name for name in header if name != "__metadata__"]
    if TENSOR not in names:
        there = ", ".join(names[:5]) or "none"
        raise UserError(
            f"{path}: has no tensor `{TENSOR}`{nearest(TENSOR, names)} (it has {there})"
        )
    about = header[TENSOR]
    shape, kind = list(about["shape"]), about["dtype"]
    if len(shape) not in (2, 3) or kind not in KINDS or not all(shape):
        raise UserError(
            f"{path}: `{TENSOR}` is {kind} {shape}, not floats [pictures, positions, width] or"
            " [pictures, width]"
        )
    whole = (shape[0], shape[1] if len(shape) == 3 else 1, shape[-1])
    begin, end = about["data_offsets"]
    size = np.dtype(KINDS[kind]).itemsize * int(np.prod(whole))
    if end - begin != size or path.stat().st_size < start + end:
        raise UserError(f"{path}: was cut off")
    ids = _ids(others[0])
    if len(ids) != whole[0]:
        raise UserError(
            f"{path}: has features of {whole[0]} pictures, and {others[0].name} {len(ids)} ids"
        )
    return OwnFeatures(path, kind, start + begin, whole, ids)


def _ids(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as text, with an id a line ({error})") from None
