"""Filters (`filters`): which synthetic rows pass, by thresholds of measures of each row."""

from collections.abc import Mapping
from typing import Any

# name -> measure -> {min, max}.
PRESETS: dict[str, dict[str, dict[str, float]]] = {"none": {}}


def names(settings: Mapping[str, Any]) -> list[str]:
    """Return every filter that there is, by name."""
    return [*PRESETS, *settings["filters"]]


def resolved(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the thresholds of a filter, by measure."""
    return dict(settings["filters"].get(name, PRESETS.get(name, {})))
