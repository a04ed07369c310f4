"""The number of rows, examples and tokens of a task's language and split."""

import dataclasses
from pathlib import Path
from typing import Any

from xstilts.encoding.header import read_header
from xstilts.experiment.grid import Grid
from xstilts.monitoring.estimate import reference
from xstilts.running.errors import UserError

TOY_TOKENS = 0.4  # share of the tokens of a real row: toy sentences are short


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
    """Sizes from the encoded files where they exist, else from the reference."""

    def __init__(self, root: Path, grid: Grid) -> None:
        self.root, self.grid = root, grid
        self.cache: dict[tuple[str, str, str, str, int], DataSize] = {}

    def of(self, model: str, task: str, lang: str, split: str, length: int) -> DataSize:
        """Return the size of a task's rows; UserError if it is not known."""
        key = (self.grid.tokenizer(model), task, lang, split, length)
        if key not in self.cache:
            tokenizer, *_ = key
            path = f"results/encoded/{tokenizer}/{task}/{lang}.{split}.{length}.safetensors"
            measured = read_size(self.root / path)
            self.cache[key] = measured or self._reference_size(task, lang, split, length)
        return self.cache[key]

    def _reference_size(self, task: str, lang: str, split: str, length: int) -> DataSize:
        settings: Any = self.grid.experiment.settings
        size = reference.size(task, split)
        if size is None:
            raise UserError(
                f"estimate: nothing is known of the size of `{task}` ({split}) before it is there:"
                f" add a row to {reference.FOLDER / 'sizes.csv'}"
            )
        rows, tokens = size
        if self.grid.experiment.toy:
            rows, tokens = settings["toy"]["sizes"][split], TOY_TOKENS * tokens
        max_rows = self.grid.data_spec(task, lang, split)["max_rows"]
        rows = rows if max_rows is None else min(rows, max_rows)
        return DataSize(rows, rows, rows * min(tokens, 5.0 * length))


def read_size(path: Path) -> DataSize | None:
    """Return the size of an encoded file from its header; None if there is none."""
    try:
        shapes, record = read_header(path)
        examples = shapes["groups"][0] - 1
        return DataSize(record.get("rows", examples), examples, float(shapes["tokens"][0]))
    except (UserError, KeyError):
        return None
