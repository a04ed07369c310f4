"""When jobs start and end on several devices, as Snakemake would start them."""

import heapq
from collections.abc import Collection, Mapping


def schedule(
    seconds: Mapping[str, float],
    needs: Mapping[str, Collection[str]],
    devices: int,
    first: Collection[str] = (),
) -> dict[str, tuple[float, float]]:
    """Return job -> its start and end, if each free device takes a job that is ready.

    Args:
        seconds: job -> its time; jobs of 0 seconds use no device.
        needs: job -> the jobs whose results it reads; those not in `seconds` are finished.
        devices: how many jobs run at a time.
        first: jobs that are taken before others (the priority of their rule).
    """
    waiting = {job: {need for need in needs[job] if need in seconds} for job in seconds}
    readers: dict[str, list[str]] = {}
    for job, missing in waiting.items():
        for need in missing:
            readers.setdefault(need, []).append(job)
    order, first = {job: i for i, job in enumerate(seconds)}, set(first)
    queue: list[tuple[bool, int, str]] = []  # ready, without a device
    running: list[tuple[float, str]] = []
    intervals: dict[str, tuple[float, float]] = {}
    now, free = 0.0, devices

    def start(job: str) -> None:
        intervals[job] = (now, now + seconds[job])
        heapq.heappush(running, (now + seconds[job], job))

    def enqueue(job: str) -> None:
        if seconds[job]:
            heapq.heappush(queue, (job not in first, order[job], job))
        else:
            start(job)

    for job, missing in waiting.items():
        if not missing:
            enqueue(job)
    while queue or running:
        while queue and free:
            start(heapq.heappop(queue)[-1])
            free -= 1
        now, job = heapq.heappop(running)
        free += seconds[job] > 0
        for reader in readers.get(job, []):
            waiting[reader].discard(job)
            if not waiting[reader]:
                enqueue(reader)
    return intervals
