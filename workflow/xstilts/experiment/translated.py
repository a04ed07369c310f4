"""`translated` of an intermediate: it is trained on its tasks' rows in other languages, which a
translator makes of those in English; and the controls that are made of these."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from xstilts.experiment import made, translators
from xstilts.experiment.synthetic import TRANSLATED, Variant
from xstilts.experiment.tasks import Task
from xstilts.running.errors import UserError
from xstilts.running.files import digest

SAME = "same"  # of `rows`: as many in all as there are in English
# What is done with translated rows to be compared to them. The second: it is English text.
CONTROLS = {
    "english": True, "round_trip": True, "code_switched": True, "shuffled": False, "noise": False,
}  # fmt: skip
WITHOUT = ("languages", "translations", "subset")  # keys that an entry with `translated` has not
FORMATS = ("classification", "regression", "choice", "span", "tagging", "dual", "mlm")
PAIRS = ("classification", "regression", "dual")  # whose two texts may be in two languages
Entry = Mapping[str, Any]


def control(given: Entry) -> str:
    """Return which control is asked for; "" for none."""
    return next((kind for kind in CONTROLS if given.get(kind)), "")


def same(entry: Entry) -> bool:
    """Whether an intermediate has as many rows in all as there are in English."""
    return TRANSLATED in entry and entry[TRANSLATED].get("rows", SAME) == SAME


def variant(given: Entry) -> Variant:
    """Return how the rows of an intermediate are made, by its `translated`."""
    kind, languages = control(given), tuple(sorted(given["languages"]))
    plain = f"{given['by']}.{given.get('filter', 'none')}"
    of: dict[str, Any] = {}
    name = plain
    if kind:
        of = {"kind": kind}
        if not isinstance(given[kind], bool):
            of["rate"] = given[kind]
        if kind in ("round_trip", "code_switched") and given.get("keep_english"):
            of["keep_english"] = True
        name = f"{plain}.{kind.replace('_', '-')}"
        if "rate" in of:
            name += f"-{of['rate']:g}"
        if kind != "noise":
            name += f"-{languages[0]}" if len(languages) == 1 else f"-{len(languages)}"
            if len(languages) > 1 or "keep_english" in of:
                name += f"-{digest([languages, of])[:4]}"
    by, passes = given["by"], given.get("filter", "none")
    return Variant(name, TRANSLATED, by, passes, languages, of)


def english(given: Entry) -> Entry:
    """Return the `translated` whose rows are the English of those that pass: what `keep_english`
    has beside the translations, so that what passes nowhere is no row of theirs alone."""
    left = {k: v for k, v in given.items() if k not in (*CONTROLS, "keep_english")}
    return {**left, "english": True}


def variants(intermediates: Mapping[str, Entry]) -> dict[str, Variant]:
    """Return the variants of all intermediates, by name."""
    entries = [e[TRANSLATED] for e in intermediates.values() if TRANSLATED in e]
    found = [variant(given) for given in entries]
    found += [variant(english(g)) for g in entries if g.get("keep_english") and not _is_english(g)]
    plain = [dataclasses.replace(of, name=of.plain, control={}) for of in found]
    named: dict[str, Variant] = {}
    for of in (*plain, *found):
        other = named.setdefault(of.name, of)
        if (other.by, other.filter, other.control) != (of.by, of.filter, of.control):
            ways = " and of ".join(_told(one) for one in (other, of))
            raise UserError(
                f"intermediates: {TRANSLATED}: the rows of {ways} would both be called `{of.name}`;"
                " rename a translator or a filter, or take another rate"
            )
    return {of.name: of for of in (*plain, *found)}


def _told(of: Variant) -> str:
    control = "".join(f", {key} {value}" for key, value in of.control.items())
    return f"`{of.by}` by filter `{of.filter}`{control}"


def _is_english(given: Entry) -> bool:
    """Whether a control is asked for that is English text."""
    return CONTROLS.get(control(given), False)


def least(control: Mapping[str, Any]) -> int:
    """Return how many languages a control takes at least."""
    return 2 if control.get("kind") == "shuffled" else 1


def languages_of(
    asked: Sequence[str], task: Task, settings: Mapping[str, Any], least: int = 1
) -> tuple[str, ...]:
    """Return the languages that the rows of a task are translated into: those that were asked for;
    in the toy world as far as it has them, and the first that it has in place of others, where
    those would be fewer than `least`."""
    if not translators.stood_for(settings, task):
        return tuple(sorted(asked))
    toy = [code for code in settings["toy"]["languages"] if code != task.home]
    there = [code for code in toy if code in asked]
    others = [code for code in toy if code not in asked]
    return tuple(sorted(there + others[: max(0, least - len(there))]))


def trained_in(
    entry: Entry, settings: Mapping[str, Any], known: Mapping[str, Task]
) -> dict[str, tuple[str, ...]]:
    """Return task -> languages of the rows that an intermediate is trained on."""
    given, kind = entry[TRANSLATED], control(entry[TRANSLATED])
    found = {}
    for name in entry["tasks"]:
        home = known[name].home or "en"
        least_of = least({"kind": kind})
        languages = set(languages_of(given["languages"], known[name], settings, least_of))
        if kind and CONTROLS[kind]:
            languages = {home}
        elif given.get("keep_english"):
            languages |= {home}
        found[name] = tuple(sorted(languages))
    return found


def made_in(entry: Entry, task: Task, languages: Sequence[str]) -> dict[str, str]:
    """Return language -> variant of the rows of a task of an intermediate that are not as they were
    prepared."""
    if TRANSLATED not in entry:
        return {}
    given, home = entry[TRANSLATED], task.home or "en"
    of = variant(given).name
    if _is_english(given):
        return dict.fromkeys(languages, of)
    return {lang: variant(english(given)).name if lang == home else of for lang in languages}


def check(name: str, entry: Entry, settings: Mapping[str, Any], known: Mapping[str, Task]) -> None:
    """Refuse what cannot be translated, or by that translator.

    Raises:
        UserError: the intermediate and key.
    """
    if TRANSLATED not in entry:
        return
    given, key = entry[TRANSLATED], f"intermediates: {name}: {TRANSLATED}"
    made.check(key, TRANSLATED, entry, settings, WITHOUT)
    asked = [kind for kind in CONTROLS if given.get(kind)]
    if len(asked) > 1:
        raise UserError(f"{key}: {asked[1]}: is a control of its own; leave `{asked[0]}` out")
    for task in entry["tasks"]:
        _check_task(key, given, known[task], settings)
    tasks = [known[task] for task in entry["tasks"]]
    _check_control(key, given, asked[0] if asked else "", tasks)
    real = any(not translators.stood_for(settings, task) for task in tasks)
    if given.get("round_trip") and real:
        by = given["by"]
        translators.check_both_ways(f"{key}: round_trip", by, settings["translators"][by])


def _check_task(key: str, given: Entry, task: Task, settings: Mapping[str, Any]) -> None:
    translator = settings["translators"][given["by"]]
    home = task.home
    if task.images:
        raise UserError(f"{key}: `{task.name}` has pictures, whose rows are not translated")
    if task.format not in FORMATS:
        raise UserError(f"{key}: `{task.name}` is of format {task.format}, which is not translated")
    if home is None:
        raise UserError(
            f"{key}: which language is `{task.name}` translated from? say `train_language` in its"
            f" entry, one of {', '.join(task.languages)}"
        )
    if home in given["languages"]:
        raise UserError(
            f"{key}: languages: {home} is what is translated; for its rows beside the translations"
            " say `keep_english: true`"
        )
    if task.format == "tagging" and "aligner" not in translator:
        raise UserError(
            f"{key}: the tags of `{task.name}` go to the words that belong to theirs, by the states"
            f" of an encoder; name one of `models` in translators: {given['by']}: aligner"
        )
    if not translators.stood_for(settings, task):
        where = f"{key}: languages"
        translators.check_languages(where, given["by"], translator, home, given["languages"])


def _check_control(key: str, given: Entry, kind: str, tasks: Sequence[Task]) -> None:
    if not kind:
        return
    if given.get("rows", SAME) != SAME and CONTROLS[kind]:
        raise UserError(f"{key}: rows: of {kind} each row is one row, as in English; leave it out")
    if kind == "english" and given.get("keep_english"):
        raise UserError(f"{key}: english: is English alone; leave `keep_english` out")
    if kind == "shuffled":
        if len(given["languages"]) < 2:
            raise UserError(
                f"{key}: shuffled: the two texts of a row are in two languages; list two or more"
            )
        if other := next((task for task in tasks if task.format not in PAIRS), None):
            raise UserError(
                f"{key}: shuffled: `{other.name}` is of format {other.format}, whose rows are not"
                f" two texts (but those of {', '.join(PAIRS)} are)"
            )
