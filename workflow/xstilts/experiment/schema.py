"""The schema of the config, read once: for the checks, and for docs/config.md."""

from functools import cache
from typing import Any

import yaml

from xstilts import WORKFLOW

PATH = WORKFLOW / "schemas" / "config.schema.yaml"
NOUNS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}  # of the types of a schema


@cache
def config_schema() -> dict[str, Any]:
    """Return the schema of the whole config."""
    return yaml.safe_load(PATH.read_text(encoding="utf-8"))


def task_fields() -> dict[str, dict[str, Any]]:
    """Return the fields that a task may have: name -> schema."""
    return config_schema()["properties"]["tasks"]["additionalProperties"]["properties"]


def types(entry: dict[str, Any]) -> list[str]:
    """Return the types that a value may have; none if its type is not told."""
    given = entry.get("type", [])
    return [given] if isinstance(given, str) else given
