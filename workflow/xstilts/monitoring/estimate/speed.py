"""How fast the work is done: measured on finished jobs, else from parameters and a device."""

import dataclasses
import statistics
from collections.abc import Iterable, Mapping

from xstilts.monitoring.estimate.work import Work

# How far an estimate may be off, as a factor in both directions, by what it is based on. `job`: the
# same model and task has been run; 1.25 covers a busy machine. The others are guesses, until
# `compare` says better.
ERRORS = {"job": 1.25, "model": 1.6, "device": 2.0, "flop": 3.0}


@dataclasses.dataclass(frozen=True)
class Took:
    """A finished job: its rule, work, and seconds on the device."""

    rule: str
    work: Work
    seconds: float


class Speed:
    """Seconds of a job, from what finished ones took.

    Attributes:
        matmul: model -> parameters of its matrix products (not the embeddings).
        assumed: FLOP a second of the device, where nothing has been measured.
    """

    def __init__(self, took: Iterable[Took], matmul: Mapping[str, float], assumed: float) -> None:
        self.matmul, self.assumed = matmul, assumed
        self.rates: dict[tuple[str, ...], list[float]] = {}
        for one in took:
            rate = one.work.flop(matmul[one.work.model]) / max(one.seconds, 1e-3)
            names = (one.rule, one.work.model, one.work.task)
            for key in (names, names[:2], names[:1]):
                self.rates.setdefault(key, []).append(rate)

    def seconds(self, rule: str, work: Work) -> tuple[float, str]:
        """Return the seconds on the device, and what they are based on, a key of `ERRORS`."""
        flop = work.flop(self.matmul[work.model])
        names = (rule, work.model, work.task)
        for key, basis in ((names, "job"), (names[:2], "model"), (names[:1], "device")):
            if key in self.rates:
                return flop / statistics.median(self.rates[key]), basis
        return flop / self.assumed, "flop"
