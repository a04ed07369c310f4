"""The pictures of a set as they are stored: read one after another by row number, never all at
once.

From the hub they are in the cache of `datasets`, mapped into memory; of a folder the files are
streamed, without a copy. Nothing is decoded here.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from xstilts.data import columns, pictures
from xstilts.data import source as sources
from xstilts.running.errors import UserError

Blob = bytes | str  # an encoded picture, or the path of one
AT_ONCE = 16  # rows that are read at a time


def blobs(
    source: str,
    root: str,
    pin: dict[str, Any],
    spec: dict[str, Any],
    numbers: Sequence[int],
) -> Iterator[Blob]:
    """Yield the pictures of some rows of a split, exactly as pinned.

    Args:
        source, root, pin: as `source.load` has them.
        spec: of the prepared rows of the set.
        numbers: of the raw rows, ascending.

    Raises:
        UserError: as `source.load`; a picture is not there.
    """
    where = f"task {spec['task']}: {spec['hub']}"
    remote = sources.from_hub(source, spec["hub"])
    streamed = not remote and pictures.streams(spec)
    column = None if remote else _column(root, spec, where)
    of = (spec["hub"], spec.get("config"), spec["split"])
    data = sources.load(source, root, pin, *of, **_how(column, streamed))
    import datasets

    found = column or columns.find(data.features.arrow_schema, spec, where)["image"]
    assert isinstance(found, str)
    data = data.cast_column(found, datasets.Image(decode=False))
    rows = _streamed(data, numbers) if streamed else _mapped(data.select_columns(found), numbers)
    for number, row in zip(numbers, rows, strict=True):
        yield _blob(row[found], f"{where}: row {number}")


def _how(column: str | None, streamed: bool) -> dict[str, Any]:
    """Return how a folder's data set is read: of parquet the pictures alone, little at a time. By
    default all that was read of a file stays in memory until its end."""
    import pyarrow.dataset

    how: dict[str, Any] = {"streaming": True} if streamed else {}
    if column:
        scan = pyarrow.dataset.ParquetFragmentScanOptions(pre_buffer=False)
        how |= {"columns": [column], "batch_size": AT_ONCE, "fragment_scan_options": scan}
    return how


def _column(root: str, spec: dict[str, Any], where: str) -> str | None:
    """Return the column of a folder's data set that has the pictures; None where it is not known
    before the library has looked."""
    folder = sources.folder(root, "datasets", spec["hub"])
    schema = pictures.schema_in(folder, spec["hub"], spec.get("config"), spec["split"])
    return None if schema is None else str(columns.find(schema, spec, where)["image"])


def _mapped(data: Any, numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(numbers), AT_ONCE):
        yield from data.select(numbers[start : start + AT_ONCE])


def _streamed(data: Any, numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
    if not numbers:
        return
    wanted = iter(numbers)
    number = next(wanted)
    for at, row in enumerate(data.skip(number), number):
        if at == number:
            yield row
            if (following := next(wanted, None)) is None:
                return
            number = following


def _blob(value: Any, where: str) -> Blob:
    """Return a picture as `datasets` has it where it does not decode; one that is not there is
    empty, which nobody can read."""
    if isinstance(value, dict):
        return value.get("bytes") or value.get("path") or b""
    if value is None:
        return b""
    raise UserError(f"{where}: holds no picture")
