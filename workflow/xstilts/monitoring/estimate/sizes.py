"""How much there is to read: the rows and pieces of a task's language and split."""

import dataclasses
from pathlib import Path
from typing import Any

from xstilts.encoding.header import read_header
from xstilts.experiment.grid import Grid
from xstilts.monitoring.estimate import reference
from xstilts.running.errors import UserError

TOY_PIECES = 0.4  # of the pieces of a real row: toy sentences are short


@dataclasses.dataclass(frozen=True)
class Size:
    """Rows of a file, its examples (a span window counts as one), and its pieces in all."""

    rows: int
    examples: int
    pieces: float

    def first(self, rows: int | None) -> "Size":
        """Return the size of the first rows alone (all for None)."""
        if rows is None or rows >= self.rows:
            return self
        part = rows / self.rows
        return Size(rows, max(1, round(self.examples * part)), self.pieces * part)


class Sizes:
    """Sizes from the encoded files as far as they are there, else from what is known."""

    def __init__(self, root: Path, grid: Grid) -> None:
        self.root, self.grid = root, grid
        self.kept: dict[tuple[str, str, str, str, int], Size] = {}

    def of(self, model: str, task: str, lang: str, split: str, length: int) -> Size:
        """Return the size of a task's rows; UserError if nothing is known of it."""
        key = (self.grid.tokenizer(model), task, lang, split, length)
        if key not in self.kept:
            tokenizer, *_ = key
            path = f"results/encoded/{tokenizer}/{task}/{lang}.{split}.{length}.safetensors"
            found = measured(self.root / path)
            self.kept[key] = found or self._known(task, lang, split, length)
        return self.kept[key]

    def _known(self, task: str, lang: str, split: str, length: int) -> Size:
        settings: Any = self.grid.experiment.settings
        known = reference.size(task, split)
        if known is None:
            raise UserError(
                f"estimate: nothing is known of the size of `{task}` ({split}) before it is there:"
                f" add a row to {reference.FOLDER / 'sizes.csv'}"
            )
        rows, pieces = known
        if self.grid.experiment.toy:
            rows, pieces = settings["toy"]["sizes"][split], TOY_PIECES * pieces
        most = self.grid.data_spec(task, lang, split)["max_rows"]
        rows = rows if most is None else min(rows, most)
        return Size(rows, rows, rows * min(pieces, 5.0 * length))


def measured(path: Path) -> Size | None:
    """Return the size of an encoded file from its header; None if there is none."""
    try:
        shapes, record = read_header(path)
        examples = shapes["groups"][0] - 1
        return Size(record.get("rows", examples), examples, float(shapes["tokens"][0]))
    except (UserError, KeyError):
        return None
