"""Compute: the floating-point operations of the trainings of stage 1, from their records."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import pandas as pd

from xstilts.analysis import cost
from xstilts.experiment.cells import NOSEED
from xstilts.models import shape
from xstilts.models.flop import training_flop
from xstilts.running.errors import UserError
from xstilts.running.files import read_json

COLUMNS = ("model", "intermediate", "seed", "tokens", "flop")


class Compute(NamedTuple):
    """Of each run, `COLUMNS`, and of each row (model, intermediate) the mean of its seeds.

    A chain (`after`) has that of all its trainings. What is not known is in neither.
    """

    runs: pd.DataFrame
    rows: Mapping[tuple[str, str], float]


def of(
    lineages: Iterable[Sequence[cost.Key]],
    trainings: Mapping[cost.Key, Mapping[str, Any]],
    products: Mapping[str, int],
) -> Compute:
    """Return the compute of the trainings of stage 1 from which scores come.

    Operations are `training_flop` times tokens, without padding, times parameters of matrix
    products: what it takes by its data and its model, not by how it was run (layers that are run
    again, padding, attempts).

    Args:
        lineages: of scores, see `cost.ancestry`.
        trainings: see `cost.training_records`.
        products: model -> parameters of its matrix products.
    """
    stage = cost.STAGES["encoders"]
    found: dict[tuple[str, str, str], tuple[int, float]] = {}
    for keys in lineages:
        first = [trainings[key] for key in keys if trainings[key]["stage"] == stage]
        if not first or not all("tokens" in record for record in first):
            continue
        model, intermediate, seed = (first[0][name] for name in COLUMNS[:3])
        if model not in products:
            continue
        flop = sum(
            float(record["tokens"]) * training_flop(bool(record["spec"].get("adapter")))
            for record in first
        )
        tokens = sum(int(record["tokens"]) for record in first)
        found[model, intermediate, seed] = tokens, flop * products[model]
    runs = pd.DataFrame([(*run, *values) for run, values in found.items()], columns=list(COLUMNS))
    by_row: dict[tuple[str, str], list[float]] = {}
    for (model, intermediate, seed), (_, flop) in found.items():
        if seed != NOSEED:
            by_row.setdefault((model, intermediate), []).append(flop)
    return Compute(runs, {row: fmean(values) for row, values in by_row.items()})


def products(results: Path, models: Iterable[str]) -> dict[str, int]:
    """Return model -> parameters of its matrix products, by the config.json of its checkpoint; not
    of one that has none."""
    found = {}
    for model in models:
        try:
            told = shape.of_config(read_json(results / "models" / model / "config.json"))
        except (UserError, OSError):
            continue
        if told:
            found[model] = told.matmul
    return found
