"""Shards: a model of which each GPU holds a part (FSDP2), for what does not fit on one.

Weights, gradients and moments take 16 bytes a parameter: XLM-R XL 56 GB, XXL 171 GB.
"""

from collections.abc import Iterable
from typing import Any

from xstilts.running import ranks

_made: list[Any] = []


def sharded() -> bool:
    """Return whether this process trains a sharded model."""
    return bool(_made)


def shard(encoder, heads: Iterable[Any], where) -> None:
    """Cut the encoder, layer by layer, and the heads over all ranks."""
    import torch
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import FSDPModule, fully_shard

    _made.append(encoder)
    mesh = init_device_mesh(where.type, (ranks.size(),))
    lists = [m for m in encoder.modules() if isinstance(m, torch.nn.ModuleList)]
    for layer in max(lists, key=len, default=[]):
        fully_shard(layer, mesh=mesh)
    # What is outside of the layers stays whole until the backward pass: heads may use embeddings.
    for whole in (encoder, *heads):
        fully_shard(whole, mesh=mesh, reshard_after_forward=False)
        for module in whole.modules():
            if isinstance(module, FSDPModule):
                # Each rank's loss is its share of that of the batch: gradients are summed.
                module.set_gradient_divide_factor(1.0)
                module.set_force_sum_reduction_for_comms(True)


def local(tensor):
    """Return this rank's part of a tensor; the tensor itself where it is not sharded."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


def whole(tensor):
    """Return the whole tensor; all ranks have to ask for it."""
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def like(value, pattern):
    """Return a whole tensor, cut as `pattern` is."""
    if not hasattr(pattern, "device_mesh"):
        return value
    from torch.distributed.tensor import distribute_tensor

    # Every rank has read the same, so nothing has to be sent (src_data_rank).
    return distribute_tensor(
        value.to(pattern.device), pattern.device_mesh, pattern.placements, src_data_rank=None
    )
