"""Questions without a context, with five choices, in English: they ask for knowledge of the world.

They come in fives that share their choices, each of which is right once, so no choice is more often
right than another.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from xstilts.toy import lexicon, world
from xstilts.toy.forms import Clause, Thing
from xstilts.toy.languages import grammar
from xstilts.toy.stories import NEXT, fits

CHOICES = 5
NARROW = 4  # classes of noun that a verb takes


@dataclass(frozen=True)
class Question:
    """A question, the word that it is about, the choices and which is right."""

    text: str
    concept: str
    choices: tuple[str, ...]
    right: int


# Pairs of concepts: what is asked about, and what is right.
Facts = list[tuple[str, str]]


def english(concept: str, form: int = 0) -> str:
    """The English word of a concept."""
    return grammar("en").words[concept].form(form)


def unambiguous(rng: Random, known: Facts, clash: Callable[[str, str], bool]) -> Facts:
    """Five facts, where no right answer is also right (`clash`) for another's question.

    Fewer where the draw leads to a dead end.
    """
    facts: Facts = []
    for fact in rng.sample(known, len(known)):
        if len(facts) < CHOICES and not any(
            clash(fact[0], answer) or clash(about, fact[1]) for about, answer in facts
        ):
            facts.append(fact)
    return facts


def is_a(general: str, name: str) -> bool:
    """Whether a concept is a kind of another, or part of another land."""
    return general in lexicon.ancestors(name) or general == name


def kinds() -> Facts:
    """A class, and something of it."""
    nouns = lexicon.of_kind("noun", "mass", "site")
    return [(general, c.name) for c in nouns for general in lexicon.ancestors(c.name)]


def lands() -> Facts:
    """A city, and its land."""
    return [(c.name, c.is_a) for c in lexicon.of_kind("city") if c.is_a]


def uses() -> Facts:
    """A verb, and a thing that it takes; only verbs that leave room for four others."""
    verbs = [v for v in world.events() if len(lexicon.concepts()[v].takes) <= NARROW]
    things = world.nouns("person", *world.OBJECTS)
    return [(verb, noun) for verb in verbs for noun in things if fits(verb, noun)]


def deeds() -> Facts:
    """What somebody does, and what follows."""
    return list(NEXT.items())


def deed_sentence(rng: Random, hero: Thing, deed: str, after: str) -> str:
    """What somebody does to a thing to which the next can be done, too."""
    groups = set(lexicon.concepts()[deed].takes) & set(lexicon.concepts()[after].takes)
    things = tuple(sorted(groups.intersection(world.OBJECTS)))
    return grammar("en").sentence(Clause(hero, deed, world.thing(rng, things, counted=0))).text


def five_questions(rng: Random) -> list[tuple[str, str, str]]:
    """Five questions with the words they are about and their right answers; at times fewer."""
    name = rng.choice(world.names("name"))
    hero = english(name)
    sort = rng.choice((kinds, lands, uses, deeds))
    if sort is kinds:
        facts = unambiguous(rng, kinds(), is_a)
        return [
            (f"What kind of {english(a)} does {hero} see?", english(a), english(b))
            for a, b in facts
        ]
    if sort is lands:
        facts = unambiguous(rng, lands(), lambda city, land: lexicon.concepts()[city].is_a == land)
        return [
            (f"{hero} is in {english(a)}. In what land is it?", english(a), english(b))
            for a, b in facts
        ]
    if sort is uses:
        facts = unambiguous(rng, uses(), fits)
        return [(f"What can {hero} {english(a, 1)}?", english(a, 1), english(b)) for a, b in facts]
    facts = unambiguous(rng, deeds(), lambda deed, after: NEXT[deed] == after)
    return [
        (
            f"{deed_sentence(rng, Thing(name), a, b)} What does {hero} do next?",
            english(a, 1),
            f"{english(b)} it",
        )
        for a, b in facts
    ]


def questions(rng: Random) -> Iterator[Question]:
    """Different questions without end."""
    seen: set[tuple[str, frozenset[str]]] = set()
    while True:
        drawn = five_questions(rng)
        answers = [answer for _, _, answer in drawn]
        keys = {(text, frozenset(answers)) for text, _, _ in drawn}
        if len(set(answers)) < CHOICES or keys & seen:
            continue
        seen |= keys
        rng.shuffle(drawn)
        for text, concept, answer in drawn:
            order = rng.sample(answers, CHOICES)
            yield Question(text, concept, tuple(order), order.index(answer))
