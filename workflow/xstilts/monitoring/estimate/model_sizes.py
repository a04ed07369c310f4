"""The number of parameters of an encoder, before it is there: from what is known of it."""

import dataclasses
import math
import re
from pathlib import Path
from typing import Any

from xstilts.data import source
from xstilts.experiment import reference
from xstilts.experiment.grid import Grid
from xstilts.experiment.reference import Encoder
from xstilts.models import shape
from xstilts.running.errors import UserError
from xstilts.running.files import read_json

# The encoder that one of the same size by its name is taken for.
BY_NAME = {size: f"facebook/xlm-roberta-{size}" for size in ("xxl", "xl")}
BY_NAME |= {size: f"FacebookAI/xlm-roberta-{size}" for size in ("large", "base")}
MATMUL = 0.75  # share of a model's parameters in matrix products, where no more is known


@dataclasses.dataclass(frozen=True)
class ModelSize:
    """The size of an encoder.

    Attributes:
        matmul: parameters of its matrix products. A layer of width h has 4 h² in attention and 8 h²
            in its feed-forward network, of 4 h.
        parameters: all of them.
        assumed: what had to be assumed; "" if nothing.
        shape: where it is known.
    """

    matmul: float
    parameters: int
    assumed: str = ""
    shape: Encoder | None = dataclasses.field(default=None, compare=False)


def of(model: str, grid: Grid, root: Path) -> ModelSize:
    """Return the size of a model of a config: as it was fetched, else as its `config.json` says,
    else as the reference or its name lets one assume."""
    record = root / f"results/models/{model}/node.json"
    settings: Any = grid.experiment.settings
    if record.exists():
        return _fetched(record)
    if grid.experiment.toy:
        toy = settings["toy"]["pretrain"]
        matmul = 12.0 * toy["layers"] * toy["width"] ** 2
        return ModelSize(matmul, round(matmul) + 2_500 * toy["width"])
    name = settings["models"][model]["from"]
    local = None if source.from_hub(settings["source"], name) else _local(name, grid)
    return local or _public(name) or by_name(name)


def _local(name: str, grid: Grid) -> ModelSize | None:
    try:
        root = "" if source.is_own(name) else grid.experiment.root or ""
        return of_config(read_json(source.folder(root, "models", name) / "config.json"))
    except (UserError, OSError):
        return None  # the run will say what is wrong with it


def _fetched(record: Path) -> ModelSize:
    node = read_json(record)
    try:
        found = of_config(read_json(record.with_name("config.json")))
    except (UserError, OSError):
        found = None
    if found and found.shape:
        return _of_shape(found.shape.with_parameters(node["parameters"]))
    return ModelSize(12.0 * node["layers"] * node["hidden_size"] ** 2, node["parameters"])


def _public(name: str) -> ModelSize | None:
    found = reference.encoder(name)
    return _of_shape(found) if found else None


def _of_shape(known: Encoder) -> ModelSize:
    return ModelSize(float(known.matmul), known.parameters, shape=known)


def of_config(config: dict[str, Any]) -> ModelSize | None:
    """Return the size that a `config.json` tells; None if it does not."""
    found = shape.of_config(config)
    return _of_shape(found) if found else None


def by_name(name: str) -> ModelSize:
    """Return the size of a model of which nothing but its name is known: `qwen3-0.6B`, `...-large`,
    else that of XLM-R Base."""
    if said := re.search(r"(\d+(?:\.\d+)?)(b|m)(?![a-z0-9])", name.lower()):
        parameters = round(float(said[1]) * {"b": 1e9, "m": 1e6}[said[2]])
        line = f"{name}: {said[0].upper()} parameters, by its name"
        text = (row["name"] for row in reference.table("encoders") if row["kind"] != "vision")
        known = map(reference.encoder, text)
        near = min(filter(None, known), key=lambda one: abs(math.log(one.parameters / parameters)))
        shape = near.with_parameters(parameters)
        return ModelSize(MATMUL * parameters, parameters, line, shape)
    size = next((size for size in BY_NAME if size in re.split(r"[^a-z]+", name.lower())), "base")
    taken = _public(BY_NAME[size])
    assert taken
    return dataclasses.replace(taken, assumed=f"{name}: of the size of {BY_NAME[size]}")
