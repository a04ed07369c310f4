"""The activations of a forward pass, in bytes, by architecture (`workflow/reference/activations.csv`)."""

import dataclasses
from functools import cache
from typing import Literal

from xstilts.experiment import reference
from xstilts.experiment.reference import Encoder

# By what the bytes of a token go: the widths of a shape; all scores of attention (heads times the
# length of a sequence); a mask of its own (that length).
COLUMNS = (
    "width", "attention", "keys", "inner", "scores", "mask",
    "dropped_width", "dropped_attention", "dropped_inner",
)  # fmt: skip
DROPPED = ("width", "attention", "inner")  # with a mask of dropout, of so many values
Precision = Literal["fp32", "bf16"]
RESIDUAL = 4  # bytes of a value between two layers: fp32 under autocast too, as norms are
# The architecture that another is taken for.
GATED, PLAIN = "gemma3_text", "xlm-roberta"


@dataclasses.dataclass(frozen=True)
class Activations:
    """Those of a training of a model.

    Attributes:
        shape: of the model.
        adapter: whether an adapter is trained on a frozen model. Its dropout makes each linear
            layer an input of its own.
        precision: fp32, or bf16 by autocast.
        checkpointing: whether layers are run again in the backward pass (Chen et al. 2016, arXiv
            1604.06174): their inputs are kept, and all of one layer.
        mask: bytes of a value of a mask of dropout: 1 on a GPU, 4 on a CPU.
    """

    shape: Encoder
    adapter: bool = False
    precision: Precision = "fp32"
    checkpointing: bool = False
    mask: int = 1

    def layer(self, length: int) -> float:
        """Return the bytes a token that a layer keeps, in sequences of so many tokens."""
        shape = self.shape
        kept = _kept(shape.architecture, shape.gated, self.adapter, self.precision)
        attention, keys = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
        sizes = {
            "width": shape.width, "attention": attention, "keys": keys, "inner": shape.inner,
            "scores": shape.heads * length, "mask": length,
        }  # fmt: skip
        sizes |= {f"dropped_{name}": self.mask * sizes[name] for name in DROPPED}
        return sum(kept[name] * size for name, size in sizes.items())

    def bytes(self, tokens: int, length: int) -> int:
        """Return the most that is there at once, of so many tokens in sequences of a length.

        It is there when the backward pass is in the last layer: what all layers keep, gradients of
        the width of its feed-forward network, and the states before the first and after the last.
        """
        shape, each = self.shape, self.layer(length)
        layers = each + shape.layers * RESIDUAL * shape.width
        if not self.checkpointing:
            layers = shape.layers * each
        value = 4 if self.precision == "fp32" else 2
        passing = value * (1 + shape.gated) * shape.inner + 4 * RESIDUAL * shape.width
        return round(tokens * (layers + passing))

    def of_evaluation(self, tokens: int, length: int) -> int:
        """Return those without a backward pass: of one layer at a time."""
        return round(tokens * self.layer(length))


@cache
def _kept(architecture: str, gated: bool, adapter: bool, precision: str) -> dict[str, float]:
    rows = {
        row["architecture"]: {column: float(row[column]) for column in COLUMNS}
        for row in reference.table("activations")
        if (row["adapter"] == "yes", row["precision"]) == (adapter, precision)
    }
    return rows.get(architecture) or rows[GATED if gated else PLAIN]
