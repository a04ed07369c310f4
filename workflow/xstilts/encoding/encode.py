"""What encoding needs from a task and a model: labels that no task names, the longest sequence."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from xstilts.running.errors import UserError
from xstilts.running.files import read_json


def labels_of(rows: list[dict[str, Any]]) -> list[str]:
    """Return the labels of a task that names none: every label of the training rows, sorted."""
    return sorted({label for row in rows for label in row.get("tags") or [row["label"]]})


def known_labels(rows: list[dict[str, Any]], labels: list[str]) -> list[dict[str, Any]]:
    """Return rows of which those with other labels than these have none: nothing is learned of
    them, and no answer to them is right."""
    known = set(labels)
    return [row if row["label"] in known else {**row, "label": None} for row in rows]


def longest(length: int, folder: Path) -> int:
    """Return how many tokens the model of a folder can read; `length` where that is not bounded."""
    config = read_json(folder / "config.json")
    positions = config.get("max_position_embeddings") or length
    if "roberta" in config.get("model_type", ""):
        positions -= config["pad_token_id"] + 1  # positions are counted from there
    return positions


def check_length(length: int, folder: Path) -> None:
    """Refuse a length that the model has no positions for; a GPU would fail without saying why."""
    positions = longest(length, folder)
    if length > positions:
        raise UserError(
            f"recipes: max_length {length} is more than {folder} can read, at most {positions}"
        )


def pictures_of(
    rows: Sequence[Mapping[str, Any]], arrays: Mapping[str, np.ndarray], ids: Sequence[str]
) -> np.ndarray:
    """Return the picture before each sequence, int64 [sequences]: its number in the rows of its set
    and so in the files of their features.

    Args:
        rows: unified rows; `image` is the id of the picture of each.
        arrays: as they are encoded; `row` says of which row an example is, where that is not the
            same number.
        ids: of the pictures, in the order of the set.

    Raises:
        UserError: the set has no such picture.
    """
    number = {name: at for at, name in enumerate(ids)}
    try:
        of_row = np.array([number[row["image"]] for row in rows], dtype=np.int64)
    except KeyError as error:
        line = f"the picture {error} is not in its set; delete these rows, run again"
        raise UserError(line) from None
    sequences = np.diff(arrays["groups"])
    row_of_example = arrays.get("row", np.arange(len(sequences)))
    return np.repeat(of_row[row_of_example], sequences)
