"""Our figures beside the published ones of Phang et al. 2020 (arXiv 2005.13013)."""

from pathlib import Path

import pandas as pd

from xstilts import WORKFLOW
from xstilts.analysis.text_table import MISSING, Cell, Sheet, figure

PUBLISHED = WORKFLOW / "reference/published.csv"
COLUMNS = [
    "model", "intermediate", "target", "language", "figure", "published", "certainty", "measured",
    "difference", "languages published", "languages measured", "source",
]  # fmt: skip
_KEY = ["intermediate", "target", "language", "figure"]


def published(path: Path = PUBLISHED) -> pd.DataFrame:
    """Return the published figures, in percent: a row per figure that is known.

    Columns: split, intermediate, target, language ("" for the mean over all), figure (`score`, or
    `delta` to the row without intermediate task), published, languages published, certainty,
    source.
    """
    raw = pd.read_csv(path, keep_default_na=False, na_values={"score": "", "delta": ""})
    both = raw[["f1", "exact_match"]].apply(pd.to_numeric)
    raw["score"] = raw["score"].fillna(both.mean(axis=1, skipna=False))  # as XTREME averages them
    raw["languages published"] = pd.to_numeric(raw["languages"]).astype("Int64")
    about = ["split", "intermediate", "target", "language"]
    about += ["languages published", "certainty", "source"]
    long = raw.melt(about, ["score", "delta"], var_name="figure", value_name="published")
    return long.dropna(subset="published")


def measured(main: pd.DataFrame, groups: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Return our figures in the same shape, missing ones included; for each model.

    Args:
        main: see `tables.main_table`.
        groups: see `tables.groups_table`, of which `overall` is taken.
        cells: our scores by language: model, intermediate, target, language, value in percent, the
            median over seeds.
    """
    rows = ["model", "intermediate"]
    targets = list(dict.fromkeys(cells["target"]))
    counts = cells.groupby("target")["language"].nunique()
    scores = main.melt(rows, targets, var_name="target", value_name="measured")
    scores["languages measured"] = scores["target"].map(counts)
    overall = groups[rows].assign(target="overall", measured=groups["overall"])
    delta = overall.assign(measured=groups["overall delta"], figure="delta")
    by_language = cells.rename(columns={"value": "measured"}).assign(**{"languages measured": 1})
    found = pd.concat([scores, overall, delta, by_language], ignore_index=True)
    found["languages measured"] = found["languages measured"].astype("Int64")
    return found.fillna({"language": "", "figure": "score"})


def comparison(ours: pd.DataFrame, theirs: pd.DataFrame, split: str) -> pd.DataFrame:
    """Return published, measured and their difference; empty where one is not known.

    A row per figure of `measured`, in its order; single languages only where one is published. The
    means compare only over the same languages, so how many each is over stands beside them.
    """
    theirs = theirs[theirs["split"] == split]
    both = ours.merge(theirs, how="left", on=_KEY)
    both["difference"] = both["measured"] - both["published"]
    wanted = (both["language"] == "") | both["published"].notna()
    return both.loc[wanted, COLUMNS].reset_index(drop=True)


def sheet(found: pd.DataFrame) -> Sheet:
    """Return the rows that have a published figure, for readers."""
    rows = []
    for row in found[found["published"].notna()].to_dict("records"):
        cells = [
            Cell(figure(row["published"])),
            Cell(figure(row["measured"])),
            Cell(figure(row["difference"], sign=True)),
            *(Cell(_count(row[f"languages {whose}"])) for whose in ("published", "measured")),
            Cell(row["certainty"]),
        ]
        rows.append(([row[key] for key in ("model", *_KEY)], cells))
    columns = ["published", "measured", "difference", "its languages", "our languages", "certainty"]
    notes = ["Published: Phang et al. 2020, XLM-R Large, in percent; memory: not verified."]
    return Sheet(["model", *_KEY], columns, rows, notes)


def _count(number) -> str:
    return MISSING if pd.isna(number) else str(int(number))
