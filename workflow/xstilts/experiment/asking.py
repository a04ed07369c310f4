"""From the `questions` of a config to what each of them is about, checked against the grid."""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from xstilts.experiment import classes, selectors, values
from xstilts.experiment.classes import Rows, Scope
from xstilts.experiment.experiment import NONE, Experiment
from xstilts.experiment.questions import (
    ALL,
    ALONG,
    FLOP,
    HEADROOM,
    LEVELS,
    SCALES,
    VALUES,
    AskedClass,
    Question,
)  # fmt: skip
from xstilts.experiment.selectors import EXAMPLE, NAME, THINGS, Selector
from xstilts.experiment.traits import SEEN
from xstilts.running.errors import Problems, UserError, brief, nearest

KEYS = ("ask", "value", "over", "compare", "by", "along", "where", "scales")
GROUPING = tuple(thing for thing in THINGS if thing != EXAMPLE)
# What is known of things once they have run, or have been measured.
MEASURED = {("target", HEADROOM), ("language", HEADROOM), ("intermediate", FLOP)}
LONGEST = 60  # characters of the name of a class: it has to fit in tables and figures
POINTS = ".points"  # how the files end that have the points of a question

By = list[tuple[str, str]]


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
    asking = _Asking(key, entry, within)
    with problems.noted():
        _one_of(key, entry, KEYS, "key")
    parsed: dict[str, Any] = {}
    for part in ("ask", "value", "rows", "where", "compare", "by", "along", "scales"):
        with problems.noted():
            parsed[part] = getattr(asking, part)()
    problems.end()
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
        notes=_in_no_class(key, parsed, made, within) if parsed["by"] else (),
    )


def _in_no_class(
    key: str, parsed: Mapping[str, Any], made: Iterable[AskedClass], within: Scope
) -> tuple[str, ...]:
    """Say which things are in no class of `by`, because they have no such trait."""
    cells = classes.of(key, "the question", (parsed["where"],), parsed["rows"], within)
    inside = {cell for one in made for point in one.points for cell in point.cells}
    notes = []
    for thing, trait in parsed["by"]:
        place = classes.FIELD[thing]
        gone = {c[place] for c in cells} - {c[place] for c in inside}
        if gone:
            named = ", ".join(sorted(gone))
            notes.append(f"In no class, without a value of {thing} {trait}: {named}.")
    return tuple(notes)


def _compared(key: str, parsed: Mapping[str, Any], within: Scope) -> list[AskedClass]:
    """Return the classes of `compare`; without it one of all."""
    rows, where, along = parsed["rows"], parsed["where"], parsed["along"]
    made, problems = list[AskedClass](), Problems()
    for name, selector in (parsed["compare"] or {ALL: {}}).items():
        alone = parsed["compare"] is None
        label = "the question" if alone else f"class `{name}`"
        with problems.noted():
            said = key if alone else f"{key}: compare: {name}"
            cells = classes.of(key, label, (where, selector), rows, within)
            examples = classes.examples(said, (where, selector), cells, within)
            values.check_scales(
                key, parsed["scales"], {cell.target for cell in cells}, within.experiment
            )
            values.check_spread(key, label, parsed["value"], cells)
            points = classes.points(key, label, cells, along, within)
            made.append(AskedClass(name, points, examples))
    problems.end()
    classes.check_overlap(key, made)
    return made


def _by(key: str, parsed: Mapping[str, Any], within: Scope) -> list[AskedClass]:
    """Return a class for each value of the traits of `by` that is there."""
    rows, where, along = parsed["rows"], parsed["where"], parsed["along"]
    cells = classes.of(key, "the question", (where,), rows, within)
    examples = classes.examples(key, (where,), cells, within)
    made, problems = list[AskedClass](), Problems()
    for name, found in classes.divided(key, cells, parsed["by"], within).items():
        with problems.noted():
            label = f"class `{name}`"
            values.check_spread(key, label, parsed["value"], found)
            points = classes.points(key, label, found, along, within)
            made.append(AskedClass(name, points, examples))
    with problems.noted():
        there = {cell.target for found in made for at in found.points for cell in at.cells}
        values.check_scales(key, parsed["scales"], there, within.experiment)
    problems.end()
    return made


class _Asking:
    """The entry of a question, a key after the other; each method returns what it means."""

    def __init__(self, key: str, entry: Mapping[str, Any], within: Scope) -> None:
        self.key, self.entry, self.within = key, entry, within

    def ask(self) -> str:
        given = self.entry.get("ask", "")
        if not isinstance(given, str) or not selectors.one_line(given.strip()):
            raise UserError(f"{self.key}: ask: must be one line of text, not {brief(given)!r}")
        return given.strip()

    def value(self) -> str:
        value = self.entry.get("value", VALUES[0])
        _one_of(f"{self.key}: value", [value], VALUES, "value")
        return value

    def rows(self) -> Rows:
        """Return the rows that there are answers about, and what the gain of each is over."""
        key, there = f"{self.key}: over", self.within.names["intermediate"]
        score, given = self.entry.get("value") in LEVELS, self.entry.get("over", NONE)
        if score and "over" in self.entry:
            raise UserError(f"{key}: is of gains; leave it out, or `value: score`")
        if score:
            return Rows(dict.fromkeys(there, ""), False)
        if not isinstance(given, str | Mapping) or not given:
            raise UserError(
                f"{key}: must be the name of a row, or a mapping of rows to what each is over, not"
                f" {brief(given) or repr(given)}"
            )
        if isinstance(given, str):
            self._row(key, given)
            return Rows({row: given for row in there if row not in (given, NONE)}, False)
        problems = Problems()
        for row, over in given.items():
            with problems.noted():
                self._row(key, row)
                self._row(f"{key}: {row}", over)
                if row in (NONE, over):
                    raise UserError(
                        f"{key}: {row}: a row has no gain over itself"
                        if row == over
                        else f"{key}: `{NONE}` is what gains are over, so it has none itself"
                    )
        problems.end()
        return Rows(dict(given), True)

    def _row(self, key: str, row: Any) -> None:
        there = self.within.names["intermediate"]
        known = self.within.experiment.intermediates
        if isinstance(row, str) and row in known and row not in there:
            raise UserError(f"{key}: the row `{row}` is excluded from the grid")
        _one_of(key, [row], there, "row")

    def where(self) -> Selector:
        given, key = self.entry.get("where", {}), f"{self.key}: where"
        return self._selector(key, given)

    def _selector(self, key: str, given: Any) -> Selector:
        """Return a selector of things that the grid has."""
        selector = selectors.parse(key, given)
        rows = None
        with contextlib.suppress(UserError):  # which is said of `over`
            rows = self.rows()
        classes.check(key, selector, rows, self.within)
        return selector

    def compare(self) -> dict[str, Selector] | None:
        """Return class -> its selector, in order."""
        if "compare" not in self.entry:
            return None
        key, given = f"{self.key}: compare", self.entry["compare"]
        if "by" in self.entry:
            raise UserError(f"{key}: and `by` exclude each other; leave one out")
        if not isinstance(given, Mapping):
            said = "nothing" if given is None else repr(given)
            raise UserError(f"{key}: must be a mapping of classes to selectors, not {said}")
        if len(given) < 2:
            raise UserError(
                f"{key}: needs two classes or more; of one alone ask by `where`, without `compare`"
            )
        found, problems = dict[str, Selector](), Problems()
        for name, selector in given.items():
            with problems.noted():
                _check_class_name(key, name, found)
                found[str(name)] = self._selector(f"{key}: {name}", selector)
        problems.end()
        return found

    def by(self) -> By | None:
        """Return things and traits by which cells are told apart."""
        if "by" not in self.entry or "compare" in self.entry:
            return None
        key, given = f"{self.key}: by", self.entry["by"]
        if given in ([], {}, None, ""):
            raise UserError(f"{key}: is empty; say a thing, such as `intermediate`, or a trait")
        found: By = []
        for part in given if isinstance(given, list) else [given]:
            pairs = part.items() if isinstance(part, Mapping) else [(part, NAME)]
            for thing, trait in pairs:
                if thing == EXAMPLE:
                    raise UserError(
                        f"{key}: {EXAMPLE}: the classes of a stratum are in the data; name them in"
                        " `compare`"
                    )
                self._check_thing(key, thing)
                self.within.traits.check_trait(f"{key}: {thing}", thing, trait)
                if (thing, trait) in found:
                    raise UserError(f"{key}: `{thing}: {trait}` is there twice")
                found.append((thing, trait))
        return found

    def along(self) -> tuple[str, str, str] | None:
        """Return the thing, its trait and the scale along which a change is asked for."""
        if "along" not in self.entry:
            return None
        key, given = f"{self.key}: along", self.entry["along"]
        shape = "a mapping such as {model: parameters, scale: log10}"
        if not isinstance(given, Mapping):
            hint = self._of_which_things(given)
            raise UserError(f"{key}: must be {shape}, not {brief(given) or repr(given)}{hint}")
        for thing in given:
            self._check_thing(key, thing, (*GROUPING, "scale"))
        things = [thing for thing in given if thing != "scale"]
        if len(things) != 1:
            raise UserError(f"{key}: must have one thing and its trait: {shape}")
        scale = given.get("scale", ALONG[0])
        _one_of(f"{key}: scale", [scale], ALONG, "scale")
        thing, trait = things[0], given[things[0]]
        if (thing, trait) == ("language", SEEN):
            raise UserError(
                f"{key}: `{SEEN}` is true or false, not a number; tell it apart by `by`"
            )
        value = self.entry.get("value")
        if trait == HEADROOM and value in LEVELS:
            raise UserError(
                f"{key}: {thing}: `{HEADROOM}` is what the row that a gain is over leaves to gain;"
                f" leave out `value: {value}`"
            )
        if (thing, trait) not in MEASURED:
            self.within.traits.check_trait(f"{key}: {thing}", thing, trait)
        return thing, trait, scale

    def _check_thing(self, key: str, thing: Any, valid: Sequence[str] = GROUPING) -> None:
        """Refuse what is no thing; of a trait say how it is asked by."""
        if hint := "" if thing in (*valid, *THINGS) else self._of_which_things(thing):
            raise UserError(f"{key}: there is no thing `{thing}`{hint}")
        _one_of(key, [thing], valid, "thing")

    def _of_which_things(self, trait: Any) -> str:
        """Return "; it is a trait of ...", or "" if it is none."""
        things = [t for t in GROUPING if trait != NAME and trait in self.within.traits.traits(t)]
        said = " or ".join(f"{{{thing}: {trait}}}" for thing in things)
        return f"; it is a trait, of which one asks by {said}" if said else ""

    def scales(self) -> tuple[str, ...]:
        given, key = self.entry.get("scales", list(SCALES[:1])), f"{self.key}: scales"
        if not isinstance(given, list) or not given:
            raise UserError(f"{key}: must be a list of any of {', '.join(SCALES)}, not {given!r}")
        _one_of(key, given, SCALES, "scale")
        if len({*given}) < len(given):
            raise UserError(f"{key}: names a scale twice")
        if self.entry.get("value") == "spread" and given != list(SCALES[:1]):
            raise UserError(f"{key}: a spread is in {SCALES[0]} alone; leave the others out")
        if "share" in given and self.entry.get("value") == "score":
            raise UserError(
                f"{key}: `share` is that of the errors which a gain removes; a score has none"
            )
        return tuple(given)


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


def _check_class_name(key: str, name: Any, others: Mapping[str, Any]) -> None:
    if isinstance(name, bool) or not isinstance(name, str | int | float):
        raise UserError(f"{key}: `{brief(name)}` is no name of a class: {selectors.quoted(name)}")
    said = str(name)
    if said in KEYS:
        raise UserError(
            f"{key}: `{said}` is a key of the question, not a class; it goes on the level of"
            " `compare` (or give the class another name)"
        )
    if not said.strip() or not selectors.one_line(said):
        raise UserError(f"{key}: {said!r} is no name of a class: it has to be one line of text")
    if len(said) > LONGEST:
        raise UserError(
            f"{key}: `{brief(said)}` is too long for a class: {LONGEST} characters at most"
        )
    if twin := [other for other in others if other.lower().strip() == said.lower().strip()]:
        raise UserError(f"{key}: `{twin[0]}` and `{said}` are nearly one name; give one another")


def _one_of(key: str, given: Any, valid: Sequence[str], noun: str) -> None:
    """Refuse names that are not valid.

    Raises:
        UserError: the first of them, with the nearest.
    """
    for name in given:
        if not isinstance(name, str) or name not in valid:
            raise UserError(
                f"{key}: there is no {noun} `{brief(name)}`{nearest(name, valid)}"
                f" (valid: {brief(', '.join(valid), 200)})"
            )
