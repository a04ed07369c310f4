"""An entry of `tasks.yaml` or of `tasks:` in a config: filled in, checked, made a `Task`."""

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from xstilts import metrics
from xstilts.data import hops, layout, passages, rows, strata
from xstilts.data.source import SPLIT_NAMES
from xstilts.experiment import entry_labels, suites
from xstilts.experiment.languages import suggested
from xstilts.experiment.schema import NOUNS, task_fields, types
from xstilts.experiment.tasks import FORMATS, POOL, SET, SPLITS, Task, known
from xstilts.running.errors import UserError, brief, nearest

_KINDS: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
}
_ANY_PARTS = (
    "recipe",
    "languages",
    "files",
    "file",
    "suites",
    "traits",
)  # whose parts are checked elsewhere
# How a data set is read, which a user's own files do not share with the set that they stand for.
_OF_THE_SET = (
    "hub", "config", "splits", "columns", "rows", "codes", "no_dev", "id_prefix", "gold", "pool",
    "obtain", "revision", "files", "file", "strata", "context", "suites",
)  # fmt: skip
_MAY_BE_NULL = ("files", "hub", "strata", "images")  # which is as if it were not there
_POOLED = ("lareqa", "mewslix")  # the row functions that make queries and candidates
_UNSCORED = {"mlm": "an mlm task", "images": "a set of pictures"}  # the formats without metrics
_LONGEST = 255  # bytes of a file's name
_OF_THE_HUB = ("config", "splits", "gold", "pool", "revision")  # of no use beside `files`
# What may be another for the languages that a suite adds.
_OF_A_SUITE = ("languages", "hub", "config", "codes", "rows", "columns", "revision", "no_dev")
_CODE = re.compile("[A-Za-z0-9]+([_-][A-Za-z0-9]+)*")  # it is part of the names of files and rules


def over(ours: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return a known entry with a user's laid over it (of which mappings are merged already).

    Files of one's own are read by what the user says of them alone; `files: null` is none.
    """
    if own.get("files") is None:
        return dict(ours)
    return {k: v for k, v in ours.items() if k not in _OF_THE_SET or k in own}


def check(name: str, entry: Mapping[str, Any]) -> Task:
    """Return the task of an entry, with what it leaves out filled in.

    Raises:
        UserError: the field, what is wrong with it, what would be right.
    """
    fields = task_fields()
    entry = {k: v for k, v in entry.items() if k not in _MAY_BE_NULL or v is not None}
    for key in entry:
        if key not in fields:
            raise UserError(f"task `{name}`: there is no field `{key}`{nearest(key, fields)}")
    _check_kinds(name, entry, fields)
    if "format" in entry:  # by which it is told what else is missing
        _one_of(name, "format", entry["format"], FORMATS)
    if entry.get("format") == "images":  # in no language
        entry = {"languages": [SET], **entry}
    for key in ("format", "languages"):
        if key not in entry:
            raise UserError(f"task `{name}`: the field `{key}` is missing")
    if not entry.get("hub") and "files" not in entry:
        raise UserError(f"task `{name}`: `files` (paths of yours) or `hub` (an id) is missing")
    _check_languages(f"task `{name}`: ", entry)
    _check_suites(name, entry)
    _check_place(name, entry)
    entry = _filled(name, entry)
    entry_labels.check(name, entry)
    _check_metric(name, entry)
    if entry.get("rows") is not None:
        _one_of(name, "rows", entry["rows"], rows.ROW_FUNCTIONS)
    _check_pool(name, entry)
    _check_context(name, entry)
    _check_returned(name, entry)
    for split in entry["splits"]:
        _one_of(name, "splits", split, SPLITS)
    return Task(name=name, **{k: _frozen(v) for k, v in entry.items()})


def _check_kinds(name: str, entry: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    for key, value in entry.items():
        allowed = types(fields[key])
        if not allowed or (value is None and "null" in allowed):
            continue
        kind = _KINDS[allowed[0]]
        if key == "labels" and value == entry_labels.OF_ROWS:
            continue
        if not isinstance(value, kind):
            raise UserError(f"task `{name}`: `{key}` must be {NOUNS[allowed[0]]}, not {value!r}")
        named = as_text(value) if key in ("labels", "columns") else value
        for part in named if kind is dict else ():
            if isinstance(part, bool):
                raise UserError(
                    f"task `{name}`: {key}: YAML reads no, on, yes and off as booleans: quote the"
                    ' key, "no"'
                )
            if not isinstance(part, str):
                raise UserError(f'task `{name}`: {key}: {part!r} is not text: quote it, "{part}"')
        parts = list(named.values()) if kind is dict else named if kind is list else []
        if key not in _ANY_PARTS and (odd := [p for p in parts if not isinstance(p, str)]):
            written = str(odd[0]).lower() if isinstance(odd[0], bool) else odd[0]
            raise UserError(f'task `{name}`: {key}: {odd[0]!r} is not text: quote it, "{written}"')


def _filled(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry with what follows from the rest of it."""
    filled = dict(entry)
    if "files" in entry:
        filled["files"] = _files(name, entry)
        filled["splits"] = {split: split for split in filled["files"]}
        _check_home(name, filled)
    elif "splits" not in entry:
        filled["splits"] = {"train": "train", "dev": "validation"}
    if "metric" not in entry and FORMATS[entry["format"]]:
        filled["metric"] = FORMATS[entry["format"]][0]
    trains = "train" in filled["splits"] and entry["format"] not in ("retrieval", "mlm", "images")
    if trains and "tuned_on" not in entry and name not in known():
        filled["tuned_on"] = name
    if entry.get("labels") == entry_labels.OF_ROWS:
        filled |= {"labels": [], "other_labels": True}
    for key in ("labels", "columns"):
        if isinstance(entry.get(key), (list, dict)):
            filled[key] = as_text(entry[key])
    if "strata" in entry:
        filled["strata"] = _strata(name, entry)
    return filled


def as_text(value: Any) -> Any:
    """Labels and columns that YAML takes for numbers are names here too."""

    def text(part: Any) -> Any:
        number = isinstance(part, (int, float)) and not isinstance(part, bool)
        return str(part) if number else part

    if isinstance(value, list):
        return [text(part) for part in value]
    return {text(key): text(part) for key, part in value.items()}


def _strata(name: str, entry: Mapping[str, Any]) -> dict[str, str]:
    """Return name -> column of a task's strata, which may be a list of columns."""
    given, where = entry["strata"], f"task `{name}`: strata"
    if not isinstance(given, (list, dict)):
        raise UserError(f"{where}: must be a list of columns, or {{NAME: COLUMN}}, not {given!r}")
    if given and not FORMATS[entry["format"]]:
        kind = _UNSCORED[entry["format"]]
        raise UserError(f"task `{name}`: {kind} is not scored, so it has no `strata`")
    listed = isinstance(given, list)
    pairs = given.items() if isinstance(given, dict) else ((column, column) for column in given)
    found: dict[str, str] = {}
    for key, column in pairs:
        key, column = (as_text([part])[0] for part in (key, column))
        for part in (key, column):
            if not isinstance(part, str):
                raise UserError(f'{where}: {part!r} is not text: quote it, as in "no"')
        if not strata.NAME.fullmatch(key):
            how = f"; say {{NAME: {brief(column)}}}" if listed else ""
            raise UserError(
                f"{where}: `{brief(key)}` is no name for classes (letters, digits, - and _){how}"
            )
        if key in found or (column and column in found.values()):
            raise UserError(f"{where}: the column `{brief(column)}` is there twice")
        found[key] = column
    return found


def _files(name: str, entry: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return split -> paths, of what a user may write for it.

    A mapping of splits to a path or several; one path with `{split}`; a folder in which splits and
    languages are found by name.
    """
    given, where = entry["files"], f"task `{name}`: files"
    if isinstance(given, str) and given:
        codes = entry.get("codes") or {}
        languages = [codes.get(code, code) for code in entry["languages"]]
        return layout.splits(given, entry.get("base", ""), languages, where)
    if not isinstance(given, Mapping) or not given:
        raise UserError(f"{where}: must be {{train: PATH, dev: PATH}} or one path, not {given!r}")
    found: dict[str, tuple[str, ...]] = {}
    for split, paths in given.items():
        ours = next((our for our, names in SPLIT_NAMES.items() if split in names), split)
        _one_of(name, "files", ours, SPLITS)
        if ours in found:
            raise UserError(f"{where}: {split}: is the {ours} split, which is there already")
        several = list(paths) if isinstance(paths, (list, tuple)) else [paths]
        if not several:
            raise UserError(f"{where}: {split}: the list is empty; name at least one path")
        for path in several:
            if not isinstance(path, str) or not path:
                raise UserError(f"{where}: {split}: must be a path, not {path!r}")
            if max(map(len, os.fsencode(path).split(b"/"))) > _LONGEST:
                raise UserError(f"{where}: {split}: {brief(path)} is too long for a file's name")
            if odd := set(_fields(path)) - {"lang"}:
                raise UserError(f"{where}: {path}: only {{lang}} is filled in, not {{{min(odd)}}}")
        found[ours] = tuple(several)
    return found


def _fields(path: str) -> Iterable[str]:
    return (part.split("}")[0] for part in path.split("{")[1:])


def _check_metric(name: str, entry: Mapping[str, Any]) -> None:
    if not FORMATS[entry["format"]]:
        if "metric" in entry:
            kind = _UNSCORED[entry["format"]]
            raise UserError(f"task `{name}`: {kind} is not scored, so it has no `metric`")
        return
    _one_of(name, "metric", entry["metric"], metrics.METRICS)
    if entry["metric"] not in FORMATS[entry["format"]]:
        raise UserError(
            f"task `{name}`: metric: `{entry['metric']}` cannot score a {entry['format']} task"
            f" (valid: {', '.join(FORMATS[entry['format']])})"
        )


def _check_suites(name: str, entry: Mapping[str, Any]) -> None:
    """Refuse what is said of a suite that there is not, and of what cannot be another in it."""
    known_suites = suites.names()
    for suite, more in entry.get("suites", {}).items():
        where = f"task `{name}`: suites: "
        if suite not in known_suites:
            raise UserError(
                f"{where}there is no suite `{suite}`{nearest(suite, known_suites)}"
                f" (valid: {', '.join(known_suites)})"
            )
        where += f"{suite}: "
        if not isinstance(more, Mapping) or not isinstance(more.get("languages"), list):
            raise UserError(f"{where}must be a mapping with `languages`, which it adds")
        for key in more:
            if key not in _OF_A_SUITE:
                raise UserError(
                    f"{where}there is no field `{key}`{nearest(key, _OF_A_SUITE)}"
                    f" (valid: {', '.join(_OF_A_SUITE)})"
                )
        _check_languages(where, more)


def check_code(key: str, code: str, hint: str = "") -> None:
    """Refuse a language's code that cannot be part of the names of files and rules.

    Raises:
        UserError: the key, the code, what one is, and the hint.
    """
    if not _CODE.fullmatch(code):
        raise UserError(
            f"{key}: `{brief(code)}` is no language code (letters and digits, with - or _ between"
            f" them, as zh-Hans){hint}"
        )


def _check_languages(where: str, entry: Mapping[str, Any]) -> None:
    languages = entry["languages"]
    if len({c for c in languages if isinstance(c, str)}) != len(languages) or not languages:
        raise UserError(
            f"{where}`languages` must be a list of different language codes, not"
            f' {languages!r} (YAML reads no and on as booleans: write "no")'
        )
    for code in languages:
        said = "; what files call the language is said by `codes`"
        check_code(f"{where}languages", code, said)
    home = entry.get("train_language")
    if home and home not in languages:
        raise UserError(
            f"{where}train_language: `{home}` is not among its languages"
            f" {', '.join(languages)}{suggested(home, languages)}"
        )


def _check_place(name: str, entry: Mapping[str, Any]) -> None:
    """Refuse two places for the data, and what is for one of them beside the other."""
    if "files" not in entry:
        if entry.get("file"):
            raise UserError(f"task `{name}`: `file` says how `files` are read, and there are none")
        return
    if "hub" in entry:
        raise UserError(
            f"task `{name}`: both `files` and `hub` say where its data is; leave one out (in a"
            " config over others, `null` does that)"
        )
    for key in _OF_THE_HUB:
        if entry.get(key) is not None:
            raise UserError(
                f"task `{name}`: `{key}` is for a data set by `hub`; its data is in `files`, so"
                " leave it out"
            )


def _check_pool(name: str, entry: Mapping[str, Any]) -> None:
    """Refuse a pool of candidates without the metric that ranks them, and the other way round."""
    pool, ranked = entry.get("pool"), entry.get("metric") == "map20"
    if pool and entry["format"] != "retrieval":
        raise UserError(
            f"task `{name}`: pool: only a retrieval task has candidates, not one of format"
            f" {entry['format']}; leave it out"
        )
    if pool and not ranked:
        raise UserError(
            f"task `{name}`: metric: must be `map20`, which ranks the candidates of its `pool`, not"
            f" `{entry['metric']}`"
        )
    if pool and entry.get("rows") not in (None, *_POOLED):
        raise UserError(
            f"task `{name}`: rows: `{entry['rows']}` makes no candidates: with a `pool` it is"
            f" {' or '.join(_POOLED)}, or left out (for rows that have `id`, `text` and `gold`)"
        )
    if pool and "{lang}" in pool and not entry.get("rows"):
        raise UserError(
            f"task `{name}`: pool: must be one config that has all candidates, such as"
            f" `candidates`, not `{pool}`, which is for a task whose `rows` make them (`lareqa`)"
        )
    if ranked and not pool and entry["format"] == "retrieval":
        raise UserError(
            f"task `{name}`: metric: `map20` ranks the candidates of all languages: say `pool`, the"
            " config that has them"
        )
    if pool and POOL in entry["languages"]:
        raise UserError(
            f"task `{name}`: languages: `{POOL}` stands for the candidates of all languages; give"
            " the language another code, and `codes` for what files call it"
        )


def _check_context(name: str, entry: Mapping[str, Any]) -> None:
    """Refuse a choice of paragraphs that there is not, or of a task that has none."""
    if "context" not in entry:
        return
    context, where = entry["context"], f"task `{name}`: context"
    if entry.get("rows") not in hops.STRATA:
        raise UserError(
            f"{where}: its questions have no paragraphs to choose from; it is for `rows:`"
            f" {', '.join(hops.STRATA)}"
        )
    if isinstance(context, int) and not isinstance(context, bool):
        if context < 0:
            raise UserError(f"{where}: {context} is below 0; it counts paragraphs beside the gold")
    elif context not in passages.VIEWS:
        raise UserError(
            f"{where}: there is no `{brief(context)}`{nearest(str(context), passages.VIEWS)}"
            f" (valid: {', '.join(passages.VIEWS)}, or how many paragraphs beside the gold)"
        )


def _check_returned(name: str, entry: Mapping[str, Any]) -> None:
    """Refuse a task that does not declare a stratum which its row function returns."""
    declared = entry.get("strata") or {}
    for stratum in strata.RETURNED.get(entry.get("rows") or "", ()):
        if stratum not in declared.values():
            whole = ", ".join(dict.fromkeys([*declared, *strata.RETURNED[entry["rows"]]]))
            raise UserError(
                f"task `{name}`: strata: `rows: {entry['rows']}` returns the stratum `{stratum}`,"
                f" which the task does not declare; say `strata: [{whole}]`"
            )


def _check_home(name: str, entry: Mapping[str, Any]) -> None:
    """Ask for the language of files that are not named by language."""
    languages, files = entry["languages"], entry["files"]
    if "en" in languages or entry.get("train_language") or entry.get("id_prefix"):
        return
    one = [paths for paths in files.values() if not any("{lang}" in path for path in paths)]
    if len(languages) == 1 or not one:
        return
    if entry["format"] == "retrieval":
        raise UserError(
            f"task `{name}`: files: of which language is {one[0][0]}? name the files of each with"
            " {lang}"
        )
    raise UserError(
        f"task `{name}`: which language is it trained in? say `train_language`, one of"
        f" {', '.join(languages)}"
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _one_of(task: str, field: str, value: Any, valid: Iterable[str]) -> None:
    if value not in valid:
        raise UserError(
            f"task `{task}`: {field}: there is no `{value}`{nearest(value, valid)}"
            f" (valid: {', '.join(valid)})"
        )
