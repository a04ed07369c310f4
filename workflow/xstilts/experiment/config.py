"""The config of an experiment: checked as a whole before anything runs."""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import jsonschema
import yaml

from xstilts import WORKFLOW
from xstilts.experiment import tasks
from xstilts.experiment.config_files import merge
from xstilts.experiment.tasks import Task
from xstilts.running.errors import UserError, nearest
from xstilts.toy import spec

SCHEMA = WORKFLOW / "schemas" / "config.schema.yaml"
NONE = "none"  # the name of the row without an intermediate task
BEST = "best"  # of the row on test that is the best intermediate task of each target
# JSON schema takes 1.0 for an integer, which paths and ranges do not, and YAML has .nan and .inf.
_TYPES = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
    {
        "integer": lambda _, value: type(value) is int,
        "number": lambda _, value: type(value) in (int, float) and math.isfinite(value),
    }
)
_Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=_TYPES)
_NOUNS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A checked config: every name in it exists, every default is filled in.

    Attributes:
        settings: the config with the schema's defaults, plain data.
        tasks: every known task (`tasks.yaml` and the config's own), by name.
        intermediates: name -> its tasks, each with the languages it is trained in; `none` -> {}.
        languages: target -> its languages, sorted (as the keys of a spec are).
        test_languages: the same on the test split, where the best cells are scored on that; else
            empty. (A target that publishes one split alone has its dev split for both.)
    """

    settings: Mapping[str, Any]
    tasks: Mapping[str, Task]
    intermediates: Mapping[str, Mapping[str, tuple[str, ...]]]
    languages: Mapping[str, tuple[str, ...]]
    test_languages: Mapping[str, tuple[str, ...]]

    @property
    def toy(self) -> bool:
        """Whether data and models are the generated toy world."""
        return self.settings["source"] == "toy"

    @property
    def root(self) -> str | None:
        """The mirror folder that data sets and models are read from; None for the hub."""
        source = self.settings["source"]
        return {"toy": "results/toy", "hub": None}.get(source, source)


def load(raw: Mapping[str, Any]) -> Experiment:
    """Return the experiment that a merged config describes; UserError naming the wrong key."""
    settings = _checked_against_schema(_typed(raw))
    if settings["source"] == "toy":
        settings["toy"] = spec.parse(settings["toy"]).as_dict()
    for section in ("models", "intermediates", "tasks"):
        for name in settings[section]:
            if not isinstance(name, str):
                raise UserError(f'{section}: `{name}` is not text: quote the name, "{name}"')
    known = _tasks(settings["tasks"], settings["source"] == "toy")
    for name, entry in settings["models"].items():
        if entry["tokenizer"] is not None:
            _exists(f"models: {name}: tokenizer", entry["tokenizer"], settings["models"], "model")
        if entry["sharding"] != "none" and entry["gpus"] == 1:
            raise UserError(f"models: {name}: sharding: is over several GPUs; set `gpus` too")
    for name, entry in settings["intermediates"].items():
        if name == NONE:
            raise UserError(f"intermediates: `{NONE}` is always there; leave it out with `exclude`")
        _check_intermediate(name, entry, known)
    for target in settings["targets"]:
        _exists("targets", target, known, "task")
        train = known[target].tuned_on
        if train is not None:
            _trainable(f"task `{target}`: tuned_on", train, known)
            _share_a_head(known[target], known[train])
        elif known[target].format != "retrieval":
            scored = [n for n, t in known.items() if t.tuned_on == target]
            raise UserError(
                f"targets: `{target}` is a task to train on, not one to score: it has no `tuned_on`"
                + (f"; did you mean `{scored[0]}`?" if scored else "")
            )
        if settings["split"] not in known[target].splits:
            raise UserError(f"split: target `{target}` has no {settings['split']} split")
    intermediates: dict[str, dict[str, tuple[str, ...]]] = {NONE: {}}
    for name, entry in settings["intermediates"].items():
        intermediates[name] = _trained_in(name, entry, settings, known)
    _check_patterns(settings, intermediates)
    for name in settings["recipes"]:
        _exists("recipes", name, ["all", *known, *intermediates], "task or intermediate")
    for name in settings["limits"]:
        _exists("limits", name, ["all", *known], "task")
    for name, limit in settings["limits"].items():
        if name != "all" and "train" in limit and "train" not in known[name].splits:
            train = known[name].tuned_on
            raise UserError(
                f"limits: {name}: the task has no train split"
                + (f"; it is tuned on `{train}`" if train else "")
            )
    languages = _languages(settings, known, settings["split"])
    tested = _languages(settings, known, "test") if _tests(settings) else {}
    return Experiment(settings, known, intermediates, languages, tested)


def _typed(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config with what the command line gave as text (`--config test=true`) read."""
    kinds = {key: entry.get("type") for key, entry in _schema()["properties"].items()}
    return {
        key: yaml.safe_load(value)
        if isinstance(value, str) and kinds.get(key) in ("boolean", "integer")
        else value
        for key, value in raw.items()
    }


def _checked_against_schema(raw: Mapping[str, Any]) -> dict[str, Any]:
    validator = _Validator(_schema())
    errors = sorted(validator.iter_errors(raw), key=lambda error: [str(p) for p in error.path])
    if errors:
        raise UserError(_line(errors[0]))
    return _with_defaults(raw, _schema())


def _line(error: Any) -> str:
    """Say a schema error in one line: the key, what is wrong, the nearest valid name."""
    where = ": ".join(str(part) for part in error.path)
    prefix = f"config: {where}: " if where else "config: "
    schema = error.schema
    if error.validator == "additionalProperties":
        valid = list(schema.get("properties", {}))
        wrong = next(key for key in error.instance if key not in valid)
        return (
            f"{prefix}there is no key `{wrong}`{nearest(wrong, valid)} (valid: {', '.join(valid)})"
        )
    if error.validator == "required":
        missing = [key for key in schema["required"] if key not in error.instance]
        return f"{prefix}the key `{missing[0]}` is missing"
    if error.validator in ("minItems", "minProperties") and not error.instance:
        return f"{prefix}the list is empty; name at least one"
    if isinstance(error.instance, bool) or (
        error.validator == "oneOf"
        and isinstance(error.instance, list)
        and any(isinstance(item, bool) for item in error.instance)
    ):
        return f'{prefix}YAML reads no, on, yes and off as booleans: quote it, "no"'
    if error.validator == "oneOf":
        return (
            f"{prefix}`{error.instance}` is neither `all` nor a list of one or more different"
            " language codes"
        )
    if error.validator == "type":
        kinds = error.validator_value
        wanted = " or ".join(_NOUNS[k] for k in ([kinds] if isinstance(kinds, str) else kinds))
        given = "nothing" if error.instance is None else repr(error.instance)
        text = isinstance(error.instance, str) and "number" in kinds
        hint = " (YAML takes 1e-5 for text: write 1.0e-5)" if text else ""
        return f"{prefix}must be {wanted}, not {given}{hint}"
    if error.validator == "pattern":
        return f"{prefix}`{error.instance}` is no name: letters and digits, then also `.`, `_`, `-`"
    return f"{prefix}{error.message}"


def _with_defaults(value: Any, schema: Mapping[str, Any]) -> Any:
    """Fill in the defaults of a schema made of objects, the only nesting that ours has."""
    if not isinstance(value, Mapping):
        return value
    properties = schema.get("properties", {})
    rest = schema.get("additionalProperties")
    filled = {
        key: _with_defaults(item, properties.get(key, rest if isinstance(rest, dict) else {}))
        for key, item in value.items()
    }
    for key, entry in properties.items():
        if key not in filled and "default" in entry:
            filled[key] = entry["default"]
    return filled


def _tasks(own: Mapping[str, Any], toy: bool) -> dict[str, Task]:
    """Return every task. The toy world has its own data in place of a known task's other data."""
    ours = tasks.known()
    elsewhere = {name for name, entry in own.items() if toy and name in ours and "hub" in entry}
    own = {k: {"recipe": v.get("recipe", {})} if k in elsewhere else v for k, v in own.items()}
    found = {name: tasks.check(name, entry) for name, entry in merge(ours, own).items()}
    schema = _schema()["properties"]["recipes"]
    for error in _Validator(schema).iter_errors(
        {name: task.recipe for name, task in found.items()}
    ):
        error.path.insert(1, "recipe")
        raise UserError(_line(error).replace("config:", "tasks:", 1))
    first: dict[str, Task] = {}
    for task in found.values():
        other = first.setdefault(task.hub, task)
        if other.revision != task.revision:
            raise UserError(
                f"tasks: `{other.name}` and `{task.name}` are both of {task.hub}, so their"
                " `revision` must be the same"
            )
    return found


def _exists(key: str, name: str, valid: Iterable[str], noun: str) -> None:
    if name not in valid:
        raise UserError(f"{key}: there is no {noun} `{name}`{nearest(name, valid)}")


def _trainable(key: str, name: str, known: Mapping[str, Task]) -> None:
    trainable = [n for n, t in known.items() if "train" in t.splits]
    _exists(key, name, known, "task")
    if name in trainable and known[name].format != "mlm" and "dev" not in known[name].splits:
        raise UserError(f"{key}: `{name}` has no dev split, by which the best checkpoint is chosen")
    if name not in trainable:
        raise UserError(
            f"{key}: `{name}` has no train split; tasks that have: {', '.join(trainable)}"
        )


def _check_intermediate(name: str, entry: Mapping[str, Any], known: Mapping[str, Task]) -> None:
    names = entry["tasks"]
    for task in names:
        _trainable(f"intermediates: {name}", task, known)
    if name in known and names != [name]:
        raise UserError(
            f"intermediates: `{name}` is the name of a task, so it must be of that task alone, or"
            f" `recipes: {name}` would have two meanings; give it another name"
        )
    if all(known[task].format == "mlm" for task in names):
        raise UserError(
            f"intermediates: {name}: masked language modelling has no dev set by which the best"
            " checkpoint is chosen; mix it with a task that has one"
        )
    if "cap" in entry and len(names) == 1:
        raise UserError(
            f"intermediates: {name}: cap: is for the mixing of several tasks; for fewer rows of"
            f" one set `limits: {{{names[0]}: {{train: {entry['cap']}}}}}`"
        )


def _trained_in(
    name: str, entry: Mapping[str, Any], settings: Mapping[str, Any], known: Mapping[str, Task]
) -> dict[str, tuple[str, ...]]:
    """Return task -> languages that an intermediate is trained in.

    A task of several languages is trained in those that the intermediate lists; without a list in
    English, and mlm in all. A task of one language is trained in that. (In the toy world: as far
    as it has them, and in the first that it has in place of others alone.)
    """
    key, asked = f"intermediates: {name}: languages", entry.get("languages")
    every = sorted({code for task in entry["tasks"] for code in known[task].languages})
    for code in asked or []:
        _exists(key, code, every, "language")
    toy = settings["toy"]["languages"] if settings["source"] == "toy" else every
    found = {}
    for task in entry["tasks"]:
        codes = known[task].languages
        wanted = asked or (codes if known[task].format == "mlm" else ["en"])
        if len(codes) == 1:
            wanted = codes
        there = sorted(c for c in codes if c in toy)
        found[task] = tuple(c for c in there if c in wanted)
        if settings["source"] == "toy" and not found[task]:
            found[task] = tuple(there[:1])
        if not found[task]:
            raise UserError(
                f"{key}: task `{task}` has none of {', '.join(wanted)}"
                f" (it has {', '.join(there) or 'none in the toy world'})"
            )
    return found


def _share_a_head(target: Task, train: Task) -> None:
    for field in ("format", "labels"):
        ours, theirs = getattr(target, field), getattr(train, field)
        if ours != theirs:
            raise UserError(
                f"task `{target.name}`: its {field} must be the same as of `{train.name}`, which it"
                f" is tuned on: {theirs}, not {ours}"
            )


def _check_patterns(settings: Mapping[str, Any], intermediates: Iterable[str]) -> None:
    axes = {
        "model": settings["models"],
        "intermediate": intermediates,
        "seed": settings["seeds"],
        "target": settings["targets"],
    }
    for section in ("exclude", "include"):
        for pattern in settings[section]:
            for axis, value in pattern.items():
                if axis == "seed" and settings["source"] == "toy":
                    continue  # a rehearsal has fewer
                _exists(f"{section}: {axis}", value, axes[axis], axis)


def _tests(settings: Mapping[str, Any]) -> bool:
    """Whether the best cells are to be scored on test; UserError where none can be chosen."""
    if settings["test"] and settings["split"] != "dev":
        raise UserError("test: the best cells are chosen by dev scores, so `split` must be dev")
    if settings["test"] and not settings["intermediates"]:
        raise UserError("test: there is no intermediate task of which to choose the best")
    return settings["test"]


def _languages(
    settings: Mapping[str, Any], known: Mapping[str, Task], split: str
) -> dict[str, tuple[str, ...]]:
    """Return target -> languages: those asked for that the target (and the toy world) has."""
    targets = {name: known[name] for name in settings["targets"]}
    available = {
        name: [
            code
            for code in task.languages
            if not ((split == "dev" or split not in task.splits) and code in task.no_dev)
        ]
        for name, task in targets.items()
    }
    if settings["source"] == "toy":
        toy = settings["toy"]["languages"]
        available = {name: [c for c in codes if c in toy] for name, codes in available.items()}
    wanted = settings["languages"]
    every = sorted({code for codes in available.values() for code in codes})
    if wanted != "all":
        for code in wanted:
            _exists("languages", code, every, "language")
        available = {name: [c for c in codes if c in wanted] for name, codes in available.items()}
    for name, codes in available.items():
        if not codes:
            asked = ", ".join(every if wanted == "all" else wanted)
            raise UserError(
                f"languages: target `{name}` has none of {asked}"
                f" (it has {', '.join(targets[name].languages)})"
            )
    return {name: tuple(sorted(codes)) for name, codes in available.items()}


@cache
def _schema() -> dict[str, Any]:
    return yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
