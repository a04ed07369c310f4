"""A folder in the shape of a hub repository, looked at without loading it.

For the plan of a run, which must be quick and must not write: `source.load` says more.
"""

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from xstilts.data.source import corrupt, is_pointer, no_config, no_split
from xstilts.running.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa


def schema(folder: Path, name: str, config: str | None, split: str) -> "pa.Schema | None":
    """Return the schema of a split's rows; None where that would take the library to know.

    Args:
        folder: of the data set.
        name: what a message calls it.
        config, split: as the hub has them; a split may be a sum (`train_r1+train_r2`).

    Raises:
        UserError: a file is missing or damaged.
        Absent: there is no such config or split.
    """
    listed = _configs(folder)
    if not listed:
        return None
    if config is None:
        config = next(iter(listed)) if len(listed) == 1 else "default"
    if config not in listed:
        raise no_config(name, config, sorted(listed))
    splits, found = listed[config], None
    for part in (re.sub(r"\[.*\]", "", part).strip() for part in split.split("+")):
        if part not in splits:
            raise no_split(name, config, part, list(splits))
        files = _matching(folder, splits[part])
        if not files:
            missing = f"{folder / splits[part][0]} is missing, though its README names it"
            raise UserError(f"dataset {name}: {missing}")
        for file in files:
            found = _schema(file, name) or found
    return found


def _configs(folder: Path) -> dict[str, dict[str, list[str]]]:
    """Return config -> split -> patterns of its files, as the README's front matter lists them."""
    try:
        text = (folder / "README.md").read_text(encoding="utf-8")
        front = yaml.safe_load(text.split("---")[1]) if text.startswith("---") else {}
        return {
            str(entry["config_name"]): {
                str(part["split"]): _patterns(part["path"]) for part in entry["data_files"]
            }
            for entry in front.get("configs") or []
        }
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        return {}  # as it is done otherwise, which the library knows


def _patterns(path: Any) -> list[str]:
    return [str(each) for each in path] if isinstance(path, list) else [str(path)]


def _matching(folder: Path, patterns: list[str]) -> list[Path]:
    found = []
    for pattern in patterns:
        if any(sign in pattern for sign in "*?["):
            inside = (p for p in sorted(folder.rglob("*")) if p.is_file())
            found += [p for p in inside if fnmatch(p.relative_to(folder).as_posix(), pattern)]
        elif (folder / pattern).is_file():
            found.append(folder / pattern)
    return found


def _schema(file: Path, name: str) -> "pa.Schema | None":
    if file.suffix != ".parquet":
        return None
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if not is_pointer(file):
            return pq.read_schema(file)
    except (pa.ArrowException, OSError, ValueError):
        pass
    raise UserError(f"dataset {name}: {file} {corrupt(file) or 'is damaged; fetch it again'}")
