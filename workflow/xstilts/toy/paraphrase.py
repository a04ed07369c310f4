"""Two sentences that mean the same, or that only share their words.

A sentence joins two clauses, its twin has them in the other order. Where the twins differ, the
clauses have also swapped a part: who does it, what it is done to, or where. As in PAWS the words
are the same either way, so only who does what tells. In statements a clause may also be turned
over, `the cup is clean` into `the cup is not dirty`: negating it or taking the opposite changes
what is said, doing both does not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from xstilts.toy import lexicon, world
from xstilts.toy.forms import Clause, Pair, Thing
from xstilts.toy.reading import plain

Clauses = tuple[Clause, Clause]


@dataclass(frozen=True)
class Twin:
    """Two sentences, and whether they mean the same."""

    first: Pair
    second: Pair
    same: bool


@cache
def opposites() -> dict[str, str]:
    """The adjectives of pairs of which one always holds."""
    groups: dict[str, list[str]] = {}
    for concept in lexicon.of_kind("adjective"):
        groups.setdefault(concept.group, []).append(concept.name)
    pairs = [group for group in groups.values() if len(group) == 2]
    return {a: b for one, other in pairs for a, b in ((one, other), (other, one))}


def swaps(first: Clause, second: Clause) -> list[Clauses]:
    """Both clauses with one part swapped, in every way that is heard and makes sense."""
    pairs = []
    for part, silent in (("agent", ("agent",)), ("patient", ("patient", "number")), ("place", ())):
        one, other = getattr(first, part), getattr(second, part)
        if one != other and not {first.ask, second.ask} & {*silent, part}:
            swapped = replace(first, **{part: other}), replace(second, **{part: one})
            if all(world.fits(clause) for clause in swapped):
                pairs.append(swapped)
    return pairs


def events(rng: Random) -> Clauses:
    """Different people doing different things."""
    one, other = world.people(rng, 2)
    return plain(world.event(rng, one)), plain(world.event(rng, other))


def statements(rng: Random) -> tuple[Clauses, list[Clauses], list[Clauses]]:
    """Two clauses, with others that say the same and others that do not."""
    first, second = events(rng)
    if rng.random() < 0.6:
        return (first, second), [(first, second)], swaps(first, second)
    quality = rng.choice(sorted(opposites()))
    topic = Thing(rng.choice(world.nouns(*world.OBJECTS)), definite=True)
    clause = Clause(topic, "be", quality=quality, negated=rng.random() < 0.5)
    opposite = replace(clause, quality=opposites()[quality])
    same = [clause, replace(opposite, negated=not clause.negated)]
    different = [opposite, replace(clause, negated=not clause.negated)]
    return (first, clause), [(first, c) for c in same], [(first, c) for c in different]


def questions(rng: Random) -> tuple[Clauses, list[Clauses], list[Clauses]]:
    """Two questions, with others that ask the same and others that do not."""
    first, second = (rng.choice(world.questions(clause)) for clause in events(rng))
    return (first, second), [(first, second)], swaps(first, second)


def twins(
    rng: Random, draw: Callable[[Random], tuple[Clauses, list[Clauses], list[Clauses]]]
) -> Iterator[Twin]:
    """Different twins without end, half of which mean the same."""
    seen: set[Clauses] = set()
    while True:
        pair, same, different = draw(rng)
        if pair[0].verb == pair[1].verb or pair in seen or not different:
            continue
        seen.add(pair)
        link, alike = rng.choice(("and", "but")), rng.random() < 0.5
        one, other = rng.choice(same if alike else different)
        yield Twin(Pair(pair[0], link, pair[1]), Pair(other, link, one), alike)
