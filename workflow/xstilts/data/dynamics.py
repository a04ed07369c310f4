"""The files of training dynamics: how difficult each train row of a task was to a model."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from xstilts.metrics import dynamics
from xstilts.running.errors import UserError
from xstilts.running.files import atomic


def table(
    ids: Sequence[str], labels: Sequence[str], lengths: np.ndarray, recorded: np.ndarray
) -> pa.Table:
    """Return what is written of a recorded training, a row a train row, in their order.

    `id`, `label` ("" where a row has none), `length` (tokens), the measures (`metrics.dynamics`),
    and lists with a value an epoch: `probability`, `losses` and `right` (float32), `rank` (int32).

    Args:
        ids, labels: of the train rows.
        lengths: the tokens of each, of all its sequences, int [rows].
        recorded: [epochs, rows, `dynamics.VALUES`].
    """
    epochs = len(recorded)

    def lists(values: np.ndarray, kind: type) -> pa.Array:
        flat = pa.array(np.ascontiguousarray(values.T).ravel().astype(kind))
        return pa.ListArray.from_arrays(np.arange(len(ids) + 1, dtype=np.int32) * epochs, flat)

    probability, rank, loss, right = np.moveaxis(recorded, 2, 0)
    return pa.table(
        {
            "id": pa.array(ids, pa.string()),
            "label": pa.array(labels, pa.string()),
            "length": np.asarray(lengths, dtype=np.int64),
            **dynamics.measures(recorded),
            "probability": lists(probability, np.float32),
            "rank": lists(rank, np.int32),
            "losses": lists(loss, np.float32),
            "right": lists(right, np.float32),
        }
    )


def pvi_table(ids: Sequence[str], loss: np.ndarray, loss_empty: np.ndarray) -> pa.Table:
    """Return what is written of PVI: `id`, `pvi` (bits); see `dynamics.pvi`."""
    values = dynamics.pvi(loss, loss_empty)
    return pa.table({"id": pa.array(ids, pa.string()), "pvi": values})


def write(path: str | Path, rows: pa.Table) -> None:
    """Write a table as parquet, atomically."""
    with atomic(path) as temporary:
        pq.write_table(rows, temporary, compression="zstd")


def last_losses(path: str | Path, ids: Sequence[str]) -> np.ndarray:
    """Return the loss of each row after the last epoch, float32 [rows], from a file of `table`.

    Raises:
        UserError: it is damaged, or of other rows.
    """
    try:
        with pq.ParquetFile(path) as file:
            found = file.read(["id", "losses"])
        there, losses = found["id"].to_pylist(), found["losses"].combine_chunks()
    except (pa.ArrowException, OSError, KeyError) as error:
        line = str(error).splitlines()[0]
        raise UserError(f"{path}: is damaged ({line}); delete it to have it made anew") from error
    if there != list(ids):
        raise UserError(f"{path}: is of other rows; delete it to have it made anew")
    epochs = len(losses.values) // max(1, len(there))
    return losses.values.to_numpy().reshape(-1, epochs)[:, -1]
