"""The chance level: the score of guessing uniformly, where a metric has one."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from xstilts.data import prepare
from xstilts.experiment.grid import Grid
from xstilts.running.errors import UserError

# Guessing is not correlated with anything.
CORRELATIONS = {"matthews", "pearson", "spearman"}


def level(path: Path, metric: str, labelled: Path | None = None) -> float | None:
    """Return the chance level of a data set in percent.

    Accuracy: 1 / labels, or the mean of 1 / choices; retrieval: 1 / candidates; a correlation: 0.
    None for other metrics, and without the rows.

    Args:
        path: of the prepared rows.
        metric: a key of `metrics.METRICS`.
        labelled: of the rows that open labels are those of; by default those of `path`.
    """
    if metric in CORRELATIONS:
        return 0.0
    if metric not in ("accuracy", "retrieval") or not path.exists():
        return None
    try:
        spec = prepare.metadata(path)["spec"]
        if metric == "retrieval":
            sides = pq.read_table(path, columns=["side"])["side"]
            candidates = pc.sum(pc.equal(sides, "target")).as_py()
            return 100 / candidates if candidates else None
        if spec["format"] == "choice":
            choices = pq.read_table(path, columns=["choices"])["choices"]
            return 100 * pc.mean(pc.divide(1.0, pc.list_value_length(choices))).as_py()
        labels = spec.get("labels")
        if not labels:
            known = labelled if labelled and labelled.exists() else path
            labels = pq.read_table(known, columns=["label"])["label"].unique()
        return 100 / len(labels)
    except (UserError, KeyError, TypeError, OSError, pa.ArrowException):
        return None  # a damaged file is a matter of the step that made it


def rows_path(results: Path, task: str, language: str, split: str) -> Path:
    """Return the path of the prepared rows of a task, below the results folder."""
    return results / "data" / task / f"{language}.{split}.parquet"


def of_task(grid: Grid, results: Path, task: str, language: str, split: str) -> float | None:
    """Return the chance level of the rows of a task in percent, see `level`."""
    labelled = grid.labelled_by(task)
    return level(
        rows_path(results, task, language, split),
        grid.tasks[task].metric,
        rows_path(results, *labelled) if labelled else None,
    )


def of_trainings(grid: Grid, results: Path) -> dict[tuple[str, str], float]:
    """Return (kind of training, what it is on) -> chance level of its learning curve, in percent.

    A kind is one of `cost.STAGES`; stage 1 is named by its intermediate, and has a chance level
    where that is a single task; tuning is named by its task.
    """
    trainings = {
        ("intermediate", name): members[0]
        for name in grid.experiment.intermediates
        if len(members := grid.mixture(name)) == 1
    }
    for cell in grid.cells:
        for task in grid.tunings(cell.target):
            trainings["tune", task] = grid.tuning(task)[0]
    levels = {
        key: of_task(grid, results, member.task, member.dev, "dev")
        for key, member in trainings.items()
        if member.dev
    }
    return {key: found for key, found in levels.items() if found is not None}
