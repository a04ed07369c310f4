"""Ranks: the processes of one training, a GPU each, which torchrun starts on one machine.

Every function also serves a process that is alone. Numbers are agreed on through the CPU (gloo),
so that no GPU is waited for; gradients are added up on the devices (NCCL, or gloo without GPUs).
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any


def rank() -> int:
    """Return the number of this process, from 0."""
    return int(os.environ.get("RANK", "0"))


def seed(of: int) -> int:
    """Return the seed of what each rank draws for itself: that of the training on the first.

    On the others the first word of numpy's `SeedSequence([of, 0, rank])`: torch's generator on the
    CPU reads 32 bits of a seed, so a large number added would be no other seed.
    """
    import numpy as np

    if not rank():
        return of
    return int(np.random.SeedSequence([of, 0, rank()]).generate_state(1)[0])


def size() -> int:
    """Return the number of processes."""
    return int(os.environ.get("WORLD_SIZE", "1"))


@contextlib.contextmanager
def joined(patience: float) -> Iterator[None]:
    """Join the other processes; one that waits for the others does so for `patience` seconds."""
    if size() == 1:
        yield
        return
    import torch
    from torch import distributed

    gpus = torch.cuda.is_available()
    if gpus:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    backend = "cpu:gloo,cuda:nccl" if gpus else "gloo"
    distributed.init_process_group(backend, timeout=timedelta(seconds=patience))
    try:
        yield
    finally:
        distributed.destroy_process_group()


def leading(context: contextlib.AbstractContextManager) -> contextlib.AbstractContextManager:
    """Return the context in the first process, nothing in the others."""
    return context if rank() == 0 else contextlib.nullcontext()


def agreed(value: Any) -> Any:
    """Return the value of the first process."""
    if size() == 1:
        return value
    import torch
    from torch import distributed

    box = [value]
    distributed.broadcast_object_list(box, device=torch.device("cpu"))
    return box[0]


def every(value: Any) -> list[Any]:
    """Return the values of all processes."""
    if size() == 1:
        return [value]
    from torch import distributed

    found: list[Any] = [None] * size()
    distributed.all_gather_object(found, value)
    return found


def total(*numbers: float) -> list[float]:
    """Return the sum of each number over the processes."""
    return _reduced(numbers, "SUM")


def most(*numbers: float) -> list[float]:
    """Return the largest of each number over the processes."""
    return _reduced(numbers, "MAX")


def add(tensors: Iterable[Any]) -> None:
    """Put into each tensor its sum over the processes; those that are sharded have it already."""
    if size() == 1:
        return
    from torch import distributed
    from torch.distributed.tensor import DTensor

    dense = [tensor for tensor in tensors if not isinstance(tensor, DTensor)]
    for work in [distributed.all_reduce(tensor, async_op=True) for tensor in dense]:
        work.wait()


def _reduced(numbers: Sequence[float], how: str) -> list[float]:
    if size() == 1:
        return list(numbers)
    import torch
    from torch import distributed

    vector = torch.tensor(numbers, dtype=torch.float64)
    distributed.all_reduce(vector, getattr(distributed.ReduceOp, how))
    return vector.tolist()
