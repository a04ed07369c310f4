"""The GPU memory of a training or an evaluation, by formula, and what a GPU has room for."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from xstilts.experiment.reference import Encoder
from xstilts.models import shape as shapes
from xstilts.models.activations import Activations, Precision
from xstilts.running import gpus, weights
from xstilts.running.errors import UserError
from xstilts.running.files import read_json

# Bytes a parameter, fp32: weights, gradients, and Adam's two moments (Rajbhandari et al. 2020,
# arXiv 1910.02054, section 3.1, has 16 in all too); a copy of what is in matrix products in bf16.
WEIGHT, GRADIENT, COPY = 4, 4, 2
# Moments in 8 bits with a scale in fp32 for each 256 values (Dettmers et al. 2022, arXiv
# 2110.02861); those of embeddings and vectors stay in fp32.
MOMENTS = {"adamw": 8.0, "adamw8bit": 2 + 2 * 4 / 256}
MOST_GPUS = 8  # of a machine
FRAGMENTS = 1.15  # what torch reserves for tensors of changing shapes, to what they take


@dataclasses.dataclass(frozen=True)
class GpuMemory:
    """What a GPU has to hold, in bytes.

    Attributes:
        shape: of the model.
        trained: whether it is trained.
        adapter: parameters of the adapter that is trained in place of the model; 0 for none.
        checkpointing: whether layers are run again in the backward pass.
        optimizer: a key of `MOMENTS`.
        shards: GPUs over which all is cut.
        precision: bf16 on GPUs that have it.
        mask: see `Activations`.
    """

    shape: Encoder
    trained: bool = True
    adapter: int = 0
    checkpointing: bool = False
    optimizer: str = "adamw"
    shards: int = 1
    precision: Precision = "bf16"
    mask: int = 1

    @property
    def least(self) -> int:
        """Weights and, of what is trained, gradients and moments, on each GPU."""
        whole, products = self.shape.parameters, self.shape.matmul
        half = self.precision == "bf16"
        if not self.trained:
            return WEIGHT * whole
        if self.adapter:
            frozen = WEIGHT * (whole - products) + (COPY if half else WEIGHT) * products
            return round((frozen + self._states(self.adapter, 0)) / self.shards)
        return round(self._states(products, whole - products) / self.shards)

    def _states(self, products: int, others: int) -> float:
        """Bytes of parameters that are trained, some of them in matrix products."""
        full = WEIGHT + GRADIENT + MOMENTS["adamw"]
        return products * (WEIGHT + GRADIENT + MOMENTS[self.optimizer]) + others * full

    @property
    def beside(self) -> int:
        """What else goes with the parameters: their copies in bf16 and, of a model that is cut,
        what is gathered: all that is outside of the layers, with its gradient, two layers, one of
        them the next, and the gradient of one (FSDP2)."""
        products = self.shape.matmul
        others = self.shape.parameters - products
        layer = products / max(1, self.shape.layers)
        copied = self.adapter if self.adapter and self.trained else products
        copies = COPY * copied if self.precision == "bf16" else 0
        if self.shards == 1:
            return copies
        gathered = WEIGHT * others + (COPY if self.adapter else WEIGHT) * 2 * layer
        if not self.adapter:
            gathered += GRADIENT * (others + layer)
        return round(gathered + copies / max(1, self.shape.layers))

    def peak(self, tokens: int, length: int) -> int:
        """Return the most that is there at once, of a micro-batch of so many tokens, in sequences
        of a length.

        That is when the backward pass begins or, of short batches, when it ends: then the gradient
        of the embeddings is there, before it is added to that of the micro-batch before. (Of what
        is cut, both are in `beside`.)
        """
        shape = self.shape
        kept = Activations(shape, bool(self.adapter), self.precision, self.checkpointing, self.mask)
        if not self.trained:
            return self.least + self.beside + kept.of_evaluation(tokens, length)
        alone = self.shards == 1 and not self.adapter
        ending = GRADIENT * shape.vocabulary * shape.width if alone else 0
        return self.least + self.beside + max(kept.bytes(tokens, length), ending)

    def room(self, memory: float, length: int, budget: int) -> int:
        """Return the tokens of a micro-batch for which a GPU of so many bytes has room, at most
        `budget`; 0 where one example, of a length, has none."""
        usable = gpus.USABLE * memory - gpus.CONTEXT
        fits = lambda tokens: self.peak(tokens, length) <= usable  # noqa: E731
        if not fits(length):
            return 0
        low, high = length, max(length, budget)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits(middle) else (low, middle - 1)
        return low

    def ways(self, most: int = MOST_GPUS) -> Iterator[tuple[str, "GpuMemory"]]:
        """Yield what takes less memory than this, in the order in which one would try it, by the
        keys of the config."""
        change = dataclasses.replace
        less = self if self.checkpointing else change(self, checkpointing=True)
        key = "" if less is self else "`checkpointing: yes`"
        if key:
            yield key, less
        if not self.adapter:
            if self.optimizer == "adamw":
                eight = "`optimizer: adamw8bit`"
                both = f"{eight} and {key}" if key else eight
                yield both, change(less, optimizer="adamw8bit")
            for count in (2, 4, 8, 16):
                if self.shards < count <= most:
                    cut = f"`gpus: {count}`, `sharding: fsdp`"
                    yield cut, change(self, shards=count)
                    if key:
                        yield f"{cut} and {key}", change(less, shards=count)
            rank = change(self, adapter=of_adapter(self.shape), shards=1, optimizer="adamw")
            yield "`adapter: {rank: 16}`", rank
            if key:
                yield f"`adapter: {{rank: 16}}` and {key}", change(rank, checkpointing=True)


def of_adapter(shape: Encoder, rank: int = 16) -> int:
    """Return the parameters of an adapter as if it were on all linear layers (on fewer it has
    fewer): of each, its inputs and outputs times the rank (Hu et al. 2021, arXiv 2106.09685)."""
    query, key = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
    attention = 2 * (shape.width + query) + 2 * (shape.width + key)
    return rank * shape.layers * (attention + (2 + shape.gated) * (shape.width + shape.inner))


def adapter_share(checkpoint: str, rank: int) -> float:
    """Return the parameters of an adapter to those of the model that it is on: 1 where its
    config.json does not tell the shape.

    checkpoint: the file of the model's weights.

    Raises:
        OSError: it is not made yet (FileNotFoundError), or cannot be opened.
    """
    count = weights.parameters(checkpoint)
    try:
        found = shapes.of_config(read_json(Path(checkpoint).with_name("config.json")))
    except (UserError, AttributeError):
        found = None
    return of_adapter(found, rank) / count if found and count else 1.0
