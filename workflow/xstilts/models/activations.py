"""The activations of a forward pass, in bytes, by architecture.

`workflow/reference/activations.csv` has what a layer keeps of them for the backward pass.
"""

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
# What is in flight beside, in the backward and in the forward pass of a layer: values of the width
# of the feed-forward network (a function of its own for gelu; one product for two matrices), and
# scores of attention. Measured by tests/bench/footprints.py.
IN_FLIGHT = {"bloom": (3, 4, 0, 0), "modernbert": (0, 2, 0, 0), "deberta-v2": (0, 0, 3, 3)}


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

    @property
    def value(self) -> int:
        """Bytes of what a matrix product makes."""
        return 4 if self.precision == "fp32" else 2

    def _sizes(self, length: int) -> dict[str, int]:
        shape = self.shape
        return {
            "width": shape.width,
            "attention": shape.heads * shape.head_width,
            "keys": shape.kv_heads * shape.head_width,
            "inner": shape.inner,
            "scores": shape.heads * length,
            "mask": length,
        }

    @property
    def _kept(self) -> dict[str, float]:
        shape = self.shape
        return _table(shape.architecture, shape.gated, self.adapter, self.precision)

    def layer(self, length: int) -> float:
        """Return the bytes a token that a layer keeps, in sequences of so many tokens."""
        sizes = self._sizes(length)
        sizes |= {f"dropped_{name}": self.mask * sizes[name] for name in DROPPED}
        return sum(self._kept[name] * size for name, size in sizes.items())

    def bytes(self, tokens: int, length: int) -> int:
        """Return the most that is there at once, of so many tokens in sequences of a length.

        It is there when the backward pass is in the last layer: what all layers keep, gradients of
        the width of its feed-forward network, and the states before the first and after the last.
        """
        shape, each = self.shape, self.layer(length)
        layers = each + shape.layers * RESIDUAL * shape.width
        if not self.checkpointing:
            layers = shape.layers * each
        more, _, scores, _ = IN_FLIGHT.get(shape.architecture, (0, 0, 0, 0))
        passing = (1 + shape.gated + more) * shape.inner + scores * shape.heads * length
        return round(tokens * (layers + self.value * passing + 4 * RESIDUAL * shape.width))

    def of_evaluation(self, tokens: int, length: int) -> int:
        """Return those without a backward pass: of one layer, in its feed-forward network, beside
        the scores of attention where they are made at all."""
        shape = self.shape
        _, more, _, scores = IN_FLIGHT.get(shape.architecture, (0, 0, 0, 0))
        inner = self.value * (2 + shape.gated + more) * shape.inner
        of_scores = (self._kept["scores"] + self.value * scores) * shape.heads * length
        return round(tokens * (inner + 3 * RESIDUAL * shape.width + of_scores))


@cache
def _table(architecture: str, gated: bool, adapter: bool, precision: str) -> dict[str, float]:
    rows = {
        row["architecture"]: {column: float(row[column]) for column in COLUMNS}
        for row in reference.table("activations")
        if (row["adapter"] == "yes", row["precision"]) == (adapter, precision)
    }
    return rows.get(architecture) or rows[GATED if gated else PLAIN]
