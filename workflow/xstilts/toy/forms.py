"""Semantic forms: what is said, before any language says it.

Fields hold concept names; "" means that nothing is said. Forms are frozen, so that equal forms are
the same item, whatever the language.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Thing:
    """A person, animal or object as a sentence mentions it."""

    noun: str
    adjective: str = ""
    number: str = ""
    definite: bool = False


@dataclass(frozen=True)
class Clause:
    """Somebody does something to something, is somewhere, or is like something.

    `verb` is "be" for the last two, with `place` or `quality`. `ask` names the part that is asked
    for: agent, patient, number, place or quality.
    """

    agent: Thing
    verb: str
    patient: Thing | None = None
    place: str = ""
    adverb: str = ""
    time: str = ""
    quality: str = ""
    negated: bool = False
    ask: str = ""


@dataclass(frozen=True)
class Report:
    """Somebody knows, or thinks, that something is so."""

    agent: Thing
    verb: str
    content: Clause


@dataclass(frozen=True)
class Pair:
    """Two clauses joined by `and` or `but`."""

    first: Clause
    link: str
    second: Clause


Form = Clause | Report | Pair


@dataclass(frozen=True)
class Chain:
    """Clauses joined by `and`: a question of several steps, never a statement of the world."""

    clauses: tuple[Clause, ...]
