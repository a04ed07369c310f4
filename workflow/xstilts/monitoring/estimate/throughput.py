"""FLOP a second of one device: measured on finished jobs, else assumed. Several do as much more."""

import dataclasses
import statistics
from collections.abc import Iterable, Mapping

from xstilts.experiment.nodes import TRAININGS  # one loop, so one speed
from xstilts.monitoring.estimate.workload import Workload

# The error of an estimate, as a factor in both directions, by its basis. `job`: the same model and
# task has been run; 1.25 covers a busy machine. The others are guesses, not yet checked against
# finished jobs.
ERROR_FACTORS = {"job": 1.25, "model": 1.6, "device": 2.0, "flop": 3.0, "engine": 4.0}


@dataclasses.dataclass(frozen=True)
class FinishedJob:
    """A finished job: its rule, workload, and seconds on the device."""

    rule: str
    workload: Workload
    seconds: float


class Throughput:
    """Predicts the seconds of a job from finished jobs.

    Attributes:
        matmul: model -> parameters of its matrix products (not the embeddings).
        device_flops: assumed FLOP a second of the device, where nothing has been measured.
    """

    def __init__(
        self, finished: Iterable[FinishedJob], matmul: Mapping[str, float], device_flops: float
    ) -> None:
        self.matmul, self.device_flops = matmul, device_flops
        self.rates: dict[tuple[str, ...], list[float]] = {}
        for job in finished:
            spent = max(job.seconds, 1e-3) * job.workload.devices
            rate = job.workload.flop(matmul[job.workload.model]) / spent
            names = _names(job.rule, job.workload)
            for length in range(len(names) + 1):
                self.rates.setdefault(names[:length], []).append(rate)

    def seconds(self, rule: str, workload: Workload) -> tuple[float, str]:
        """Return the seconds on its devices, and their basis, a key of `ERROR_FACTORS`."""
        flop = workload.flop(self.matmul[workload.model]) / workload.devices
        names = _names(rule, workload)
        for length, basis in ((3, "job"), (2, "model"), (1, "device"), (0, "device")):
            if names[:length] in self.rates:
                return flop / statistics.median(self.rates[names[:length]]), basis
        return max(workload.least, flop / self.device_flops), "flop"


def _names(rule: str, workload: Workload) -> tuple[str, ...]:
    """By what speeds are told apart, the coarsest first."""
    return "train" if rule in TRAININGS else rule, workload.model, workload.task
