"""The size of a vision encoder, and the patches of a picture, before it is there."""

import dataclasses
from pathlib import Path

from xstilts.experiment import reference
from xstilts.experiment.grid import Grid
from xstilts.experiment.reference import Encoder
from xstilts.experiment.vision import TOY_PATCHES
from xstilts.monitoring.estimate.model_sizes import ModelSize
from xstilts.running.files import read_json
from xstilts.toy import vision as toy

BASE = "facebook/dinov2-base"  # what an encoder is taken for of which nothing is known


@dataclasses.dataclass(frozen=True)
class VisionSize:
    """The size of a vision encoder.

    Attributes:
        model: its size as of any model.
        patches: of a picture, which are what tokens are of a text.
    """

    model: ModelSize
    patches: int


def name_of(vision: str) -> str:
    """Return how a vision encoder is told apart from the models of a config."""
    return f"vision/{vision}"


def of(vision: str, grid: Grid, root: Path) -> VisionSize:
    """Return the size of a vision encoder of a config: as it was fetched, else as the reference has
    it, else that of DINOv2's base."""
    record = root / f"results/vision/{vision}/node.json"
    if record.exists():
        node = read_json(record)
        rows, columns = node["patches"]
        parameters = node["parameters"]  # nearly all are of matrix products, each read by a patch
        return VisionSize(ModelSize(float(parameters), parameters), rows * columns)
    if grid.experiment.toy:
        matmul = 8.0 * toy.WIDTH**2
        return VisionSize(ModelSize(matmul, round(matmul)), TOY_PATCHES)
    name = grid.experiment.settings["vision"][vision]["from"]
    known, assumed = _known(name), ""
    if known is None:
        known, assumed = _known(BASE), f"{name}: of the size of {BASE}"
    assert known
    size = ModelSize(float(known.matmul), known.parameters, assumed, known)
    return VisionSize(size, known.vocabulary)


def _known(name: str) -> Encoder | None:
    found = reference.encoder(name)
    return found if found and found.kind == "vision" else None
