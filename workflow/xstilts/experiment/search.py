"""A search of hyper-parameters: `tune_on_dev` of a recipe, by the score on the English dev set.

Each value is a trial: a training of its own, of the first seed. Which is the best is in a record
beside them, the choice (`results/chosen`); the trainings of all seeds take it from there. So the
spec of such a training has the names of what is chosen and not the values (`opened`): it is known
before the search, and a longer list of values makes nothing anew unless another one wins. Pure.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xstilts.experiment import recipe, shape
from xstilts.experiment.recipe import Recipe
from xstilts.experiment.roles import exists
from xstilts.experiment.schema import config_schema
from xstilts.experiment.tasks import Task
from xstilts.running.errors import Problems, UserError, nearest

KEY = recipe.SEARCH
CHOSEN = "chosen"  # the folder of the choices, the key of what was chosen in a record
TRIALS = "trials"  # the folder of the trials
# What cannot be searched: rows are encoded by the one before anything is trained, and by the other
# the dev scores that are compared would be of other rows.
FIXED = {
    "max_length": "rows are encoded to it before anything is trained",
    "eval_rows": "the dev scores would be of different rows",
}
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
    """Return values by size, so that their order in a config says nothing; text as it is."""
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
    """Return the largest value of each key: what a training with any of them takes at most."""
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


# ---- what is wrong with a config


def check(settings: Mapping[str, Any], known: Mapping[str, Task]) -> None:
    """Refuse recipes of a model that are none, and searches that cannot be.

    Raises:
        UserError: a line for each: the key, what is wrong, what would be right.
    """
    problems = Problems()
    sections = {"recipes": settings["recipes"]}
    for model, entry in settings["models"].items():
        if own := entry.get("recipes"):
            sections[f"models: {model}: recipes"] = own
            with problems.noted():
                _check_of_model(f"models: {model}: recipes", own, settings, known)
    problems.end()
    for section, recipes in sections.items():
        for name_, entry in recipes.items():
            if KEY in entry:
                with problems.noted():
                    _check_where(f"{section}: {name_}: {KEY}", name_, entry, settings, known)
            for key, values in (entry.get(KEY) or {}).items():
                with problems.noted():
                    _check_values(f"{section}: {name_}: {KEY}: {key}", key, values)
    for name_, task in known.items():
        if KEY in task.recipe:
            problems.lines.append(
                f"tasks: {name_}: recipe: {KEY}: a search belongs to the experiment: set it under"
                f" `recipes: {name_}`"
            )
    problems.end()


def _check_of_model(
    key: str, own: Mapping[str, Any], settings: Mapping[str, Any], known: Mapping[str, Task]
) -> None:
    found = list(shape.errors(own, config_schema()["properties"]["recipes"]))
    if found:
        raise UserError("\n".join(shape.line(e).replace("config", key, 1) for e in found))
    for name_, entry in own.items():
        exists(key, name_, ["all", *known, *settings["intermediates"]], "task or intermediate")
        if "max_length" in entry:
            raise UserError(
                f"{key}: {name_}: max_length: is the same for all models; set it in `recipes`"
            )


def _check_where(
    key: str,
    name_: str,
    entry: Mapping[str, Any],
    settings: Mapping[str, Any],
    known: Mapping[str, Task],
) -> None:
    """Refuse a search for what is not trained here, and one of nothing."""
    if not entry[KEY]:
        example = "{learning_rate: [1.0e-5, 3.0e-5]}"
        raise UserError(f"{key}: says no key and its values, such as {example}")
    entries, targets = settings["intermediates"], settings["targets"]
    alone = {one["tasks"][0] for one in entries.values() if len(one["tasks"]) == 1}
    tuned = {target for target in targets if known[target].tuned_on}
    trained = [*entries, *sorted(alone | tuned)]
    if not trained:
        raise UserError(f"{key}: nothing is trained here, so there is nothing to search")
    there = name_ in known or name_ in entries  # what is not is refused already
    if there and name_ not in trained:
        why = f"is no intermediate or target here{nearest(name_, trained)}"
        if name_ in targets:
            why = "is scored without training, so there is nothing to search"
        elif mixes := [mix for mix, one in entries.items() if name_ in one["tasks"]]:
            why = f"is part of a mix, of which one thing is searched: say it under `{mixes[0]}`"
        raise UserError(f"{key}: `{name_}` {why}")
    for one in entry[KEY]:
        if one in entry and settings["source"] != "toy":  # a rehearsal lays its own over it
            raise UserError(f"{key}: {one}: is set beside it too; leave one of them out")
        if "steps" in entries.get(name_, {}) and one in ("epochs", "patience", "max_steps"):
            raise UserError(
                f"{key}: {one}: `steps` of the intermediate says how long it is trained"
            )


def _check_values(where: str, key: str, values: Any) -> None:
    """Refuse a key that no recipe has, values that it cannot have, and fewer than two."""
    properties = {k: v for k, v in recipe_schema()["properties"].items() if k != KEY}
    if key not in properties:
        raise UserError(
            f"{where}: there is no such key of a recipe{nearest(key, properties)} (valid:"
            f" {', '.join(k for k in properties if k not in FIXED)})"
        )
    if key in FIXED:
        raise UserError(f"{where}: cannot be searched: {FIXED[key]}")
    if not isinstance(values, list) or not values:
        raise UserError(f"{where}: must be a list of values to try, not `{values}`")
    for value in values:
        for error in shape.errors(value, properties[key]):
            raise UserError(shape.line(error).replace("config", where, 1))
    if len(values) == 1:
        raise UserError(
            f"{where}: one value is no search: name several, or set `{key}: {_yaml(values[0])}`"
        )
    if len({name({key: value}) for value in values}) < len(values):
        raise UserError(f"{where}: a value is there twice: {', '.join(map(written, values))}")


def _yaml(value: Any) -> str:
    """Return a value as YAML reads it, which takes 1e-5 for text."""
    text = written(value)
    return text.replace("e", ".0e", 1) if isinstance(value, float) and "." not in text else text
