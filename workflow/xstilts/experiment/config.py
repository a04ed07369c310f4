"""The config of an experiment: checked as a whole before anything runs."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from xstilts.experiment import (
    adapter,
    alignment_check,
    amounts,
    asking,
    backbones,
    cells,
    chains,
    entries,
    families,
    filters,
    generated,
    generators,
    own_traits,
    roles,
    search_check,
    shape,
    subsets,
    suites,
    synthetic,
    tasks,
    traits,
    translated,
    translators,
    vision,
)
from xstilts.experiment.alignment import AlignmentSet
from xstilts.experiment.config_files import merge, typed
from xstilts.experiment.experiment import BEST, NONE, Experiment, used
from xstilts.experiment.roles import exists, has_rows
from xstilts.experiment.schema import config_schema
from xstilts.experiment.selectors import NAME
from xstilts.experiment.tasks import Task
from xstilts.experiment.trained_in import trained_in
from xstilts.running import trackers
from xstilts.running.errors import Problems, UserError
from xstilts.toy import backbones as toy_backbones
from xstilts.toy import spec
from xstilts.toy import strata as toy_strata

__all__ = ["BEST", "NONE", "Experiment", "load"]


def load(raw: Mapping[str, Any]) -> Experiment:
    """Return the experiment that a merged config describes.

    Raises:
        UserError: a line for each mistake: the key, what is wrong, what would be right.
    """
    raw, problems, notes = typed(raw, config_schema()), Problems(), list[str]()
    raw = suites.expand(typed(families.expand(raw), config_schema()))
    with problems.noted():
        settings = shape.checked(raw)
    if problems.lines:
        _check_names(raw, problems)
        problems.end()
    if settings["source"] == "toy":
        settings["toy"] = spec.parse(settings["toy"]).as_dict()
    shape.check_names(settings)
    for section in ("models", "intermediates", "tasks"):
        for name in settings[section]:
            if name == "all" and section != "models":
                raise UserError(
                    f"{section}: `all` stands for all tasks in `recipes` and `limits`; give it"
                    " another name"
                )
            if name in suites.names() and section == "tasks":
                raise UserError(f"tasks: `{name}` is a suite; give the task another name")
    for entry in settings["tasks"].values():
        if isinstance(entry.get("columns"), Mapping):  # may be numbers, which JSON does not sort
            entry["columns"] = entries.as_text(entry["columns"])
    _check_traits(settings, problems)
    known = _tasks(settings, problems, notes)
    problems.end()  # what follows is about tasks that are whole
    for name, entry in settings["models"].items():
        with problems.noted():
            if entry["tokenizer"] is not None:
                key = f"models: {name}: tokenizer"
                exists(key, entry["tokenizer"], settings["models"], "model")
            if entry["sharding"] != "none" and entry["gpus"] < 2:
                raise UserError(f"models: {name}: sharding: is over several GPUs; set `gpus` too")
        with problems.noted():
            backbones.check(name, entry, settings)
            adapter.check(f"models: {name}", entry)
    with problems.noted():
        notes += vision.check(settings)
    for name in settings["trackers"]:
        with problems.noted():
            exists("trackers", name, trackers.KINDS, "tracker")
    for name, entry in settings["intermediates"].items():
        with problems.noted():
            if name == NONE:
                raise UserError(
                    f"intermediates: `{NONE}` is always there; leave it out with `exclude`"
                )
            roles.check_intermediate(name, entry, known)
            vision.check_trained(name, entry, settings, known)
        with problems.noted():
            chains.check(name, settings["intermediates"], NONE)
    for target in settings["targets"]:
        with problems.noted():
            roles.check_target(target, settings, known)
            vision.check_target(target, settings, known)
    _check_makers(settings, problems)
    problems.end()
    for name, entry in settings["intermediates"].items():
        with problems.noted():
            translated.check(name, entry, settings, known)
        with problems.noted():
            generated.check(name, entry, settings, known)
    problems.end()
    with problems.noted():
        generated.check_prompts(settings, known)
    intermediates: dict[str, dict[str, tuple[str, ...]]] = {NONE: {}}
    for name, entry in settings["intermediates"].items():
        with problems.noted():
            intermediates[name] = trained_in(name, entry, settings, known)
            amounts.check(name, entry, intermediates[name], settings, known)
        with problems.noted():
            if name in intermediates:
                subsets.check(name, entry, intermediates[name], settings, known)
    for check in (_check_patterns, _check_recipes, search_check.check, _check_limits):
        with problems.noted():
            check(settings, known)
    sets: dict[str, AlignmentSet] = {}
    for name, entry in settings["alignment"].items():
        with problems.noted():
            sets[name] = alignment_check.check(name, entry, settings, known)
    languages: dict[str, tuple[str, ...]] = {}
    tested: dict[str, tuple[str, ...]] = {}
    with problems.noted():
        languages = _languages(settings, known, settings["split"], notes)
        tested = _languages(settings, known, "test", notes) if _tests(settings) else {}
    problems.end()
    if settings["source"] == "toy":
        notes += _on_one_gpu(settings) + _on_all_linear(settings)
    notes += [*amounts.notes(intermediates, settings, known), *search_check.notes(settings)]
    made = settings["intermediates"]
    variants = synthetic.with_unfiltered(
        translated.variants(made) | generated.variants(made, known)
    )
    found = Experiment(
        settings, known, intermediates, languages, tested, alignment=sets, variants=variants
    )
    return _asked(found, problems, notes)


def _check_makers(settings: Mapping[str, Any], problems: Problems) -> None:
    """Note what is wrong with what makes rows, and with filters of these."""
    for name, entry in settings["translators"].items():
        with problems.noted():
            translators.check(name, entry, settings)
    for name, entry in settings["generators"].items():
        with problems.noted():
            generators.check(name, entry, settings)
    with problems.noted():
        filters.check(settings)


def _asked(found: Experiment, problems: Problems, notes: list[str]) -> Experiment:
    """Return an experiment with its questions, once its cells and traits are known to be right."""
    settings, known = found.settings, found.tasks
    with problems.noted():
        own_traits.check_languages(settings["language_traits"], known)
    with problems.noted():
        cells.check_patterns(settings, traits.of(found))
    problems.end()
    rows = [(c.model, c.intermediate) for c in cells.of(found)]
    backbones.check_masked(found, rows)
    vision.check_rows(settings, known, rows)
    subsets.check_epochs(found, rows)

    def outside() -> Experiment:
        real = {**settings, "source": "hub"}
        trained: dict[str, dict[str, tuple[str, ...]]] = {NONE: {}}
        for name, entry in settings["intermediates"].items():
            trained[name] = trained_in(name, entry, real, known)
        scored = _languages(real, known, settings["split"], [])
        entries = settings["alignment"].items()
        sets = {name: alignment_check.check(name, entry, real, known) for name, entry in entries}
        return Experiment(real, known, trained, scored, {}, alignment=sets, variants=found.variants)

    questions, left_out = asking.asked(found, outside if found.toy else None)
    return dataclasses.replace(found, questions=questions, notes=(*notes, *left_out))


def _check_traits(settings: Mapping[str, Any], problems: Problems) -> None:
    """Note what is wrong with traits of one's own, but for which language they are of."""
    for section in ("models", "intermediates", "tasks"):
        for name, entry in settings[section].items():
            if isinstance(own := entry.get("traits"), Mapping):
                with problems.noted():
                    own_traits.check(f"{section}: {name}: traits", own)
    for name, own in settings["language_traits"].items():
        with problems.noted():
            own_traits.check(f"language_traits: {name}", own)


def _check_names(raw: Mapping[str, Any], problems: Problems) -> None:
    """Note what is wrong with the tasks and the names of targets of a config whose shape is too."""
    own, targets = raw.get("tasks") or {}, raw.get("targets")
    if not isinstance(own, Mapping) or not all(isinstance(e, Mapping) for e in own.values()):
        return
    alone = {
        "source": raw.get("source"),
        "tasks": own,
        "targets": (),
        "intermediates": {},
        "alignment": {},
    }
    _tasks(alone, problems, [])
    for target in targets if isinstance(targets, list) else ():
        if isinstance(target, str):
            with problems.noted():
                exists("targets", target, [*tasks.known(), *own, *suites.names()], "task")


def _check_recipes(settings: Mapping[str, Any], known: Mapping[str, Task]) -> None:
    for name in settings["recipes"]:
        valid = ["all", *known, *settings["intermediates"]]
        exists("recipes", name, valid, "task or intermediate")


def _check_limits(settings: Mapping[str, Any], known: Mapping[str, Task]) -> None:
    for name, limit in settings["limits"].items():
        exists("limits", name, ["all", *known], "task")
        if name != "all" and "train" in limit and "train" not in known[name].splits:
            train = known[name].tuned_on
            raise UserError(
                f"limits: {name}: the task has no train split"
                + (f"; it is tuned on `{train}`" if train else "")
            )


def _on_one_gpu(settings: Mapping[str, Any]) -> list[str]:
    """Train what stands for a model in the toy world on one GPU at most; return where that is
    another number: it is tiny, and a rehearsal should run where there are none."""
    notes = []
    for name, entry in settings["models"].items():
        if entry["gpus"] > 1:
            notes.append(f"models: {name}: one process in place of {entry['gpus']} (source: toy)")
            entry |= {"gpus": 1, "sharding": "none"}
    return notes


def _on_all_linear(settings: Mapping[str, Any]) -> list[str]:
    """Have an adapter on all linear layers of the toy encoder where it stands for a model of
    another or an unknown architecture, whose modules it does not have; return where."""
    notes = []
    for name, entry in settings["models"].items():
        known = backbones.config(entry, settings).get("model_type", "") in toy_backbones.BACKBONES
        if entry.get("adapter") and entry["adapter"]["on"] != adapter.ALL_LINEAR and not known:
            notes.append(
                f"models: {name}: the adapter is on `{adapter.ALL_LINEAR}` in place of"
                f" {', '.join(entry['adapter']['on'])}, which what stands for the model may not"
                " have (source: toy)"
            )
            entry["adapter"] = {**entry["adapter"], "on": adapter.ALL_LINEAR}
    return notes


def _tasks(settings: Mapping[str, Any], problems: Problems, notes: list[str]) -> dict[str, Task]:
    """Return every task, the config's own laid over the known ones.

    The toy world has its own data for every known task, so that any experiment can be rehearsed
    where its data is not.
    """
    ours, own, toy = tasks.known(), dict(settings["tasks"]), settings["source"] == "toy"
    for name, entry in settings["tasks"].items():
        where = entry.get("files") or entry.get("hub")
        if toy and name in ours and where:
            own[name] = {key: entry[key] for key in ("recipe", "traits") if key in entry}
            if isinstance(entry.get("strata"), (list, dict)):  # the toy world's rows have none
                named = [s for s in entry["strata"] if isinstance(s, str)]
                own[name]["strata"] = dict.fromkeys(named, "")
            notes.append(f"tasks: {name}: the toy world's rows stand for {where} (source: toy)")
    if toy:
        ours = merge(ours, {name: {"strata": has} for name, has in toy_strata.STRATA.items()})
    found, asked = {}, merge(ours, own)
    for name, entry in asked.items():
        with problems.noted():
            found[name] = entries.check(name, entries.over(entry, own.get(name, {})))
    for name, task in found.items():
        train = found.get(task.tuned_on or "")
        if name in own and train and not task.labels and task.format == train.format:
            found[name] = dataclasses.replace(task, labels=train.labels)
    for task in found.values():
        if task.images in found or task.images not in asked:  # a set that is refused is one mistake
            with problems.noted():
                vision.check_task(task, found)
    schema = config_schema()["properties"]["recipes"]
    for error in shape.errors({name: task.recipe for name, task in found.items()}, schema):
        error.path.insert(1, "recipe")
        with problems.noted():
            raise UserError(shape.line(error).replace("config:", "tasks:", 1))
    for task in used(settings, found) if toy else ():
        if not task.own and task.hub not in {entry["hub"] for entry in ours.values()}:
            with problems.noted():
                raise UserError(
                    f"tasks: {task.name}: hub: the toy world has only the data sets of the known"
                    f" tasks, not {task.hub}; give `files` or a folder, or another `source`"
                )
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


def _check_patterns(settings: Mapping[str, Any], known: Mapping[str, Task]) -> None:
    axes = {
        "model": settings["models"],
        "intermediate": [NONE, *settings["intermediates"]],
        "target": settings["targets"],
    }
    for section in cells.PATTERNS:
        for pattern in settings[section]:
            for axis, pick in cells.picks(pattern, section).items():
                for trait, condition in pick.conditions():
                    for name in (*(condition.among or ()), *condition.but):
                        if trait == NAME:
                            exists(f"{section}: {axis}", name, axes[axis], axis)
            if "seed" in pattern and settings["source"] != "toy":  # a rehearsal has fewer
                exists(f"{section}: seed", pattern["seed"], settings["seeds"], "seed")


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
        may_be = suites.scored_in(task, settings)
        available[name] = [code for code in may_be if task.of(code).is_there(code, of)]
        if task.own and (gone := [c for c in may_be if not task.of(c).is_there(c, of)]):
            paths = ", ".join(task.files[of])
            notes.append(
                f"task `{name}`: {', '.join(gone)}: not scored, {paths} is in {task.home} alone;"
                " name files of each language with {lang}"
            )
    one, toy = next(iter(targets)), ""
    none = f"`{one}` has no {split} rows" if len(targets) == 1 else f"no target has {split} rows"
    if settings["source"] == "toy":
        there, toy = settings["toy"]["languages"], "; source: toy"
        available = {
            name: [c for c in codes if c in there or targets[name].own]
            for name, codes in available.items()
        }
    wanted = settings["languages"]
    every = sorted({code for codes in available.values() for code in codes})
    problems = Problems()
    if wanted != "all":
        for code in wanted:
            with problems.noted():
                has_rows("languages", code, every, none, toy)
        problems.end()
        available = {name: [c for c in codes if c in wanted] for name, codes in available.items()}
    for name, codes in available.items():
        if not codes:
            asked = ", ".join(every if wanted == "all" else wanted)
            raise UserError(
                f"languages: target `{name}` has none of {asked}"
                f" (it has {', '.join(targets[name].every_language)})"
            )
    return {name: tuple(sorted(codes)) for name, codes in available.items()}
