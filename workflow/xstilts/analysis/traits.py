"""Where does it help: languages by family, script, resources and distance to English."""

from pathlib import Path

import pandas as pd

from xstilts import WORKFLOW
from xstilts.analysis.languages import ENGLISH
from xstilts.analysis.text_table import Cell, Sheet, figure
from xstilts.experiment.config import NONE

LANGUAGES = WORKFLOW / "reference/languages.csv"
TRAITS = ("family", "script", "resources", "distance")
UNKNOWN = "not known"
KEY = ["model", "trait", "class"]
SIZES = ["under 0.1 GB", "0.1 to 1 GB", "1 to 10 GB", "10 GB and more"]
DISTANCES = ["near, under 0.2", "middle, 0.2 to 0.4", "far, 0.4 and more"]


def known(path: Path = LANGUAGES) -> pd.DataFrame:
    """Return a row per language, its code as the index, and its class by each of `TRAITS`.

    `resources` is the size of the language in CC-100, compressed; `distance` the cosine distance
    of its syntactic features to those of English (URIEL). workflow/reference/README.md has sources.
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


def table(cells: pd.DataFrame, traits: pd.DataFrame) -> pd.DataFrame:
    """Return a row per (model, intermediate, target, trait, class): means over its languages.

    Columns: `languages`, how many; `value` in percent, missing where that of a language is; `delta`
    to the row `none`. English is left out, because all are tuned on it.

    Args:
        cells: see `scores.by_language`.
        traits: see `known`; a language that is not in it is of the class `not known`.
    """
    others = cells[cells["language"] != ENGLISH]
    parts = [
        others.assign(**{"trait": name, "class": others["language"].map(traits[name])})
        for name in TRAITS
    ]
    key = ["model", "intermediate", "target", "trait", "class"]
    long = pd.concat(parts).fillna({"class": UNKNOWN})
    groups = long.groupby(key, sort=False)["value"]
    found = groups.agg("size").to_frame("languages").assign(value=groups.mean(skipna=False))
    found = found.reset_index()
    baseline = found[found["intermediate"] == NONE].drop(columns=["intermediate", "languages"])
    key.remove("intermediate")
    found = found.merge(baseline, how="left", on=key, suffixes=("", " of none"))
    found["delta"] = (found["value"] - found.pop("value of none")).where(
        found["intermediate"] != NONE
    )
    return found


def wide(long: pd.DataFrame) -> pd.DataFrame:
    """Return a row per (model, trait, class) and a column per intermediate.

    Columns: `targets` and `languages`, how many; then of each intermediate the mean over the
    targets that have the class: of `none` the score, of the others the difference to it. Without
    `none` scores; missing where that of a target is.
    """
    figures = {}
    for name, part in long.groupby("intermediate", sort=False):
        what = "delta" if name != NONE and NONE in set(long["intermediate"]) else "value"
        figures[name] = part.groupby(KEY, sort=False)[what].mean(skipna=False)
    counts = long.groupby(KEY, sort=False).agg(
        targets=("target", "nunique"), languages=("languages", "max")
    )
    found = counts.assign(**figures).reset_index()
    order = {name: i for i, name in enumerate([*found["model"], *TRAITS, *SIZES, *DISTANCES])}
    # Classes without an order of their own, families and scripts, by the alphabet.
    place = [(*(order.get(name, 0) for name in key), key[-1]) for key in found[KEY].to_numpy()]
    return found.loc[sorted(found.index, key=place.__getitem__)].reset_index(drop=True)


def sheet(found: pd.DataFrame) -> Sheet:
    """Return the wide table for readers: in each row the best intermediate is bold."""
    names = list(found.columns[len(KEY) + 2 :])
    rows = []
    for row in found.to_dict("records"):
        compared = [round(row[n], 1) for n in names if n != NONE and row[n] == row[n]]
        best = max(compared) if len(compared) > 1 else None
        cells = [Cell(str(row["targets"])), Cell(str(row["languages"]))]
        for name in names:
            signed = name != NONE and NONE in names
            top = name != NONE and round(row[name], 1) == best
            cells.append(Cell(figure(row[name], signed), best=top))
        rows.append(([row[key] for key in KEY], cells))
    notes = [
        "Mean over the languages of the class but English, then over targets, in percent;"
        " differences to none.",
        "languages: the most that a target has. resources: size in CC-100, compressed; distance:"
        " of syntactic features to English, cosine (URIEL).",
    ]
    return Sheet(KEY, ["targets", "languages", *names], rows, notes)
