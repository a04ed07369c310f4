"""What encoding needs from a task and a model: labels that no task names, the longest sequence."""

from pathlib import Path
from typing import Any

from xstilts.running.errors import UserError
from xstilts.running.files import read_json


def labels_of(rows: list[dict[str, Any]]) -> list[str]:
    """Return the labels of a task that names none: every label of the training rows, sorted."""
    return sorted({label for row in rows for label in row.get("tags") or [row["label"]]})


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
