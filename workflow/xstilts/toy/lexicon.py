"""The words of the toy world: a concept a row, a language a column (`lexicon.tsv`).

A cell holds the forms of a word, `/` between forms and `:` before the grammatical gender. A form
of several tokens has spaces. Inflection is cut down to what the grammars use:

    en  noun sg/pl, verb 3sg/base
    de  noun sg/pl:gender, verb 3sg, adjective predicative/stem
    ru  noun nom/acc/gen.pl:gender, site and city nom/loc, verb 3sg, adjective stem:class
    ar  noun sg/pl:gender, verb m/f, adjective m/f
    hi  noun sg/pl/oblique:gender, mass and site direct/oblique, verb m/f, adjective m/f/pl
    zh  one form
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "de", "ru", "ar", "hi", "zh")
TABLE = Path(__file__).with_name("lexicon.tsv")


@dataclass(frozen=True)
class Concept:
    """A thing that every language has a word for, and its place in the world."""

    name: str
    kind: str
    is_a: str  # the next more general concept, or ""
    group: str  # nouns: class; verbs, adjectives, places: what excludes each other; names: gender
    takes: tuple[str, ...]  # verbs: the classes of noun that can be their patient


@dataclass(frozen=True)
class Word:
    """A concept's word in one language."""

    forms: tuple[str, ...]
    gender: str

    def form(self, index: int) -> str:
        """The form at `index`, or the first where the language does not tell them apart."""
        return self.forms[index] if index < len(self.forms) else self.forms[0]


@cache
def _rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@cache
def concepts() -> dict[str, Concept]:
    """Every concept by name."""
    return {
        row["concept"]: Concept(
            row["concept"],
            row["kind"],
            row["is_a"],
            row["group"],
            tuple(filter(None, row["takes"].split(","))),
        )
        for row in _rows()
    }


@cache
def words(language: str) -> dict[str, Word]:
    """Every word of a language by the name of its concept."""
    words_by_concept = {}
    for row in _rows():
        forms, _, gender = row[language].partition(":")
        words_by_concept[row["concept"]] = Word(tuple(forms.split("/")), gender)
    return words_by_concept


@cache
def of_kind(*kinds: str) -> tuple[Concept, ...]:
    """The concepts of these kinds, in the order of the table."""
    return tuple(c for c in concepts().values() if c.kind in kinds)


def is_general(name: str) -> bool:
    """Whether some other concept is a kind of this one."""
    return name in {c.is_a for c in concepts().values()}


def ancestors(name: str) -> list[str]:
    """What a concept is a kind of, nearest first."""
    names = []
    while name := concepts()[name].is_a:
        names.append(name)
    return names
