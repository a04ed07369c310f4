"""Short stories with four ways to go on (or four things that came before), of which one fits.

What people do next follows from what they did (`NEXT`): who loses a key finds it, who breaks a cup
repairs it. The wrong endings are right for another deed or another thing, so an ending is judged by
the context alone: the four are two deeds by two things, each deed and each thing in two endings.
In half the stories both pairs are in the context, with two people, and who goes on decides.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from random import Random

from xstilts.toy import lexicon, world
from xstilts.toy.forms import Clause, Thing
from xstilts.toy.grammar import Grammar

NEXT = {
    "lose": "find",
    "break": "repair",
    "open": "close",
    "buy": "take",
    "write": "send",
    "receive": "read",
    "cook": "eat",
    "hide": "show",
    "steal": "sell",
    "see": "paint",
    "hear": "feed",
    "take": "wash",
}
BEFORE = {after: before for before, after in NEXT.items()}


@dataclass(frozen=True)
class Story:
    """What happens, who goes on, and four endings."""

    events: tuple[Clause, ...]
    hero: Thing
    endings: tuple[Clause, ...]
    right: int


def fits(verb: str, noun: str) -> bool:
    """Whether a verb takes a noun."""
    return lexicon.concepts()[noun].group in lexicon.concepts()[verb].takes


def story(rng: Random, chain: dict[str, str] = NEXT) -> Story | None:
    """A story, or nothing where an ending would not be fluent; `chain`: deed -> fitting deed."""
    hero, other = (Thing(n) for n in rng.sample(world.names("name"), 2))
    verbs = rng.sample(sorted(chain), 2)
    things = [world.thing(rng, lexicon.concepts()[v].takes, plain=0.7, counted=0) for v in verbs]
    if things[0].noun == things[1].noun:
        return None
    follows = [chain[v] for v in verbs]
    if not all(fits(v, t.noun) for v in follows for t in things):
        return None
    endings = [Clause(hero, v, replace(t, definite=True)) for v in follows for t in things]
    place = rng.choice(world.places()) if rng.random() < 0.5 else ""
    events = [Clause(hero, verbs[0], things[0], place=place)]
    if rng.random() < 0.5:
        events.append(Clause(other, verbs[1], things[1]))
        rng.shuffle(events)
    order = rng.sample(range(4), 4)
    return Story(tuple(events), hero, tuple(endings[i] for i in order), order.index(0))


def stories(rng: Random, chain: dict[str, str] = NEXT) -> Iterator[Story]:
    """Different stories without end."""
    seen: set[tuple[tuple[Clause, ...], Thing]] = set()
    while True:
        item = story(rng, chain)
        if item and (item.events, item.hero) not in seen:
            seen.add((item.events, item.hero))
            yield item


def choices(items: Iterable[Story], rng: Random, count: int) -> Iterator[Story]:
    """Stories with `count` of their endings, the right one among them, in their order."""
    for item in items:
        wrong = [i for i in range(len(item.endings)) if i != item.right]
        kept = sorted([item.right, *rng.sample(wrong, count - 1)])
        endings = tuple(item.endings[i] for i in kept)
        yield replace(item, endings=endings, right=kept.index(item.right))


def render(item: Story, grammar: Grammar) -> dict:
    """A story in a language: the context, the beginning of the ending, and the endings.

    Only for languages whose sentences begin with the agent.
    """
    begin = grammar.sentence(Clause(item.hero, "be", place="park")).tokens[0].text
    endings = [grammar.sentence(c).text.removeprefix(begin).lstrip() for c in item.endings]
    context = " ".join(grammar.sentence(c).text for c in item.events)
    return {"context": context, "begin": begin, "endings": endings, "right": item.right}
