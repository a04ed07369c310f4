"""`generated` of an intermediate: it is trained on rows of its task that a decoder writes, in any
languages, shown rows in English."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xstilts import WORKFLOW
from xstilts.experiment import filters, made, reference
from xstilts.experiment.generators import SHOTS
from xstilts.experiment.roles import exists
from xstilts.experiment.synthetic import GENERATED, Variant
from xstilts.experiment.tasks import Task
from xstilts.generation import shapes, template
from xstilts.running.errors import UserError
from xstilts.running.files import digest

PASSES = filters.NONE  # the filter where none is named
PROMPTS = WORKFLOW / "reference/prompts"  # a file a format
WITHOUT = ("languages", "translations", "subset", "translated")  # keys beside which it is not
Entry = Mapping[str, Any]


def names() -> dict[str, str]:
    """Return code -> English name of the languages that are asked for by name."""
    return {row["language"]: row["name"] for row in reference.table("languages")}


def prompt(given: Entry, task: Task, key: str) -> str:
    """Return the text of a template: that of the file, or of the task's format.

    Raises:
        UserError: the file cannot be read.
    """
    path = given.get("prompt")
    file = Path(path).expanduser() if path else PROMPTS / f"{task.format}.md"
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{key}: prompt: {path}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not text in UTF-8"
        raise UserError(f"{key}: prompt: {path}: {reason}") from None


def variant(given: Entry) -> Variant:
    """Return how the rows of an intermediate are made, by its `generated`. What is asked for, all
    that rows follow from before they are filtered, is `by`; the generator is among the options."""
    languages, rows = tuple(sorted(given["languages"])), given["rows"]
    by = f"{given['by']}-{rows}-{len(languages)}-{digest(languages)[:4]}"
    passes, options = given.get("filter", PASSES), {"by": given["by"], "rows": rows}
    return Variant(f"{by}.{passes}", GENERATED, by, passes, languages, options=options)


def variants(intermediates: Mapping[str, Entry], known: Mapping[str, Task]) -> dict[str, Variant]:
    """Return the variants of all intermediates, by name, and that before any filter of each; with
    task -> template of the prompt among the options."""
    found: dict[str, Variant] = {}
    for name, entry in intermediates.items():
        if GENERATED not in entry:
            continue
        of, task = variant(entry[GENERATED]), known[entry["tasks"][0]]
        text = prompt(entry[GENERATED], task, f"intermediates: {name}: {GENERATED}")
        before = dataclasses.replace(of, name=f"{of.by}.{PASSES}", filter=PASSES)
        for one in (before, of):
            other = found.get(one.name, one)
            prompts = {**other.options.get("prompts", {}), task.name: text}
            options = {**one.options, "prompts": prompts}
            found[one.name] = dataclasses.replace(one, options=options)
    return found


def languages_of(asked: Sequence[str], task: Task, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the languages that rows of a task are written in: those that were asked for; in the
    toy world as far as it has them, or the first that it has in place of others alone."""
    if settings["source"] != "toy":
        return tuple(sorted(asked))
    toy = settings["toy"]["languages"]
    others = [code for code in toy if code != (task.home or "en")]
    return tuple(sorted(set(asked) & set(toy))) or tuple((others or toy)[:1])


def shares(of: Variant, task: Task, settings: Mapping[str, Any]) -> dict[str, int]:
    """Return language -> rows that are written in it: equal shares, of the first languages one
    more. (In the toy world no more than it has train rows.)"""
    languages, rows = languages_of(of.languages, task, settings), of.options["rows"]
    if settings["source"] == "toy":
        rows = max(len(languages), min(rows, settings["toy"]["sizes"]["train"]))
    each, more = divmod(rows, len(languages))
    return {lang: each + (at < more) for at, lang in enumerate(languages)}


def trained_in(
    entry: Entry, settings: Mapping[str, Any], known: Mapping[str, Task]
) -> dict[str, tuple[str, ...]]:
    """Return task -> languages of the rows that an intermediate is trained on."""
    given, found = entry[GENERATED], {}
    for name in entry["tasks"]:
        languages = set(languages_of(given["languages"], known[name], settings))
        if given.get("keep_english"):
            languages |= {known[name].home or "en"}
        found[name] = tuple(sorted(languages))
    return found


def made_in(entry: Entry, task: Task, languages: Sequence[str]) -> dict[str, str]:
    """Return language -> variant of the rows of a task of an intermediate that are not as they were
    prepared."""
    if GENERATED not in entry:
        return {}
    given, home = entry[GENERATED], task.home or "en"
    of = variant(given).name
    return {lang: of for lang in languages if not (given.get("keep_english") and lang == home)}


def check(name: str, entry: Entry, settings: Mapping[str, Any], known: Mapping[str, Task]) -> None:
    """Refuse what cannot be generated, or by that generator.

    Raises:
        UserError: the intermediate and key.
    """
    if GENERATED not in entry:
        return
    given, key = entry[GENERATED], f"intermediates: {name}: {GENERATED}"
    made.check(key, GENERATED, entry, settings, WITHOUT)
    asked = filters.resolved(given.get("filter", PASSES), settings)
    if asked and all(filters.MEASURES[measure].source for measure in asked):
        raise UserError(
            f"{key}: filter: `{given['filter']}` asks how rows are beside their sources alone, and"
            " these have none"
        )
    if len(entry["tasks"]) > 1:
        raise UserError(
            f"{key}: is of one task, by one prompt, and there are {', '.join(entry['tasks'])};"
            " train on them one `after` another"
        )
    if entry.get("rows", 0) > given["rows"] and not given.get("keep_english"):
        raise UserError(
            f"intermediates: {name}: rows: {entry['rows']}, but {given['rows']} are {GENERATED};"
            " ask for fewer, or leave it out"
        )
    _check_task(key, given, known[entry["tasks"][0]], settings)


def _check_task(key: str, given: Entry, task: Task, settings: Mapping[str, Any]) -> None:
    if task.images:
        raise UserError(f"{key}: `{task.name}` has pictures, which a decoder does not draw")
    shapes.check_format(f"{key}: `{task.name}`", task.format)
    if task.no_answer:
        raise UserError(
            f"{key}: `{task.name}` has questions without an answer, which are not generated; take a"
            " task without (`squad`)"
        )
    home = task.home
    if home is None:
        raise UserError(
            f"{key}: which language are the rows of `{task.name}` in that are shown? say"
            f" `train_language` in its entry, one of {', '.join(task.languages)}"
        )
    for lang in given["languages"]:
        exists(f"{key}: languages", lang, names(), "language")
    if given.get("keep_english") and home in given["languages"]:
        raise UserError(
            f"{key}: languages: {home} is generated, so its own rows are not kept beside; leave it"
            " or `keep_english` out"
        )
    languages, labels = len(given["languages"]), max(1, len(task.labels))
    if settings["source"] != "toy" and given["rows"] < languages * labels:
        each = f", each with {labels} labels" if labels > 1 else ""
        raise UserError(
            f"{key}: rows: {given['rows']} are fewer than the {languages} languages{each}: ask for"
            f" {languages * labels} or more"
        )
    shots = settings["generators"][given["by"]].get("shots", SHOTS)
    where = f"{key}: prompt: {given.get('prompt', f'that of {task.format}')}"
    template.parse(prompt(given, task, key), where, task.format, task.labels, shots)


def check_prompts(settings: Mapping[str, Any], known: Mapping[str, Task]) -> None:
    """Refuse two prompts for the same rows.

    Raises:
        UserError: the later intermediate, and what to do.
    """
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for name, entry in settings["intermediates"].items():
        if GENERATED not in entry:
            continue
        given, task = entry[GENERATED], known[entry["tasks"][0]]
        key = f"intermediates: {name}: {GENERATED}"
        text = prompt(given, task, key)
        other, there = first.setdefault((given["by"], task.name), (name, text))
        if text != there:
            raise UserError(
                f"{key}: prompt: `{other}` asks `{given['by']}` for rows of `{task.name}` by"
                " another one; give the generator a second name in `generators` for this one"
            )
