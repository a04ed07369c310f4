"""Sentences with named entities: people, places and institutions.

People have one name or two, cities may stand with their country, institutions are named after a
person or a place. A word alone is ambiguous: Anna is a person, a second name, or the name of a
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
    """A clause with the agent's second name, what an institution is named after, and whether a
    city stands with its country; "" and False where there is none."""

    clause: Clause
    second_name: str = ""
    named_after: str = ""
    country: bool = False


def scene(rng: Random) -> Scene:
    """A clause of any sort, with such names as it can have."""
    clause = world.clause(rng)
    names, concepts = world.names("name"), lexicon.concepts()
    second = rng.choice(names) if rng.random() < 0.4 else ""
    if concepts[clause.agent.noun].kind != "name" or second == clause.agent.noun:
        second = ""
    place = concepts[clause.place] if clause.place else None
    if place and place.kind == "site" and rng.random() < 0.6:
        return Scene(clause, second, named_after=rng.choice((*names, *world.names("city"))))
    return Scene(clause, second, country=bool(place and place.is_a and rng.random() < 0.4))


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


def name_words(concept: str, grammar: Grammar) -> list[str]:
    """The words of a name."""
    return [token.text for token in grammar.word(concept)]


def place(item: Scene, token: Token, grammar: Grammar) -> list[tuple[str, str]]:
    """The place of a scene with its tags: a city, an institution, or neither."""
    concept = lexicon.concepts()[item.clause.place]
    if concept.kind == "city":
        country = [grammar.comma, *name_words(concept.is_a, grammar)] if item.country else []
        return entity("LOC", [token.text, *country])
    if not item.named_after:
        return [(token.text, "O")]
    name = name_words(item.named_after, grammar)
    name_first = grammar.language in NAME_FIRST
    return entity("ORG", [*name, token.text] if name_first else [token.text, *name])


def tagged(item: Scene, grammar: Grammar) -> list[tuple[str, str]]:
    """The words of a scene in a language, with BIO tags."""
    words: list[tuple[str, str]] = []
    for token in grammar.sentence(item.clause).tokens:
        if token.slot == "place" and token.upos in ("NOUN", "PROPN"):
            words += place(item, token, grammar)
        elif token.slot == "agent.noun" and token.upos == "PROPN":
            second = name_words(item.second_name, grammar) if item.second_name else []
            words += entity("PER", [token.text, *second])
        else:
            is_name = token.slot == "patient.noun" and token.upos == "PROPN"
            words.append((token.text, "B-PER" if is_name else "O"))
    return words
