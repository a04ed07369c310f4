"""FLOP a second: measured on finished jobs, else assumed for the device."""

import dataclasses
import statistics
from collections.abc import Iterable, Mapping

from xstilts.monitoring.estimate.workload import Workload

# The error of an estimate, as a factor in both directions, by its basis. `job`: the same model and
# task has been run; 1.25 covers a busy machine. The others are guesses, not yet checked against
# finished jobs.
ERROR_FACTORS = {"job": 1.25, "model": 1.6, "device": 2.0, "flop": 3.0}


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
            rate = job.workload.flop(matmul[job.workload.model]) / max(job.seconds, 1e-3)
            names = (job.rule, job.workload.model, job.workload.task)
            for key in (names, names[:2], names[:1]):
                self.rates.setdefault(key, []).append(rate)

    def seconds(self, rule: str, workload: Workload) -> tuple[float, str]:
        """Return the seconds on the device, and their basis, a key of `ERROR_FACTORS`."""
        flop = workload.flop(self.matmul[workload.model])
        names = (rule, workload.model, workload.task)
        for key, basis in ((names, "job"), (names[:2], "model"), (names[:1], "device")):
            if key in self.rates:
                return flop / statistics.median(self.rates[key]), basis
        return flop / self.device_flops, "flop"
