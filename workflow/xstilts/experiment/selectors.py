"""Selectors: which models, intermediates, targets, languages and examples are meant.

A selector is a mapping of things to conditions, as a config has them under `questions`, `exclude`
and `include`: `{intermediate: {rows: {from: 1000}}, language: {not: [en]}}`.
"""

import dataclasses
import datetime
import math
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from xstilts.running.errors import Problems, UserError, brief, nearest

NAME = "name"  # the trait that everything has
NOT = "not"
EXAMPLE = "example"
THINGS = ("model", "intermediate", "target", "language", EXAMPLE)
OF_A_VALUE = (NOT, "from", "below")  # what a condition on one trait may say in place of values
# What others call these bounds.
_CALLED = {
    **dict.fromkeys(("to", "until", "till", "under", "less", "max", "most", "<", "<="), "below"),
    **dict.fromkeys(("above", "over", "more", "min", "least", "since", ">", ">="), "from"),
}

Scalar = str | int | float | bool
# What a word is to YAML where it has no quotes.
_READ_BY_YAML = {
    **dict.fromkeys(("yes", "on", "true"), "true"),
    **dict.fromkeys(("no", "off", "false"), "false"),
}
Value = Scalar | tuple[Scalar, ...]


@dataclasses.dataclass(frozen=True)
class Condition:
    """What the value of a trait has to be; without any of these, to be known.

    Attributes:
        among: the values that it may have, as `text` writes them; None for any.
        but: those that it may not have.
        low: the least number, itself included; None for no bound.
        below: the number that it has to be less than.
    """

    among: tuple[str, ...] | None = None
    but: tuple[str, ...] = ()
    low: float | None = None
    below: float | None = None

    def matches(self, value: Value | None) -> bool:
        """Whether a value fulfils it. Of several one is enough, but none may be among `but`; a
        value that is not known (None) fulfils nothing."""
        if value is None:
            return False
        parts = value if isinstance(value, tuple) else (value,)
        if self.but and any(_among(part, self.but) for part in parts):
            return False
        return not self._asks or any(self._fits(part) for part in parts)

    def disjoint(self, other: "Condition") -> bool:
        """Whether no single value can fulfil both; False where that is not certain."""
        for one, two in ((self, other), (other, self)):
            if one.among is not None:
                return not any(one.matches(word) and two.matches(word) for word in one.among)
        low = max((c.low for c in (self, other) if c.low is not None), default=-math.inf)
        below = min((c.below for c in (self, other) if c.below is not None), default=math.inf)
        return low >= below

    def also(self, other: "Condition") -> "Condition":
        """Return the condition of what fulfils both."""
        among = self.among if other.among is None else other.among
        if self.among is not None and other.among is not None:
            among = tuple(word for word in self.among if word in other.among)
        lows = [bound for bound in (self.low, other.low) if bound is not None]
        tops = [bound for bound in (self.below, other.below) if bound is not None]
        but = tuple(dict.fromkeys((*self.but, *other.but)))
        return Condition(among, but, max(lows, default=None), min(tops, default=None))

    @property
    def ranged(self) -> bool:
        """Whether it is about numbers alone."""
        return self.low is not None or self.below is not None

    @property
    def _asks(self) -> bool:
        return self.among is not None or self.ranged

    def _fits(self, part: Scalar) -> bool:
        if self.among is not None and not _among(part, self.among):
            return False
        if not self.ranged:
            return True
        value = number(part)
        return (
            value is not None
            and (self.low is None or value >= self.low)
            and (self.below is None or value < self.below)
        )


@dataclasses.dataclass(frozen=True)
class Pick:
    """A condition on a thing: each of its traits, the name among them, and what it may not be."""

    traits: Mapping[str, Condition] = dataclasses.field(default_factory=dict)
    but: "Pick | None" = None

    def matches(self, value: Callable[[str], Value | None]) -> bool:
        """Whether a thing is meant, by the function that gives the value of each of its traits."""
        if not all(condition.matches(value(trait)) for trait, condition in self.traits.items()):
            return False
        return self.but is None or not self.but.matches(value)

    def conditions(self) -> Iterable[tuple[str, Condition]]:
        """Yield each trait that it is about, with what is said of it."""
        yield from self.traits.items()
        if self.but is not None:
            yield from self.but.conditions()


Selector = Mapping[str, Pick]


def parse(key: str, given: Any, things: Iterable[str] = THINGS) -> dict[str, Pick]:
    """Return the selector that a config has under `key`.

    Raises:
        UserError: a line for each condition in which something is wrong.
    """
    valid, problems, found = list(things), Problems(), {}
    if not isinstance(given, Mapping):
        raise UserError(
            f"{key}: must be a mapping of {_or(valid)} to a condition, such as {{language: {{not:"
            f" en}}}}, not {_odd(given)}"
        )
    for thing, condition in given.items():
        with problems.noted():
            if thing == "seed" and thing not in valid:
                raise UserError(f"{key}: one cannot ask by `seed`: an answer is over all seeds")
            if thing not in valid:
                raise UserError(
                    f"{key}: there is no `{_brief(thing)}` to ask by{nearest(thing, valid)}"
                    f" (valid: {', '.join(valid)})"
                )
            found[thing] = pick(f"{key}: {thing}", condition)
            if thing == EXAMPLE:
                _check_strata(f"{key}: {thing}", condition)
    problems.end()
    return found


def pick(key: str, given: Any) -> Pick:
    """Return a condition on a thing: a name, names, `{not: ...}`, or a mapping of its traits.

    Raises:
        UserError: the key, what is wrong, what would be right.
    """
    if not isinstance(given, Mapping):
        return Pick({NAME: Condition(_names(key, given))})
    if not given:
        raise UserError(f"{key}: is empty; say a name, a list of names, or traits")
    traits: dict[str, Condition] = {}
    for trait, wanted in given.items():
        if not isinstance(trait, str):
            raise UserError(f"{key}: `{_brief(trait)}` is no trait: {quoted(trait)}")
        if trait != NOT:
            traits[trait] = condition(f"{key}: {trait}", wanted)
    if NOT not in given:
        return Pick(traits)
    if isinstance(given[NOT], Mapping):
        return Pick(traits, pick(f"{key}: {NOT}", given[NOT]))
    but = _names(f"{key}: {NOT}", given[NOT])
    named = traits.get(NAME, Condition())
    return Pick({NAME: dataclasses.replace(named, but=(*named.but, *but)), **_without(traits)})


def condition(key: str, given: Any) -> Condition:
    """Return a condition on the value of a trait: a value, values, `{not: ...}`, or
    `{from: 1000, below: 30000}`.

    Raises:
        UserError: the key, what is wrong, what would be right.
    """
    if not isinstance(given, Mapping):
        return Condition(among=_values(key, given))
    if not given:
        raise UserError(f"{key}: is empty; say a value, a list of values, or `from` and `below`")
    for part in given:
        if part not in OF_A_VALUE:
            raise UserError(
                f"{key}: there is no `{_brief(part)}`{nearest(_CALLED.get(part, part), OF_A_VALUE)}"
                f" (valid: {', '.join(OF_A_VALUE)})"
            )
    bounds = {part: _bound(f"{key}: {part}", given[part]) for part in given if part != NOT}
    low, below = bounds.get("from"), bounds.get("below")
    if low is not None and below is not None and low >= below:
        raise UserError(f"{key}: no number is from {text(low)} on and below {text(below)}")
    but = _values(f"{key}: {NOT}", given[NOT]) if NOT in given else ()
    return Condition(None, but, low, below)


def text(value: Scalar) -> str:
    """Return a value as conditions compare it: as YAML writes it, a whole number without point."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _among(value: Scalar, words: tuple[str, ...]) -> bool:
    """Whether a value is one of these words; a class that is called `yes` also where YAML has read
    a condition without quotes, `yes`, as true."""
    word = text(value)
    return word in words or _READ_BY_YAML.get(word.lower()) in words


def number(value: Scalar) -> float | None:
    """Return the finite number that a value is, or that its text says; None for any other.

    Strata are text in the files, and so is all that Snakemake takes by `--config`.
    """
    if isinstance(value, bool):
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if math.isfinite(read) else None


def one_line(given: str) -> bool:
    """Whether text is one line that a table, a figure and LaTeX can take: of no control characters
    and no halves of characters."""
    return not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in given)


def quoted(given: Any) -> str:
    """Say what to do about a name that YAML has read as something else."""
    if isinstance(given, bool):
        meant = '"yes" or "on"' if given else '"no" or "off"'
        return f"YAML reads no, on, yes and off as booleans: quote it, {meant}"
    return f'quote it, "{_brief(given)}"'


def _names(key: str, given: Any) -> tuple[str, ...]:
    """Return a name or several."""
    parts = given if isinstance(given, list) else [given]
    for part in parts:
        if isinstance(part, bool):
            raise UserError(f"{key}: {quoted(part)}")
        if isinstance(part, str) and part.startswith(f"{NOT} "):
            raise UserError(
                f"{key}: `{_brief(part)}` is no name; write {{not: {part[4:].strip()}}}"
            )
    return _values(key, given)


def _values(key: str, given: Any) -> tuple[str, ...]:
    """Return a value or several, as text."""
    parts = given if isinstance(given, list) else [given]
    if not parts:
        raise UserError(f"{key}: the list is empty; name at least one")
    for part in parts:
        if isinstance(part, datetime.date):
            raise UserError(f'{key}: YAML reads {part} as a date: quote it, "{part}"')
        if not isinstance(part, str | int | float) or (
            isinstance(part, float) and not math.isfinite(part)
        ):
            raise UserError(f"{key}: must be text or a number, or a list of such, not {_odd(part)}")
    return tuple(dict.fromkeys(map(text, parts)))


def _bound(key: str, given: Any) -> float:
    value = number(given) if isinstance(given, str | int | float) else None
    if value is None:
        raise UserError(f"{key}: must be a number, not {_odd(given)}")
    return value


def _check_strata(key: str, given: Any) -> None:
    """Refuse what is not about strata: examples have no names that one would ask by."""
    if not isinstance(given, Mapping):
        raise UserError(
            f"{key}: must be a mapping of a stratum to its classes, such as"
            f" {{type: bridge}}, not {_brief(given)}"
        )
    if NOT in given or NAME in given:
        word = NOT if NOT in given else NAME
        raise UserError(
            f"{key}: `{word}` is of a stratum, such as {{type: {{not: bridge}}}}; examples have no"
            " names"
        )


def _without(traits: Mapping[str, Condition]) -> dict[str, Condition]:
    return {trait: condition for trait, condition in traits.items() if trait != NAME}


def _or(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _odd(given: Any) -> str:
    return "nothing" if given is None else repr(given) if given == "" else _brief(given)


def _brief(given: Any) -> str:
    return brief(given) or repr(given)
