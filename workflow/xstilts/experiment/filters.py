"""Filters of synthetic rows (`filters`): named measures of a row, and what they may be."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from xstilts.experiment import backbones
from xstilts.experiment.roles import exists
from xstilts.experiment.synthetic import GENERATED, MADE, UNFILTERED
from xstilts.running.errors import UserError, brief, nearest

TEXT, ENCODER, BACK, LABEL = "texts", "encoder", "round trip", "label"


@dataclasses.dataclass(frozen=True)
class Measure:
    """What is measured of a row.

    Attributes:
        about: what its number says.
        reason: why a row is dropped that is outside of the bounds.
        needs: `TEXT`, the row and its source alone; `ENCODER`, the states of a model; `BACK`, the
            row translated back; `LABEL`, a model that is trained on the task.
        source: whether it is of the translation beside its source, so not of generated rows.
        least, most: that it can be.
    """

    about: str
    reason: str
    needs: str = TEXT
    source: bool = True
    least: float = 0
    most: float = 1

    @property
    def needs_model(self) -> bool:
        """Whether it is measured by a step of its own."""
        return self.needs != TEXT


MEASURES: Mapping[str, Measure] = {
    "empty": Measure("texts without a character", "empty", source=False, most=math.inf),
    "copied": Measure(
        "share of the words of the source that stand in the translation", "copy of the source"
    ),
    "length_ratio": Measure(
        "characters over those of the source, in units of the same of all rows",
        "length",
        most=math.inf,
    ),
    "language": Measure("probability of the language, by py3langid", "language", source=False),
    "numbers": Measure("share of the numbers of both that are the same", "numbers"),
    "names": Measure("share of the names of the source that are in the translation", "names"),
    "duplicate": Measure(
        "rows before it with the same texts", "duplicate", source=False, most=math.inf
    ),
    "similarity": Measure("cosine with the source, by an encoder", "similarity", ENCODER, least=-1),
    "round_trip": Measure(
        "chrF of the source and the row translated back", "round trip", BACK, most=100
    ),
    "consistency": Measure(
        "probability of the label, by a model trained on English", "label", LABEL, source=False
    ),
}
BOUNDS = ("min", "max")
OWN = {
    ENCODER: ("model", "layer"),
    LABEL: ("model", "intermediate", "seed"),
}  # other keys of a measure
NONE, BASIC, STRICT = UNFILTERED, "basic", "strict"
_BASIC: dict[str, dict[str, Any]] = {
    "empty": {"max": 0},
    "copied": {"max": 0.8},
    "length_ratio": {"min": 0.4, "max": 2.5},
    "language": {"min": 0.1},
    "duplicate": {"max": 0},
}
PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    NONE: {},
    BASIC: _BASIC,
    STRICT: {
        **_BASIC,
        "copied": {"max": 0.6},
        "length_ratio": {"min": 0.5, "max": 2.0},
        "language": {"min": 0.3},
        "numbers": {"min": 0.6},
        "names": {"min": 0.3},
    },
}
Filter = Mapping[str, Mapping[str, Any]]


def resolved(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return measure -> its bounds, of a filter of the config or a preset."""
    return dict(settings["filters"].get(name, PRESETS.get(name, {})))


def names(settings: Mapping[str, Any]) -> list[str]:
    """Return what a filter may be called."""
    return [*PRESETS, *settings["filters"]]


def layer_of(model: str, settings: Mapping[str, Any]) -> int | None:
    """Return the layer of a model that similarity is measured at, by the filters of the config;
    None for the one that retrieval pools."""
    layers = (
        bounds.get("layer")
        for entry in settings["filters"].values()
        for name, bounds in entry.items()
        if MEASURES[name].needs == ENCODER and bounds["model"] == model
    )
    return next(iter(layers), None)


def measured(experiment: Any) -> set[str]:
    """Return the measures of which the rows of some variant of an experiment have a number."""
    found = set()
    for of in experiment.variants.values():
        asked = resolved(of.filter, experiment.settings)
        for name, measure in MEASURES.items():
            there = measure.needs == TEXT or name in asked
            if there and not of.control and (of.made != GENERATED or not measure.source):
                found.add(name)
    return found


def follows_from_synthetic(name: str, settings: Mapping[str, Any]) -> bool:
    """Whether an intermediate is trained on synthetic rows, or starts from one that is."""
    seen: list[str] = []
    while name in settings["intermediates"] and name not in seen:
        entry = settings["intermediates"][name]
        if any(key in entry for key in MADE):
            return True
        seen.append(name)
        name = entry.get("after", "")
    return False


def check(settings: Mapping[str, Any]) -> None:
    """Refuse filters that cannot be.

    Raises:
        UserError: the filter, its measure and key.
    """
    for name, entry in settings["filters"].items():
        if name in PRESETS:
            raise UserError(f"filters: `{name}` is a preset; give yours another name")
        for measure, bounds in entry.items():
            where = f"filters: {name}"
            if measure not in MEASURES:
                known = f"{nearest(measure, MEASURES)} (there are {', '.join(MEASURES)})"
                raise UserError(f"{where}: there is no measure `{measure}`{known}")
            _check_measure(
                f"{where}: {measure}", measure, {} if bounds is None else bounds, settings
            )
    layers: dict[str, tuple[str, Any]] = {}
    for name, entry in settings["filters"].items():
        for measure, bounds in entry.items():
            if MEASURES[measure].needs == ENCODER:
                model, layer = bounds["model"], bounds.get("layer")
                other = layers.setdefault(model, (name, layer))
                if other[1] != layer:
                    raise UserError(
                        f"filters: {name}: {measure}: layer: `{other[0]}` has another one of"
                        f" `{model}`; a model is measured at one layer"
                    )


def _check_measure(where: str, measure: str, bounds: Any, settings: Mapping[str, Any]) -> None:
    if not isinstance(bounds, Mapping):
        hint = f"write `{{min: {bounds}}}` or `{{max: {bounds}}}`"
        raise UserError(f"{where}: must be bounds, not `{brief(bounds)}`; {brief(hint)}")
    own = OWN.get(MEASURES[measure].needs, ())
    for key in bounds:
        if key not in (*BOUNDS, *own):
            keys = (*BOUNDS, *own)
            known = f"{nearest(key, keys)} (there are {', '.join(keys)})"
            raise UserError(f"{where}: there is no `{key}`{known}")
    if not set(bounds) & {*BOUNDS}:
        raise UserError(f"{where}: needs `min`, `max` or both: what a row must have to stay")
    for key in BOUNDS:
        if key in bounds and (
            isinstance(bounds[key], bool)
            or not isinstance(bounds[key], int | float)
            or not math.isfinite(bounds[key])
        ):
            raise UserError(f"{where}: {key}: must be a number, not `{brief(bounds[key])}`")
    for key in ("layer", "seed"):
        if key in bounds and type(bounds[key]) is not int:
            raise UserError(f"{where}: {key}: must be a whole number, not `{brief(bounds[key])}`")
    if bounds.get("min", float("-inf")) > bounds.get("max", float("inf")):
        raise UserError(f"{where}: min {bounds['min']} is above max {bounds['max']}: no row stays")
    _check_range(where, MEASURES[measure], bounds)
    for key in ("model", "intermediate"):
        if key in bounds and not isinstance(bounds[key], str):
            raise UserError(f"{where}: {key}: must be a name, not `{brief(bounds[key])}`")
    if bounds.get("seed", 0) < 0:
        raise UserError(f"{where}: seed: {bounds['seed']} is below 0")
    if "model" in bounds:
        exists(f"{where}: model", bounds["model"], settings["models"], "model")
        if "layer" in bounds:
            backbones.check_layer(f"{where}: layer", bounds["layer"], bounds["model"], settings)
    if own and "model" not in bounds:
        raise UserError(f"{where}: model: is missing: the one that measures it, of `models`")
    if "intermediate" in bounds:
        name = bounds["intermediate"]
        exists(f"{where}: intermediate", name, settings["intermediates"], "intermediate")
        if follows_from_synthetic(name, settings):
            raise UserError(
                f"{where}: intermediate: `{name}` is trained on synthetic rows, which are what is"
                " filtered; name one that is trained on English"
            )
        if len(settings["intermediates"][name]["tasks"]) > 1:
            raise UserError(f"{where}: intermediate: `{name}` is trained on several tasks")


def _check_range(where: str, measure: Measure, bounds: Mapping[str, Any]) -> None:
    """Refuse bounds that no row can be within."""
    low, high = bounds.get("min", measure.least), bounds.get("max", measure.most)
    if low > measure.most:
        said = f"min: {low} is above {measure.most:g}, the most that it can be"
    elif high < measure.least:
        said = f"max: {high} is below {measure.least:g}, the least that it can be"
    elif measure.needs == BACK and 0 < low < 1:
        raise UserError(f"{where}: min: {low} is of 100: it is in percent")
    else:
        return
    raise UserError(f"{where}: {said}: no row stays")
