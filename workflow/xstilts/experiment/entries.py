"""An entry of `tasks.yaml` or of `tasks:` in a config: filled in, checked, made a `Task`."""

from collections.abc import Iterable, Mapping
from typing import Any

from xstilts import metrics
from xstilts.data import layout, rows
from xstilts.experiment.languages import suggested
from xstilts.experiment.schema import NOUNS, task_fields, types
from xstilts.experiment.tasks import FORMATS, SPLITS, Task, known
from xstilts.running.errors import UserError, nearest

_KINDS: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
}
_ANY_PARTS = ("recipe", "languages", "files", "file")  # whose parts are checked elsewhere
# How a data set is read, which a user's own files do not share with the set that they stand for.
_OF_THE_SET = (
    "hub", "config", "splits", "columns", "rows", "codes", "no_dev", "id_prefix", "gold",
    "obtain", "revision", "files", "file",
)  # fmt: skip
_NAMES = {"validation": "dev", "valid": "dev", "val": "dev"}  # of splits, beside ours


def over(ours: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return a known entry with a user's laid over it (of which mappings are merged already).

    Files of one's own are read by what the user says of them alone.
    """
    if "files" not in own:
        return dict(ours)
    return {k: v for k, v in ours.items() if k not in _OF_THE_SET or k in own}


def check(name: str, entry: Mapping[str, Any]) -> Task:
    """Return the task of an entry, with what it leaves out filled in.

    Raises:
        UserError: the field, what is wrong with it, what would be right.
    """
    fields = task_fields()
    for key in entry:
        if key not in fields:
            raise UserError(f"task `{name}`: there is no field `{key}`{nearest(key, fields)}")
    for key in ("format", "languages"):
        if key not in entry:
            raise UserError(f"task `{name}`: the field `{key}` is missing")
    if "hub" not in entry and "files" not in entry:
        raise UserError(f"task `{name}`: `files` (paths of yours) or `hub` (an id) is missing")
    _check_kinds(name, entry, fields)
    _one_of(name, "format", entry["format"], FORMATS)
    _check_languages(name, entry)
    entry = _filled(name, entry)
    _check_metric(name, entry)
    if entry.get("rows") is not None:
        _one_of(name, "rows", entry["rows"], rows.ROW_FUNCTIONS)
    for split in entry["splits"]:
        _one_of(name, "splits", split, SPLITS)
    if (
        entry["format"] in ("classification", "tagging")
        and not entry.get("labels")
        and "train" not in entry["splits"]
        and not entry.get("tuned_on")
    ):
        raise UserError(
            f"task `{name}`: a {entry['format']} task needs `labels`, in the head's order, or a"
            " train split to take them from"
        )
    return Task(name=name, **{k: _frozen(v) for k, v in entry.items()})


def _check_kinds(name: str, entry: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    for key, value in entry.items():
        allowed = types(fields[key])
        if not allowed or (value is None and "null" in allowed):
            continue
        kind = _KINDS[allowed[0]]
        if not isinstance(value, kind):
            raise UserError(f"task `{name}`: `{key}` must be {NOUNS[allowed[0]]}, not {value!r}")
        named = _as_text(value) if key in ("labels", "columns") else value
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
    trains = "train" in filled["splits"] and entry["format"] not in ("retrieval", "mlm")
    if trains and "tuned_on" not in entry and name not in known():
        filled["tuned_on"] = name
    for key in ("labels", "columns"):
        if isinstance(entry.get(key), (list, dict)):
            filled[key] = _as_text(entry[key])
    return filled


def _as_text(value: Any) -> Any:
    """Labels and columns that YAML takes for numbers are names here too."""

    def text(part: Any) -> Any:
        number = isinstance(part, (int, float)) and not isinstance(part, bool)
        return str(part) if number else part

    if isinstance(value, list):
        return [text(part) for part in value]
    return {text(key): text(part) for key, part in value.items()}


def _files(name: str, entry: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return split -> paths, of what a user may write for it.

    A mapping of splits to a path or several; one path with `{split}`; a folder in which splits and
    languages are found by name.
    """
    given, where = entry["files"], f"task `{name}`: files"
    if isinstance(given, str):
        codes = entry.get("codes") or {}
        languages = [codes.get(code, code) for code in entry["languages"]]
        return layout.splits(given, entry.get("base", ""), languages, where)
    if not isinstance(given, Mapping) or not given:
        raise UserError(f"{where}: must be {{train: PATH, dev: PATH}} or one path, not {given!r}")
    found: dict[str, tuple[str, ...]] = {}
    for split, paths in given.items():
        ours = str(_NAMES.get(split, split))
        _one_of(name, "files", ours, SPLITS)
        several = list(paths) if isinstance(paths, (list, tuple)) else [paths]
        for path in several:
            if not isinstance(path, str) or not path:
                raise UserError(f"{where}: {split}: must be a path, not {path!r}")
            if odd := set(_fields(path)) - {"lang"}:
                raise UserError(f"{where}: {path}: only {{lang}} is filled in, not {{{min(odd)}}}")
        found[ours] = tuple(several)
    return found


def _fields(path: str) -> Iterable[str]:
    return (part.split("}")[0] for part in path.split("{")[1:])


def _check_metric(name: str, entry: Mapping[str, Any]) -> None:
    if not FORMATS[entry["format"]]:
        if "metric" in entry:
            raise UserError(f"task `{name}`: an mlm task is not scored, so it has no `metric`")
        return
    _one_of(name, "metric", entry["metric"], metrics.METRICS)
    if entry["metric"] not in FORMATS[entry["format"]]:
        raise UserError(
            f"task `{name}`: metric: `{entry['metric']}` cannot score a {entry['format']} task"
            f" (valid: {', '.join(FORMATS[entry['format']])})"
        )


def _check_languages(name: str, entry: Mapping[str, Any]) -> None:
    languages = entry["languages"]
    if len({c for c in languages if isinstance(c, str)}) != len(languages) or not languages:
        raise UserError(
            f"task `{name}`: `languages` must be a list of different language codes, not"
            f' {languages!r} (YAML reads no and on as booleans: write "no")'
        )
    home = entry.get("train_language")
    if home and home not in languages:
        raise UserError(
            f"task `{name}`: train_language: `{home}` is not among its languages"
            f" {', '.join(languages)}{suggested(home, languages)}"
        )


def _check_home(name: str, entry: Mapping[str, Any]) -> None:
    """Ask for the language of files that are not named by language."""
    languages = entry["languages"]
    several = len(languages) > 1 and not entry.get("id_prefix")
    named = all("{lang}" in path for paths in entry["files"].values() for path in paths)
    if several and not named and "en" not in languages and not entry.get("train_language"):
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
