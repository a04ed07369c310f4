"""The host beside the device: copies in its memory, and a thread that makes things ahead.

On a CPU the device is the host, and a thread would only take its cores from it.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from xstilts.models import pinning, shards
from xstilts.running import ranks

Item = TypeVar("Item")
_END: Any = object()


def is_beside(device) -> bool:
    """Return whether the host has time for other work while the device computes."""
    return device.type == "cuda"


def copy(tensor):
    """Return a copy on the CPU of this rank's piece of a tensor; of one that is not cut, of all of
    it in the first rank, which saves it, and None in the others.

    A GPU copies into pinned memory in the order of its stream, and this process goes on: what is
    copied may be changed at once, the copy is read after `arrival`. A stream of its own would hide
    one step of the copying, as the next update of a weight has to wait for its copy; of 2.2 GB
    over PCIe 5 at 50 GB/s that is 10 of 45 ms.
    """
    own = saved(tensor)
    if own is None:
        return None
    if not own.is_cuda:
        return own.to("cpu", copy=True).contiguous()
    return pinning.empty(own).copy_(own, non_blocking=True)


def saved(tensor):
    """Return what of a tensor this rank saves: its piece, or all, or nothing (None); see `copy`."""
    tensor = tensor.detach()
    return None if ranks.rank() and not shards.is_cut(tensor) else shards.local_tensor(tensor)


def arrival(device) -> Callable[[], None]:
    """Return what waits until all that was copied so far is there; any thread may call it."""
    if device.type != "cuda":
        return lambda: None
    import torch

    event = torch.cuda.Event(blocking=True)
    event.record()
    return event.synchronize


@contextlib.contextmanager
def ahead(items: Iterator[Item], depth: int, device) -> Iterator[Iterator[Item]]:
    """Yield the items, made by a thread while the caller works, at most `depth` ahead of it.

    What the thread raises is raised where its item is asked for. The thread has ended when the
    context has, however that ends. With a depth of 0 an item is made when it is asked for.
    """
    if not depth:
        yield items
        return
    with ThreadPoolExecutor(1, "ahead", _use(device)) as thread:
        made = deque(thread.submit(next, items, _END) for _ in range(depth))

        def taken() -> Iterator[Item]:
            while (item := made.popleft().result()) is not _END:
                made.append(thread.submit(next, items, _END))
                yield item

        yield taken()


def _use(device) -> Callable[[], None]:
    """Return what makes a new thread use the GPU that this one does."""
    if device.type != "cuda":
        return lambda: None
    import torch

    number = torch.cuda.current_device()
    return lambda: torch.cuda.set_device(number)
