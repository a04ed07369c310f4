"""Results by language trait: family, script, resources and distance to English."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts import WORKFLOW
from xstilts.analysis import class_deltas
from xstilts.analysis.estimates import Estimator
from xstilts.analysis.languages import ENGLISH
from xstilts.analysis.text_table import TextTable
from xstilts.experiment.config import NONE

LANGUAGES = WORKFLOW / "reference/languages.csv"
TRAITS = ("family", "script", "resources", "distance")
UNKNOWN = "not known"
KEY = ["model", "trait", "class"]
SIZES = ["under 0.1 GB", "0.1 to 1 GB", "1 to 10 GB", "10 GB and more"]
DISTANCES = ["near, under 0.2", "middle, 0.2 to 0.4", "far, 0.4 and more"]


def language_traits(
    path: Path = LANGUAGES, own: Mapping[str, Mapping[str, Any]] | None = None
) -> pd.DataFrame:
    """Return a row per language, its code as the index, with its class by each of `TRAITS`.

    `resources` is the size of the language in CC-100, compressed; `distance` the cosine distance
    of its syntactic features to those of English (URIEL). Sources: workflow/reference/README.md.

    Args:
        own: language -> trait -> value, which goes before the file's (`language_traits` of the
            config).
    """
    raw = pd.read_csv(path, keep_default_na=False, index_col="language")
    columns = {"resources": "cc100 mb"}
    for language, traits in (own or {}).items():
        for trait in set(TRAITS) & traits.keys():
            value = traits[trait]
            text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
            raw.loc[language, columns.get(trait, trait)] = text
    infinite = float("inf")
    classes = pd.DataFrame(
        {
            "family": raw["family"],
            "script": raw["script"],
            "resources": pd.cut(raw["cc100 mb"], [0, 100, 1000, 10000, infinite], False, SIZES),
            "distance": pd.cut(raw["distance"], [0, 0.2, 0.4, infinite], False, DISTANCES),
        }
    )
    return classes.astype(object).fillna(UNKNOWN).astype(str)


def table(language_values: pd.DataFrame, traits: pd.DataFrame) -> pd.DataFrame:
    """Return a row per (model, intermediate, target, trait, class): means over its languages.

    Columns: `languages`, their number; `value` in percent, missing where that of a language is;
    `delta` to the row `none`. English is left out, because all are tuned on it.

    Args:
        language_values: see `scores.language_values`.
        traits: see `language_traits`; a language that is not in it is of the class `not known`.
    """
    others = language_values[language_values["language"] != ENGLISH]
    parts = [
        others.assign(**{"trait": name, "class": others["language"].map(traits[name])})
        for name in TRAITS
    ]
    key = ["model", "intermediate", "target", "trait", "class"]
    long = pd.concat(parts).fillna({"class": UNKNOWN})
    groups = long.groupby(key, sort=False)["value"]
    means = groups.agg("size").to_frame("languages").assign(value=groups.mean(skipna=False))
    means = means.reset_index()
    baseline = means[means["intermediate"] == NONE].drop(columns=["intermediate", "languages"])
    key.remove("intermediate")
    means = means.merge(baseline, how="left", on=key, suffixes=("", " of none"))
    means["delta"] = (means["value"] - means.pop("value of none")).where(
        means["intermediate"] != NONE
    )
    return means


def deltas(grid: pd.DataFrame, traits: pd.DataFrame, estimator: Estimator) -> pd.DataFrame:
    """Return a row per (model, intermediate, trait, class): how it differs from `none`, in percent.

    See `class_deltas.table`. English is left out.

    Args:
        grid: see `scores.accepted`.
        traits: see `language_traits`.
    """
    columns = [grid[name] for name in ("model", "intermediate", "target", "language")]
    classes = class_deltas.gathered(
        grid,
        (
            (cell, (trait, str(traits[trait].get(cell[3], UNKNOWN))), {})
            for cell in zip(*columns, strict=True)
            if cell[3] != ENGLISH
            for trait in TRAITS
        ),
    )
    return class_deltas.table(classes, ["model", "intermediate", "trait", "class"], estimator)


def wide(long: pd.DataFrame, deltas: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return a row per (model, trait, class) and a column per intermediate.

    Columns: `targets` and `languages`, their numbers; then the mean of each intermediate over the
    targets that have the class: the score of `none`, the difference to it of the others, with
    `<name> low` and `<name> high` where `deltas` has it. Without `none` all are scores; missing
    where that of a target is.

    Args:
        long: see `table`.
        deltas: see `deltas`; its differences, of means over seeds, take the place of those of
            medians.
    """
    means = {}
    for name, part in long.groupby("intermediate", sort=False):
        column = "delta" if name != NONE and NONE in set(long["intermediate"]) else "value"
        means[name] = part.groupby(KEY, sort=False)[column].mean(skipna=False)
    if deltas is not None:
        means = class_deltas.beside(means, deltas, KEY)
    counts = long.groupby(KEY, sort=False).agg(
        targets=("target", "nunique"), languages=("languages", "max")
    )
    table = counts.assign(**means).reset_index()
    order = {name: i for i, name in enumerate([*table["model"], *TRAITS, *SIZES, *DISTANCES])}
    # Classes without an order of their own, families and scripts, alphabetically.
    sort_keys = [(*(order.get(name, 0) for name in key), key[-1]) for key in table[KEY].to_numpy()]
    return table.loc[sorted(table.index, key=sort_keys.__getitem__)].reset_index(drop=True)


def text_table(wide: pd.DataFrame, deltas: pd.DataFrame | None = None) -> TextTable:
    """Return the wide table for readers, see `class_deltas.text_table`."""
    notes = [
        "Mean over the languages of the class but English, then over targets, in percent: the"
        " median over seeds of none, differences to it of means over seeds.",
        "languages: the most that a target has. resources: size in CC-100, compressed; distance:"
        " of syntactic features to English, cosine (URIEL).",
    ]
    return class_deltas.text_table(wide, KEY, ["targets", "languages"], deltas, notes, "traits")
