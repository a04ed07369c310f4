"""docs/config.md, made from the schema of the config: `make docs` writes what this prints."""

import dataclasses
import json
from collections.abc import Collection, Mapping
from typing import Any

from xstilts.experiment.recipe import Recipe
from xstilts.experiment.schema import NOUNS, config_schema, types
from xstilts.toy.spec import Spec

INTRODUCTION = """\
# The config

An experiment is a YAML file. Several are laid over each other: mappings are merged, of all else the
last one counts. A key that is misspelt, or a name that does not exist, ends in a line with the
nearest one.

`make docs` writes this page from `workflow/schemas/config.schema.yaml`.
"""
# Defaults that are not in the schema; of recipes, those of the tasks are laid over these.
DEFAULTS: dict[str, Mapping[str, Any]] = {
    "recipes": dataclasses.asdict(Recipe()),
    "toy": Spec().as_dict(),
}
BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
}


def page() -> str:
    """Return the page: a table of the keys, and one of each key that holds further ones."""
    keys, sections = dict(config_schema()["properties"]), []
    for key, entry in config_schema()["properties"].items():
        named = isinstance(entry.get("additionalProperties"), dict)
        inner = entry["additionalProperties"] if named else entry
        if "properties" in inner:
            keys[key] = {**entry, "description": f"[below](#{key})"}
            sections.append(f"## {key}\n\n{entry['description']}\n")
            sections.append("Each has:\n" if named else "It has:\n")
            needed, defaults = inner.get("required", ()), DEFAULTS.get(key, {})
            sections.append(table(inner["properties"], needed, defaults))
    return "\n".join([INTRODUCTION, table(keys, config_schema()["required"]), *sections])


def table(
    keys: Mapping[str, Any], required: Collection[str], defaults: Mapping[str, Any] | None = None
) -> str:
    """Return a table of keys: what a value is, its default, what it means."""
    lines = ["| key | value | default | |", "|---|---|---|---|"]
    for key, entry in keys.items():
        if entry.get("x-internal"):
            continue
        default = code(entry.get("default", (defaults or {}).get(key)))
        shown = "(has to be there)" if key in required else default
        lines.append(f"| `{key}` | {value(entry)} | {shown} | {entry['description']} |")
    return "\n".join([*lines, ""])


def value(entry: Mapping[str, Any]) -> str:
    """Return what a value may be."""
    if "x-value" in entry:
        return entry["x-value"]
    if "enum" in entry:
        return " or ".join(f"`{choice}`" for choice in entry["enum"] if choice is not None)
    bounds = [text.format(entry[key]) for key, text in BOUNDS.items() if key in entry]
    return ", ".join([NOUNS[types(entry)[0]].removeprefix("a "), *bounds])


def code(default: Any) -> str:
    """Return a default as YAML; nothing where it is empty."""
    return "" if default in (None, "", [], {}) else f"`{_yaml(default)}`"


def _yaml(default: Any) -> str:
    if isinstance(default, Mapping):
        return "{" + ", ".join(f"{key}: {_yaml(part)}" for key, part in default.items()) + "}"
    if isinstance(default, list | tuple):
        return "[" + ", ".join(map(_yaml, default)) + "]"
    if isinstance(default, float) and "e" in str(default):
        return f"{default:.1e}".replace("e-0", "e-")  # YAML takes 1e-5 for text
    return default if isinstance(default, str) else json.dumps(default)


if __name__ == "__main__":
    print(page(), end="")
