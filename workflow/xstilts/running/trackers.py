"""Trackers: TensorBoard, Weights & Biases, MLflow are told of curves, scores and specs, offline.

Each is a package of its own that need not be there. What is told goes through a queue to a thread,
so a tracker can neither stop a training nor make it wait: where one fails, one line says so, and it
is told no more.
"""

import importlib.util
import json
import os
import queue
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from xstilts.running import ranks
from xstilts.running.errors import UserError
from xstilts.running.files import split

PROJECT = "xstilts"
FOLDER = "trackers"  # in results
PATIENCE = 60.0  # seconds that a job waits at its end for what is still to be written
Values = Mapping[str, float]


def check(names: Iterable[str]) -> None:
    """Raise UserError if a tracker is not installed; nothing is imported."""
    absent = [name for name in names if importlib.util.find_spec(name) is None]
    if absent:
        raise UserError(
            f"trackers: not installed: {', '.join(absent)}; `pip install {' '.join(absent)}`, or"
            " leave out what is not there"
        )


def cannot_write(results: Path, names: Iterable[str]) -> str:
    """Say which trackers cannot write into a results folder; "" if all can."""
    for name in names:
        folder = results / FOLDER / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            return f"trackers: {folder}: cannot be written ({error.strerror}); runs without {name}"
    return ""


class Tensorboard:
    """An event file in results/trackers/tensorboard/<run>."""

    def __init__(self, folder: Path, run: str, spec: Mapping[str, Any], step: int) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        # Of an earlier attempt, what is made again from here on does not count.
        self._writer = SummaryWriter(str(folder / run), purge_step=step or None)
        self._writer.add_text("spec", f"```json\n{json.dumps(spec, indent=2)}\n```")

    def log(self, values: Values, step: int) -> None:
        """Add a point to each curve."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


class Wandb:
    """An offline run in results/trackers/wandb, for `wandb sync`."""

    def __init__(self, folder: Path, run: str, spec: Mapping[str, Any], step: int) -> None:
        os.environ.setdefault("WANDB_SILENT", "true")
        import wandb  # type: ignore[import-not-found]

        self._run = wandb.init(
            project=PROJECT, name=run, config=dict(spec), dir=str(folder.parent), mode="offline"
        )

    def log(self, values: Values, step: int) -> None:
        """Add a point to each curve."""
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        """Write what is left."""
        self._run.finish()


class Mlflow:
    """A run of the experiment `xstilts` in results/trackers/mlflow."""

    def __init__(self, folder: Path, run: str, spec: Mapping[str, Any], step: int) -> None:
        # A server is not at hand on a node of a cluster, and a database does not like its disks.
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        import mlflow  # type: ignore[import-not-found]

        self._client = mlflow.MlflowClient(tracking_uri=folder.absolute().as_uri())
        created = self._client.create_run(self._experiment(), run_name=run)
        self._id = created.info.run_id
        self._client.log_dict(self._id, dict(spec), "spec.json")
        for name, value in _leaves(spec):
            self._client.log_param(self._id, name, str(value)[:500])

    def _experiment(self) -> str:
        for _ in range(3):  # another job may create it at the same time
            if found := self._client.get_experiment_by_name(PROJECT):
                return found.experiment_id
            try:
                return self._client.create_experiment(PROJECT)
            except Exception:
                continue
        return self._client.create_experiment(PROJECT)

    def log(self, values: Values, step: int) -> None:
        """Add a point to each curve."""
        for name, value in values.items():
            self._client.log_metric(self._id, name, value, step=step)

    def close(self) -> None:
        """Write what is left."""
        self._client.set_terminated(self._id)


KINDS: dict[str, Callable[[Path, str, Mapping[str, Any], int], Any]] = {
    "tensorboard": Tensorboard,
    "wandb": Wandb,
    "mlflow": Mlflow,
}


class Trackers:
    """The trackers of one job; none in a process that is not the first of its training."""

    def __init__(self, names: Iterable[str], out: str | Path, spec: Mapping[str, Any]) -> None:
        """Tell each the spec.

        Args:
            names: keys of `KINDS`.
            out: what the job makes: `results/tuned/<run>`, `results/scores/<run>`, ...
            spec: what it is made by.
        """
        inside = split(Path(out))
        known = list(names) if ranks.rank() == 0 and inside else []
        self._queues: list[tuple[queue.SimpleQueue[Any], threading.Thread]] = []
        for name in known:
            assert inside
            waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
            folder, run = inside[0] / FOLDER / name, "/".join(inside[1].parts[1:])
            work = threading.Thread(
                target=_work, args=(name, folder, run, spec, waiting), daemon=True
            )
            work.start()
            self._queues.append((waiting, work))

    def log(self, values: Values, step: int) -> None:
        """Add a point to each curve: name -> value."""
        for waiting, _ in self._queues:
            waiting.put((dict(values), step))

    def close(self) -> None:
        """Wait until all is written, for at most `PATIENCE` seconds."""
        for waiting, _ in self._queues:
            waiting.put(None)
        for _, work in self._queues:
            work.join(PATIENCE)

    def __enter__(self) -> "Trackers":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _work(
    name: str, folder: Path, run: str, spec: Mapping[str, Any], waiting: "queue.SimpleQueue[Any]"
) -> None:
    """Tell one tracker what comes from a queue, until None comes or it fails."""
    try:
        first = waiting.get()  # by its step it is seen whether an earlier attempt was there
        folder.mkdir(parents=True, exist_ok=True)
        tracker = KINDS[name](folder, run, spec, first[1] if first else 0)
        while first is not None:
            tracker.log(*first)
            first = waiting.get()
        tracker.close()
    except BaseException as error:
        said = (str(error).strip().splitlines() or [""])[0]
        print(f"tracker {name}: off: {type(error).__name__}: {said}", flush=True)


def _leaves(spec: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """Yield the values of nested mappings under dotted names."""
    for key, value in spec.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
