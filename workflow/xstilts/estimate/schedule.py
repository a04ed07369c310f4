"""The wall time of jobs on several devices."""

import heapq
from collections.abc import Collection, Mapping


def wall_time(
    seconds: Mapping[str, float], needs: Mapping[str, Collection[str]], devices: int
) -> float:
    """Return when the last job ends if each device takes the next job that is ready.

    Args:
        seconds: job -> its time; jobs that take none hold no device.
        needs: job -> the jobs whose results it reads; what is not in `seconds` is there already.
        devices: how many jobs run at a time.
    """
    waiting = {job: {need for need in needs[job] if need in seconds} for job in seconds}
    readers: dict[str, list[str]] = {}
    for job, wanted in waiting.items():
        for need in wanted:
            readers.setdefault(need, []).append(job)
    ready = [(0.0, job) for job, wanted in waiting.items() if not wanted]
    heapq.heapify(ready)
    free, earliest = [0.0] * devices, dict.fromkeys(seconds, 0.0)
    end = 0.0
    while ready:
        start, job = heapq.heappop(ready)
        if seconds[job] > 0:
            start = max(start, heapq.heappop(free))
            heapq.heappush(free, start + seconds[job])
        done = start + seconds[job]
        end = max(end, done)
        for reader in readers.get(job, []):
            waiting[reader].discard(job)
            earliest[reader] = max(earliest[reader], done)
            if not waiting[reader]:
                heapq.heappush(ready, (earliest[reader], reader))
    return end
