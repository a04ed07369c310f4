"""Answers that are kept block by block, so that a killed job goes on from where it was.

A block is a file, written whole; its key is a digest of all that its answers follow from.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from xstilts.running.errors import UserError
from xstilts.running.files import read_json, write_json


def kept(
    folder: str | Path, number: int, key: str, make: Callable[[], list[Any]]
) -> tuple[list[Any], bool]:
    """Return the answers of a block, and whether they were there already.

    Args:
        folder: of the blocks.
        number: of the block, from 0.
        key: of its answers; one of another key, and one that is damaged, is made anew.
        make: returns the answers, as JSON holds them.
    """
    path = Path(folder) / f"{number:06}.json"
    if path.exists():
        try:
            block = read_json(path)
            if block["key"] == key:
                return block["answers"], True
        except (UserError, KeyError, TypeError):
            pass  # of a disk that was full
    answers = make()
    write_json(path, {"key": key, "answers": answers})
    return answers, False
