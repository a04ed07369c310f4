"""The entry of a question in a config, a key after the other."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from xstilts.experiment import classes, difficulty, filters, relating, selectors, subsets
from xstilts.experiment.classes import Rows, Scope
from xstilts.experiment.experiment import NONE
from xstilts.experiment.questions import (
    ALIGNMENT,
    ALONG,
    HEADROOM,
    LEVELS,
    MEASURE,
    MEASURED,
    SCALES,
    VALUES,
    Aligned,
    Relation,
)  # fmt: skip
from xstilts.experiment.selectors import EXAMPLE, NAME, THINGS, Selector
from xstilts.experiment.traits import SEEN
from xstilts.running.errors import Problems, UserError, brief, nearest

KEYS = ("ask", "value", "over", "compare", "by", "along", "relate", "where", "scales")
GROUPING = tuple(thing for thing in THINGS if thing != EXAMPLE)
LONGEST = 60  # characters of the name of a class: it has to fit in tables and figures

By = list[tuple[str, str]]


class Keys:
    """The entry of a question, a key after the other; each method returns what it means."""

    def __init__(self, key: str, entry: Mapping[str, Any], within: Scope) -> None:
        self.key, self.entry, self.within = key, entry, within

    def ask(self) -> str:
        given = self.entry.get("ask", "")
        if not isinstance(given, str) or not selectors.one_line(given.strip()):
            raise UserError(f"{self.key}: ask: must be one line of text, not {brief(given)!r}")
        return given.strip()

    def value(self) -> str:
        value, key = self.entry.get("value", VALUES[0]), f"{self.key}: value"
        if isinstance(value, Mapping):
            one_of(key, value, (ALIGNMENT,), "value")
            if not value:
                raise UserError(f"{key}: is empty; {', '.join(VALUES)}, or {{{ALIGNMENT}: ...}}")
            return ALIGNMENT
        one_of(key, [value], VALUES, "value")
        return value

    def aligned(self) -> Aligned | None:
        """Return the measure of alignment that it is about, if it is."""
        for name, several in (("value", False), ("relate", True)):
            given, key = self.entry.get(name), f"{self.key}: {name}"
            if name == "relate" and name in self.entry and not isinstance(given, Mapping):
                said = brief(given) or repr(given)
                raise UserError(f"{key}: must be a mapping with `{ALIGNMENT}`, not {said}")
            if isinstance(given, Mapping) and (several or ALIGNMENT in given):
                one = given.get(ALIGNMENT)
                return relating.aligned(f"{key}: {ALIGNMENT}", one, self.within, several)
        return None

    def relation(self) -> Relation | None:
        """Return how alignment is related to the value, if it is."""
        given, key = self.entry.get("relate"), f"{self.key}: relate"
        if not isinstance(given, Mapping):
            return None  # which is said of `aligned`
        others = {
            "value": "what it is related to is said by `to`",
            "compare": "`by` gives a class each",
            "along": "it is along alignment",
            "scales": "ranks have none",
        }
        for name in others.keys() & self.entry.keys():
            raise UserError(f"{key}: and `{name}` exclude each other: {others[name]}")
        return relating.relation(key, given, self._things)

    def rows(self) -> Rows:
        """Return the rows that there are answers about, and what the gain of each is over."""
        key, there = f"{self.key}: over", self.within.names["intermediate"]
        score, given = self._level(), self.entry.get("over", NONE)
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

    def _level(self) -> bool:
        """Return whether the value is of a row alone, and no gain."""
        related = self.entry.get("relate")
        to = related.get("to") if isinstance(related, Mapping) else None
        value = self.entry.get("value")
        return (isinstance(value, str) and value in LEVELS) or to == "score"

    def _row(self, key: str, row: Any) -> None:
        there = self.within.names["intermediate"]
        known = self.within.experiment.intermediates
        if isinstance(row, str) and row in known and row not in there:
            raise UserError(f"{key}: the row `{row}` is excluded from the grid")
        one_of(key, [row], there, "row")

    def where(self) -> Selector:
        given, key = self.entry.get("where", {}), f"{self.key}: where"
        return self._selector(key, given)

    def _selector(self, key: str, given: Any) -> Selector:
        """Return a selector of things that the grid has."""
        selector = selectors.parse(key, given)
        if isinstance(self.entry.get("value"), Mapping):
            relating.check_selector(key, selector)
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
        return self._things(f"{self.key}: by", self.entry["by"])

    def _things(self, key: str, given: Any) -> By:
        """Return things and traits: of a thing, a mapping of things to traits, a list of these."""
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
                if thing == "target" and isinstance(self.entry.get("value"), Mapping):
                    raise UserError(f"{key}: alignment is of no target; leave it out")
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
        one_of(f"{key}: scale", [scale], ALONG, "scale")
        thing, trait = things[0], given[things[0]]
        if (thing, trait) == ("language", SEEN):
            raise UserError(
                f"{key}: `{SEEN}` is true or false, not a number; tell it apart by `by`"
            )
        value = self.entry.get("value")
        if isinstance(value, Mapping) and (thing == "target" or trait == HEADROOM):
            raise UserError(f"{key}: {thing}: alignment is of no target, and leaves no headroom")
        if trait == HEADROOM and value in LEVELS:
            raise UserError(
                f"{key}: {thing}: `{HEADROOM}` is what the row that a gain is over leaves to gain;"
                f" leave out `value: {value}`"
            )
        if (thing, trait) not in MEASURED:
            measured = [name for of, name in MEASURED if of == thing]
            self.within.traits.check_trait(f"{key}: {thing}", thing, trait, measured)
        elif trait in difficulty.MEASURES:
            entries = self.within.experiment.settings["intermediates"].values()
            if trait not in (there := subsets.recorded(entries)):
                which = f"{', '.join(there)} are" if there else "nothing is"
                raise UserError(
                    f"{key}: {thing}: `{trait}` will not be known of any row: {which} recorded;"
                    " pick a `subset` by it"
                )
        elif trait in filters.MEASURES and trait not in filters.measured(self.within.experiment):
            raise UserError(
                f"{key}: {thing}: `{trait}` will not be known of any row: no filter of synthetic"
                f" rows has it; say it in one of `filters`, as in `{{{trait}: {{min: 0}}}}`"
            )
        return thing, trait, scale

    def _check_thing(self, key: str, thing: Any, valid: Sequence[str] = GROUPING) -> None:
        """Refuse what is no thing; of a trait say how it is asked by."""
        if hint := "" if thing in (*valid, *THINGS) else self._of_which_things(thing):
            raise UserError(f"{key}: there is no thing `{thing}`{hint}")
        one_of(key, [thing], valid, "thing")

    def _of_which_things(self, trait: Any) -> str:
        """Return "; it is a trait of ...", or "" if it is none."""
        things = [t for t in GROUPING if trait != NAME and trait in self.within.traits.traits(t)]
        said = " or ".join(f"{{{thing}: {trait}}}" for thing in things)
        return f"; it is a trait, of which one asks by {said}" if said else ""

    def scales(self) -> tuple[str, ...]:
        given, key = self.entry.get("scales", list(SCALES[:1])), f"{self.key}: scales"
        if isinstance(self.entry.get("value"), Mapping):
            if "scales" in self.entry:
                raise UserError(f"{key}: alignment is in the unit of its measure; leave it out")
            return (MEASURE,)
        if not isinstance(given, list) or not given:
            raise UserError(f"{key}: must be a list of any of {', '.join(SCALES)}, not {given!r}")
        one_of(key, given, SCALES, "scale")
        if len({*given}) < len(given):
            raise UserError(f"{key}: names a scale twice")
        if self.entry.get("value") == "spread" and given != list(SCALES[:1]):
            raise UserError(f"{key}: a spread is in {SCALES[0]} alone; leave the others out")
        if "share" in given and self.entry.get("value") == "score":
            raise UserError(
                f"{key}: `share` is that of the errors which a gain removes; a score has none"
            )
        return tuple(given)


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


def one_of(key: str, given: Any, valid: Sequence[str], noun: str) -> None:
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
