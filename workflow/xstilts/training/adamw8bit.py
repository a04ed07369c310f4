"""AdamW whose moments have 8 bits: 2 bytes a parameter in place of 8, by bitsandbytes.

Blocks of 256 values have a scale each (Dettmers et al. 2022, arXiv 2110.02861). As recommended
there, and as Hugging Face's Trainer does, the moments of embeddings stay in fp32; so do those of
vectors, and of what has fewer than 4,096 values. Of a sharded model each rank's shard has blocks of
its own.
"""

import importlib.util
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from xstilts.experiment.recipe import NEEDS_BITSANDBYTES
from xstilts.models import shards
from xstilts.running import ranks
from xstilts.running.errors import UserError
from xstilts.training.storage import Tensors

PACKAGE, BLOCK, LEAST = "bitsandbytes", 256, 4096
CODES = {1: "dynamic", 2: "udynamic"}  # what the bytes of the two moments stand for


def made(optimizer) -> bool:
    """Return whether an optimizer is one of these."""
    return hasattr(optimizer, "name2qmap")


def make(modules: Sequence[Any], groups: Sequence[dict[str, Any]], settings: Mapping[str, Any]):
    """Return the optimizer of groups of parameters, some of which are embeddings of `modules`.

    Raises:
        UserError: the package is not there.
    """
    import torch

    if importlib.util.find_spec(PACKAGE) is None:
        raise UserError(NEEDS_BITSANDBYTES)
    logging.getLogger(PACKAGE).setLevel(logging.ERROR)  # what it lacks is for 4-bit inference
    from bitsandbytes.optim import AdamW8bit

    class OfPieces(AdamW8bit):
        """Updates this rank's piece of each parameter, with moments of as many bits as the group
        says."""

        def get_config(self, group_number, number, group):
            config = super().get_config(group_number, number, group)
            return config | {"optim_bits": group["bits"]}

        def init_state(self, group, p, *where):
            piece = shards.local_tensor(p)
            super().init_state(group, piece, *where)
            if piece is not p:
                self.state[p] = self.state.pop(piece)

        def update_step(self, group, p, *where):
            piece = shards.local_tensor(p)
            if piece is p:
                super().update_step(group, p, *where)
            elif piece.numel():
                piece.grad = shards.local_tensor(p.grad)
                self.state[piece] = self.state[p]
                super().update_step(group, piece, *where)
                del self.state[piece]

    found = (m for module in modules for m in module.modules())
    embeddings = {id(m.weight) for m in found if isinstance(m, torch.nn.Embedding)}
    matrices, vectors = groups
    split: dict[int, list[Any]] = {8: [], 32: []}
    for parameter in matrices["params"]:
        split[32 if id(parameter) in embeddings else 8].append(parameter)
    by_bits = [{**matrices, "params": of, "bits": bits} for bits, of in split.items() if of]
    return OfPieces([*by_bits, {**vectors, "bits": 32}], **settings)


def state(optimizer) -> dict[int, dict[str, Any]]:
    """Return number of a parameter -> its moments, their scales and its steps, as tensors; what is
    of a piece is cut as its parameter is."""
    import torch

    found: dict[int, dict[str, Any]] = {}
    for number, parameter in enumerate(_parameters(optimizer)):
        if own := optimizer.state.get(parameter):
            found[number] = {
                key: shards.cut_like(value, parameter, of_its_shape=False)
                for key, value in own.items()
                if key.startswith(("state", "absmax"))
            }
            found[number]["step"] = torch.tensor(own["step"])
    return found


def restore(optimizer, tensors: Tensors, numbers: Mapping[int, Any]) -> None:
    """Go on from a saved state; as many ranks as saved it have the same bytes, others the same
    moments in other blocks, rounded anew."""
    parameters = _parameters(optimizer)
    bits = [group["bits"] for group in optimizer.param_groups for _ in group["params"]]
    for number in numbers:
        parameter, name = parameters[number], f"optimizer {number} "
        own: dict[str, Any] = {"step": int(tensors[f"{name}step"])}
        for moment in CODES:
            own |= _moment(optimizer, tensors, name, moment, parameter, bits[number])
        optimizer.state[parameter] = own


def _moment(optimizer, tensors: Tensors, name: str, moment: int, parameter, bits: int) -> dict:
    """Return one of the two moments of this rank's piece of a parameter."""
    import torch
    from bitsandbytes.functional import quantize_blockwise

    key, scale = f"state{moment}", f"absmax{moment}"
    codes = optimizer.name2qmap[CODES[moment]].cpu()
    cut, device = shards.is_cut(parameter), parameter.device
    pieces = tensors.pieces(name + key)
    scales = tensors.pieces(name + scale) if name + scale in tensors else []
    eight = bits == 8 and shards.local_tensor(parameter).numel() >= LEAST
    if len(pieces) == (ranks.size() if cut else 1):
        own = ranks.rank() if cut else 0
        found = {key: pieces[own]}
        if eight:  # as its piece was; those of few values before it have no scales
            found[scale] = scales[sum(piece.dtype == torch.uint8 for piece in pieces[:own])]
    else:
        left = iter(scales)
        values = [
            _values(piece, next(left), codes) if piece.dtype == torch.uint8 else piece
            for piece in pieces
        ]
        whole = torch.cat(values)
        first, after = shards.rows(parameter) if cut else (0, len(whole))
        found = {key: whole[first:after]}
        if eight:
            rounded, how = quantize_blockwise(found[key].contiguous(), code=codes, blocksize=BLOCK)
            found = {key: rounded, scale: how.absmax}
    found = {name: value.to(device, copy=True).contiguous() for name, value in found.items()}
    return found | ({f"qmap{moment}": codes.to(device)} if eight else {})


def _values(piece, scales, codes):
    """Return the values that bytes stand for, in fp32."""
    flat = codes[piece.flatten().int()]
    return (flat * scales.repeat_interleave(BLOCK)[: len(flat)]).view(piece.shape)


def _parameters(optimizer) -> list[Any]:
    return [p for group in optimizer.param_groups for p in group["params"]]
