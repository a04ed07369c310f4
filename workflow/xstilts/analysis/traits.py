"""Results by language trait: family, script, resources and distance to English."""

from pathlib import Path

import pandas as pd

from xstilts import WORKFLOW
from xstilts.analysis import class_table
from xstilts.analysis.languages import ENGLISH
from xstilts.analysis.text_table import TextTable

LANGUAGES = WORKFLOW / "reference/languages.csv"
TRAITS = ("family", "script", "resources", "distance")
UNKNOWN = "not known"
KEY = ["model", "trait", "class"]
COUNTS = ["targets", "languages"]
SIZES = ["under 0.1 GB", "0.1 to 1 GB", "1 to 10 GB", "10 GB and more"]
DISTANCES = ["near, under 0.2", "middle, 0.2 to 0.4", "far, 0.4 and more"]


def language_traits(path: Path = LANGUAGES) -> pd.DataFrame:
    """Return a row per language, its code as the index, with its class by each of `TRAITS`.

    `resources` is the size of the language in CC-100, compressed; `distance` the cosine distance
    of its syntactic features to those of English (URIEL). Sources: workflow/reference/README.md.
    """
    raw = pd.read_csv(path, keep_default_na=False, index_col="language")
    infinite = float("inf")
    return pd.DataFrame(
        {
            "family": raw["family"],
            "script": raw["script"],
            "resources": pd.cut(raw["cc100 mb"], [0, 100, 1000, 10000, infinite], False, SIZES),
            "distance": pd.cut(raw["distance"], [0, 0.2, 0.4, infinite], False, DISTANCES),
        }
    ).astype(str)


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
    key.remove("intermediate")
    return class_table.with_deltas(means.reset_index(), key)


def wide(long: pd.DataFrame) -> pd.DataFrame:
    """Return a row per (model, trait, class) and a column per intermediate.

    Columns: `targets` and `languages`, their numbers; then the mean of each intermediate over the
    targets that have the class: the score of `none`, the difference to it of the others. Without
    `none` all are scores; missing where that of a target is.
    """
    counts = long.groupby(KEY, sort=False).agg(
        targets=("target", "nunique"), languages=("languages", "max")
    )
    table = class_table.wide(long, counts)
    order = {name: i for i, name in enumerate([*table["model"], *TRAITS, *SIZES, *DISTANCES])}
    # Classes without an order of their own, families and scripts, alphabetically.
    sort_keys = [(*(order.get(name, 0) for name in key), key[-1]) for key in table[KEY].to_numpy()]
    return table.loc[sorted(table.index, key=sort_keys.__getitem__)].reset_index(drop=True)


def text_table(wide: pd.DataFrame) -> TextTable:
    """Return the wide table for readers: the best intermediate of each row is bold."""
    notes = [
        "Median over seeds, mean over the languages of the class but English, then over targets,"
        " in percent;"
        " differences to none.",
        "languages: the most that a target has. resources: size in CC-100, compressed; distance:"
        " of syntactic features to English, cosine (URIEL).",
    ]
    return class_table.text_table(wide, KEY, COUNTS, notes)
