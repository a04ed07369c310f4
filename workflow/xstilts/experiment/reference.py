"""What is known of data sets, encoders, devices and languages: `workflow/reference/`."""

import csv
import dataclasses
from functools import cache

from xstilts import WORKFLOW
from xstilts.running.errors import UserError, nearest

FOLDER = WORKFLOW / "reference"
VISION = "vision"  # the kind of an encoder that reads pictures
CERTAIN = ("read", "derived")  # of what is told of the rows: not from memory, not guessed


@cache
def table(name: str) -> list[dict[str, str]]:
    """Return the rows of a file of the reference, as text."""
    with open(FOLDER / f"{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def size(task: str, split: str) -> tuple[int, float] | None:
    """Return the rows of one language of a task, and the tokens of a row; None if not known."""
    row = _sizes().get((task, split))
    return (int(row["rows"]), float(row["pieces"])) if row else None


def certain_rows(task: str, split: str) -> int | None:
    """Return the rows of one language of a task, where they are known for certain."""
    row = _sizes().get((task, split))
    return int(row["rows"]) if row and row["certainty"] in CERTAIN else None


@cache
def _sizes() -> dict[tuple[str, str], dict[str, str]]:
    """Return (task, split) -> its line of `sizes.csv`."""
    return {(row["task"], row["split"]): row for row in table("sizes")}


@dataclasses.dataclass(frozen=True)
class Encoder:
    """What is known of a public model: of its text encoder or, of a decoder, its base model.

    Attributes:
        architecture: `model_type` of transformers.
        kind: encoder, encoder-decoder or decoder; vision, of what sees pictures.
        layers, width: of its hidden states.
        inner: width of the feed-forward network.
        gated: whether that has three matrices, one of them a gate (Shazeer 2020, arXiv 2002.05202),
            in place of two.
        heads, kv_heads, head_width: of attention; of queries, and of keys and values.
        vocabulary: embeddings; of a vision encoder the patches of a picture.
        parameters: all of them, without head and pooler.
    """

    architecture: str
    kind: str
    layers: int
    width: int
    inner: int
    gated: bool
    heads: int
    kv_heads: int
    head_width: int
    vocabulary: int
    parameters: int

    @property
    def matmul(self) -> int:
        """Parameters of matrix products: four in attention, two or three in the feed-forward
        network of each layer."""
        attention = self.width * self.head_width * (2 * self.heads + 2 * self.kv_heads)
        return self.layers * (attention + (2 + self.gated) * self.width * self.inner)

    def with_parameters(self, parameters: int) -> "Encoder":
        """Return the same shape with so many parameters in all."""
        return dataclasses.replace(self, parameters=parameters)


@cache
def encoder(name: str) -> Encoder | None:
    """Return what is known of a public model by its hub id; None if nothing is."""
    row = next((row for row in table("encoders") if row["name"] == name), None)
    if row is None:
        return None
    numbers = ("layers", "width", "inner", "heads", "kv_heads", "head_width", "vocabulary",
               "parameters")  # fmt: skip
    return Encoder(
        architecture=row["architecture"],
        kind=row["kind"],
        gated=row["gated"] == "yes",
        **{number: int(row[number]) for number in numbers},
    )


def device(name: str) -> float:
    """Return the assumed FLOP a second of a device; UserError if it is not known."""
    known = {row["device"]: row for row in table("devices")}
    if name not in known:
        raise UserError(
            f"device: there is no `{name}`{nearest(name, known)} (valid: {', '.join(known)})"
        )
    return float(known[name]["tflops"]) * 1e12 * float(known[name]["utilisation"])
