"""Seconds of something, by the median."""

import statistics
import time
from collections.abc import Callable
from typing import Any


def seconds_of(work: Callable[[], Any], wait: Callable[[], None], repeats: int = 10) -> float:
    """Return the seconds that `work` takes, the median of some, after three to warm up; `wait`
    until the device is done."""
    taken = []
    for number in range(3 + repeats):
        start = time.perf_counter()
        work()
        wait()
        if number >= 3:
            taken.append(time.perf_counter() - start)
    return statistics.median(taken)
