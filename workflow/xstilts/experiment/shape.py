"""The shape of a config: its keys and kinds of values, by the schema; defaults filled in."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema

from xstilts.experiment.schema import NOUNS, config_schema, types
from xstilts.experiment.selectors import quoted
from xstilts.running.errors import UserError, brief, nearest

# JSON schema takes 1.0 for an integer, which paths and ranges do not, and YAML has .nan and .inf.
_TYPES = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
    {
        "integer": lambda _, value: type(value) is int,
        "number": lambda _, value: type(value) in (int, float) and math.isfinite(value),
    }
)
_Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=_TYPES)
_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "above",
    "exclusiveMaximum": "below",
}
# The last two keys of a path -> where what is given there would be right.
_BESIDE = {("translated", "rows"): "; a number of rows stands beside `translated`"}
# Sections of entries by a name; that questions have text for theirs, `asking` sees to.
_NAMED = (
    "models", "intermediates", "tasks", "vision", "translators", "generators", "filters",
    "alignment",
)  # fmt: skip


def errors(value: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what jsonschema finds wrong with a value."""
    return _Validator(schema).iter_errors(value)


def checked(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config with the defaults of its schema.

    Raises:
        UserError: a line for each key that is not known, or whose value is of another kind.
    """
    found = sorted(errors(raw, config_schema()), key=lambda error: [str(p) for p in error.path])
    # What is wrong in a task is said by `entries`, with all else that is wrong in tasks.
    found = [e for e in found if not _in_a_task(e)]
    # Where a key is not known, one that is missing is the same mistake.
    misspelt = [e.path for e in found if e.validator == "additionalProperties"]
    found = [e for e in found if e.validator != "required" or e.path not in misspelt]
    if found:
        raise UserError("\n".join(dict.fromkeys(map(line, found))))
    return _with_defaults(raw, config_schema())


def _in_a_task(error: Any) -> bool:
    of_field = len(error.path) > 2 or error.validator == "additionalProperties"
    return of_field and list(error.path)[:1] == ["tasks"]


def line(error: Any) -> str:
    """Say a schema error in one line: the key, what is wrong, the nearest valid name."""
    where = ": ".join(str(part) for part in error.path)
    prefix = f"config: {where}: " if where else "config: "
    schema = error.schema
    if error.validator == "additionalProperties":
        properties = schema.get("properties", {})
        valid = [key for key, entry in properties.items() if not entry.get("x-internal")]
        wrong = next(key for key in error.instance if key not in properties)
        return (
            f"{prefix}there is no key `{wrong}`{nearest(wrong, valid)} (valid: {', '.join(valid)})"
        )
    if error.validator == "required":
        missing = [key for key in schema["required"] if key not in error.instance]
        return f"{prefix}the key `{missing[0]}` is missing"
    if error.validator in ("minItems", "minProperties") and not error.instance:
        return f"{prefix}the list is empty; name at least one"
    if error.validator == "enum":
        return f"{prefix}{_one_of(error)}"
    if (odd := _bare(error)) is not None:
        return f"{prefix}{quoted(odd)}"
    if error.validator == "oneOf":
        items = schema["x-value"].rpartition("list of ")[2]
        return (
            f"{prefix}`{error.instance}` is neither `all` nor a list of one or more different"
            f" {items}"
        )
    if error.validator == "type":
        kinds = types(schema)
        wanted = " or ".join(NOUNS[kind] for kind in kinds)
        given = "nothing" if error.instance is None else _written(error.instance)
        hint = _as_number(error.instance) if "number" in kinds else ""
        return f"{prefix}must be {wanted}, not {given}{hint}"
    if error.validator == "pattern":
        return f"{prefix}`{error.instance}` is no name: letters and digits, then also `.`, `_`, `-`"
    if error.validator == "maxLength":
        most = error.validator_value
        return (
            f"{prefix}`{brief(error.instance)}` is too long for a name: {most} characters at most"
        )
    if error.validator in _BOUNDS:
        bound = f"{_BOUNDS[error.validator]} {error.validator_value}"
        return f"{prefix}must be {bound}, not {error.instance}"
    if error.validator == "minLength":
        return f"{prefix}must not be empty"
    if error.validator == "uniqueItems":
        twice = next(v for at, v in enumerate(error.instance) if v in error.instance[:at])
        return f"{prefix}`{brief(twice)}` is there twice"
    return f"{prefix}{error.message}"


def _one_of(error: Any) -> str:
    """Say what a value may be that is one of a few, and which of them is the nearest."""
    listed = error.validator_value
    # A yes or no that is not in quotes is allowed beside the text.
    valid = [v for v in listed if not (isinstance(v, bool) and "yes" in listed)]
    numbers = [v for v in valid if type(v) is int]
    names = [_plain(v) for v in valid if type(v) is not int]
    if numbers:
        names.append(f"a whole number from {numbers[0]} to {numbers[-1]}")
    given = "no" if error.instance is False and "none" in names else error.instance
    near = nearest(given, names) if isinstance(given, str) else ""
    beside = near or _BESIDE.get(tuple(error.path)[-2:], "")
    return f"must be {', '.join(names[:-1])} or {names[-1]}{beside}"


def _bare(error: Any) -> bool | None:
    """Return what YAML has read as a boolean where text is wanted; None if there is none."""
    if isinstance(error.instance, bool) and _wants_text(error.schema):
        return error.instance
    if error.validator != "oneOf" or not isinstance(error.instance, list):
        return None
    if not _wants_text(error.schema["oneOf"][-1]["items"]):
        return None
    return next((item for item in error.instance if isinstance(item, bool)), None)


def _as_number(given: Any) -> str:
    """Say how a number is written that YAML takes for text."""
    if not isinstance(given, str):
        return ""
    share = given.rstrip().endswith("%")
    try:
        number = float(given.rstrip().removesuffix("%"))
    except ValueError:
        return ""
    if not math.isfinite(number):
        return ""
    return f": write {number / 100:g}" if share else " (YAML takes 1e-5 for text: write 1.0e-5)"


def _wants_text(schema: dict[str, Any]) -> bool:
    """Whether what YAML has read as a boolean may be text that lacks quotes."""
    return "type" not in schema or "string" in types(schema)


def _written(value: Any) -> str:
    """Return a value as YAML writes it, so far as that is shorter."""
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _plain(value: Any) -> str:
    """Return a value of a list of valid ones as YAML writes it, which a user copies."""
    return "null" if value is None else value if isinstance(value, str) else _written(value)


def _with_defaults(value: Any, schema: Mapping[str, Any]) -> Any:
    """Fill in the defaults of a schema made of objects, the only nesting that ours has."""
    if not isinstance(value, Mapping):
        return value
    properties = schema.get("properties", {})
    rest = schema.get("additionalProperties")
    filled = {
        key: _with_defaults(item, properties.get(key, rest if isinstance(rest, dict) else {}))
        for key, item in value.items()
    }
    for key, entry in properties.items():
        if key not in filled and "default" in entry:
            filled[key] = entry["default"]
    return filled


def check_names(settings: Mapping[str, Any]) -> None:
    """Refuse names that are no text, which are not to be sorted with others, and are no names of
    files.

    Raises:
        UserError: the section, the name, and how it is quoted.
    """
    for section in _NAMED:
        for name in settings[section]:
            if not isinstance(name, str):
                how = quoted(name) if isinstance(name, bool) else f'quote the name, "{name}"'
                raise UserError(f"{section}: `{name}` is not text: {how}")
    for name, entry in settings["translators"].items():
        for code in entry.get("codes", ()):
            if not isinstance(code, str):
                raise UserError(f"translators: {name}: codes: `{code}` is not text: {quoted(code)}")
