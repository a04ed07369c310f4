"""A search of hyper-parameters: `tune_on_dev` of a recipe, by the score on the English dev set.

Each value is a trial: a training of its own, of the first seed. Which is the best is in a record
beside them, the choice (`results/chosen`); the trainings of all seeds take it from there. So the
spec of such a training has the names of what is chosen and not the values (`opened`): it is known
before the search, and a longer list of values makes nothing anew unless another one wins. Pure.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xstilts.experiment import recipe
from xstilts.experiment.recipe import Recipe
from xstilts.experiment.schema import config_schema

KEY = recipe.SEARCH
CHOSEN = "chosen"  # the folder of the choices, the key of what was chosen in a record
TRIALS = "trials"  # the folder of the trials
Spec = dict[str, Any]
Values = Mapping[str, Any]  # key of a recipe -> value
Candidates = Mapping[str, Sequence[Any]]  # key of a recipe -> the values that are tried


def candidates(layers: Iterable[Mapping[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Return what is searched by the layers of a recipe: as with a value, the last one counts."""
    found: dict[str, tuple[Any, ...]] = {}
    for layer in layers:
        for key in layer:
            found.pop(key, None)
        for key, values in (layer.get(KEY) or {}).items():
            found[key] = ordered(values)
    return dict(sorted(found.items()))


def ordered(values: Iterable[Any]) -> tuple[Any, ...]:
    """Return values by size, so that their order in a config says nothing; text as it is
    written, where the first counts as the smallest: of equal scores it is taken."""
    listed = list(values)
    if any(isinstance(value, str) for value in listed):
        return tuple(listed)
    return tuple(sorted(listed, key=lambda value: (value is not None, value or 0)))


def trials(searched: Candidates) -> dict[str, dict[str, Any]]:
    """Return the name of each trial -> its values: every combination."""
    combinations = itertools.product(*searched.values())
    every = (dict(zip(searched, values, strict=True)) for values in combinations)
    return {name(values): values for values in every} if searched else {}


def most(searched: Candidates) -> dict[str, Any]:
    """Return the largest value of each key: what a training with any of them takes at most. (Of
    text the last that is written: no key of text changes how much that is by much.)"""
    return {key: values[-1] for key, values in searched.items()}


def name(values: Values) -> str:
    """Return what a trial is called, in paths too: `learning_rate=3e-05+batch_size=32`."""
    return "+".join(f"{key}={written(value)}" for key, value in values.items())


def written(value: Any) -> str:
    """Return a value as text, without blanks."""
    return "null" if value is None else str(value)


def of(model: str, intermediate: str, task: str = "") -> str:
    """Return the name of a search: of stage 1, or of the tuning on a task."""
    return "/".join(filter(None, (model, intermediate, task)))


def path(search: str) -> str:
    """Return the path of the choice that a search ends in."""
    return f"results/{pin(search)}.json"


def pin(search: str) -> str:
    """Return under which name records say what was chosen, beside the pins of data and models."""
    return f"{CHOSEN}/{search}"


def opened(spec: Mapping[str, Any], keys: Iterable[str]) -> Spec:
    """Return the spec of a training of which some hyper-parameters are chosen on dev: their names
    and not their values."""
    left_open = sorted(keys)
    if not left_open:
        return dict(spec)
    found = {**spec, KEY: left_open}
    found["recipe"] = {k: v for k, v in spec["recipe"].items() if k not in left_open}
    if "tasks" in spec:
        found["tasks"] = [{k: v for k, v in t.items() if k not in left_open} for t in spec["tasks"]]
    return found


def filled(spec: Mapping[str, Any], values: Values) -> Spec:
    """Return the spec that a training is run by: the opposite of `opened`."""
    if not values:
        return dict(spec)
    found = {key: value for key, value in spec.items() if key != KEY}
    known = Recipe(**values).spec()
    found["recipe"] = {**spec["recipe"], **{k: known[k] for k in values if k in known}}
    if "tasks" in spec and "batch_size" in values:
        found["tasks"] = [{**task, "batch_size": values["batch_size"]} for task in spec["tasks"]]
    return found


def edges(searched: Candidates, chosen: Values) -> list[str]:
    """Return the keys of which the lowest or highest value was chosen, so that a wider list may
    have a better one: `learning_rate`. Not where there is nothing beyond it."""
    properties = recipe_schema()["properties"]
    found = []
    for key, values in searched.items():
        numbers = [value for value in values if isinstance(value, (int, float))]
        value, schema = chosen[key], properties[key]
        if value not in numbers or len(numbers) < 2:
            continue
        lowest = value == min(numbers) and value != schema.get("minimum")
        highest = value == max(numbers) and value != schema.get("maximum")
        found += [key] if lowest or highest else []
    return found


def recipe_schema() -> dict[str, Any]:
    """Return the schema of a recipe."""
    return config_schema()["properties"]["recipes"]["additionalProperties"]
