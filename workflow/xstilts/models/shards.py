"""Sharding (FSDP2): each GPU holds a part of the model, for models that do not fit on one.

Weights, gradients and moments take 16 bytes a parameter: XLM-R XL 56 GB, XXL 171 GB.
"""

from collections.abc import Iterable
from typing import Any

from xstilts.running import ranks

_sharded: list[Any] = []  # the encoder, once it is


def sharded() -> bool:
    """Return whether this process trains a sharded model."""
    return bool(_sharded)


def layers(encoder) -> Iterable[Any]:
    """Return the layers of an encoder: its longest list of modules."""
    import torch

    lists = [m for m in encoder.modules() if isinstance(m, torch.nn.ModuleList)]
    return max(lists, key=len, default=[])


def shard(encoder, heads: Iterable[Any], device) -> None:
    """Shard the encoder, layer by layer, and the heads over all ranks."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import FSDPModule, fully_shard

    _sharded.append(encoder)
    mesh = init_device_mesh(device.type, (ranks.size(),))
    for layer in layers(encoder):
        fully_shard(layer, mesh=mesh)
    # What is outside of the layers stays whole until the backward pass: heads may use embeddings.
    for root in (encoder, *heads):
        fully_shard(root, mesh=mesh, reshard_after_forward=False)
        for module in root.modules():
            if isinstance(module, FSDPModule):
                # Each rank's loss is its share of that of the batch: gradients are summed.
                module.set_gradient_divide_factor(1.0)
                module.set_force_sum_reduction_for_comms(True)


def reshard(encoder) -> None:
    """Give back what a forward pass that no backward pass follows has left gathered.

    Until then `parameters()` are the gathered ones, which an optimizer must not be made for.
    """
    if sharded():
        from torch.distributed.fsdp import FSDPModule

        for module in encoder.modules():
            if isinstance(module, FSDPModule):
                module.reshard()


def local_tensor(tensor):
    """Return this rank's shard of a tensor; the tensor itself where it is not sharded."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


def full_tensor(tensor):
    """Return the full tensor; all ranks have to call this."""
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def shard_like(tensor, template):
    """Return a full tensor, sharded as `template` is."""
    if not hasattr(template, "device_mesh"):
        return tensor
    from torch.distributed.tensor import distribute_tensor

    # Every rank has read the same, so nothing has to be sent (src_data_rank).
    return distribute_tensor(
        tensor.to(template.device), template.device_mesh, template.placements, src_data_rank=None
    )
