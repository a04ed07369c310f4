"""Alignment of encoders: the measured values of every row, set, language and layer."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.experiment.alignment import Row
from xstilts.experiment.grid import Grid
from xstilts.running.errors import UserError
from xstilts.running.files import digest
from xstilts.scoring import scores

ROW = ["model", "intermediate", "seed"]  # seed `noseed` where nothing is trained
KEY = [*ROW, "set", "language", "layer", "measure"]
COLUMNS = [*KEY, "value", "sentences"]


def read(
    grid: Grid, root: Path = Path(), content: Callable[[str], Any] = scores.read
) -> tuple[pd.DataFrame, list[str]]:
    """Return what is measured, and a line for each file that is refused: made for another spec than
    the config asks for, or damaged. What is not there is left out.

    Args:
        grid: of the resolved config.
        root: the folder that holds `results`.
        content: absolute path -> what is in a file, None where there is none.

    Returns:
        A row for each of `KEY` (layer int64, 0 being the embeddings): value float64, sentences
        int64; in the order of the config, languages and layers ascending.
    """
    values, refused = [], []
    for row, name, lang, spec in _asked(grid):
        path = f"{row.folder(name)}/{lang}.json"
        try:
            found = content(str(root / path))
            if found is not None:
                values += _values(found, row, name, lang, spec, path)
        except UserError as error:
            refused.append(str(error).removeprefix(f"{root}/"))
    types = {"layer": "int64", "value": "float64", "sentences": "int64"}
    return pd.DataFrame(values, columns=COLUMNS).astype(types), refused


def _asked(grid: Grid) -> Iterator[tuple[Row, str, str, dict[str, Any]]]:
    for row in grid.alignment_rows():
        for name in grid.experiment.alignment:
            for lang, spec in grid.alignment_specs(row, name).items():
                yield row, name, lang, spec


def _values(
    found: Any, row: Row, name: str, lang: str, spec: dict[str, Any], path: str
) -> list[tuple[Any, ...]]:
    """Return the values in a file in the order of `COLUMNS`.

    Raises:
        UserError: it is not what is asked for.
    """
    try:
        if digest(found["spec"]) != digest(spec):
            problem = "measured for another spec than the config asks for"
            raise UserError(f"{path}: {problem}; delete it, run again")
        key = (row.model, row.intermediate, row.seed, name, lang)
        return [
            (*key, int(layer), measure, float(value), int(found["sentences"]))
            for layer, measures in found["layers"].items()
            for measure, value in measures.items()
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserError(f"{path}: holds no measures; delete it, run again") from None
