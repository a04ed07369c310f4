"""The forecast of each job, from the time of finished jobs; the file of forecasts."""

import csv
import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from xstilts.experiment.graph import Node
from xstilts.experiment.grid import Grid
from xstilts.monitoring.estimate import reference, workload
from xstilts.monitoring.estimate.data_sizes import DataSizes
from xstilts.monitoring.estimate.throughput import FinishedJob, Throughput
from xstilts.running.errors import UserError
from xstilts.running.files import atomic, read_json

FIELDS = ("job", "rule", "seconds", "basis")


@dataclasses.dataclass(frozen=True)
class Forecast:
    """The forecast of a job: seconds on the device, and their basis (`throughput`)."""

    job: str
    rule: str
    seconds: float
    basis: str


def count_parameters(model: str, grid: Grid, root: Path) -> tuple[float, int]:
    """Return the number of parameters of a model: of its matrix products, and of all.

    A layer of width h has 12 h² (attention 4 h², feed-forward 8 h²).

    Raises:
        UserError: it has not been fetched, and the reference lacks it.
    """
    record = root / f"results/models/{model}/node.json"
    settings: Any = grid.experiment.settings
    if record.exists():
        node = read_json(record)
        return 12.0 * node["layers"] * node["hidden_size"] ** 2, node["parameters"]
    if grid.experiment.toy:
        toy = settings["toy"]["pretrain"]
        matmul = 12.0 * toy["layers"] * toy["width"] ** 2
        return matmul, round(matmul) + 2_500 * toy["width"]
    name = settings["models"][model]["from"]
    encoder = reference.encoder(name)
    if encoder is None:
        raise UserError(
            f"estimate: nothing is known of the size of {name} before it is fetched;"
            f" `snakemake results/models/{model}/node.json` fetches it"
        )
    layers, width, parameters = encoder
    return 12.0 * layers * width**2, parameters


def measured_seconds(node: Node, root: Path) -> float | None:
    """Return the seconds on the device that a finished job has recorded; None if it has not."""
    paths = list(node.outputs) if node.rule == "evaluate" else [node.key]
    try:
        return float(sum(read_json(root / path)["seconds"] for path in paths))
    except (UserError, KeyError, TypeError):
        return None


class Forecaster:
    """Forecasts jobs of a grid from the finished ones.

    Attributes:
        workloads: key -> workload of the jobs that use the device.
        parameters: model -> the number of its parameters: of its matrix products, and of all.
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
        models = self.grid.experiment.settings["models"]
        self.parameters = {name: count_parameters(name, self.grid, self.root) for name in models}

    def finished(self, key: str) -> float | None:
        """Take a finished job into account; return the seconds on the device that it has recorded,
        None if it has not."""
        if key not in self.workloads:
            return None
        seconds = measured_seconds(self.nodes[key], self.root)
        if seconds is not None:
            self.measured[key] = seconds
        return seconds

    def of(self, keys: Iterable[str]) -> dict[str, Forecast]:
        """Return the forecasts of the jobs that use the device."""
        finished = [
            FinishedJob(self.nodes[key].rule, self.workloads[key], seconds)
            for key, seconds in self.measured.items()
        ]
        matmul = {model: parameters for model, (parameters, _) in self.parameters.items()}
        throughput = Throughput(finished, matmul, self.flops)
        return {
            key: Forecast(key, node.rule, *throughput.seconds(node.rule, self.workloads[key]))
            for key in keys
            if key in self.workloads and (node := self.nodes[key])
        }


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
