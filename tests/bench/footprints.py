"""The memory of a training by formula, and as it is measured on a CPU, by architecture.

    PYTHONPATH=workflow:. python tests/bench/footprints.py [architecture ...]

Measured is the most that tensors hold at once in the second of two micro-batches, after a first
step: every storage that an operation makes is counted from then until it is freed. What kernels
take inside of an operation is not seen, nor what an allocator leaves unused.
"""

import sys
import weakref
from functools import partial
from typing import Any

import torch
from tests.bench import tiny
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from xstilts.experiment.recipe import Recipe
from xstilts.experiment.reference import Encoder
from xstilts.models import shards
from xstilts.models.gpu_memory import GpuMemory
from xstilts.training.optimizer import make_optimizer

SEQUENCES, LENGTH = 16, 64
KINDS = ("whole", "checkpointing", "adapter", "both", "evaluation")


class Live(TorchDispatchMode):
    """Counts the bytes of storages that are alive, and the most there were."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0
        self.known = dict[int, Any]()

    def add(self, tensor: Any) -> None:
        """Count a tensor's storage until it is freed."""
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self.known or not size:
            return
        self.known[key] = weakref.finalize(storage, self._freed, key, size)
        self.now += size
        self.most = max(self.most, self.now)

    def _freed(self, key: int, size: int) -> None:
        del self.known[key]
        self.now -= size

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor):
                self.add(tensor)
        return made


def measured(shape: Encoder, kind: str) -> int:
    """Return the peak of a training of a tiny encoder, in bytes."""
    live = Live()
    encoder = tiny.encoder(shape)
    if kind in ("adapter", "both"):
        tiny.attach(encoder)
    if kind in ("checkpointing", "both"):
        for layer in shards.layers(encoder):
            again = partial(torch.utils.checkpoint.checkpoint, layer.forward, use_reentrant=False)
            layer.forward = again
    for weight in (*encoder.parameters(), *encoder.buffers()):
        live.add(weight)
    if kind == "evaluation":
        with live, torch.no_grad():
            tiny.forward(encoder.eval(), SEQUENCES, LENGTH)
        return live.most
    encoder.train()
    trained = torch.nn.ParameterList(p for p in encoder.parameters() if p.requires_grad)
    with live:
        optimizer = make_optimizer([trained], Recipe())
        for micro_batches in (1, 2):
            live.most = live.now
            for _ in range(micro_batches):
                tiny.forward(encoder, SEQUENCES, LENGTH).mean().backward()
            optimizer.step()
            optimizer.zero_grad()
    return live.most


def expected(shape: Encoder, kind: str) -> int:
    """Return the peak by formula."""
    encoder = tiny.encoder(shape)
    count = sum(p.numel() for p in encoder.parameters())
    adapter = 0
    if kind in ("adapter", "both"):
        tiny.attach(encoder)
        adapter = sum(p.numel() for p in encoder.parameters() if p.requires_grad)
    shape = Encoder(**{**vars(shape), "parameters": count})
    memory = GpuMemory(
        shape, kind != "evaluation", adapter, kind in ("checkpointing", "both"),
        precision="fp32", mask=4,
    )  # fmt: skip
    return memory.peak(SEQUENCES * LENGTH, LENGTH)


def main() -> None:
    """Print both, and their difference, by architecture."""
    torch.set_num_threads(1)
    print("MB, formula and measured, by architecture")
    for architecture in sys.argv[1:] or tiny.ARCHITECTURES:
        inner = 512 if architecture in tiny.UNGATED else 352
        shape = tiny.shape(architecture, 4, 128, inner, 4, 2, 48)
        for kind in KINDS:
            want, got = expected(shape, kind) / 1e6, measured(shape, kind) / 1e6
            print(f"{architecture:15}{kind:14}{want:8.2f}{got:8.2f}{100 * (want / got - 1):+7.1f}%")


if __name__ == "__main__":
    main()
