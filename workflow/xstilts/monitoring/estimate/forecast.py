"""The forecast of each job, what finished jobs took, and the one against the other."""

import csv
import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from xstilts.experiment.graph import Node
from xstilts.experiment.grid import Grid
from xstilts.monitoring.estimate import reference, work
from xstilts.monitoring.estimate.sizes import Sizes
from xstilts.monitoring.estimate.speed import Speed, Took
from xstilts.running.errors import UserError
from xstilts.running.files import atomic, read_json

FIELDS = ("job", "rule", "seconds", "basis")


@dataclasses.dataclass(frozen=True)
class Forecast:
    """What a job is thought to take: seconds on the device, and the basis (`speed.ERRORS`)."""

    job: str
    rule: str
    seconds: float
    basis: str


def shape(model: str, grid: Grid, root: Path) -> tuple[float, int]:
    """Return the parameters of a model: those of its matrix products, and all.

    A layer of width h has 12 h² (attention 4 h², feed-forward 8 h²).

    Raises:
        UserError: it has not been fetched, and nothing is known of it.
    """
    record = root / f"results/models/{model}/node.json"
    settings: Any = grid.experiment.settings
    if record.exists():
        node = read_json(record)
        return 12.0 * node["layers"] * node["hidden_size"] ** 2, node["parameters"]
    if grid.experiment.toy:
        own = settings["toy"]["pretrain"]
        matmul = 12.0 * own["layers"] * own["width"] ** 2
        return matmul, round(matmul) + 2_500 * own["width"]
    name = settings["models"][model]["from"]
    known = reference.encoder(name)
    if known is None:
        raise UserError(
            f"estimate: nothing is known of the size of {name} before it is fetched;"
            f" `snakemake results/models/{model}/node.json` fetches it"
        )
    layers, width, parameters = known
    return 12.0 * layers * width**2, parameters


def taken(node: Node, root: Path) -> float | None:
    """Return the seconds on the device that a finished job tells; None if it does not."""
    paths = list(node.outputs) if node.rule == "evaluate" else [node.key]
    try:
        return float(sum(read_json(root / path)["seconds"] for path in paths))
    except (UserError, KeyError, TypeError):
        return None


class Forecaster:
    """Forecasts jobs of a grid, by what the finished ones took."""

    def __init__(
        self,
        grid: Grid,
        nodes: Mapping[str, Node],
        root: Path,
        done: Iterable[str],
        flops: float,
    ) -> None:
        """Read what finished jobs took.

        Args:
            grid: of the resolved config.
            nodes: see `nodes.graph`.
            root: the folder that holds `results`.
            done: keys of the finished nodes.
            flops: FLOP a second, where nothing has been measured.
        """
        sizes = Sizes(root, grid)
        self.nodes = nodes
        self.work = {
            key: found for key, node in nodes.items() if (found := work.of(node, grid, sizes))
        }
        models = grid.experiment.settings["models"]
        self.shapes = {model: shape(model, grid, root) for model in models}
        self.took = {
            key: seconds
            for key in done
            if key in self.work and (seconds := taken(nodes[key], root)) is not None
        }
        took = [Took(nodes[key].rule, self.work[key], s) for key, s in self.took.items()]
        matmul = {model: parameters for model, (parameters, _) in self.shapes.items()}
        self.speed = Speed(took, matmul, flops)

    def of(self, keys: Iterable[str]) -> dict[str, Forecast]:
        """Return the forecasts of those of the jobs that use the device."""
        return {
            key: Forecast(key, node.rule, *self.speed.seconds(node.rule, self.work[key]))
            for key in keys
            if key in self.work and (node := self.nodes[key])
        }


def read(path: Path) -> dict[str, Forecast]:
    """Return the forecasts of an earlier estimate; {} if there is none."""
    if not path.exists():
        return {}
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        found = [Forecast(r["job"], r["rule"], float(r["seconds"]), r["basis"]) for r in rows]
    except (KeyError, TypeError, ValueError, OSError, csv.Error):
        raise UserError(f"{path}: not an estimate; delete it") from None
    return {one.job: one for one in found}


def write(path: Path, forecasts: Iterable[Forecast]) -> None:
    """Write forecasts as CSV."""
    with atomic(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        for one in forecasts:
            writer.writerow([one.job, one.rule, f"{one.seconds:.3f}", one.basis])
