"""Score files: read and checked against the grid; the value of each cell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xstilts.experiment.cells import CELL
from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json

if TYPE_CHECKING:
    import pandas as pd


def read(path: str) -> Any:
    """Return what is in a score file, None if there is none; UserError if it is damaged."""
    return read_json(path) if Path(path).exists() else None


def accepted(grid: pd.DataFrame, read) -> tuple[dict[str, Any], list[str]]:
    """Return path -> content of the valid score files of the grid, and an error line for each one
    that is refused: of another spec or cell, or damaged.

    Args:
        grid: a row per score file: `CELL`, `language`, `metric`, `score` (path), `spec` (digest).
        read: path -> the score as a dict, or None where there is no such file.
    """
    files, refused = {}, []
    for row in grid.to_dict("records"):
        try:
            score = read(row["score"])
        except UserError as error:
            refused.append(str(error))
            continue
        if score is None:
            continue
        problem = _problem(score, row)
        if problem:
            refused.append(f"{row['score']}: {problem}; delete it, run again")
        else:
            files[row["score"]] = score
    return files, refused


def to_frame(files: Mapping[str, Any]) -> pd.DataFrame:
    """Return a row per (score file, metric): `CELL`, language, metric, value, n; metric `score` is
    the value that the benchmark averages.
    """
    import pandas as pd

    rows = []
    for score in files.values():
        key = {k: score[k] for k in [*CELL, "language"]}
        for metric, value in {"score": score["score"], **score["metrics"]}.items():
            rows.append({**key, "metric": metric, "value": value, "n": score["n"]})
    return pd.DataFrame(rows, columns=[*CELL, "language", "metric", "value", "n"])


def collect(grid: pd.DataFrame, read) -> tuple[pd.DataFrame, list[str]]:
    """Return the `accepted` score files as a data frame (`to_frame`), and the refused ones."""
    files, refused = accepted(grid, read)
    return to_frame(files), refused


def relabel_test_rows(
    grid: pd.DataFrame, files: dict[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return a test grid and its scores with the column `row` as intermediate; another as it is.

    On test a table row is made of cells of different intermediates: the best of each target.
    """
    if "row" not in grid:
        return grid, files
    rows = dict(zip(grid["score"], grid["row"], strict=True))
    relabelled = {path: {**score, "intermediate": rows[path]} for path, score in files.items()}
    return grid.assign(intermediate=grid["row"]).drop(columns="row"), relabelled


def _problem(score: Any, row: dict[str, Any]) -> str | None:
    try:
        if digest(score["spec"]) != row["spec"]:
            return "a score from another spec than the config asks for"
        if any(score[key] != row[key] for key in [*CELL, "language"]):
            return "a score of another cell"
        float(score["score"]), dict(score["metrics"]), int(score["n"])
    except (KeyError, TypeError, ValueError):
        return "not a score file"
    return None


def cell_values(grid: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Return a row per cell, in the grid's order: `CELL`, and `value` in percent.

    A value is the unweighted mean over the languages of the target (English included, as in
    XTREME); missing if any language is.
    """
    expected = grid.groupby(CELL, sort=False)["language"].nunique().rename("expected")
    main = scores[scores["metric"] == "score"]
    means = main.groupby(CELL)["value"].agg(["mean", "count"])
    cells = expected.to_frame().join(means).reset_index()
    complete = cells["count"] == cells["expected"]
    return cells[CELL].assign(value=100 * cells["mean"].where(complete))


def language_values(grid: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Return model, intermediate, target, language and `value`: the median over seeds, in percent.

    Missing if that of any seed is.
    """
    key = [*CELL, "language"]
    main = scores.loc[scores["metric"] == "score", [*key, "value"]]
    values = grid[key].merge(main, how="left", on=key)
    key.remove("seed")
    seeds = values.groupby(key, sort=False)["value"]
    return (100 * seeds.median(skipna=False)).reset_index()
