"""Pictures as a vision encoder reads them: decoded, turned, in RGB, by transformers' processor.

Pillow decodes, and the processor is the one without torchvision (`backend="pil"`), so that what
comes of a picture does not depend on whether that is installed. Several processes do it at once.
"""

import concurrent.futures
import contextlib
import io
import multiprocessing
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from xstilts.running.errors import UserError

Blob = bytes | str  # an encoded picture, or the path of one
CHUNK = 16  # pictures that a process does at a time
AHEAD = 3  # chunks a process that are on their way


def decode(blob: Blob) -> Any:
    """Return a picture as Pillow has it: turned as its EXIF data says, in RGB, what is transparent
    on white.

    Raises:
        Exception: whatever Pillow raises for one that cannot be read.
    """
    from PIL import Image, ImageOps

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large pictures, odd EXIF data
        with Image.open(io.BytesIO(blob) if isinstance(blob, bytes) else blob) as image:
            image.load()
            turned = ImageOps.exif_transpose(image)
    if "A" in turned.getbands() or "transparency" in turned.info:
        turned = turned.convert("RGBA")
        white = Image.new("RGBA", turned.size, "white")
        white.alpha_composite(turned)
        turned = white
    return turned.convert("RGB")


def processor_of(folder: str | Path) -> Any:
    """Return the image processor of a folder, the one that needs Pillow alone."""
    import transformers

    transformers.logging.set_verbosity(transformers.logging.CRITICAL)
    return transformers.AutoImageProcessor.from_pretrained(
        folder, backend="pil", local_files_only=True
    )


class Reader:
    """Makes pixels of pictures."""

    def __init__(self, folder: str | Path) -> None:
        """Load the processor of a vision encoder's folder."""
        self.processor = processor_of(folder)
        self.resizes = _resizes(self.processor)

    def __call__(self, blobs: list[Blob]) -> tuple[np.ndarray | None, list[int]]:
        """Return the pixels of those that can be read, fp32 [pictures, 3, height, width] (None
        where there is none), and the places of those that cannot."""
        images, unread = [], []
        for place, blob in enumerate(blobs):
            try:
                images.append(decode(blob))
            except Exception:  # Pillow's readers raise errors of a dozen kinds
                unread.append(place)
        if not images:
            return None, unread
        how = {}
        if self.resizes:
            images, how = [self.resized(image) for image in images], {"do_resize": False}
        made = self.processor(images, return_tensors="np", **how)["pixel_values"]
        return np.ascontiguousarray(made, np.float32), unread

    def resized(self, image: Any) -> Any:
        """Return a picture as the processor resizes it, which would first copy it twice: the same
        function of Pillow, for a third of the time of all that it does."""
        from transformers.image_transforms import get_resize_output_image_size

        size = self.processor.size
        if size.shortest_edge:
            shape = np.empty((3, image.height, image.width), np.bool_)  # whose size alone is read
            height, width = get_resize_output_image_size(
                shape,
                size.shortest_edge,
                default_to_square=False,
                input_data_format="channels_first",
            )
        else:
            height, width = size.height, size.width
        return image.resize((width, height), self.processor.resample)


def _resizes(processor: Any) -> bool:
    """Whether a processor resizes as most do: to a shortest edge, or to a height and a width."""
    from transformers.image_processing_backends import PilBackend

    if not processor.do_resize or type(processor).resize is not PilBackend.resize:
        return False
    size = processor.size
    return bool(size.height and size.width) != bool(size.shortest_edge) and not size.longest_edge


_reader: list[Reader] = []  # of a process


def _start(folder: str) -> None:
    _reader[:] = [Reader(folder)]


def _read(blobs: list[Blob]) -> tuple[np.ndarray | None, list[int]]:
    return _reader[0](blobs)


@contextlib.contextmanager
def reading(folder: str | Path, processes: int) -> Iterator[Any]:
    """Yield a function from an iterable of lists of pictures to an iterator of what `Reader` makes
    of each, in order.

    Args:
        folder: of the vision encoder.
        processes: how many there are; with one it is this process.
    """
    if processes <= 1:
        reader = Reader(folder)
        yield lambda lists: map(reader, lists)
        return
    context = multiprocessing.get_context("spawn")
    pool = concurrent.futures.ProcessPoolExecutor(
        processes, context, initializer=_start, initargs=(str(folder),)
    )
    try:
        yield lambda lists: _in_order(pool, lists, AHEAD * processes)
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(
    pool: concurrent.futures.Executor, lists: Iterable[list[Blob]], ahead: int
) -> Iterator[tuple[np.ndarray | None, list[int]]]:
    """Read lists in a pool, of which so many are on their way: no more than that is in memory."""
    waiting: deque[concurrent.futures.Future] = deque()
    try:
        for blobs in lists:
            waiting.append(pool.submit(_read, blobs))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except concurrent.futures.process.BrokenProcessPool:
        raise UserError(
            "a process that decodes pictures was killed, as when memory runs out; use fewer"
            " `threads`"
        ) from None
