"""Alignment of encoders: the measured values of every row, set, language and layer."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xstilts.analysis import numbers
from xstilts.analysis.text_table import TableCell, TextTable
from xstilts.experiment.alignment import Row
from xstilts.experiment.config import NONE
from xstilts.experiment.grid import Grid
from xstilts.metrics.alignment import BETTER, HIGHER
from xstilts.running.errors import UserError
from xstilts.running.files import digest
from xstilts.scoring import scores

ROW = ["model", "intermediate", "seed"]  # seed `noseed` where nothing is trained
KEY = [*ROW, "set", "language", "layer", "measure"]
COLUMNS = [*KEY, "value", "sentences", "asked"]  # sentences at most, by the config
SHOWN = ["first", "middle", "last", "mean"]  # of the layers, in the table


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
        and asked int64; in the order of the config, languages and layers ascending.
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
    types = {"layer": "int64", "value": "float64", "sentences": "int64", "asked": "int64"}
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
            (*key, int(layer), measure, float(value), int(found["sentences"]), int(spec["rows"]))
            for layer, measures in found["layers"].items()
            for measure, value in measures.items()
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserError(f"{path}: holds no measures; delete it, run again") from None


def by_layer(values: pd.DataFrame) -> pd.DataFrame:
    """Return model, set, measure, intermediate, layer, `languages` (their number) and `value`: the
    median over seeds of the mean over languages.

    Args:
        values: see `read`.
    """
    key = ["model", "set", "measure", "intermediate", "layer"]
    means = values.groupby([*key, "seed"], sort=False)["value"].agg(["mean", "count"]).reset_index()
    of_seeds = means.groupby(key, sort=False)
    found = of_seeds.agg(languages=("count", "max"), value=("mean", "median")).reset_index()
    return found.sort_values("layer", kind="stable", ignore_index=True)


def summary(layers: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each model, set, measure and intermediate, in this order.

    Columns: `better`; `languages`; the value at the `first` layer that is measured, at the `middle`
    one, which is nearest to that of retrieval (14/24 of the last), at the `last`; their `mean` over
    all layers, and its `change` from the row `none`, missing where that is not there.

    Args:
        layers: see `by_layer`.
    """
    rows, names = [], ["model", "set", "measure", "intermediate"]
    for key, part in layers.groupby(names, sort=False):
        by = part.set_index("layer")["value"].sort_index()
        middle = by.index[np.abs(by.index.to_numpy() - by.index[-1] * 14 / 24).argmin()]
        at = {"first": by.iloc[0], "middle": by[middle], "last": by.iloc[-1], "mean": by.mean()}
        about = {"better": BETTER[key[2]], "languages": int(part["languages"].max())}
        rows.append({**dict(zip(names, key, strict=True)), **about, **at})
    found = pd.DataFrame(rows, columns=[*names, "better", "languages", *SHOWN])
    none = found[found["intermediate"] == NONE].set_index(names[:3])["mean"]
    before = [
        none.get(key, float("nan")) for key in zip(*(found[n] for n in names[:3]), strict=True)
    ]
    found["change"] = (found["mean"] - before).where(found["intermediate"] != NONE)
    order = [dict.fromkeys(found[name]) for name in names]
    order[2] = dict.fromkeys(BETTER)
    ranks = [
        found[n].map({v: i for i, v in enumerate(o)}) for n, o in zip(names, order, strict=True)
    ]
    return found.iloc[np.lexsort(ranks[::-1])].reset_index(drop=True)


def text_table(table: pd.DataFrame, values: pd.DataFrame) -> TextTable:
    """Return the table for readers.

    Args:
        table: see `summary`.
        values: see `read`.
    """
    rows = []
    for row in table.to_dict("records"):
        digits = 1 if row["measure"] == "spectral" else 3
        cells = [TableCell(numbers.points(row[name], digits)) for name in SHOWN]
        cells.append(TableCell(numbers.delta(row["change"], digits)))
        arrow = "" if row["better"] == HIGHER else " (lower is better)"
        names = [row["set"], row["model"], f"{row['measure']}{arrow}", row["intermediate"]]
        rows.append((names, cells))
    notes = (
        "The mean over languages, the median over seeds. first, middle, last: of the layers that"
        " are measured, 0 being the embeddings; middle is the one nearest to 14/24 of the last,"
        " where retrieval pools; mean: over all of them; change: of the mean, from the row none."
        " A change has no interval here."
    )
    sizes = [_size(str(name), part) for name, part in values.groupby("set", sort=False)]
    return TextTable(
        ["set", "model", "measure", "intermediate"], [*SHOWN, "change"], rows, [notes, *sizes]
    )


def _size(name: str, values: pd.DataFrame) -> str:
    """Return how many sentences of a set were measured."""
    least, most = (numbers.count(n) for n in (values["sentences"].min(), values["sentences"].max()))
    found = f"{name}: {least if least == most else f'{least} to {most}'} sentences a language"
    if values["sentences"].min() < (asked := values["asked"].max()):
        found += f", where `rows` allows {numbers.count(asked)}: there are no more without repeats"
    return f"{found}."
