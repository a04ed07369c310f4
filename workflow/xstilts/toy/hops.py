"""Questions whose answer is found in several steps, each in a paragraph of its own.

"Who feeds the horse and where is she?": some people of one gender, each at another place, two
of whom do the same to different things. So neither the pronoun nor any one sentence tells the
place. A longer chain goes on from person to person, beside another one: "... and what does she see
and where is she?" A comparison claims a place of two people.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

from xstilts.toy import lexicon, world
from xstilts.toy.forms import Chain, Clause, Thing
from xstilts.toy.grammar import Grammar

LONGEST = 4
SAME = 0.5  # of the comparisons, the share in which both are where it is claimed


@dataclass(frozen=True)
class Puzzle:
    """A question over clauses.

    Attributes:
        clauses: of the context.
        question: of them all.
        steps: single questions that lead to the answer, in order, and the clause that answers each.
        answer: whether a claim is true; None of a question, which the last step answers.
    """

    clauses: tuple[Clause, ...]
    question: Chain
    steps: tuple[tuple[Clause, int], ...]
    answer: bool | None = None

    @property
    def hops(self) -> int:
        """How many clauses it takes."""
        return len(self.steps)


def _people(rng: Random, count: int) -> tuple[list[Thing], Thing]:
    """Different people of one gender, and their pronoun."""
    gender = rng.choice("fm")
    named = [c.name for c in lexicon.of_kind("name") if c.group == gender]
    return [Thing(name) for name in rng.sample(named, count)], Thing(
        "he" if gender == "m" else "she"
    )


def _events(rng: Random, agents: list[Thing]) -> list[Clause]:
    """The same done by some people to different things, each of which is mentioned as one."""
    groups: list[str] = []
    while not groups:
        verb = rng.choice(world.events())
        groups = [g for g in lexicon.concepts()[verb].takes if g not in ("name", "person")]
    nouns = rng.sample([n for n in world.nouns(*groups)], len(agents))
    return [Clause(a, verb, Thing(noun)) for a, noun in zip(agents, nouns, strict=True)]


def _meetings(rng: Random, count: int, used: str) -> list[str]:
    """Different verbs that are done to people."""
    verbs = [v for v in world.events() if "name" in lexicon.concepts()[v].takes and v != used]
    return rng.sample(verbs, count)


def chain(rng: Random, hops: int) -> Puzzle:
    """A question of two to `LONGEST` hops that asks for a place.

    Two chains of people run side by side, by the same verbs; which is asked for, the thing tells.
    """
    people, pronoun = _people(rng, max(3, 2 * (hops - 1)))
    path, other = people[: hops - 1], people[hops - 1 : 2 * (hops - 1)]
    places = rng.sample(list(world.places()), len(people))
    located = [Clause(person, "be", place=p) for person, p in zip(people, places, strict=True)]
    event, beside = _events(rng, [path[0], other[0]])
    clauses, steps = [*located, event, beside], [replace(event, ask="agent")]
    asked = [_the(steps[0])]
    for verb, *pairs in zip(
        _meetings(rng, hops - 2, event.verb), pairwise(path), pairwise(other), strict=True
    ):
        met, beside = (Clause(first, verb, second) for first, second in pairs)
        clauses += [met, beside]
        steps.append(replace(met, ask="patient"))
        asked.append(replace(steps[-1], agent=pronoun))
    steps.append(replace(located[len(path) - 1], ask="place"))
    asked.append(replace(steps[-1], agent=pronoun))
    order = rng.sample(clauses, len(clauses))
    return Puzzle(
        tuple(order),
        Chain(tuple(asked)),
        tuple((_the(s), order.index(replace(s, ask=""))) for s in steps),
    )


def comparison(rng: Random) -> Puzzle:
    """A claim that two people are in one place, where a third one is if they are not."""
    people, _ = _people(rng, 3)
    true = rng.random() < SAME
    here, there = rng.sample(list(world.places()), 2)
    places = (here, here, there) if true else (here, there, here)
    located = [Clause(person, "be", place=p) for person, p in zip(people, places, strict=True)]
    order = rng.sample([*located, *_events(rng, people[:2])], 5)
    first, second = rng.sample(people[:2], 2)
    question = Chain((Clause(first, "be", place=here), Clause(second, "be", place=here)))
    steps = tuple((replace(clause, ask="place"), order.index(clause)) for clause in located[:2])
    return Puzzle(tuple(order), question, steps, true)


def _the(clause: Clause) -> Clause:
    """A question mentions its thing as a known one."""
    patient = clause.patient
    if patient is None or lexicon.concepts()[patient.noun].kind == "name":
        return clause
    return replace(clause, patient=replace(patient, definite=True))


def puzzles(rng: Random, hops: tuple[int, ...], comparisons: float = 0.0) -> Iterator[Puzzle]:
    """Different questions without end, of so many hops each, and a share of comparisons."""
    seen: set[Puzzle] = set()
    while True:
        item = comparison(rng) if rng.random() < comparisons else chain(rng, rng.choice(hops))
        if item not in seen:
            seen.add(item)
            yield item


@dataclass(frozen=True)
class Paragraph:
    """A paragraph as a language writes it: its title, its sentences, and which clause each is."""

    title: str
    sentences: tuple[str, ...]
    clauses: tuple[int, ...]


def paragraphs(item: Puzzle, grammar: Grammar) -> list[Paragraph]:
    """The context of a question in a language, a paragraph a thing or person."""
    found = []
    for noun in dict.fromkeys(map(_about, item.clauses)):
        numbers = [i for i, clause in enumerate(item.clauses) if _about(clause) == noun]
        sentences = tuple(grammar.sentence(item.clauses[i]).text for i in numbers)
        found.append(Paragraph(grammar.words[noun].form(0), sentences, tuple(numbers)))
    return found


def _about(clause: Clause) -> str:
    """Under which title a clause stands: a thing that something is done to, else who does it."""
    patient = clause.patient
    person = patient is None or lexicon.concepts()[patient.noun].kind == "name"
    return clause.agent.noun if patient is None or person else patient.noun


def answer(item: Puzzle, grammar: Grammar) -> str:
    """The answer in a language; yes and no stay English, as in translations of HotpotQA."""
    if item.answer is not None:
        return "yes" if item.answer else "no"
    asked, number = item.steps[-1]
    return grammar.sentence(item.clauses[number]).span(asked.ask)[1]


def decomposition(item: Puzzle, grammar: Grammar) -> list[tuple[str, str]]:
    """The single questions and their answers; what an earlier one has found is #1, #2 ..."""
    found: list[tuple[str, str]] = []
    for asked, number in item.steps:
        text = grammar.sentence(asked).text
        for earlier, (_, name) in reversed(list(enumerate(found, 1))):
            text = text.replace(name, f"#{earlier}")
        found.append((text, grammar.sentence(item.clauses[number]).span(asked.ask)[1]))
    return found
