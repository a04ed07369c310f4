"""The sizes at which the parts run: XLM-R Large on a GPU, a toy on a CPU."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Shape:
    """The shape of an XLM-R encoder."""

    layers: int
    hidden: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int

    @property
    def matmul_parameters(self) -> int:
        """Parameters of its matrix products: 302 M of the 560 M of XLM-R Large."""
        return self.layers * self.hidden * (4 * self.hidden + 2 * self.intermediate)


@dataclasses.dataclass(frozen=True)
class Size:
    """How much each part does.

    Attributes:
        shape, small: encoders; `small` for the parts that write states or run several at once.
        rows: name of an asset -> train rows, dev rows.
        words: of the vocabulary. `mean_words`: of the first and second text of a pair.
        length: pieces of a span window; `context`, words of its context, least and most.
        matmul, copy: side of the matrices; MB that are copied.
        batches: batch sizes of MNLI-shaped rows; `span_batch`, of span windows.
        warm, steps: optimizer steps before and in a measurement; `settled`, before one of batches
            of many shapes, for which memory is taken in the first.
        compared: steps that are compared with a plain loop.
        budget, huge: tokens of a micro-batch: one that fits, one that cannot.
        memory: share of the GPU's memory that the part on running out of it may take.
        resumed: steps of a training that is killed.
        mined: sentences of either side, and the width of their embeddings.
        at_once: small trainings on one device.
    """

    shape: Shape
    small: Shape
    rows: dict[str, tuple[int, int]]
    words: int
    mean_words: tuple[float, float]
    length: int
    context: tuple[int, int]
    matmul: int
    copy: int
    batches: tuple[int, ...]
    span_batch: int
    warm: int
    settled: int
    steps: int
    compared: int
    budget: int
    huge: int
    memory: float
    resumed: int
    mined: tuple[int, int]
    at_once: int


LARGE = Size(
    shape=Shape(24, 1024, 16, 4096, 250_002, 514),
    small=Shape(12, 384, 12, 1536, 32_002, 514),
    rows={"mnli": (8192, 4096), "span": (512, 256), "tagging": (2048, 2048), "dual": (1024, 8)},
    words=30_000,
    mean_words=(24.0, 13.0),
    length=384,
    context=(380, 640),
    matmul=8192,
    copy=4096,
    batches=(32, 128),
    span_batch=32,
    warm=5,
    settled=20,
    steps=20,
    compared=50,
    budget=4096,
    huge=1 << 20,
    memory=0.25,
    resumed=60,
    mined=(200_000, 1024),
    at_once=4,
)

_TOY = Shape(3, 32, 2, 64, 512, 66)
TOY = Size(
    shape=_TOY,
    small=_TOY,
    rows={"mnli": (320, 64), "span": (24, 12), "tagging": (48, 48), "dual": (96, 8)},
    words=300,
    mean_words=(8.0, 4.0),
    length=48,
    context=(40, 80),
    matmul=256,
    copy=16,
    batches=(8, 16),
    span_batch=4,
    warm=1,
    settled=1,
    steps=4,
    compared=50,
    budget=256,
    huge=1 << 20,
    memory=1.0,
    resumed=40,
    mined=(1500, 32),
    at_once=2,
)
