"""The forecast of each job, from the time of finished jobs; the file of forecasts."""

import csv
import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path

from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import BY_LANGUAGE, Node
from xstilts.monitoring.estimate import model_sizes, vision_sizes, workload
from xstilts.monitoring.estimate.data_sizes import DataSizes
from xstilts.monitoring.estimate.throughput import FinishedJob, Throughput
from xstilts.monitoring.estimate.translations import Translations
from xstilts.running.errors import UserError
from xstilts.running.files import atomic, read_json

FIELDS = ("job", "rule", "seconds", "basis")


def device_of(grid: Grid) -> str:
    """Return the device that is assumed where none is named and nothing has been measured."""
    return "cpu" if grid.experiment.toy else "a100"


@dataclasses.dataclass(frozen=True)
class Forecast:
    """The forecast of a job: seconds, their basis (`throughput`), the devices it is on at once."""

    job: str
    rule: str
    seconds: float
    basis: str
    devices: int = 1


def measured_seconds(node: Node, root: Path) -> float | None:
    """Return the seconds on the device that a finished job has recorded; None if it has not."""
    paths = list(node.outputs) if node.rule in BY_LANGUAGE else [node.key]
    try:
        return float(sum(read_json(root / path)["seconds"] for path in paths))
    except (UserError, KeyError, TypeError):
        return None


class Forecaster:
    """Forecasts jobs of a grid from the finished ones.

    Attributes:
        workloads: key -> workload of the jobs that use the device.
        models: name -> the size of each model, and of each vision encoder (`name_of`).
        assumed: what had to be assumed of models and data, a line each.
        measured: key -> the seconds on the device that a finished job has recorded.
    """

    def __init__(
        self,
        grid: Grid,
        nodes: Mapping[str, Node],
        root: Path,
        done: Iterable[str],
        flops: float,
    ) -> None:
        """Read the seconds of finished jobs.

        Args:
            grid: of the resolved config.
            nodes: see `graph.build`.
            root: the folder that holds `results`.
            done: keys of the finished nodes.
            flops: FLOP a second of the device, where nothing has been measured.
        """
        self.grid, self.nodes, self.root, self.flops = grid, nodes, root, flops
        self.measured: dict[str, float] = {}
        self.look()
        for key in done:
            self.finished(key)

    def look(self) -> None:
        """Look at what is there of rows and models."""
        sizes = DataSizes(self.root, self.grid)
        self.workloads = {
            key: job
            for key, node in self.nodes.items()
            if (job := workload.of_node(node, self.grid, sizes))
        }
        self.translations = Translations(self.grid, self.nodes, self.root)
        names = self.grid.experiment.settings["models"]
        self.models = {name: model_sizes.of(name, self.grid, self.root) for name in names}
        self.models |= {
            vision_sizes.name_of(name): vision_sizes.of(name, self.grid, self.root).model
            for name in self.grid.experiment.settings["vision"]
        }
        self.assumed = [size.assumed for size in self.models.values() if size.assumed]
        self.assumed += [*sizes.assumed.values(), *self.translations.assumed]
        for key in self.translations.keys(self.measured):
            self.translations.finished(key)

    def finished(self, key: str) -> float | None:
        """Take a finished job into account; return the seconds on the device that it has recorded,
        None if it has not."""
        if key in self.translations.of_nodes:
            seconds = self.translations.finished(key)
        elif key in self.workloads:
            seconds = measured_seconds(self.nodes[key], self.root)
        else:
            return None
        if seconds is not None:
            self.measured[key] = seconds
        return seconds

    def of(self, keys: Iterable[str]) -> dict[str, Forecast]:
        """Return the forecasts of the jobs that use the device, and of translations."""
        finished = [
            FinishedJob(self.nodes[key].rule, self.workloads[key], seconds)
            for key, seconds in self.measured.items()
            if key in self.workloads
        ]
        matmul = {model: size.matmul for model, size in self.models.items()}
        throughput = Throughput(finished, matmul, self.flops)
        found = {}
        for key in keys:
            if key in self.translations.of_nodes:
                rule = self.nodes[key].rule
                found[key] = Forecast(key, rule, *self.translations.seconds(key))
            elif job := self.workloads.get(key):
                rule = self.nodes[key].rule
                found[key] = Forecast(key, rule, *throughput.seconds(rule, job), job.devices)
        return found


def read(path: Path) -> dict[str, Forecast]:
    """Return the forecasts of an earlier estimate; {} if there is none."""
    if not path.exists():
        return {}
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        forecasts = [Forecast(r["job"], r["rule"], float(r["seconds"]), r["basis"]) for r in rows]
    except (KeyError, TypeError, ValueError, OSError, csv.Error):
        raise UserError(f"{path}: not an estimate; delete it") from None
    return {forecast.job: forecast for forecast in forecasts}


def write(path: Path, forecasts: Iterable[Forecast]) -> None:
    """Write forecasts as CSV."""
    with atomic(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        for job in forecasts:
            writer.writerow([job.job, job.rule, f"{job.seconds:.3f}", job.basis])
