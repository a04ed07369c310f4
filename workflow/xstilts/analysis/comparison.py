"""Our results beside the published ones of the same model: of XLM-R Large those of Phang et al.
2020 (arXiv 2005.13013), of others their curves by size."""

from collections.abc import Collection, Mapping
from pathlib import Path

import pandas as pd

from xstilts import WORKFLOW
from xstilts.analysis import numbers
from xstilts.analysis.text_table import TableCell, TextTable

PUBLISHED = WORKFLOW / "reference/published.csv"
COLUMNS = [
    "model", "intermediate", "target", "language", "figure", "published", "certainty", "measured",
    "difference", "languages published", "languages measured", "source",
]  # fmt: skip
_KEY = ["intermediate", "target", "language", "figure"]
PAPER = "xlm-roberta-large"  # the model of the paper


def published_results(path: Path = PUBLISHED) -> pd.DataFrame:
    """Return the published results that are known, in percent, a row each.

    Columns: split, model (the name of its repository), intermediate, target, language ("" for the
    mean over all), figure (`score`, or `delta` to the row without intermediate task), published,
    languages published, certainty, source.
    """
    raw = pd.read_csv(path, keep_default_na=False, na_values={"score": "", "delta": ""})
    both = raw[["f1", "exact_match"]].apply(pd.to_numeric)
    raw["score"] = raw["score"].fillna(both.mean(axis=1, skipna=False))  # as XTREME averages them
    raw["languages published"] = pd.to_numeric(raw["languages"]).astype("Int64")
    key = ["split", "model", "intermediate", "target", "language"]
    key += ["languages published", "certainty", "source"]
    long = raw.melt(key, ["score", "delta"], var_name="figure", value_name="published")
    return long.dropna(subset="published")


def measured_results(
    main: pd.DataFrame, groups: pd.DataFrame, language_values: pd.DataFrame
) -> pd.DataFrame:
    """Return our results in the same columns, missing ones included; for each model.

    Args:
        main: see `tables.main_table`.
        groups: see `tables.groups_table`, of which `overall` is taken.
        language_values: see `scores.language_values`.
    """
    row = ["model", "intermediate"]
    targets = list(dict.fromkeys(language_values["target"]))
    counts = language_values.groupby("target")["language"].nunique()
    scores = main.melt(row, targets, var_name="target", value_name="measured")
    scores["languages measured"] = scores["target"].map(counts)
    overall = groups[row].assign(target="overall", measured=groups["overall"])
    delta = overall.assign(measured=groups["overall delta"], figure="delta")
    by_language = language_values.rename(columns={"value": "measured"})
    by_language = by_language.assign(**{"languages measured": 1})
    results = pd.concat([scores, overall, delta, by_language], ignore_index=True)
    results["languages measured"] = results["languages measured"].astype("Int64")
    return results.fillna({"language": "", "figure": "score"})


def compare(
    measured: pd.DataFrame, published: pd.DataFrame, split: str, names: Mapping[str, str]
) -> pd.DataFrame:
    """Return published, measured and their difference; empty where one is not known.

    Args:
        names: model -> what it is called in `published`; others are left out.

    A row per measured result, in the same order; single languages only where they are published.
    Means compare only over the same languages, so the number of languages of each is beside them.
    """
    published = published[published["split"] == split].rename(columns={"model": "of"})
    measured = measured[measured["model"].isin(list(names))]
    measured = measured.assign(of=measured["model"].map(names))
    both = measured.merge(published, how="left", on=["of", *_KEY])
    both["difference"] = both["measured"] - both["published"]
    kept = (both["language"] == "") | both["published"].notna()
    return both.loc[kept, COLUMNS].reset_index(drop=True)


def text_table(
    comparison: pd.DataFrame, names: Mapping[str, str], left_out: Collection[str] = ()
) -> TextTable:
    """Return the rows that have a published result, for readers.

    Args:
        comparison, names: see `compare`.
        left_out: models that nothing is published of.
    """
    rows = []
    for row in comparison[comparison["published"].notna()].to_dict("records"):
        cells = [
            TableCell(numbers.points(row["published"])),
            TableCell(numbers.points(row["measured"])),
            TableCell(numbers.delta(row["difference"])),
            *(
                TableCell(numbers.points(row[f"languages {column}"], 0))
                for column in ("published", "measured")
            ),
            TableCell(row["certainty"]),
        ]
        rows.append(([row[key] for key in ("model", *_KEY)], cells))
    columns = ["published", "measured", "difference", "its languages", "our languages", "certainty"]
    more = "" if set(names.values()) <= {PAPER} else "; of other models as `source` says"
    notes = [f"Published: Phang et al. 2020, XLM-R Large{more}, in percent; memory: not verified."]
    if left_out:
        which = "not XLM-R Large" if not more else "no models of published results"
        notes.append(f"Left out, because they are {which}: {', '.join(left_out)}.")
    return TextTable(["model", *_KEY], columns, rows, notes)
