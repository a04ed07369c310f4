"""When jobs start and end on several devices, as Snakemake would start them.

Of the jobs that are ready, Snakemake's greedy scheduler starts the one of the highest priority that
still fits, and goes on until none does (snakemake/scheduling/greedy.py, 9.27). It looks at the
sizes of inputs between equal priorities alone, and then at the places of objects in memory; the
priorities of `priorities` differ.
"""

import heapq
from collections.abc import Collection, Mapping


def schedule(
    seconds: Mapping[str, float],
    needs: Mapping[str, Collection[str]],
    devices: int,
    priorities: Mapping[str, float] | None = None,
    takes: Mapping[str, int] | None = None,
) -> dict[str, tuple[float, float]]:
    """Return job -> its start and end.

    Args:
        seconds: job -> its time; jobs of 0 seconds use no device.
        needs: job -> the jobs whose results it reads; those not in `seconds` are finished.
        devices: how many there are; at least what one job takes.
        priorities: job -> a number; of jobs that are ready, the highest goes first. 0 where it is
            not said; equal ones go in the order of `seconds`.
        takes: job -> the devices that it needs at once; 1 where it is not said.
    """
    priorities, takes = priorities or {}, takes or {}
    waiting = {job: {need for need in needs[job] if need in seconds} for job in seconds}
    readers: dict[str, list[str]] = {}
    for job, missing in waiting.items():
        for need in missing:
            readers.setdefault(need, []).append(job)
    order = {job: i for i, job in enumerate(seconds)}
    queues: dict[int, list[tuple[float, int, str]]] = {}  # ready, by the devices that they take
    running: list[tuple[float, str]] = []
    intervals: dict[str, tuple[float, float]] = {}
    now, free = 0.0, devices

    def start(job: str) -> None:
        intervals[job] = (now, now + seconds[job])
        heapq.heappush(running, (now + seconds[job], job))

    def enqueue(job: str) -> None:
        if seconds[job]:
            queue = queues.setdefault(takes.get(job, 1), [])
            heapq.heappush(queue, (-priorities.get(job, 0.0), order[job], job))
        else:
            start(job)

    for job, missing in waiting.items():
        if not missing:
            enqueue(job)
    while True:
        while fitting := [queue for width, queue in queues.items() if queue and width <= free]:
            job = heapq.heappop(min(fitting))[-1]  # the queue whose first comes first
            free -= takes.get(job, 1)
            start(job)
        if not running:
            return intervals
        now = running[0][0]
        while running and running[0][0] == now:  # all that end before the next is chosen
            job = heapq.heappop(running)[-1]
            free += takes.get(job, 1) if seconds[job] else 0
            for reader in readers.get(job, []):
                waiting[reader].discard(job)
                if not waiting[reader]:
                    enqueue(reader)


def chains(seconds: Mapping[str, float], needs: Mapping[str, Collection[str]]) -> dict[str, float]:
    """Return job -> seconds from its start to the end of the longest chain of jobs that wait.

    `seconds` has to have what is needed first, as `graph.build` has.
    """
    after = dict.fromkeys(seconds, 0.0)
    found = {}
    for job in reversed(list(seconds)):
        found[job] = seconds[job] + after[job]
        for need in needs[job]:
            if need in after:
                after[need] = max(after[need], found[job])
    return found
