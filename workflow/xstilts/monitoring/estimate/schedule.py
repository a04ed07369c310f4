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
        seconds: job -> its time; jobs that take none hold no device.
        needs: job -> the jobs whose results it reads; what is not in `seconds` is there already.
        devices: how many jobs run at a time.
        first: jobs that are taken before others (the priority of their rule).
    """
    waiting = {job: {need for need in needs[job] if need in seconds} for job in seconds}
    readers: dict[str, list[str]] = {}
    for job, wanted in waiting.items():
        for need in wanted:
            readers.setdefault(need, []).append(job)
    order, first = {job: i for i, job in enumerate(seconds)}, set(first)
    queue: list[tuple[bool, int, str]] = []  # what waits for a device
    running: list[tuple[float, str]] = []
    spans: dict[str, tuple[float, float]] = {}
    now, free = 0.0, devices

    def start(job: str) -> None:
        spans[job] = (now, now + seconds[job])
        heapq.heappush(running, (now + seconds[job], job))

    def give(job: str) -> None:
        if seconds[job]:
            heapq.heappush(queue, (job not in first, order[job], job))
        else:
            start(job)

    for job, wanted in waiting.items():
        if not wanted:
            give(job)
    while queue or running:
        while queue and free:
            start(heapq.heappop(queue)[-1])
            free -= 1
        now, job = heapq.heappop(running)
        free += seconds[job] > 0
        for reader in readers.get(job, []):
            waiting[reader].discard(job)
            if not waiting[reader]:
                give(reader)
    return spans
