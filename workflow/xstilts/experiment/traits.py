"""Traits: what is known of models, intermediates, targets and languages before anything runs.

They are what one asks by, and nothing else: no trait is part of any spec. docs/questions.md says
what each is.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from xstilts.experiment import amounts, backbones, reference, suites
from xstilts.experiment.experiment import NONE, Experiment
from xstilts.experiment.languages import suggested
from xstilts.experiment.questions import HEADROOM, MEASURED
from xstilts.experiment.selectors import (
    EXAMPLE,
    NAME,
    Condition,
    Pick,
    Value,
    number,
    text,
)  # fmt: skip
from xstilts.experiment.synthetic import GENERATED
from xstilts.running.errors import UserError, brief, nearest

SEEN = "seen"  # whether an intermediate's train rows have a language: of the two together
# Where a value that is not known can be said.
PLACES = {
    "model": "models: {name}: traits: {{{trait}: ...}}",
    "intermediate": "intermediates: {name}: traits: {{{trait}: ...}}",
    "target": "tasks: {name}: traits: {{{trait}: ...}}",
    "language": "language_traits: {name}: {{{trait}: ...}}",
}
COLUMNS = ("thing", "name", "trait", "value")  # of traits.csv

Known = Mapping[str, Mapping[str, Value | None]]


@dataclasses.dataclass(frozen=True)
class Traits:
    """The traits of all that is in an experiment.

    Attributes:
        values: thing -> name -> trait -> value; None for what it must have, but is not known.
        others: languages that are not scored here, of which one may speak all the same.
        trained_in: intermediate -> languages of its train rows.
        strata: target -> the strata that its task declares.
    """

    values: Mapping[str, Known]
    others: Known
    trained_in: Mapping[str, frozenset[str]]
    strata: Mapping[str, tuple[str, ...]]

    def value(self, thing: str, name: str, trait: str, intermediate: str = "") -> Value | None:
        """Return the value of a trait; None for a thing that has no such trait.

        Args:
            intermediate: of a language, where it may be asked whether it was `seen`.

        Raises:
            UserError: it has one that is not known; where to say it.
        """
        if trait == NAME:
            return name
        if thing == "language" and trait == SEEN:
            return name in self.trained_in[intermediate]
        known = self.values[thing][name]
        if trait in known and known[trait] is None:
            raise unknown(thing, name, trait)
        return known.get(trait)

    def names(self, thing: str) -> list[str]:
        """Return the names of what there is of a thing, in the order of the config."""
        return list(self.values[thing])

    def traits(self, thing: str) -> list[str]:
        """Return the traits by which a thing can be asked for."""
        every = [self.values[thing], self.others if thing == "language" else {}]
        found = dict.fromkeys(trait for of in every for known in of.values() for trait in known)
        return [NAME, *found, *([SEEN] if thing == "language" else [])]

    def check(self, key: str, thing: str, pick: Pick, values: bool = True) -> None:
        """Refuse names and traits that nothing has, and `values` too if these are to be checked.

        Raises:
            UserError: the first of them, with the nearest that there is.
        """
        for trait, condition in pick.conditions():
            if trait == NAME:
                self._check_names(key, thing, condition)
                continue
            self.check_trait(key, thing, trait)
            if values:
                self._check_values(f"{key}: {trait}", thing, trait, condition)

    def check_trait(self, key: str, thing: str, trait: str, also: Sequence[str] = ()) -> None:
        """Refuse a trait that no such thing has; `also`: those that may be asked for here besides.

        Raises:
            UserError: with the nearest, and all that there are.
        """
        valid = [*self.traits(thing), *also]
        if trait not in valid:
            raise UserError(
                f"{key}: no {thing} has a trait `{brief(trait)}`{nearest(trait, valid)}"
                f" (there are {', '.join(valid)}){_more(thing, trait)}"
            )

    def _check_names(self, key: str, thing: str, condition: Condition) -> None:
        names = self.names(thing)
        for wanted, valid in (
            (condition.among or (), names),
            (condition.but, [*names, *self.others] if thing == "language" else names),
        ):
            for name in wanted:
                if name not in valid:
                    near = suggested if thing == "language" else nearest
                    raise UserError(
                        f"{key}: there is no {thing} `{brief(name)}`{near(name, valid)}"
                    )

    def _check_values(self, key: str, thing: str, trait: str, condition: Condition) -> None:
        if trait == SEEN:
            valid: list[Any] = [True, False]
        else:
            every = [self.values[thing], self.others if thing == "language" else {}]
            found = [known.get(trait) for of in every for known in of.values()]
            valid = [part for value in found if value is not None for part in parts(value)]
        if not valid:
            return  # of none it is known, which is said when one is looked at
        if condition.ranged and not any(number(value) is not None for value in valid):
            raise UserError(f"{key}: `from` and `below` are for numbers; it is {text(valid[0])!r}")
        words = list(dict.fromkeys(map(text, valid)))
        for word in (*(condition.among or ()), *condition.but):
            if word not in words:
                if all(number(value) is not None for value in valid) and number(word) is None:
                    raise UserError(
                        f"{key}: `{brief(word)}` is not a number; say one, or as in {{from: 1000}},"
                        " {below: 30000}, {from: 1000, below: 30000}"
                    )
                raise UserError(
                    f"{key}: no {thing} has `{brief(word)}`{nearest(word, words)}"
                    f" (there are {brief(', '.join(words), 200)})"
                )


def _more(thing: str, trait: str) -> str:
    """Say what to do for a trait that nothing has."""
    if trait == HEADROOM:
        return f"; `{HEADROOM}` is measured, of targets and languages: one can go `along` it alone"
    if ("intermediate", trait) in MEASURED:
        return f"; `{trait}` is of intermediates, from records: one can go `along` it alone"
    return f"; one of your own goes into `{PLACES[thing].format(name='NAME', trait=brief(trait))}`"


def unknown(thing: str, name: str, trait: str) -> UserError:
    """Return the line that says that a trait is not known, and where it can be said."""
    place = PLACES[thing].format(name=name, trait=trait)
    return UserError(f"`{trait}` of {thing} `{name}` is not known; say it in `{place}`")


def parts(value: Value) -> tuple[Any, ...]:
    """Return the members of a value of several, or the only one."""
    return value if isinstance(value, tuple) else (value,)


def of(experiment: Experiment) -> Traits:
    """Return the traits of all that is in an experiment."""
    settings = experiment.settings
    own = settings.get("language_traits", {})
    scored = sorted({lang for langs in experiment.languages.values() for lang in langs})
    listed = {row["language"]: row for row in reference.table("languages")}
    every = {lang for task in experiment.tasks.values() for lang in task.every_language}
    values = {
        "model": {name: _model(entry, settings) for name, entry in settings["models"].items()},
        "intermediate": {
            name: _intermediate(experiment, name) for name in experiment.intermediates
        },
        "target": {name: _target(experiment, name) for name in settings["targets"]},
        "language": {lang: _language(listed.get(lang), own.get(lang)) for lang in scored},
    }
    others = sorted({*listed, *every} - {*scored})
    return Traits(
        values=values,
        others={lang: _language(listed.get(lang), own.get(lang)) for lang in others},
        trained_in={
            name: frozenset(_languages(experiment, name)) for name in experiment.intermediates
        },
        strata={
            name: tuple(getattr(experiment.tasks[name], "strata", {}))
            for name in settings["targets"]
        },
    )


def _model(entry: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Value | None]:
    known = reference.encoder(entry["from"])
    size = _lacking("parameters", "layers")
    if known:
        size = {"parameters": known.parameters, "layers": known.layers}
    adapter = entry.get("adapter")
    how: dict[str, Value | None] = {"adapter": adapter is not None}
    if adapter is not None:
        how["rank"] = adapter["rank"]
    return {**size, "architecture": backbones.kind(entry, settings), **how, **_own(entry)}


def _intermediate(experiment: Experiment, name: str) -> dict[str, Value | None]:
    """Return the traits of an intermediate; its tasks and languages with those of what it comes
    after, its rows and steps without."""
    entry = experiment.settings["intermediates"].get(name, {})
    tasks = _tasks(experiment, name)
    if name == NONE:
        return {"n_tasks": 0, "rows": 0, **_own(entry)}
    languages = _languages(experiment, name)
    found: dict[str, Value | None] = {
        "tasks": tuple(tasks),
        "n_tasks": len(tasks),
        "languages": tuple(languages),
        "n_languages": len(languages),
        "rows": _rows(experiment, name),
        "format": tuple(sorted({experiment.tasks[task].format for task in tasks})),
    }
    if subset := entry.get("subset"):
        by, keep = subset.get("by", ""), subset["keep"]
        of = {"subset": by, "keep": keep, "difficulty": _difficulty(by, keep)}
        found |= {name: value for name, value in of.items() if value}
    for key in ("steps", "after"):
        if (given := entry.get(key)) is not None:
            found[key] = tuple(given) if isinstance(given, list) else given
    return {**found, **_own(entry)}


def _difficulty(by: str, keep: str) -> str:
    """Return how hard a subset is; "" for the least variable rows, which are easy or hard.

    Swayamdipta et al. 2020 (Dataset Cartography): rows of high confidence are easy to learn, of low
    confidence hard to learn, of high variability ambiguous. Toneva et al. 2019: hard rows are
    forgotten. Ethayarajh et al. 2022: of low PVI.
    """
    if keep in ("random", "middle"):
        return keep
    if by == "variability":
        return "ambiguous" if keep == "highest" else ""
    easy = "lowest" if by in ("forgetting", "loss") else "highest"
    return "easy" if keep == easy else "hard"


def _chain(experiment: Experiment, name: str) -> list[str]:
    """Return an intermediate after all that it comes after."""
    chain, left = list[str](), [name]
    while left:
        link = left.pop()
        if link in chain or link not in experiment.intermediates:
            continue
        chain.insert(0, link)
        after = experiment.settings["intermediates"].get(link, {}).get("after") or []
        left += after if isinstance(after, list) else [after]
    return chain


def _tasks(experiment: Experiment, name: str) -> list[str]:
    links = _chain(experiment, name)
    return list(dict.fromkeys(task for link in links for task in experiment.intermediates[link]))


def _languages(experiment: Experiment, name: str) -> list[str]:
    links = (experiment.intermediates[link] for link in _chain(experiment, name))
    return sorted({lang for tasks in links for langs in tasks.values() for lang in langs})


def _rows(experiment: Experiment, name: str) -> int | None:
    """Return the train rows of an intermediate, of all its tasks together; None where those of a
    task are not known. `rows` in its entry are those of each task, in all its languages."""
    drawn = amounts.asked(experiment.settings["intermediates"][name])
    if drawn is not None:
        return drawn * len(experiment.intermediates[name])
    given = experiment.settings["intermediates"][name].get(GENERATED)
    if given and not given.get("keep_english"):
        return given["rows"]
    rows = given["rows"] if given else 0
    for task, languages in experiment.intermediates[name].items():
        known = _train_rows(experiment, task)
        if known is None:
            return None
        if given:  # beside it, those in English
            return rows + known
        entry = experiment.settings["intermediates"][name]
        rows += known * len(amounts.counted(entry, experiment.tasks[task], languages))
    return rows


def _train_rows(experiment: Experiment, task: str) -> int | None:
    """Return the train rows of a task in one language: as the reference has them or, in the toy
    world, its sizes say; at most those of the limits. None for data of one's own."""
    settings = experiment.settings
    limits = settings["limits"]
    if experiment.tasks[task].own:
        return None
    if experiment.toy:
        rows = int(settings["toy"]["sizes"]["train"])
    elif (size := reference.size(task, "train")) is not None:
        rows = size[0]
    else:
        return None
    most = {**limits.get("all", {}), **limits.get(task, {})}.get("train")
    return rows if most is None else min(rows, most)


def _target(experiment: Experiment, name: str) -> dict[str, Value | None]:
    task = experiment.tasks[name]
    found: dict[str, Value | None] = {"format": task.format, "suites": suites.of(name)}
    if task.tuned_on is not None:
        found["tuned_on"] = task.tuned_on
    return {**found, **_own({"traits": task.traits})}


def _language(
    row: Mapping[str, str] | None, given: Mapping[str, Any] | None
) -> dict[str, Value | None]:
    """Return the traits of a language; of Indo-European the branch is a family too."""
    if row is None:
        found = _lacking("family", "script", "resources", "distance")
    else:
        found = {
            "family": tuple(row["family"].split(", ")),
            "script": row["script"],
            "resources": float(row["cc100 mb"]),
            "distance": float(row["distance"]),
        }
    return {**found, **_own({"traits": given or {}})}


def _lacking(*traits: str) -> dict[str, Value | None]:
    return dict.fromkeys(traits)


def _own(entry: Mapping[str, Any]) -> dict[str, Value]:
    """Return the traits that an entry of the config names itself."""
    given = entry.get("traits") or {}
    return {key: tuple(v) if isinstance(v, list | tuple) else v for key, v in given.items()}


def table(traits: Traits) -> Iterator[dict[str, str]]:
    """Yield the rows of traits.csv, with `COLUMNS`: a row a value, of several each.

    What is not known has no row. The strata of examples are listed by target, without values, which
    are in the data.
    """
    for thing, names in traits.values.items():
        for name, known in names.items():
            for trait, value in known.items():
                for part in () if value is None else parts(value):
                    yield dict(zip(COLUMNS, (thing, name, trait, text(part)), strict=True))
    for target, strata in traits.strata.items():
        for stratum in strata:
            yield dict(zip(COLUMNS, (EXAMPLE, target, stratum, ""), strict=True))


def chosen(
    traits: Traits,
    thing: str,
    picks: Iterable[Pick],
    names: Iterable[str],
    key: str = "",
    intermediate: str = "",
) -> list[str]:
    """Return those of `names` that all picks mean.

    Args:
        key: of the config, for messages.
        intermediate: of languages, where they may be picked by `seen`.

    Raises:
        UserError: a trait that is looked at is not known.
    """
    found = list(names)
    try:
        for pick in picks:
            found = [
                name
                for name in found
                if pick.matches(partial(_value, traits, thing, name, intermediate))
            ]
    except UserError as error:
        raise UserError(f"{key}: {error}") from None
    return found


def _value(traits: Traits, thing: str, name: str, intermediate: str, trait: str) -> Value | None:
    return traits.value(thing, name, trait, intermediate)
