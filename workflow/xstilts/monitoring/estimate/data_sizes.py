"""The number of rows, examples and tokens of a task's language and split."""

import dataclasses
from pathlib import Path
from typing import Any

from xstilts.data import files, source
from xstilts.encoding.header import read_header
from xstilts.experiment import reference
from xstilts.experiment.grid import Grid
from xstilts.experiment.synthetic import GENERATED
from xstilts.running.errors import UserError

TOY_TOKENS = 0.4  # share of the tokens of a real row: toy sentences are short
# Where nothing is known of a task: the rows of a split, and the tokens of a row, by format.
ROWS = {"train": 100_000, "dev": 2_000, "test": 2_000}
TOKENS = {
    "classification": 45, "choice": 200, "span": 190, "tagging": 28, "retrieval": 20, "mlm": 600,
    "regression": 30, "dual": 190, "images": 0, "caption": 17,
}  # fmt: skip
OTHER_TOKENS = 50
BYTES = 4.5  # of text in UTF-8, a token
UNPACKED = 4.0  # bytes of a text, one of the compressed file


@dataclasses.dataclass(frozen=True)
class DataSize:
    """The rows, examples (a span window counts as one) and tokens of a file."""

    rows: int
    examples: int
    tokens: float

    def first(self, rows: int | None) -> "DataSize":
        """Return the size of the first rows alone (all for None)."""
        if rows is None or rows >= self.rows:
            return self
        share = rows / self.rows
        return DataSize(rows, max(1, round(self.examples * share)), self.tokens * share)


class DataSizes:
    """Sizes from the encoded files where they exist, else from one's own files or the reference.

    Attributes:
        assumed: (task, split) -> what had to be assumed of it.
    """

    def __init__(self, root: Path, grid: Grid) -> None:
        self.root, self.grid = root, grid
        self.cache: dict[tuple[str, str, str, str, int, str], DataSize] = {}
        self.assumed: dict[tuple[str, str], str] = {}

    def of(
        self, model: str, task: str, lang: str, split: str, length: int, variant: str = ""
    ) -> DataSize:
        """Return the size of a task's rows; `variant`: of synthetic ones."""
        key = (self.grid.tokenizer(model), task, lang, split, length, variant)
        if key not in self.cache:
            tokenizer = key[0]
            place = f"synthetic/{variant}/{task}" if variant else task
            path = f"results/encoded/{tokenizer}/{place}/{lang}.{split}.{length}.safetensors"
            measured = read_size(self.root / path)
            self.cache[key] = measured or self._expected(task, lang, split, length, variant)
        return self.cache[key]

    def rows(self, task: str, lang: str, split: str) -> int:
        """Return the rows of a task that are not encoded: the pictures of a set."""
        return self.expected(task, lang, split, 0).rows

    def _expected(self, task: str, lang: str, split: str, length: int, variant: str) -> DataSize:
        if not variant:
            return self.expected(task, lang, split, length)
        size = self.expected(task, self.grid.home(task), split, length)
        if self.grid.variant(variant).made != GENERATED:
            return size
        rows = self.grid.generated_rows(variant, task)[lang]
        return DataSize(rows, rows, size.tokens * rows / size.rows)

    def expected(self, task: str, lang: str, split: str, length: int) -> DataSize:
        """Return the size of a task's rows by what is known before they are encoded."""
        settings: Any = self.grid.experiment.settings
        entry, spec = self.grid.tasks[task], self.grid.data_spec(task, lang, split)
        max_rows = spec["max_rows"]
        if entry.files:
            paths = [source.absolute(path, entry.base) for path in entry.paths(lang, split)]
            size = of_files(paths, spec)
        else:
            size = reference.size(task, lang if lang == source.POOL else split)
            if self.grid.experiment.toy:
                tokens = size[1] if size else TOKENS.get(entry.format, OTHER_TOKENS)
                size = settings["toy"]["sizes"][split], TOY_TOKENS * tokens
        if size is None:
            size = max_rows or ROWS[split], TOKENS.get(entry.format, OTHER_TOKENS)
            by = "its limit" if max_rows else "no limit"
            self.assumed[task, split] = (
                f"{task} ({split}): {size[0]:,} rows a language ({by}), {size[1]} tokens each"
            )
        rows, tokens = size
        rows = max(1, rows if max_rows is None else min(rows, max_rows))
        return DataSize(rows, rows, rows * min(tokens, 5.0 * length))


def of_files(paths: list[Path], spec: dict[str, Any]) -> tuple[int, float] | None:
    """Return the rows of files of one's own and the tokens of a row, by the first megabyte of each.

    Args:
        paths: shards; those that are folders hold them.
        spec: see `files.read`.

    Returns:
        None where they cannot be read: a run says why.
    """
    shards = [p for path in paths for p in (sorted(path.iterdir()) if path.is_dir() else [path])]
    rows = text = 0.0
    try:
        for path in shards:
            head = files.head([path], spec, 1_000_000)
            found = _rows(path, head.num_rows)
            rows += found
            text += found * head.nbytes / head.num_rows
    except (UserError, OSError, ZeroDivisionError):
        return None
    return (round(rows), text / rows / BYTES) if rows else None


def _rows(path: Path, seen: int) -> float:
    """Return the rows of a file, of which some are in the first megabyte."""
    with open(path, "rb") as file:
        if file.read(4) == b"PAR1":
            import pyarrow.parquet as pq

            return pq.read_metadata(path).num_rows
    packed = path.name.lower().endswith(files.content.COMPRESSED)
    whole = path.stat().st_size * (UNPACKED if packed else 1.0)
    return seen * max(1.0, whole / len(files.content.data(path, files.content.HEAD)[0]))


def read_size(path: Path) -> DataSize | None:
    """Return the size of an encoded file from its header; None if there is none."""
    try:
        shapes, record = read_header(path)
        examples = shapes["groups"][0] - 1
        return DataSize(record.get("rows", examples), examples, float(shapes["tokens"][0]))
    except (UserError, KeyError):
        return None
