"""The English train rows that a prompt shows, drawn by a hash of seed and number of the prompt."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

import pyarrow as pa

from xstilts.generation import shapes
from xstilts.generation.shapes import Row, Shape
from xstilts.running.errors import UserError

LONGEST = 2000  # characters of a row that is shown
LOOKED_AT = 1000  # rows by which the shape of a task's rows is told
_DRAWS = 50  # for each example, among rows of which some are too long to be shown


class Examples:
    """The train rows of a task, of which each prompt shows some.

    Rows stay in the table that they are read from, as Arrow holds them; beside it there is a number
    for each row of a classification.
    """

    def __init__(self, table: pa.Table, shape: Shape, seed: int) -> None:
        """Sort rows by label.

        Args:
            table: prepared English train rows.
            shape: of what is generated.
            seed: of the draws.

        Raises:
            UserError: there is no row of a label.
        """
        self.table, self.shape, self.seed = table, shape, seed
        self.places: Mapping[str | int | None, Sequence[int]] = _places(table, shape)
        for label in shape.labels:
            if not self.of(label):
                raise UserError(f"there is no English train row of the label `{label}` to show")

    def of(self, label: str | int | None) -> Sequence[int]:
        """Return the places of the rows of a label; of a choice, which we put, of all rows."""
        return self.places[label if self.shape.format == "classification" else None]

    def draw(self, number: int, label: str | int | None, count: int) -> list[Row]:
        """Return `count` different rows of a label for the prompt of a number, fewer where few are
        short enough to be shown."""
        places, found, seen = self.of(label), list[Row](), set[int]()
        for draw in range(count * _DRAWS):
            if len(found) == count or len(seen) == len(places):
                break
            place = places[_hash(f"{self.seed} {number} {draw}") % len(places)]
            if place in seen:
                continue
            seen.add(place)
            row = self.table.slice(place, 1).to_pylist()[0]
            if shapes.can_be_shown(row, self.shape, LONGEST):
                found.append(row)
        return found


def _places(table: pa.Table, shape: Shape) -> dict[str | int | None, Sequence[int]]:
    if shape.format != "classification":
        return {None: range(table.num_rows)}
    found: dict[str | int | None, list[int]] = defaultdict(list)
    for place, label in enumerate(table["label"].to_pylist()):
        found[label].append(place)
    return {label: found[label] for label in shape.labels}


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(f"example {text}".encode()).digest()[:8], "big")
