"""Config files: read, laid over each other; the name and the lock file that follow from them.

And what is given beside them: values as text (`--config`), and what was taken for a config file.
"""

import itertools
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from xstilts.data import source as sources
from xstilts.experiment.families import KEYS
from xstilts.running.errors import UserError

SUFFIXES = (".yaml", ".yml")
_FIELDS = {"path": ("lang", "split"), "name": KEYS}  # what has fields -> these
_FIELD = re.compile(rf"\{{(?:{'|'.join(sum(_FIELDS.values(), ()))})\}}")
# A path, or the name of a family, in a line of YAML, with fields and without quotes.
_BARE = re.compile(rf"""(?<!["'\w./~-])(?:[\w./~-]|{_FIELD.pattern})+(?!["'])""")


def name(settings: Mapping[str, Any], files: Sequence[str | Path]) -> str:
    """Return the name of an experiment: its `name`, or what its config files are called.

    Several files, laid over each other, are another experiment than the first alone.

    Raises:
        UserError: there is neither.
    """
    if not settings["name"] and not files:
        raise UserError("config: name: set it: there is no config file to name it after")
    return settings["name"] or "+".join(Path(file).stem for file in files)


def lock_file(files: Sequence[str | Path], name: str = "") -> str:
    """Return the path of the lock file: beside the last config file; here, if there is none."""
    return str(Path(files[-1]).with_suffix(".lock")) if files else f"{name}.lock"


def read(files: Sequence[str | Path]) -> dict[str, Any]:
    """Return the config in files that are laid over each other; UserError naming a bad one."""
    merged: dict[str, Any] = {}
    for file in files:
        told = anchored(_content(file), file)
        merged = merge(_moved(merged, told), told)
    return merged


def _content(file: str | Path) -> dict[str, Any]:
    try:
        content = yaml.load(Path(file).read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        raise UserError(f"{file}: there is no such config file") from None
    except _Twice as error:
        raise UserError(f"{file}: {error}") from None
    except yaml.MarkedYAMLError as error:
        raise UserError(f"{file}: cannot be read as YAML: {_marked(error, file)}") from None
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        line = str(error).splitlines()[0]
        raise UserError(f"{file}: cannot be read as YAML: {line}") from None
    if not isinstance(content, dict):
        raise UserError(f"{file}: holds no config")
    return content


class _Twice(yaml.YAMLError):
    """A key that a mapping has twice, of which YAML would take the last without a word."""


class _Loader(yaml.SafeLoader):
    """Reads YAML, in which a mapping has each key once."""

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        first: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag.endswith(":merge"):
                continue
            at, line = (key.tag, key.value), key.start_mark.line + 1
            if at in first:
                raise _Twice(
                    f"line {line}: the key `{key.value}` is there already, in line {first[at]};"
                    " leave one out"
                )
            first[at] = line
        return node


def _marked(error: yaml.MarkedYAMLError, file: str | Path) -> str:
    """Say where YAML ends to be YAML, and what to quote there."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return str(error).splitlines()[0]
    line = Path(file).read_text(encoding="utf-8").splitlines()[mark.line :][:1]
    bare = [text for text in _BARE.findall("".join(line)) if _FIELD.search(text)]
    hint = ""
    if bare:
        of_path = any(f"{{{field}}}" in bare[0] for field in _FIELDS["path"])
        hint = f'; quote the {"path" if of_path else "name"}: "{bare[0]}"'
    elif "".join(line)[mark.column :].startswith("\t"):
        hint = "; indent with spaces, not tabs"
    elif str(error.problem).startswith("mapping values are not allowed"):
        hint = (
            "; put text that has `: ` in it in quotes, and begin keys of one mapping in one column"
        )
    elif str(error.problem).endswith("'<block mapping start>'"):
        hint = "; begin keys of one mapping in one column"
    elif "expected ',' or" in str(error.problem):
        hint = "; a bracket is not closed, here or in a line before"
    return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}{hint}"


def anchored(content: Mapping[str, Any], file: str | Path) -> dict[str, Any]:
    """Return what is in a config file with its relative paths told what they are relative to.

    That is the file's folder. Entries of `tasks`, `models` and the like get it as `base`, so that
    the path stays as it was written (it is part of messages, of a model's also in its spec).
    """
    folder, found = str(Path(file).absolute().parent), dict(content)
    source = content.get("source")
    if isinstance(source, str) and source not in ("", "toy", "hub"):
        found["source"] = str(sources.absolute(source, folder))
    with_from = ("models", "vision", "translators", "generators")
    named = (("tasks", ("files", "hub")), *((section, ("from",)) for section in with_from))
    for section, keys in named:
        entries = content.get(section)
        if isinstance(entries, Mapping):
            found[section] = {
                name: {"base": folder, **entry} if _has_path(entry, keys) else entry
                for name, entry in entries.items()
            }
    intermediates = content.get("intermediates")
    if isinstance(intermediates, Mapping):
        found["intermediates"] = {
            name: _with_prompt(entry, folder) for name, entry in intermediates.items()
        }
    return found


def _with_prompt(entry: Any, folder: str) -> Any:
    """Return an intermediate's entry with the path of a prompt absolute."""
    given = entry.get("generated") if isinstance(entry, Mapping) else None
    if not isinstance(given, Mapping) or not isinstance(given.get("prompt"), str):
        return entry
    if not given["prompt"]:  # no path: the schema refuses it
        return entry
    return {
        **entry,
        "generated": {**given, "prompt": str(sources.absolute(given["prompt"], folder))},
    }


def places(files: Sequence[str | Path], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return Snakemake's merged config with its relative paths anchored, as `read` has them.

    What the command line gave on top of the files stays as it is.
    """
    plain: dict[str, Any] = {}
    for file in files:
        plain = merge(plain, _content(file))
    return _as_read(config, plain, read(files))


def _as_read(config: Any, plain: Any, told: Any) -> Any:
    """Return a config with what it has of files (`plain`) as `read` tells it (`told`)."""
    if config == plain:
        return told
    if not (isinstance(config, Mapping) and isinstance(plain, Mapping)):
        return config
    more = {key: value for key, value in told.items() if key not in plain}
    return more | {
        key: _as_read(value, plain[key], told[key]) if key in plain else value
        for key, value in config.items()
    }


def _moved(earlier: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what earlier files say, the paths of a task as they are from the folder of a later
    file that has files of that task too: an entry has one `base`."""
    if not (isinstance(earlier.get("tasks"), Mapping) and isinstance(told.get("tasks"), Mapping)):
        return dict(earlier)
    tasks = dict(earlier["tasks"])
    for name, entry in told["tasks"].items():
        before = tasks.get(name)
        if not (isinstance(before, Mapping) and isinstance(entry, Mapping)):
            continue
        if "files" in before and "base" in entry:
            files = _from(before["files"], before["base"], entry["base"])
            tasks[name] = {**before, "files": files}
    return {**earlier, "tasks": tasks}


def _from(paths: Any, old: str, new: str) -> Any:
    """Return a path, or what holds paths, that is from the folder `old` as it is from `new`."""
    if isinstance(paths, Mapping):
        return {key: _from(path, old, new) for key, path in paths.items()}
    if isinstance(paths, list):
        return [_from(path, old, new) for path in paths]
    if old == new or not isinstance(paths, str) or os.path.isabs(os.path.expanduser(paths)):
        return paths
    return os.path.relpath(os.path.join(old, paths), new)


def _has_path(entry: Any, keys: Sequence[str]) -> bool:
    """Whether an entry names files, or a folder."""
    if not isinstance(entry, Mapping):
        return False
    return any(
        key == "files" or (isinstance(entry[key], str) and sources.is_path(entry[key]))
        for key in keys
        if key in entry
    )


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `over` laid on it, mappings merged deeply, everything else replaced."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def typed(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return a config in which text is read as YAML where the schema wants something else there.

    Snakemake gives all that is inside a list or mapping of `--config` as text, and `true`, too.
    """
    kinds = schema.get("type", "string")
    if isinstance(value, str) and "string" not in kinds:
        try:
            read = yaml.safe_load(value)
        except yaml.YAMLError:
            return value
        return value if isinstance(read, str) or read is None else typed(read, schema)
    if isinstance(value, Mapping):
        each, rest = schema.get("properties", {}), schema.get("additionalProperties")
        rest = rest if isinstance(rest, dict) else {}
        if "on" in each:  # which YAML takes for true
            value = {"on" if key is True else key: item for key, item in value.items()}
        return {key: typed(item, each.get(key, rest)) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item, schema.get("items", {})) for item in value]
    return value


def given(words: Sequence[str]) -> list[str]:
    """Return what is after `--configfile` on Snakemake's command line, up to an option."""
    at = [words.index(option) for option in ("--configfile", "--configfiles") if option in words]
    return list(
        itertools.takewhile(lambda word: not word.startswith("-"), words[at[0] + 1 :] if at else [])
    )


def targets(files: Sequence[str]) -> str:
    """Say which of the files after `--configfile` is no config file; "" if all are.

    Snakemake takes every word after that option for a config file, a target too.
    """
    wrong = [file for file in files if not _may_be_config(file)]
    good = [file for file in files if file not in wrong]
    if not wrong:
        return ""
    if not good or wrong[0].endswith(SUFFIXES):
        return f"--configfile: {wrong[0]}: there is no such config file"
    return (
        f"--configfile takes every word after it for a config file, `{wrong[0]}` too; a target goes"
        f" before it: snakemake {shlex.join(wrong)} --configfile {shlex.join(good)}"
    )


def _may_be_config(path: str) -> bool:
    result = path.startswith("results/") and not path.endswith(SUFFIXES)
    return Path(path).is_file() and not result
