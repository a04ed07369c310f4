"""Sentences with named entities: people, places and institutions.

People have one name or two, cities may be told with their land, institutions are called after a
person or a place. A word alone does not tell: Anna is a person, a second name, or the name of a
hotel; a museum is an institution only where it has a name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from xstilts.toy import lexicon, world
from xstilts.toy.forms import Clause
from xstilts.toy.grammar import Grammar, Token

NAME_FIRST = ("en", "hi", "zh")  # `the Berlin museum`; elsewhere `das Museum Berlin`


@dataclass(frozen=True)
class Scene:
    """A clause with an agent's second name, what an institution is called after, whether a city's
    land is told; "" and False where there is none."""

    clause: Clause
    second: str = ""
    after: str = ""
    land: bool = False


def scene(rng: Random) -> Scene:
    """A clause of any sort, with such names as it can have."""
    clause = world.clause(rng)
    names, concepts = world.names("name"), lexicon.concepts()
    second = rng.choice(names) if rng.random() < 0.4 else ""
    if concepts[clause.agent.noun].kind != "name" or second == clause.agent.noun:
        second = ""
    place = concepts[clause.place] if clause.place else None
    if place and place.kind == "site" and rng.random() < 0.6:
        return Scene(clause, second, after=rng.choice((*names, *world.names("city"))))
    return Scene(clause, second, land=bool(place and place.is_a and rng.random() < 0.4))


def scenes(rng: Random) -> Iterator[Scene]:
    """Different scenes without end."""
    seen: set[Scene] = set()
    while True:
        item = scene(rng)
        if item not in seen:
            seen.add(item)
            yield item


def entity(kind: str, words: list[str]) -> list[tuple[str, str]]:
    """The words of an entity with their BIO tags."""
    return [(word, f"{'I' if i else 'B'}-{kind}") for i, word in enumerate(words)]


def spoken(concept: str, grammar: Grammar) -> list[str]:
    """The words of a name."""
    return [token.text for token in grammar.word(concept)]


def place(item: Scene, token: Token, grammar: Grammar) -> list[tuple[str, str]]:
    """The place of a scene with its tags: a city, an institution, or neither."""
    concept = lexicon.concepts()[item.clause.place]
    if concept.kind == "city":
        land = [grammar.comma, *spoken(concept.is_a, grammar)] if item.land else []
        return entity("LOC", [token.text, *land])
    if not item.after:
        return [(token.text, "O")]
    name = spoken(item.after, grammar)
    first = grammar.language in NAME_FIRST
    return entity("ORG", [*name, token.text] if first else [token.text, *name])


def tagged(item: Scene, grammar: Grammar) -> list[tuple[str, str]]:
    """The words of a scene in a language, with BIO tags."""
    found: list[tuple[str, str]] = []
    for token in grammar.sentence(item.clause).tokens:
        if token.slot == "place" and token.upos in ("NOUN", "PROPN"):
            found += place(item, token, grammar)
        elif token.slot == "agent.noun" and token.upos == "PROPN":
            second = spoken(item.second, grammar) if item.second else []
            found += entity("PER", [token.text, *second])
        else:
            is_name = token.slot == "patient.noun" and token.upos == "PROPN"
            found.append((token.text, "B-PER" if is_name else "O"))
    return found
