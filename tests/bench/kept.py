"""What a layer keeps for the backward pass, by architecture: `workflow/reference/activations.csv`.

    PYTHONPATH=workflow:. python tests/bench/kept.py > workflow/reference/activations.csv

Tiny models of two depths, run forward once on a CPU; the tensors that autograd saves are counted
(each storage once, weights left out), and told apart by their widths, which are all different. The
half precision of a GPU is imitated: the operations on the lists of CUDA's autocast
(https://docs.pytorch.org/docs/stable/amp.html) are cast as it casts them. Attention has no dropout,
so that a CPU has a kernel for it that, as a GPU's, keeps no scores.
"""

import csv
import sys
import warnings
from collections import Counter
from typing import Any

import torch
import torch.nn.functional as F
from tests.bench import tiny
from torch.overrides import TorchFunctionMode

from xstilts.experiment.reference import Encoder
from xstilts.models.activations import COLUMNS, DROPPED

LOW = {
    F.linear, torch.matmul, torch.bmm, torch.addmm, torch.baddbmm, torch.Tensor.matmul,
    torch.Tensor.__matmul__, torch.Tensor.bmm, torch.Tensor.baddbmm,
    F.scaled_dot_product_attention,
}  # fmt: skip
HIGH = {
    F.layer_norm, F.softmax, torch.softmax, torch.Tensor.softmax, torch.pow, torch.Tensor.pow,
    torch.rsqrt, torch.Tensor.rsqrt,
}  # fmt: skip
SEQUENCES, LENGTH, HEADS, SMALL = 3, 61, 4, 8


class Autocast(TorchFunctionMode):
    """CUDA's autocast on a CPU, and its dropout, whose mask has one byte."""

    def __init__(self, half: bool) -> None:
        super().__init__()
        self.half, self.copies = half, dict[int, Any]()

    def cast(self, value: Any, dtype: torch.dtype) -> Any:
        """Return a tensor in a type; of a weight the copy that all its uses share."""
        if not (isinstance(value, torch.Tensor) and value.is_floating_point()):
            return value
        if not isinstance(value, torch.nn.Parameter) or value.dtype == dtype:
            return value.to(dtype)
        return self.copies.setdefault(id(value), value.to(dtype))

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function is F.dropout:
            share = kwargs.get("p", args[1] if len(args) > 1 else 0.5)
            training = kwargs.get("training", args[2] if len(args) > 2 else True)
            return torch.native_dropout(args[0], share, True)[0] if share and training else args[0]
        dtype = torch.bfloat16 if function in LOW else torch.float32 if function in HIGH else None
        if dtype and self.half:
            with torch._C.DisableTorchFunction():
                args = [self.cast(value, dtype) for value in args]
                kwargs = {key: self.cast(value, dtype) for key, value in kwargs.items()}
        return function(*args, **kwargs)


def kept(shape: Encoder, adapter: bool, half: bool) -> dict[int, tuple[int, torch.dtype]]:
    """Return storage -> elements and type of what is saved in a forward pass of a training."""
    encoder = tiny.encoder(shape).train()
    if adapter:
        tiny.attach(encoder, rank=2, half=half)
    mode, saved, alive = Autocast(half), dict[int, tuple[int, torch.dtype]](), list[Any]()

    def save(tensor):
        storage = tensor.untyped_storage()
        alive.append(tensor)
        saved[storage.data_ptr()] = storage.nbytes() // tensor.itemsize, tensor.dtype
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor), mode:
        tiny.forward(encoder, SEQUENCES, LENGTH)
    for weight in (*encoder.parameters(), *encoder.buffers(), *mode.copies.values()):
        saved.pop(weight.untyped_storage().data_ptr(), None)
    return saved


def row(architecture: str, adapter: bool, half: bool) -> dict[str, Any]:
    """Return the bytes a token and layer, by the width that they go with."""
    own = tiny.attention_of(architecture)  # the width of attention is that of the model, or its own
    shape = tiny.shape(architecture, 2, 72, 200, HEADS, 2, 28)
    query, key = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
    widths = {shape.width: "width", shape.inner: "inner", HEADS * LENGTH: "scores", LENGTH: "mask"}
    if own:
        widths |= {key: "keys", query: "attention"}
    counts = [Counter(), Counter()]
    for depth, count in zip((2, 4), counts, strict=True):
        deep = tiny.shape(architecture, depth, 72, 200, HEADS, 2, 28)
        count.update(kept(deep, adapter, half).values())
    found = dict.fromkeys(COLUMNS, 0)
    for (elements, dtype), number in counts[1].items():
        each, rest = divmod(elements, SEQUENCES * LENGTH)
        more = (number - counts[0][elements, dtype]) / 2
        if rest or each <= SMALL or not more:
            continue  # of a batch, or of the rank of an adapter
        width = next((w for w in (each, each / 2, each / 3) if w in widths), None)
        if width is None:
            print(f"{architecture}: {more} of {each} {dtype}", file=sys.stderr)
            continue
        name, times = widths[width], more * each / width
        if dtype == torch.bool and name in DROPPED:
            found[f"dropped_{name}"] += times
        else:
            found[name] += times * dtype.itemsize
    told = {"architecture": architecture, "adapter": "yes" if adapter else "no"}
    return (
        told | {"precision": "bf16" if half else "fp32"} | {k: f"{v:g}" for k, v in found.items()}
    )


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["architecture", "adapter", "precision", *COLUMNS])
    for architecture in tiny.ARCHITECTURES:
        for adapter in (False, True):
            for half in (False, True):
                writer.writerow(row(architecture, adapter, half).values())


if __name__ == "__main__":
    main()
