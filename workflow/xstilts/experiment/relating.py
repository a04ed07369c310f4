"""Questions about a measure of alignment: its value, and what is related to it."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from xstilts.experiment.alignment import AlignmentSet
from xstilts.experiment.classes import FEWEST, FIELD, Scope, label_of, number_of
from xstilts.experiment.questions import (
    ALIGNMENT,
    LANGUAGE,
    LAST,
    MEASURED,
    ROW,
    WITHIN,
    Aligned,
    AskedCell,
    Point,
    Relation,
)
from xstilts.experiment.selectors import Selector
from xstilts.experiment.traits import SEEN
from xstilts.running.errors import Problems, UserError, brief, nearest

KEYS = (ALIGNMENT, "to", "across", "given", WITHIN)
OF_ALIGNMENT = ("set", "measure", "layer")
TO = ("gain", "score")
ACROSS = {ROW: ("model", "intermediate"), LANGUAGE: ("language",)}  # -> the things that a point has
SHAPE = "{set: tatoeba, measure: margin, layer: 8}"


def aligned(key: str, given: Any, within: Scope, several: bool) -> Aligned:
    """Return the measure that a config has under `key`.

    Args:
        several: whether it may be of several layers.

    Raises:
        UserError: a line for each mistake.
    """
    if not isinstance(given, Mapping):
        raise UserError(f"{key}: must be a mapping such as {SHAPE}, not {_odd(given)}")
    sets = within.experiment.alignment
    if not sets:
        raise UserError(f"{key}: no parallel sentences are measured; name a set in `alignment`")
    problems, found = Problems(), dict[str, Any]()
    for name in given:
        with problems.noted():
            _one_of(key, name, OF_ALIGNMENT, "key")
    with problems.noted():
        if "set" not in given and len(sets) > 1:
            raise UserError(f"{key}: set: is missing; name one of {', '.join(sets)}")
        found["set"] = given.get("set", next(iter(sets)))
        _one_of(f"{key}: set", found["set"], [*sets], "set")
    problems.end()
    of = sets[found["set"]]
    with problems.noted():
        if "measure" not in given:
            raise UserError(f"{key}: measure: is missing; say one of {', '.join(of.measures)}")
        found["measure"] = given["measure"]
        _one_of(f"{key}: measure", found["measure"], of.measures, f"measure of `{of.name}`")
    with problems.noted():
        found["layers"] = _layers(f"{key}: layer", given, several, of, within)
    problems.end()
    return Aligned(**found)


def _layers(
    key: str, entry: Mapping[str, Any], several: bool, of: AlignmentSet, within: Scope
) -> tuple[str, ...]:
    """Return the layers of an entry, as `Aligned` has them. The toy world, whose encoders have few,
    takes the last in place of those beyond the first."""
    one = f"a number, a share of the depth such as 0.5, or `{LAST}`"
    if "layer" not in entry:
        raise UserError(f"{key}: is missing; say {one}{', or `all`' if several else ''}")
    given = entry["layer"]
    if given == "all":
        if not several:
            raise UserError(f"{key}: is one layer here: {one}; `relate` looks at several")
        return ()
    parts = given if isinstance(given, list) and several else [given]
    for part in parts or [given]:
        whole = isinstance(part, int) and not isinstance(part, bool) and part >= 0
        share = isinstance(part, float) and 0 < part < 1
        if not (whole or share or part == LAST):
            more = ", a list of these, or `all`" if several else ""
            raise UserError(f"{key}: must be {one}{more}, not {_odd(part)}")
        if whole:
            _check_layer(key, part, of, within)
    if len(set(map(str, parts))) < len(parts):
        raise UserError(f"{key}: names a layer twice")
    toy = within.experiment.toy
    found = [LAST if toy and isinstance(part, int) and part > 1 else str(part) for part in parts]
    return tuple(dict.fromkeys(found))


def _check_layer(key: str, layer: int, of: AlignmentSet, within: Scope) -> None:
    """Refuse a layer that is not measured, or that a model has not, as far as that is known."""
    if of.layers and layer not in of.layers:
        there = ", ".join(map(str, of.layers))
        raise UserError(f"{key}: layer {layer} is not measured (`{of.name}` has {there})")
    for model in within.names["model"]:
        depth = within.traits.values["model"][model].get("layers")
        if isinstance(depth, int) and layer > depth:
            raise UserError(
                f"{key}: model `{model}` has no layer {layer}, but 0 to {depth}; a share of the"
                " depth, such as 0.5, is there in models of any"
            )


def relation(key: str, entry: Mapping[str, Any], by: Any) -> Relation:
    """Return how a question relates alignment to its value.

    Args:
        entry: under `key`.
        by: a function of a key and what is given, that returns things and traits.

    Raises:
        UserError: a line for each mistake.
    """
    problems, found = Problems(), dict[str, Any]()
    for name in entry:
        with problems.noted():
            _one_of(key, name, KEYS, "key")
    with problems.noted():
        _one_of(f"{key}: to", entry.get("to", TO[0]), TO, "value")
    across = entry.get("across", ROW)
    with problems.noted():
        _one_of(f"{key}: across", across, [*ACROSS], "kind of point")
    problems.end()
    with problems.noted():
        if "given" in entry:
            pairs = by(f"{key}: given", entry["given"])
            found["given"] = tuple(_given(f"{key}: given", pair, across) for pair in pairs)
    with problems.noted():
        if WITHIN in entry:
            pairs = by(f"{key}: {WITHIN}", entry[WITHIN])
            found["within"] = ", ".join(" ".join(pair) for pair in pairs)
    problems.end()
    return Relation(across, **found)


def _given(key: str, pair: tuple[str, str], across: str) -> str:
    """Refuse a trait that the points have not, or that is measured."""
    thing, trait = pair
    if thing not in ACROSS[across]:
        other = next(name for name in ACROSS if name != across)
        raise UserError(
            f"{key}: {thing}: the points are {across}s, which have no {thing} of their own; say a"
            f" trait of {' or '.join(ACROSS[across])}, or `across: {other}`"
        )
    if (thing, trait) in MEASURED:
        raise UserError(f"{key}: {thing}: `{trait}` is measured: one can go `along` it alone")
    return f"{thing} {trait}"


def of_alignment(within: Scope, asked: Aligned) -> Scope:
    """Return a scope in which the set is the only target: all rows have it, in its languages."""
    target = asked.target(asked.layers[0])
    rows = {(model, row) for model, row, _ in (*within.whole, *within.partly)}
    measured = within.experiment.alignment[asked.set].languages
    languages = {**within.experiment.languages, target: measured}
    return dataclasses.replace(
        within,
        experiment=dataclasses.replace(within.experiment, languages=languages),
        names={**within.names, "target": [target]},
        whole=frozenset((*row, target) for row in rows),
        partly=frozenset(),
        made={},
    )


def check_selector(key: str, selector: Selector) -> None:
    """Refuse to pick targets or examples where the value is of alignment, which has none."""
    for thing in ("target", "example"):
        if thing in selector:
            raise UserError(f"{key}: {thing}: alignment is of no {thing}; leave it out")


def points(
    key: str,
    label: str,
    cells: Sequence[AskedCell],
    asked: Aligned,
    related: Relation,
    within: Scope,
) -> tuple[Point, ...]:
    """Return cells by row or language, and by family; those in languages of the set alone.

    Raises:
        UserError: fewer points than a correlation needs; a trait that is taken out is no number.
    """
    languages, found = (
        within.experiment.alignment[asked.set].languages,
        dict[tuple[Any, ...], list[AskedCell]](),
    )
    names: dict[Any, list[str]] = {}
    families = [pair for pair in related.within.split(", ") if pair]
    for cell in cells:
        if cell.language not in languages:
            continue
        at = cell[:2] if related.across == ROW else (cell.language,)
        named = cell[:2], cell.language
        if named not in names:
            names[named] = [_family(f"{key}: {WITHIN}", pair, cell, within) for pair in families]
        found.setdefault((at, " / ".join(names[named])), []).append(cell)
    number, fewest = len({at for at, _ in found}), FEWEST + len(related.given)
    if number < fewest:
        raise UserError(
            f"{key}: {label} has {number} {related.across}{'s' * (number != 1)} in the languages"
            f" of `{asked.set}` ({brief(', '.join(languages))}); a correlation needs {fewest}"
        )
    models = len({cell.model for cell in cells}) > 1
    made = []
    for (at, family), having in found.items():
        values = [
            number_of(
                f"{key}: given", thing, at[ACROSS[related.across].index(thing)], trait, within
            )
            for thing, trait in (pair.split(" ", 1) for pair in related.given)
        ]
        name = at[-1] if related.across == LANGUAGE or not models else " / ".join(at)
        made.append(Point(tuple(having), None, name, family, tuple(values)))
    return tuple(made)


def _family(key: str, pair: str, cell: AskedCell, within: Scope) -> str:
    """Return what a family is called; UserError where the trait of a thing is not known."""
    thing, _, trait = pair.partition(" ")
    seen = cell.intermediate if trait == SEEN else ""
    found = label_of(key, thing, trait, cell[FIELD[thing]], seen, within)
    return found[1] if found else f"no {trait}"


def left_out(asked: Aligned, cells: Sequence[AskedCell], within: Scope) -> tuple[str, ...]:
    """Say which languages are in no point, because the set has them not."""
    gone = sorted(
        {cell.language for cell in cells} - {*within.experiment.alignment[asked.set].languages}
    )
    if not gone:
        return ()
    return (f"Without {', '.join(gone)}, which `{asked.set}` has not.",)


def _one_of(key: str, name: Any, valid: Sequence[str], noun: str) -> None:
    if not isinstance(name, str) or name not in valid:
        raise UserError(
            f"{key}: there is no {noun} `{brief(name)}`{nearest(name, valid)}"
            f" (valid: {brief(', '.join(valid), 200)})"
        )


def _odd(given: Any) -> str:
    return "nothing" if given is None else repr(given) if given == "" else brief(given)
