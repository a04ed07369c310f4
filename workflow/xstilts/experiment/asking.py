"""From the `questions` of a config to what each of them is about, checked against the grid."""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from xstilts.experiment import classes, relating, selectors, values
from xstilts.experiment.classes import Scope
from xstilts.experiment.experiment import Experiment
from xstilts.experiment.question_keys import KEYS, Keys, one_of
from xstilts.experiment.questions import ALIGNMENT, ALL, AskedCell, AskedClass, Point, Question
from xstilts.running.errors import Problems, UserError

POINTS = ".points"  # how the files end that have the points of a question


def asked(
    experiment: Experiment, outside: Callable[[], Experiment] | None = None
) -> tuple[tuple[Question, ...], tuple[str, ...]]:
    """Return the questions that a config asks, and a note for each that is not asked here.

    In the toy world that is one that is right, but about what the toy world lacks: a language, say.

    Args:
        outside: returns the experiment as it is outside of the toy world; None where it is that.

    Raises:
        UserError: a line for each mistake in any of them.
    """
    given, problems = experiment.settings.get("questions", {}), Problems()
    with problems.noted():
        _check_names(given)
    if not given:
        return (), ()
    within, found, notes = classes.scope(experiment), list[Question](), list[str]()
    real: list[Scope] = []  # one, once it is needed
    for name, entry in given.items():
        with problems.noted():
            try:
                found.append(resolve(name, entry, within))
            except UserError as error:
                if outside is None:
                    raise
                with contextlib.suppress(UserError):  # which would be about other keys
                    real = real or [classes.scope(outside())]
                if not real:
                    raise
                _refuse_both(name, entry, real[0], error)
                notes.append(f"{str(error).splitlines()[0]}; the toy world is not asked this")
    problems.end()
    return tuple(found), tuple(notes)


def _refuse_both(name: str, entry: Mapping[str, Any], real: Scope, error: UserError) -> None:
    """Refuse a question that is wrong outside of the toy world too, with the lines of its `error`
    in the toy world that say what is wrong in both."""
    try:
        resolve(name, entry, real)
    except UserError as outside:
        heads = {_head(line) for line in str(outside).split("\n")}
        lines = str(error).split("\n")
        both = [line for line in lines if _head(line) in heads]
        raise UserError("\n".join(both or lines)) from None


def _head(line: str) -> str:
    """Return a line without what it says of other names that there are."""
    return line.partition(" (")[0].partition("; did you")[0]


def resolve(name: str, entry: Mapping[str, Any], within: Scope) -> Question:
    """Return a question with the cells of its classes.

    Raises:
        UserError: a line for each mistake.
    """
    key, problems = f"questions: {name}", Problems()
    asking = Keys(key, entry, within)
    with problems.noted():
        one_of(key, entry, KEYS, "key")
    parsed: dict[str, Any] = {}
    parts = ("ask", "value", "aligned", "relation")
    for part in (*parts, "rows", "where", "compare", "by", "along", "scales"):
        with problems.noted():
            parsed[part] = getattr(asking, part)()
    problems.end()
    aligned, relation = parsed["aligned"], parsed["relation"]
    if parsed["value"] == ALIGNMENT:
        within = relating.of_alignment(within, aligned)
    if relation:
        parsed["value"] = entry["relate"].get("to", parsed["value"])
    make = _compared if parsed["by"] is None else _by
    made = tuple(make(key, parsed, within))
    return Question(
        name=name,
        ask=parsed["ask"] or name,
        classes=made,
        value=parsed["value"],
        contrast="zero" if parsed["compare"] is None else "first",
        along=" ".join(parsed["along"][:2]) if parsed["along"] else "",
        scale=parsed["along"][2] if parsed["along"] else "",
        scales=parsed["scales"],
        notes=_in_no_class(key, parsed, made, within),
        aligned=aligned,
        relation=relation,
    )


def _in_no_class(
    key: str, parsed: Mapping[str, Any], made: Iterable[AskedClass], within: Scope
) -> tuple[str, ...]:
    """Say which things are in no class of `by`, because they have no such trait, and which
    languages in no point of a relation."""
    if not (parsed["by"] or parsed["relation"]):
        return ()
    cells = classes.of(key, "the question", (parsed["where"],), parsed["rows"], within)
    inside = {cell for one in made for point in one.points for cell in point.cells}
    notes = list[str]()
    if parsed["relation"]:
        notes += relating.left_out(parsed["aligned"], cells, within)
        there = within.experiment.alignment[parsed["aligned"].set].languages
        cells = [cell for cell in cells if cell.language in there]
    for thing, trait in parsed["by"] or ():
        place = classes.FIELD[thing]
        gone = {c[place] for c in cells} - {c[place] for c in inside}
        if gone:
            named = ", ".join(sorted(gone))
            notes.append(f"In no class, without a value of {thing} {trait}: {named}.")
    return tuple(notes)


def _compared(key: str, parsed: Mapping[str, Any], within: Scope) -> list[AskedClass]:
    """Return the classes of `compare`; without it one of all."""
    rows, where = parsed["rows"], parsed["where"]
    made, problems = list[AskedClass](), Problems()
    for name, selector in (parsed["compare"] or {ALL: {}}).items():
        alone = parsed["compare"] is None
        label = "the question" if alone else f"class `{name}`"
        with problems.noted():
            said = key if alone else f"{key}: compare: {name}"
            cells = classes.of(key, label, (where, selector), rows, within)
            examples = classes.examples(said, (where, selector), cells, within)
            targets = {cell.target for cell in cells}
            values.check_scales(key, parsed["scales"], targets, within.experiment)
            values.check_spread(key, label, parsed["value"], cells)
            points = _points(key, label, cells, parsed, within)
            made.append(AskedClass(name, points, examples))
    problems.end()
    classes.check_overlap(key, made)
    return made


def _by(key: str, parsed: Mapping[str, Any], within: Scope) -> list[AskedClass]:
    """Return a class for each value of the traits of `by` that is there."""
    rows, where = parsed["rows"], parsed["where"]
    cells = classes.of(key, "the question", (where,), rows, within)
    examples = classes.examples(key, (where,), cells, within)
    made, problems = list[AskedClass](), Problems()
    for name, found in classes.divided(key, cells, parsed["by"], within).items():
        with problems.noted():
            label = f"class `{name}`"
            values.check_spread(key, label, parsed["value"], found)
            points = _points(key, label, found, parsed, within)
            made.append(AskedClass(name, points, examples))
    with problems.noted():
        there = {cell.target for found in made for at in found.points for cell in at.cells}
        values.check_scales(key, parsed["scales"], there, within.experiment)
    problems.end()
    return made


def _points(
    key: str, label: str, cells: list[AskedCell], parsed: Mapping[str, Any], within: Scope
) -> tuple[Point, ...]:
    """Return the points of a class: of a relation, along a trait, or one of all."""
    if related := parsed["relation"]:
        return relating.points(key, label, cells, parsed["aligned"], related, within)
    return classes.points(key, label, cells, parsed["along"], within)


def _check_names(given: Mapping[str, Any]) -> None:
    """Refuse names of questions that are one where names of files have no case."""
    problems, first = Problems(), dict[str, str]()
    for name in given:
        with problems.noted():
            if not isinstance(name, str):
                raise UserError(f"questions: `{name}` is not text: {selectors.quoted(name)}")
            if name.lower().endswith(POINTS):
                raise UserError(
                    f"questions: {name}: must not end in {POINTS}: so do files of other questions"
                )
            other = first.setdefault(name.lower(), name)
            if other != name:
                raise UserError(
                    f"questions: `{other}` and `{name}` would be one file where case does not"
                    " count; give one another name"
                )
    problems.end()
