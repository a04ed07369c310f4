"""Config files: read, laid over each other; the name and the lock file that follow from them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from xstilts.running.errors import UserError


def name(settings: Mapping[str, Any], files: Sequence[str | Path]) -> str:
    """Return the name of an experiment: its `name`, or what its config files are called.

    Several files, laid over each other, are another experiment than the first alone.
    """
    return settings["name"] or "+".join(Path(file).stem for file in files)


def lock_file(files: Sequence[str | Path]) -> str:
    """Return the path of the lock file: beside the last config file."""
    return str(Path(files[-1]).with_suffix(".lock"))


def read(files: Sequence[str | Path]) -> dict[str, Any]:
    """Return the config in files that are laid over each other; UserError naming a bad one."""
    merged: dict[str, Any] = {}
    for file in files:
        try:
            content = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UserError(f"{file}: there is no such config file") from None
        except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
            line = str(error).splitlines()[0]
            raise UserError(f"{file}: cannot be read as YAML: {line}") from None
        if not isinstance(content, dict):
            raise UserError(f"{file}: holds no config")
        merged = merge(merged, content)
    return merged


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `over` laid on it, mappings merged deeply, everything else replaced."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge(merged[key], value) if both else value
    return merged
