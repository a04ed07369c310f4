"""Sharding (FSDP2): each GPU holds a part of the model, for models that do not fit on one.

Weights, gradients and moments take 16 bytes a parameter: XLM-R XL 56 GB, XXL 171 GB. A tensor is
cut along its first dimension into as many pieces as there are ranks; the last may be shorter or
empty.
"""

from collections.abc import Iterable
from typing import Any

from xstilts.running import ranks

_sharded: list[bool] = []  # not empty once a model is


def sharded() -> bool:
    """Return whether this process trains a sharded model."""
    return bool(_sharded)


def layers(encoder) -> Iterable[Any]:
    """Return the layers of an encoder: its longest list of modules."""
    import torch

    lists = [m for m in encoder.modules() if isinstance(m, torch.nn.ModuleList)]
    return max(lists, key=len, default=[])


def shard(device, *modules: Any) -> None:
    """Shard modules over all ranks: an encoder layer by layer, or heads."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import FSDPModule, fully_shard

    _sharded.append(True)
    mesh = init_device_mesh(device.type, (ranks.size(),))
    for root in modules:
        for layer in layers(root):
            fully_shard(layer, mesh=mesh)
        # What is outside of the layers stays whole until the backward pass: heads may use
        # embeddings.
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


def is_cut(tensor) -> bool:
    """Return whether each rank has a piece of a tensor."""
    return hasattr(tensor, "to_local")


def local_tensor(tensor):
    """Return this rank's piece of a tensor; the tensor itself where it is not cut."""
    return tensor.to_local() if is_cut(tensor) else tensor


def rows(tensor) -> tuple[int, int]:
    """Return the first row of this rank's piece of a tensor that is cut, and the row after it."""
    most = -(-len(tensor) // ranks.size())
    first, after = (min(rank * most, len(tensor)) for rank in (ranks.rank(), ranks.rank() + 1))
    return first, after


def saved_piece(template, tensors, name: str):
    """Return what saved `tensors` (`training.storage.Tensors`) have of a tensor that is cut as
    `template` is: this rank's rows; all where it is not cut."""
    return tensors.rows(name, *rows(template)) if is_cut(template) else tensors[name]


def cut_like(piece, template, of_its_shape: bool = True):
    """Return this rank's piece of a tensor as such, cut as `template` is, and of its shape unless
    told otherwise; the piece itself where that is not cut."""
    if not is_cut(template):
        return piece
    from torch.distributed.tensor import DTensor

    shape = {"shape": template.shape, "stride": template.stride()} if of_its_shape else {}
    mesh, placements = template.device_mesh, template.placements
    return DTensor.from_local(piece, mesh, placements, run_check=False, **shape)
