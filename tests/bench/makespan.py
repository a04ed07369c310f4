"""How long a grid takes on several devices in the order of its priorities, and at least.

    PYTHONPATH=workflow:. .venv/bin/python -m tests.bench.makespan

The paper's grid and one ten times as large, by what `xstilts estimate --device h100` forecasts. The
bound is the longest chain of jobs, or all work over the devices. Of each order the percentage above
that, and the disk at its peak where tuned models are dropped:
- by size: Snakemake's own where only evaluations have a priority, the larger inputs first, then by
  chance (the worst of five draws);
- chain alone: the longest chain first, evaluations too;
- now: the product's, with evaluations of tuned models first;
- submitted: that with SLURM, which starts what was submitted first, of 100 jobs at a time.
Nothing is computed.
"""

import argparse
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.bench.planning import PAPER, larger

from xstilts.experiment import config, config_files, reference
from xstilts.experiment.graph import build
from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import Node
from xstilts.monitoring.estimate.data_sizes import DataSizes
from xstilts.monitoring.estimate.disk import WEIGHT_BYTES, disk
from xstilts.monitoring.estimate.forecast import Forecaster
from xstilts.monitoring.estimate.priorities import priorities
from xstilts.monitoring.estimate.remaining import start_of
from xstilts.monitoring.estimate.schedule import chains, schedule

NOWHERE = Path("/nonexistent")  # where nothing has been made
DRAWS = 5
TOKEN_BYTES = 4  # of an encoded file
HEAD_BYTES = 4e6  # that a trained encoder has and the public one has not


class Case:
    """A grid with the forecast of its jobs."""

    def __init__(self, settings: dict[str, Any], device: str) -> None:
        self.grid = Grid(config.load(settings))
        self.nodes = build(self.grid)
        forecaster = Forecaster(self.grid, self.nodes, NOWHERE, (), reference.device(device))
        found, start = forecaster.of(self.nodes), start_of(device)
        self.seconds = {
            key: start + found[key].seconds if key in found else 0.0 for key in self.nodes
        }
        self.needs = {key: node.needs for key, node in self.nodes.items()}
        self.takes = {key: one.devices for key, one in found.items()}
        self.parameters = {name: size.parameters for name, size in forecaster.models.items()}
        self.now = priorities(self.grid, self.nodes, NOWHERE)

    def bound(self, devices: int) -> float:
        """Return the seconds that no order can undercut."""
        work = sum(seconds * self.takes.get(key, 1) for key, seconds in self.seconds.items())
        return max(work / devices, *chains(self.seconds, self.needs).values())

    def run(self, devices: int, order: Mapping[str, float]) -> tuple[float, float]:
        """Return the seconds that an order takes, and the GB at the peak."""
        spans = schedule(self.seconds, self.needs, devices, order, self.takes)
        peak, _ = disk(self.nodes, spans, self.parameters, keep_tuned=False)
        return max(end for _, end in spans.values()), peak / 1e9

    def by_size(self, draw: int) -> dict[str, float]:
        """Return Snakemake's own order: evaluations, bytes of temporary inputs, bytes of inputs."""
        sizes, chance = DataSizes(NOWHERE, self.grid), random.Random(draw)
        keys = {
            key: (node.rule == "evaluate", *self._bytes(node, sizes), chance.random())
            for key, node in self.nodes.items()
        }
        return {key: rank for rank, key in enumerate(sorted(keys, key=keys.__getitem__))}

    def _bytes(self, node: Node, sizes: DataSizes) -> tuple[float, float]:
        model = node.name.split("/")[0]
        weights, temporary = 0.0, False
        for path in (*node.inputs.get("init", ()), *node.inputs.get("model", ())):
            if path.endswith("/model.safetensors"):
                weights += WEIGHT_BYTES * self.parameters[model]
                temporary = path.startswith("results/tuned/")
            elif path.endswith("/head.safetensors"):
                weights += HEAD_BYTES
        rows = 0.0
        for path in (*node.inputs.get("train", ()), *node.inputs.get("dev", ())):
            *_, task, name = path.split("/")
            lang, split, length, _ = name.split(".")
            rows += TOKEN_BYTES * sizes.of(model, task, lang, split, int(length)).tokens
        return weights * temporary, weights + rows

    def submitted(self, devices: int, places: int) -> float:
        """Return the seconds if `places` jobs are with SLURM at a time, and it starts them in the
        order in which they came."""
        return max(end for _, end in in_order(self, devices, places).values())


def in_order(case: Case, devices: int, places: int) -> dict[str, tuple[float, float]]:
    """Return job -> start and end: of those that are ready, the first by priority take the places
    that are free, and of those that have one, the first that came a device."""
    waiting = {key: set(needs) for key, needs in case.needs.items()}
    ready = {key for key, missing in waiting.items() if not missing}
    readers: dict[str, list[str]] = {}
    for key, needs in case.needs.items():
        for need in needs:
            readers.setdefault(need, []).append(key)
    queue: list[str] = []
    running: dict[str, float] = {}
    spans: dict[str, tuple[float, float]] = {}
    now = 0.0
    while ready or queue or running:
        for key in sorted(ready, key=case.now.__getitem__, reverse=True):
            if not case.seconds[key]:
                running[key] = now
            elif len(queue) + sum(case.seconds[one] > 0 for one in running) < places:
                queue.append(key)
            else:
                continue
            ready.remove(key)
        while queue and sum(case.seconds[one] > 0 for one in running) < devices:
            key = queue.pop(0)
            running[key] = now + case.seconds[key]
            spans[key] = (now, running[key])
        now = min(running.values())
        for key in [key for key, end in running.items() if end == now]:
            del running[key]
            for reader in readers.get(key, []):
                waiting[reader].discard(key)
                if not waiting[reader]:
                    ready.add(reader)
    return spans


def table(name: str, case: Case, devices: list[int], places: int | None) -> None:
    """Print the rows of a grid."""
    chain = chains(case.seconds, case.needs)
    for count in devices:
        bound = case.bound(count)

        def shown(seconds: float, peak: float | None = None, bound: float = bound) -> str:
            gigabytes = "" if peak is None else f"{peak:8.0f} GB"
            return f"{max(0.0, 100 * (seconds / bound - 1)):9.1f}%{gigabytes}"

        own = [case.run(count, case.by_size(draw)) for draw in range(DRAWS)]
        worst = max(seconds for seconds, _ in own), max(peak for _, peak in own)
        columns = [shown(*worst), shown(*case.run(count, chain)), shown(*case.run(count, case.now))]
        if places:
            columns.append(shown(case.submitted(count, places)))
        print(f"{name:10}{count:6}{bound / 60:10.1f}" + "".join(columns))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--device", default="h100", help="as in `xstilts estimate`")
    parser.add_argument("--configs", nargs="+", help="config files in place of the two grids")
    parser.add_argument("--places", type=int, default=100, help="`jobs` of the SLURM profile")
    args = parser.parse_args()
    grids = {"paper": PAPER, "ten times": larger()}
    if args.configs:
        grids = {Path(path).stem: config_files.read([path]) for path in args.configs}
    orders = "".join(f"{order:>21}" for order in ("by size", "chain alone", "now"))
    print(f"{'':10}{'GPUs':>6}{'bound min':>10}{orders}{'submitted':>11}")
    for name, settings in grids.items():
        case = Case(settings, args.device)
        small = len(case.nodes) < 5000
        table(name, case, args.devices, args.places if small else None)


if __name__ == "__main__":
    main()
