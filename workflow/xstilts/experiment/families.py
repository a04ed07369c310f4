"""Families: several intermediates written as one entry, by `{key}` in its name.

`mnli-{rows}: {tasks: [mnli], rows: [1000, 3000]}` is `mnli-1000` and `mnli-3000`. They are written
out when a config is loaded, before anything else of it is looked at, so that all that follows (the
grid, the resolved config) has the intermediates themselves.
"""

import itertools
import re
from collections.abc import Mapping
from typing import Any

from xstilts.experiment.synthetic import MADE
from xstilts.running.errors import Problems, UserError, brief, nearest

LISTS = ("tasks", "languages")  # keys of which an intermediate has a list anyway
KEYS = ("rows", "steps", "cap", "after", "translations", *LISTS)  # by which a family may be named
PARTS = ("by", "keep")  # and by these keys of `subset`
_FIELD = re.compile(r"\{([^{}]*)\}")


def expand(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config with the intermediates of its families in the place of each.

    A recipe under the name of a family is for each of them (what is set under their own names is
    laid over it), and in `exclude`, `include` and `questions` the name stands for all of them. What
    is of another shape than a config's is left for the schema to refuse.

    Raises:
        UserError: a line for each mistake in a family.
    """
    config, entries, problems = dict(raw), raw.get("intermediates"), Problems()
    if not isinstance(entries, Mapping):
        return config
    found: dict[str, Any] = {}
    families: dict[str, list[str]] = {}
    of: dict[str, str] = {}  # name -> the entry that it is of
    for name, entry in entries.items():
        with problems.noted():
            members = _members(name, entry)
            if members != {name: entry}:
                families[name] = list(members)
            for member, own in members.items():
                if member in of:
                    raise UserError(
                        f"intermediates: {name}: `{member}` is there already, by `{of[member]}`;"
                        " give one of them another name"
                    )
                found[member], of[member] = own, name
    if isinstance(raw.get("recipes"), Mapping):
        with problems.noted():
            config["recipes"] = _recipes(raw["recipes"], families)
    problems.end()
    config["intermediates"] = found
    for section in ("exclude", "include"):
        if isinstance(raw.get(section), list):
            with problems.noted():
                config[section] = [
                    pattern
                    for each in raw[section]
                    for pattern in _patterns(each, families, section)
                ]
    if isinstance(raw.get("questions"), Mapping):
        with problems.noted():
            config["questions"] = _named(raw["questions"], families, "questions")
    problems.end()
    return config


def _members(name: Any, entry: Any) -> dict[Any, Any]:
    """Return name -> entry of the intermediates of an entry: itself, if it is no family."""
    if not isinstance(entry, Mapping) or not isinstance(name, str):
        return {name: entry}
    key, fields = f"intermediates: {name}", list(dict.fromkeys(_FIELD.findall(name)))
    subset = entry.get("subset")
    parts: Mapping[str, Any] = subset if isinstance(subset, Mapping) else {}
    given_by = {**entry, **{field: parts[field] for field in PARTS if field in parts}}
    for field in fields:
        if field not in given_by and (made := _made(entry, field)):
            raise UserError(
                f"{key}: a family goes by keys of the entry and of `subset`, and `{field}` is one"
                f" of `{made}`; write an intermediate for each value"
            )
        if field not in (*KEYS, *PARTS):
            raise UserError(
                f"{key}: there is no `{{{field}}}` to name a family by"
                f"{nearest(field, (*KEYS, *PARTS))} (valid: {', '.join((*KEYS, *PARTS))})"
            )
        at = f"{key}: subset: {field}" if field in PARTS else f"{key}: {field}"
        if not isinstance(given_by.get(field), list) or not given_by[field]:
            given = f", not {given_by[field]!r}" if field in given_by else ""
            raise UserError(
                f"{at}: must be a list, of a value for each intermediate of the family{given}"
            )
        for value in given_by[field]:
            if isinstance(value, bool) or not isinstance(value, (str, int)):
                raise UserError(
                    f"{at}: {brief(repr(value))} is no name or whole number, which the"
                    " name of an intermediate is made of"
                )
    for field in (*KEYS, *PARTS):
        if isinstance(given_by.get(field), list) and field not in (*LISTS, *fields):
            raise UserError(
                f"{key}: {field}: is a list; for an intermediate of each value name them after it:"
                f' "{name}-{{{field}}}"'
            )
    found: dict[str, Any] = {}
    for values in itertools.product(*(given_by[field] for field in fields)):
        chosen = dict(zip(fields, values, strict=True))
        member = _filled(name, chosen)
        if member in found:
            raise UserError(f"{key}: two intermediates of the family would be `{member}`")
        own = {k: [v] if k in LISTS else v for k, v in chosen.items() if k not in PARTS}
        found[member] = {**entry, **own}
        if part := {k: v for k, v in chosen.items() if k in PARTS}:
            found[member]["subset"] = {**parts, **part}
        if isinstance(found[member].get("after"), str):  # squad-{rows}: {after: mnli-{rows}}
            found[member]["after"] = _filled(found[member]["after"], chosen)
    return found


def _made(entry: Mapping[str, Any], field: str) -> str:
    """Return what of an entry that tells how rows are made has a key, by which no family goes."""
    has = [made for made in MADE if isinstance(entry.get(made), Mapping) and field in entry[made]]
    return has[0] if has else ""


def _filled(name: str, chosen: Mapping[str, Any]) -> str:
    """Return a name with the values of some fields in their place."""
    return _FIELD.sub(lambda field: str(chosen.get(field[1], field[0])), name)


def _recipes(recipes: Mapping[str, Any], families: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the recipes with those of families written out, before those of names."""
    found: dict[str, Any] = {}
    for name, recipe in recipes.items():
        if not isinstance(name, str) or not _FIELD.search(name):
            continue
        if name not in families:
            raise UserError(
                f"recipes: there is no family of intermediates `{name}`{nearest(name, families)}"
            )
        for member in families[name]:
            found[member] = _over(found.get(member), recipe)
    for name, recipe in recipes.items():
        if name not in families:
            found[name] = _over(found.get(name), recipe)
    return found


def _over(base: Any, recipe: Any) -> Any:
    both = isinstance(base, Mapping) and isinstance(recipe, Mapping)
    return {**base, **recipe} if both else recipe


def _patterns(pattern: Any, families: Mapping[str, list[str]], key: str) -> list[Any]:
    """Return a pattern of cells for each intermediate of the family that it names, if it does."""
    name = pattern.get("intermediate") if isinstance(pattern, Mapping) else None
    if isinstance(name, str) and name in families:
        return [{**pattern, "intermediate": member} for member in families[name]]
    return [_named(pattern, families, key)]


def _named(value: Any, families: Mapping[str, list[str]], key: str, names: bool = False) -> Any:
    """Return a value in which a family that is named below a key `intermediate` is all of its
    intermediates; `names`, whether it is below such a key.

    Raises:
        UserError: there is no such family.
    """
    if isinstance(value, Mapping):
        return {
            k: _named(v, families, f"{key}: {k}", names or k == "intermediate")
            for k, v in value.items()
        }
    if names and isinstance(value, str) and _FIELD.search(value):
        if value not in families:
            raise UserError(
                f"{key}: there is no family of intermediates `{value}`{nearest(value, families)}"
            )
        return list(families[value])
    if isinstance(value, list):
        found: list[Any] = []
        for item in value:
            named = _named(item, families, key, names)
            found += named if isinstance(item, str) and isinstance(named, list) else [named]
        return found
    return value
