"""Recorded trainings: what they are trained on, and the file that is written in place of a
checkpoint (`data/dynamics.py`)."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xstilts.data import dynamics, prepare
from xstilts.encoding.encoded import Encoded
from xstilts.training.tasks import TrainingTask

if TYPE_CHECKING:
    from xstilts.encoding.tokenizer import Tokenizer


def emptied(
    task: TrainingTask, rows: Sequence[dict[str, Any]], tokenizer: "Tokenizer"
) -> TrainingTask:
    """Return a task whose train and dev rows are without their inputs (`empty` of their format).

    Args:
        task: of one language.
        rows: its train rows, as text.
        tokenizer: that they are encoded with.
    """
    [(lang, data)] = task.train.items()
    assert task.dev is not None

    def encoded(own: Sequence[Mapping[str, Any]], of: Encoded) -> Encoded:
        length = of.meta["spec"]["max_length"]
        blank = [task.page.empty(row) for row in own]
        arrays, _ = task.page.encode(blank, tokenizer, task.labels, length)
        return Encoded(arrays, of.meta)

    return dataclasses.replace(
        task, train={lang: encoded(rows, data)}, dev=encoded(task.dev_rows, task.dev)
    )


def write(
    path: Path, task: TrainingTask, rows: str, recorded: Mapping[str, Any], beside: str = ""
) -> dict[str, Any]:
    """Write what a training has recorded; return what its record says of that: after which steps it
    was, and the mean of each measure.

    Args:
        path: parquet.
        task: that it is of, of one language.
        rows: the prepared train rows, a path.
        recorded: step -> tensor [rows, 4], as `loop.fit` returns.
        beside: of a training on empty inputs, what that on the inputs has recorded, a path. Then it
            is PVI that is written, after the last epoch of both.
    """
    told = prepare.read(rows)
    ids = told["id"].to_pylist()
    values = np.stack([recorded[step].numpy() for step in sorted(recorded, key=int)])
    if beside:
        table = dynamics.pvi_table(ids, dynamics.last_losses(beside, ids), values[-1, :, 2])
    else:
        labelled = task.format == "classification"
        labels = told["label"].to_pylist() if labelled else [""] * len(ids)
        [data] = task.train.values()
        row = data.arrays.get("row", np.arange(len(data)))
        lengths = np.bincount(row, data.tokens, len(ids))
        table = dynamics.table(ids, labels, lengths, values)
    dynamics.write(path, table)
    means = {name: float(table[name].to_numpy().mean()) for name in dynamics.measured(table)}
    return {"recorded_at": sorted(map(int, recorded)), "means": means}
