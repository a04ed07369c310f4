"""The config of an experiment: checked as a whole before anything runs."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from xstilts.experiment import entries, shape, tasks
from xstilts.experiment.config_files import merge, typed
from xstilts.experiment.languages import suggested
from xstilts.experiment.schema import config_schema
from xstilts.experiment.tasks import Task
from xstilts.running import trackers
from xstilts.running.errors import Problems, UserError, nearest
from xstilts.toy import spec

NONE = "none"  # the name of the row without an intermediate task
BEST = "best"  # of the row on test that is the best intermediate task of each target


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
        notes: what is left out without being a mistake, a line each.
    """

    settings: Mapping[str, Any]
    tasks: Mapping[str, Task]
    intermediates: Mapping[str, Mapping[str, tuple[str, ...]]]
    languages: Mapping[str, tuple[str, ...]]
    test_languages: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()

    @property
    def toy(self) -> bool:
        """Whether data and models are the generated toy world."""
        return self.settings["source"] == "toy"

    @property
    def pinned(self) -> bool:
        """Whether there is something to pin: the toy world is generated, all else is not."""
        used = {*self.settings["targets"], *(t for m in self.intermediates.values() for t in m)}
        used |= {train for name in used if (train := self.tasks[name].tuned_on)}
        return not self.toy or any(self.tasks[name].own for name in used)

    @property
    def root(self) -> str | None:
        """The mirror folder that data sets and models are read from; None for the hub."""
        source = self.settings["source"]
        return {"toy": "results/toy", "hub": None}.get(source, source)


def load(raw: Mapping[str, Any]) -> Experiment:
    """Return the experiment that a merged config describes.

    Raises:
        UserError: a line for each mistake: the key, what is wrong, what would be right.
    """
    settings = shape.checked(typed(raw, config_schema()))
    if settings["source"] == "toy":
        settings["toy"] = spec.parse(settings["toy"]).as_dict()
    for section in ("models", "intermediates", "tasks"):
        for name in settings[section]:
            if not isinstance(name, str):
                raise UserError(f'{section}: `{name}` is not text: quote the name, "{name}"')
    problems, notes = Problems(), list[str]()
    known = _tasks(settings, problems, notes)
    problems.end()  # what follows is about tasks that are whole
    for name, entry in settings["models"].items():
        with problems.noted():
            if entry["tokenizer"] is not None:
                key = f"models: {name}: tokenizer"
                _exists(key, entry["tokenizer"], settings["models"], "model")
            if entry["sharding"] != "none" and entry["gpus"] == 1:
                raise UserError(f"models: {name}: sharding: is over several GPUs; set `gpus` too")
    for name in settings["trackers"]:
        with problems.noted():
            _exists("trackers", name, trackers.KINDS, "tracker")
    for name, entry in settings["intermediates"].items():
        with problems.noted():
            if name == NONE:
                raise UserError(
                    f"intermediates: `{NONE}` is always there; leave it out with `exclude`"
                )
            _check_intermediate(name, entry, known)
    for target in settings["targets"]:
        with problems.noted():
            _check_target(target, settings, known)
    problems.end()
    intermediates: dict[str, dict[str, tuple[str, ...]]] = {NONE: {}}
    for name, entry in settings["intermediates"].items():
        with problems.noted():
            intermediates[name] = _trained_in(name, entry, settings, known)
    for check in (_check_patterns, _check_recipes, _check_limits):
        with problems.noted():
            check(settings, known)
    languages: dict[str, tuple[str, ...]] = {}
    tested: dict[str, tuple[str, ...]] = {}
    with problems.noted():
        languages = _languages(settings, known, settings["split"], notes)
        tested = _languages(settings, known, "test", notes) if _tests(settings) else {}
    problems.end()
    return Experiment(settings, known, intermediates, languages, tested, tuple(notes))


def _check_target(target: str, settings: Mapping[str, Any], known: Mapping[str, Task]) -> None:
    _exists("targets", target, known, "task")
    train = known[target].tuned_on
    if train is not None:
        _trainable(f"task `{target}`: tuned_on", train, known)
        _share_a_head(known[target], known[train])
        home = known[train].home
        if home is None or not known[train].is_there(home, "dev"):
            raise UserError(
                f"task `{train}`: which language is `{target}` tuned in? say `train_language`, one"
                f" of {', '.join(known[train].languages)}"
            )
    elif known[target].format != "retrieval":
        scored = [n for n, t in known.items() if t.tuned_on == target]
        mean = f"; did you mean `{scored[0]}`?" if scored else ""
        raise UserError(
            f"targets: `{target}` is a task to train on, not one to score: it has no `tuned_on`"
            f"{mean}"
        )
    if settings["split"] not in known[target].splits:
        there = known[target].splits
        raise UserError(
            f"split: target `{target}` has no {settings['split']} split (it has {', '.join(there)})"
        )


def _check_recipes(settings: Mapping[str, Any], known: Mapping[str, Task]) -> None:
    for name in settings["recipes"]:
        valid = ["all", *known, *settings["intermediates"]]
        _exists("recipes", name, valid, "task or intermediate")


def _check_limits(settings: Mapping[str, Any], known: Mapping[str, Task]) -> None:
    for name, limit in settings["limits"].items():
        _exists("limits", name, ["all", *known], "task")
        if name != "all" and "train" in limit and "train" not in known[name].splits:
            train = known[name].tuned_on
            raise UserError(
                f"limits: {name}: the task has no train split"
                + (f"; it is tuned on `{train}`" if train else "")
            )


def _tasks(settings: Mapping[str, Any], problems: Problems, notes: list[str]) -> dict[str, Task]:
    """Return every task, the config's own laid over the known ones.

    The toy world has its own data for every known task, so that any experiment can be rehearsed
    where its data is not.
    """
    ours, own, toy = tasks.known(), dict(settings["tasks"]), settings["source"] == "toy"
    for name, entry in settings["tasks"].items():
        if toy and name in ours and entry.keys() & {"hub", "files"}:
            own[name] = {"recipe": entry.get("recipe", {})}
            where = entry.get("files") or entry["hub"]
            notes.append(f"tasks: {name}: the toy world's rows stand for {where} (source: toy)")
    found = {}
    for name, entry in merge(ours, own).items():
        with problems.noted():
            found[name] = entries.check(name, entries.over(entry, own.get(name, {})))
    for name, task in found.items():
        train = found.get(task.tuned_on or "")
        if name in own and train and not task.labels and task.format == train.format:
            found[name] = dataclasses.replace(task, labels=train.labels)
    schema = config_schema()["properties"]["recipes"]
    for error in shape.errors({name: task.recipe for name, task in found.items()}, schema):
        error.path.insert(1, "recipe")
        with problems.noted():
            raise UserError(shape.line(error).replace("config:", "tasks:", 1))
    first: dict[str, Task] = {}
    for task in found.values():
        other = first.setdefault(task.hub or task.name, task)
        if other.revision != task.revision:
            with problems.noted():
                raise UserError(
                    f"tasks: `{other.name}` and `{task.name}` are both of {task.hub}, so their"
                    " `revision` must be the same"
                )
    return found


def _exists(key: str, name: str, valid: Iterable[str], noun: str) -> None:
    if name not in valid:
        near = suggested if noun == "language" else nearest
        raise UserError(f"{key}: there is no {noun} `{name}`{near(name, valid)}")


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
        wanted = asked or (codes if known[task].format == "mlm" else [known[task].home or "en"])
        if len(codes) == 1:
            wanted = codes
        there = sorted(c for c in codes if c in toy or known[task].own)
        found[task] = tuple(c for c in there if c in wanted)
        if one := [c for c in found[task] if not known[task].is_there(c, "train")]:
            path = ", ".join(known[task].files["train"])
            raise UserError(
                f"{key}: task `{task}` has no train rows of its own in {one[0]}: {path} is in"
                f" {known[task].home}; name files of each language with {{lang}}"
            )
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


def _check_patterns(settings: Mapping[str, Any], known: Mapping[str, Task]) -> None:
    axes = {
        "model": settings["models"],
        "intermediate": [NONE, *settings["intermediates"]],
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
    settings: Mapping[str, Any], known: Mapping[str, Task], split: str, notes: list[str]
) -> dict[str, tuple[str, ...]]:
    """Return target -> languages: those asked for that the target (and the toy world) has."""
    targets = {name: known[name] for name in settings["targets"]}
    available = {}
    for name, task in targets.items():
        of = split if split in task.splits else "dev"
        available[name] = [code for code in task.languages if task.is_there(code, of)]
        if task.own and (gone := [c for c in task.languages if not task.is_there(c, of)]):
            paths = ", ".join(task.files[of])
            notes.append(
                f"task `{name}`: {', '.join(gone)}: not scored, {paths} is in {task.home} alone;"
                " name files of each language with {lang}"
            )
    if settings["source"] == "toy":
        toy = settings["toy"]["languages"]
        available = {
            name: [c for c in codes if c in toy or targets[name].own]
            for name, codes in available.items()
        }
    wanted = settings["languages"]
    every = sorted({code for codes in available.values() for code in codes})
    problems = Problems()
    if wanted != "all":
        for code in wanted:
            with problems.noted():
                _exists("languages", code, every, "language")
        problems.end()
        available = {name: [c for c in codes if c in wanted] for name, codes in available.items()}
    for name, codes in available.items():
        if not codes:
            asked = ", ".join(every if wanted == "all" else wanted)
            raise UserError(
                f"languages: target `{name}` has none of {asked}"
                f" (it has {', '.join(targets[name].languages)})"
            )
    return {name: tuple(sorted(codes)) for name, codes in available.items()}
