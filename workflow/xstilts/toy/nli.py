"""Premises with hypotheses, balanced so that no shallow cue gives the label away.

Candidates are drawn by editing a clause of a random premise. They are kept in threes, one of each
label, that agree in the concepts of the hypothesis that the premise lacks and in the make-up of
both (which parts they have, whether anything is negated). So neither the hypothesis alone nor the
words new in it say much about the label. Most threes have a new concept, so that the words of the
world have to be known.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from xstilts.toy import lexicon, world
from xstilts.toy.forms import Clause, Form, Pair, Report, Thing
from xstilts.toy.inference import LABELS, NOTHING, infer, label


@dataclass(frozen=True)
class Inference:
    """A premise, a hypothesis and the label."""

    premise: Form
    hypothesis: Clause
    label: str


def clauses(form: Form) -> tuple[Clause, ...]:
    """The clauses of a sentence."""
    if isinstance(form, Pair):
        return form.first, form.second
    return (form.content,) if isinstance(form, Report) else (form,)


def mentioned(form: Form) -> set[str]:
    """The concepts of a sentence."""
    concepts = set()
    for c in clauses(form):
        patient = c.patient or NOTHING
        parts = (c.agent.noun, c.verb, patient.noun, patient.adjective, patient.number)
        concepts |= {*parts, c.place, c.adverb, c.time, c.quality}
    return concepts - {""}


@cache
def family(concept: str) -> list[str]:
    """The concepts next to one in the world: more general, more specific, or of the same group."""
    this = lexicon.concepts()[concept]
    return [
        c.name
        for c in lexicon.concepts().values()
        if c.name != concept
        and c.kind == this.kind
        and (c.name == this.is_a or c.is_a == concept or (c.group and c.group == this.group))
    ]


def near(rng: Random, concept: str, everything: tuple[str, ...]) -> str:
    """A concept to put in place of another: more general, one of its family, or any."""
    if (general := lexicon.concepts()[concept].is_a) and rng.random() < 0.5:
        return general
    return rng.choice(family(concept) or everything if rng.random() < 0.8 else everything)


def edit(rng: Random, c: Clause) -> Clause:
    """A clause with one part dropped, added, changed or negated."""
    part = rng.choice(("agent", "verb", "noun", "adjective", "place", "adverb", "negated", "swap"))
    if part == "negated":
        return replace(c, negated=not c.negated)
    if part == "place":
        if c.place and c.verb != "be" and rng.random() < 0.4:
            return replace(c, place="")
        if c.quality:
            return c
        if not c.place:
            return replace(c, place=rng.choice(world.places()))
        return replace(c, place=near(rng, c.place, world.places()))
    if part == "agent" and lexicon.concepts()[c.agent.noun].group == "person":
        return replace(c, agent=replace(c.agent, noun=near(rng, c.agent.noun, ("person",))))
    if part == "adjective" and c.quality:
        return replace(c, quality=near(rng, c.quality, world.adjectives()))
    if part == "adverb" and c.verb != "be":
        return replace(c, adverb=rng.choice(("", "", *world.names("adverb"))))
    if c.patient is None:
        return c
    if part == "verb":
        return replace(c, verb=near(rng, c.verb, (c.verb,)))
    if part == "adjective" and not is_person(c.patient):
        adjective = c.patient.adjective
        new = (
            near(rng, adjective, world.adjectives())
            if adjective
            else rng.choice(world.adjectives())
        )
        return replace(c, patient=replace(c.patient, adjective="" if rng.random() < 0.3 else new))
    if part == "noun" and lexicon.concepts()[c.patient.noun].kind != "name":
        takes = lexicon.concepts()[c.verb].takes
        noun = near(rng, c.patient.noun, tuple(n for n in world.nouns(*takes)))
        kind = lexicon.concepts()[noun].kind
        if kind != "name" and not (kind == "mass" and c.patient.number):
            return replace(c, patient=replace(c.patient, noun=noun))
    if part == "swap" and is_person(c.patient):
        return replace(c, agent=c.patient, patient=c.agent)
    return c


def is_person(thing: Thing) -> bool:
    """Whether a thing is a person."""
    concept = lexicon.concepts()[thing.noun]
    return concept.kind == "name" or concept.group == "person"


def premise(rng: Random) -> Form:
    """A sentence to reason from."""
    draw = rng.random()
    first = replace(world.event(rng), time="")
    if draw < 0.75:
        return first
    if draw < 0.87:
        return world.property_(rng) if rng.random() < 0.5 else world.location(rng)
    if draw < 0.95:
        other, agent = world.people(rng, 2)
        second = replace(world.event(rng, agent, place=0.3), time="", adverb="")
        return Pair(replace(first, agent=other), rng.choice(("and", "but")), second)
    return Report(world.person(rng), rng.choice(("know", "think")), first)


def candidate(rng: Random, given: Form) -> Inference | None:
    """A premise with an edited clause of it as hypothesis, or nothing where that makes no sense."""
    source = rng.choice(clauses(given))
    hypothesis = source
    for _ in range(rng.choice((1, 1, 2))):
        hypothesis = edit(rng, hypothesis)
    if isinstance(given, Pair) and rng.random() < 0.4:
        hypothesis = replace(hypothesis, agent=rng.choice(clauses(given)).agent)
    broken = hypothesis.patient is not None and hypothesis.patient.noun == hypothesis.agent.noun
    if hypothesis == given or broken or (hypothesis.negated and hypothesis.adverb):
        return None
    return Inference(given, hypothesis, label(given, hypothesis))


def makeup(*parts: Clause) -> tuple[bool, ...]:
    """Which parts clauses have."""
    patients = [c.patient for c in parts if c.patient]
    return (
        any(c.negated for c in parts),
        bool(patients),
        any(p.adjective for p in patients),
        any(p.number for p in patients),
        any(c.place for c in parts),
        any(c.adverb for c in parts),
        any(c.quality for c in parts),
    )


def outline(given: Form) -> tuple:
    """Whether a premise reports, and which parts its clauses have."""
    return (given.verb if isinstance(given, Report) else "", makeup(*clauses(given)))


def inferences(rng: Random) -> Iterator[Inference]:
    """Different items without end, in threes of the three labels in random order."""
    seen: set[tuple[Form, Form]] = set()
    # What the items of a three agree in -> label -> items that have no three yet.
    waiting: dict[tuple, dict[str, deque[Inference]]] = defaultdict(lambda: defaultdict(deque))
    given = premise(rng)
    known, shape = mentioned(given), outline(given)
    while True:
        if rng.random() < 0.1:
            given = premise(rng)
            known, shape = mentioned(given), outline(given)
        item = candidate(rng, given)
        if item is None or (given, item.hypothesis) in seen:
            continue
        new = tuple(sorted(mentioned(item.hypothesis) - known))
        if not new and rng.random() < 0.6:
            continue
        seen.add((given, item.hypothesis))
        bucket = waiting[(new, shape, makeup(item.hypothesis))]
        bucket[item.label].append(item)
        if all(bucket[name] for name in LABELS):
            three = [bucket[name].popleft() for name in LABELS]
            rng.shuffle(three)
            yield from three


def asides(rng: Random, item: Inference, count: int) -> list[Clause]:
    """Clauses to put around a premise, which neither support nor contradict the hypothesis."""
    hypothesis, neutral = item.hypothesis, list[Clause]()
    while len(neutral) < count:
        clause = replace(world.event(rng), time="")
        if hypothesis.verb == "be":
            is_neutral = clause.agent.noun != hypothesis.agent.noun
        else:
            is_neutral = infer(clause, hypothesis) == "neutral"
        if is_neutral:
            neutral.append(clause)
    return neutral
