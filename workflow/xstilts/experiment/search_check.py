"""What is wrong with the searches of a config, with the recipes in a model's entry, and with keys
that are of the recipes of one format alone."""

from collections.abc import Mapping
from typing import Any

from xstilts.experiment import amounts, chains, search, shape
from xstilts.experiment.roles import exists
from xstilts.experiment.schema import config_schema
from xstilts.experiment.search import KEY
from xstilts.experiment.tasks import Task
from xstilts.running.errors import Problems, UserError, nearest

# What cannot be searched: rows are encoded by the one before anything is trained, and by the other
# the dev scores that are compared would be of other rows.
FIXED = {
    "max_length": "rows are encoded to it before anything is trained",
    "eval_rows": "the dev scores would be of different rows",
}


def check(settings: Mapping[str, Any], known: Mapping[str, Task]) -> None:
    """Refuse recipes of a model that are none, searches that cannot be, `scale` of what is no dual
    encoder.

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
            with problems.noted():
                _check_scale(f"{section}: {name_}", name_, entry, settings, known)
            if KEY in entry:
                with problems.noted():
                    _check_where(f"{section}: {name_}: {KEY}", name_, entry, settings, known)
            for key, values in (entry.get(KEY) or {}).items():
                with problems.noted():
                    _check_values(f"{section}: {name_}: {KEY}: {key}", key, values)
    for name_, task in known.items():
        with problems.noted():
            _check_scale(f"tasks: {name_}: recipe", name_, task.recipe, settings, known)
        if KEY in task.recipe:
            problems.lines.append(
                f"tasks: {name_}: recipe: {KEY}: a search belongs to the experiment: set it under"
                f" `recipes: {name_}`"
            )
    problems.end()


def notes(settings: Mapping[str, Any]) -> list[str]:
    """Return what is longer than `max_steps` of `recipes: all` in the toy world, of which a
    rehearsal has a small one: a value, or one of a search, that lies over it."""
    bound = settings["recipes"].get("all", {}).get("max_steps")
    if settings["source"] != "toy" or bound is None:
        return []
    sections = {"recipes": settings["recipes"]}
    for model, entry in settings["models"].items():
        sections[f"models: {model}: recipes"] = entry.get("recipes", {})
    longer = []
    for section, recipes in sections.items():
        for name_, entry in recipes.items():
            values = [entry.get("max_steps", bound), *entry.get(KEY, {}).get("max_steps", ())]
            if any(value is None or value > bound for value in values):
                longer.append(f"{section}: {name_}")
    if not longer:
        return []
    said = f"trained for longer than `recipes: all: max_steps: {bound}`, as `max_steps` there says"
    return [f"{', '.join(longer)}: {said} (source: toy)"]


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
        amounts.check_steps(
            name_, settings["intermediates"].get(name_, {}), f"{key}: {name_}", entry
        )


def _check_scale(
    key: str,
    name_: str,
    entry: Mapping[str, Any],
    settings: Mapping[str, Any],
    known: Mapping[str, Task],
) -> None:
    """Refuse the scale of cosines where none are compared; under `all` it would be part of the
    spec of every training."""
    entries = settings["intermediates"]
    if "scale" not in {**entry, **(entry.get(KEY) or {})}:
        return

    def dual(one: str) -> bool:
        trained = entries[one]["tasks"] if one in entries else [known[one].tuned_on or one]
        return any(known[task].format == "dual" for task in trained)

    if name_ != "all" and (name_ not in {**known, **entries} or dual(name_)):
        return
    valid = [one for one in [*entries, *settings["targets"]] if dual(one)]
    raise UserError(
        f"{key}: scale: is what the cosines of a dual encoder are multiplied by, and"
        + (" not all trainings have one" if name_ == "all" else f" `{name_}` trains none")
        + (f"; say it under {' or '.join(dict.fromkeys(valid))}" if valid else "; leave it out")
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
    tuned |= {t for name in tuned for t in chains.tunings(known, known[name].tuned_on)[:-1]}
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
        if one in entry and one != KEY and settings["source"] != "toy":  # a rehearsal sets its own
            raise UserError(f"{key}: {one}: is set beside it too; leave one of them out")
        if "steps" in entries.get(name_, {}) and one in ("epochs", "patience", "max_steps"):
            raise UserError(
                f"{key}: {one}: `steps` of the intermediate says how long it is trained"
            )


def _check_values(where: str, key: str, values: Any) -> None:
    """Refuse a key that no recipe has, values that it cannot have, and fewer than two."""
    properties = {k: v for k, v in search.recipe_schema()["properties"].items() if k != KEY}
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
    if len({search.name({key: value}) for value in values}) < len(values):
        raise UserError(
            f"{where}: a value is there twice: {', '.join(map(search.written, values))}"
        )


def _yaml(value: Any) -> str:
    """Return a value as YAML reads it, which takes 1e-5 for text."""
    text = search.written(value)
    return text.replace("e", ".0e", 1) if isinstance(value, float) and "." not in text else text
