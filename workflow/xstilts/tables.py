"""Step: score files -> the result tables, pure functions of `grid.csv` and the scores."""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts import step
from xstilts.config import NONE
from xstilts.errors import UserError
from xstilts.files import atomic, digest, read_json

CELL = ["model", "intermediate", "seed", "target"]
MISSING = "–"


def collect(grid: pd.DataFrame, read) -> tuple[pd.DataFrame, list[str]]:
    """Return the scores that the grid asks for, and a line for every one that is refused.

    Args:
        grid: a row per score file: `CELL`, `language`, `metric`, `score` (path), `spec` (digest).
        read: path -> the score as a dict, or None where there is no such file.

    Returns:
        A row per (score file, metric): `CELL`, language, metric, value, n; metric `score` is the
        one figure that the benchmark averages. A file of another spec or cell, or damaged, is left
        out.
    """
    found, refused = [], []
    for row in grid.to_dict("records"):
        try:
            score = read(row["score"])
        except UserError as error:
            refused.append(str(error))
            continue
        if score is None:
            continue
        wrong = _wrong(score, row)
        if wrong:
            refused.append(f"{row['score']}: {wrong}; delete it, run again")
            continue
        key = {k: row[k] for k in [*CELL, "language"]}
        for metric, value in {"score": score["score"], **score["metrics"]}.items():
            found.append({**key, "metric": metric, "value": value, "n": score["n"]})
    columns = [*CELL, "language", "metric", "value", "n"]
    return pd.DataFrame(found, columns=columns), refused


def _wrong(score: Any, row: dict[str, Any]) -> str | None:
    try:
        if digest(score["spec"]) != row["spec"]:
            return "a score from another spec than the config asks for"
        if any(score[key] != row[key] for key in [*CELL, "language"]):
            return "a score of another cell"
        float(score["score"]), dict(score["metrics"]), int(score["n"])
    except (KeyError, TypeError, ValueError):
        return "not a score file"
    return None


def main_table(grid: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Return a row per (model, intermediate) and a column per target, averaged over seeds.

    A value is the unweighted mean over the languages of the target (English included, as in
    XTREME), in percent; missing if any language of any seed is. `<target> delta` is the difference
    to the
    row without intermediate task; `average` the unweighted mean of the targets.
    """
    asked = grid.groupby([*CELL])["language"].nunique().rename("asked")
    main = scores[scores["metric"] == "score"]
    have = main.groupby([*CELL])["value"].agg(["mean", "count"])
    cells = asked.to_frame().join(have).reset_index()
    cells.loc[cells["count"] != cells["asked"], "mean"] = float("nan")
    by_target = cells.groupby(["model", "intermediate", "target"], sort=False)["mean"]
    values = 100 * by_target.agg(lambda seeds: seeds.mean(skipna=False)).unstack("target")
    rows = list(dict.fromkeys(zip(grid["model"], grid["intermediate"], strict=True)))
    values = values.reindex(index=pd.MultiIndex.from_tuples(rows, names=["model", "intermediate"]))
    targets = list(dict.fromkeys(grid["target"]))
    values = values[targets]
    values["average"] = values.mean(axis=1, skipna=False)
    columns = {}
    for name in [*targets, "average"]:
        columns[name] = values[name]
        columns[f"{name} delta"] = _delta(values[name])
    return pd.DataFrame(columns).reset_index()


def _delta(column: pd.Series) -> pd.Series:
    """Subtract each model's row without intermediate task; missing where there is none."""
    baseline = column[column.index.get_level_values("intermediate") == NONE].droplevel(1)
    models = column.index.get_level_values("model")
    delta = column - baseline.reindex(models).to_numpy()
    return delta.where(column.index.get_level_values("intermediate") != NONE)


def markdown(table: pd.DataFrame, missing: int, total: int, metrics: dict[str, str]) -> str:
    """Return the main table as Markdown: `61.2 (+1.3)` in each cell, a dash where it is missing."""
    names = [c for c in table.columns[2:] if not c.endswith(" delta")]
    shown = table[["model", "intermediate"]].copy()
    for name in names:
        heading = f"{name} ({metrics[name]})" if name in metrics else name
        pairs = zip(table[name], table[f"{name} delta"], strict=True)
        shown[heading] = [_cell(value, delta) for value, delta in pairs]
    text = shown.to_markdown(index=False, disable_numparse=True)
    note = "Mean over languages, in percent; in brackets the difference to the row `none`."
    if missing:
        note += f" {MISSING}: not complete; {missing} of {total} score files are missing."
    elif MISSING in text:
        note += f" {MISSING}: not in the grid."
    return f"{text}\n\n{note}\n"


def _cell(value: float, delta: float) -> str:
    if pd.isna(value):
        return MISSING
    return f"{value:.1f}" if pd.isna(delta) else f"{value:.1f} ({delta:+.1f})"


SHOWN = {
    **dict.fromkeys(("accuracy", "retrieval"), "acc"),
    **dict.fromkeys(("tagging", "bucc"), "F1"),
    **dict.fromkeys(("squad", "squad2", "mlqa"), "F1+EM"),
}


def main(args: argparse.Namespace) -> None:
    """Write `main.csv`, `main.md` and `per_language.csv`; say what was refused."""
    grid = pd.read_csv(args.grid, dtype=str, keep_default_na=False)
    scores, refused = collect(grid, _read)
    table = main_table(grid, scores)
    missing = len(grid) - int((scores["metric"] == "score").sum())
    shown = {row.target: SHOWN[row.metric] for row in grid.itertuples()}
    text = markdown(table, missing, len(grid), shown)
    out = Path(args.out)
    long = scores[scores["metric"] != "score"]
    with atomic(out / "per_language.csv") as path:
        long.to_csv(path, index=False, float_format="%.6f")
    with atomic(out / "main.csv") as path:
        table.to_csv(path, index=False, float_format="%.4f")
    with atomic(out / "main.md") as path:
        path.write_text(text, encoding="utf-8")
    print(text, end="")
    for line in refused:
        print(f"refused: {line}")
    if refused:
        raise UserError(f"{len(refused)} score file(s) refused: {refused[0]}")


def _read(path: str) -> Any:
    return read_json(path) if Path(path).exists() else None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grid", required=True, help="grid.csv of the plan")
    parser.add_argument("--out", required=True, help="folder of the tables")
    step.run(main, parser)
