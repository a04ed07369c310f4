"""What can happen in the toy world, drawn at random: who does what to what, where and how.

Every draw is from a `random.Random` that the caller seeds, so the same seed gives the same world.
"""

from dataclasses import replace
from functools import cache
from random import Random

from xstilts.toy import lexicon
from xstilts.toy.forms import Clause, Form, Pair, Report, Thing

OBJECTS = ("animal", "food", "vehicle", "clothing", "text", "furniture", "opening", "device")


def names(kind: str) -> tuple[str, ...]:
    """The concepts of a kind by name."""
    return tuple(c.name for c in lexicon.of_kind(kind))


@cache
def nouns(*groups: str) -> tuple[str, ...]:
    """The nouns of these classes, and people's names where `name` is among them."""
    concept_names = [c.name for c in lexicon.of_kind("noun", "mass") if c.group in groups]
    return (*concept_names, *names("name")) if "name" in groups else tuple(concept_names)


@cache
def events() -> tuple[str, ...]:
    """The verbs that take a noun."""
    return tuple(c.name for c in lexicon.of_kind("verb") if "fact" not in c.takes)


@cache
def places() -> tuple[str, ...]:
    """Everywhere that somebody can be."""
    return (*names("site"), *names("city"))


@cache
def adjectives(group: str = "") -> tuple[str, ...]:
    """The adjectives, all or of one group."""
    concepts = lexicon.of_kind("adjective")
    return tuple(c.name for c in concepts if not group or c.group == group)


def person(rng: Random) -> Thing:
    """Somebody, mostly by name."""
    if rng.random() < 0.7:
        return Thing(rng.choice(names("name")))
    return Thing(rng.choice(nouns("person")), definite=True)


def people(rng: Random, count: int) -> list[Thing]:
    """Different people."""
    people: list[Thing] = []
    while len(people) < count:
        someone = person(rng)
        if someone not in people:
            people.append(someone)
    return people


def thing(rng: Random, groups: tuple[str, ...], plain: float = 0.5, counted: float = 0.15) -> Thing:
    """Something of these classes, with an adjective or a number at times."""
    noun = lexicon.concepts()[rng.choice(nouns(*groups))]
    if noun.kind == "name":
        return Thing(noun.name)
    if noun.group == "person":
        return Thing(noun.name, definite=True)
    adjective = "" if rng.random() < plain else rng.choice(adjectives())
    counts = noun.kind == "noun" and rng.random() < counted
    return Thing(noun.name, adjective, rng.choice(names("number")) if counts else "")


def event(
    rng: Random, agent: Thing | None = None, place: float = 0.5, negation: float = 0.15
) -> Clause:
    """Somebody does something to something."""
    agent = agent or person(rng)
    verb = rng.choice(events())
    patient = thing(rng, lexicon.concepts()[verb].takes)
    while patient.noun == agent.noun:
        patient = thing(rng, lexicon.concepts()[verb].takes)
    negated = rng.random() < negation
    has_adverb = not negated and rng.random() < 0.2
    return Clause(
        agent,
        verb,
        patient,
        place=rng.choice(places()) if rng.random() < place else "",
        adverb=rng.choice(names("adverb")) if has_adverb else "",
        time=rng.choice(names("time")) if rng.random() < 0.2 else "",
        negated=negated,
    )


def fits(clause: Clause) -> bool:
    """Whether a verb takes what it is done to, which is not who does it."""
    patient = clause.patient
    if patient is None or patient.noun == clause.agent.noun:
        return False
    concept = lexicon.concepts()[patient.noun]
    group = "name" if concept.kind == "name" else concept.group
    return group in lexicon.concepts()[clause.verb].takes


def location(rng: Random, agent: Thing | None = None, negation: float = 0.15) -> Clause:
    """Somebody is somewhere."""
    place, negated = rng.choice(places()), rng.random() < negation
    return Clause(agent or person(rng), "be", place=place, negated=negated)


def property_(rng: Random, negation: float = 0.15) -> Clause:
    """Something is like this."""
    topic = Thing(rng.choice(nouns(*OBJECTS)), definite=True)
    return Clause(topic, "be", quality=rng.choice(adjectives()), negated=rng.random() < negation)


def clause(rng: Random) -> Clause:
    """A clause of any sort, mostly an event."""
    draw = rng.random()
    return event(rng) if draw < 0.7 else location(rng) if draw < 0.85 else property_(rng)


def statement(rng: Random) -> Form:
    """A sentence of any sort that states something."""
    draw = rng.random()
    if draw < 0.7:
        return clause(rng)
    if draw < 0.85:
        first, second = (replace(event(rng, place=0.3), time="") for _ in range(2))
        return Pair(first, rng.choice(("and", "but")), second)
    return Report(person(rng), rng.choice(("know", "think")), replace(event(rng), time=""))


def questions(clause: Clause) -> list[Clause]:
    """Every question that a clause answers."""
    if clause.verb == "be":
        if not clause.quality:
            return [replace(clause, ask="place"), replace(clause, ask="agent")]
        colour = lexicon.concepts()[clause.quality].group == "colour"
        return [replace(clause, ask="quality")] if colour else []
    questions = [replace(clause, ask="agent"), replace(clause, ask="patient")]
    if clause.place:
        questions.append(replace(clause, ask="place"))
    if clause.patient and clause.patient.number:
        questions.append(replace(clause, ask="number"))
    return questions


def sentence(rng: Random) -> Form:
    """A statement or, at times, a question."""
    form = statement(rng)
    if isinstance(form, Clause) and not form.negated and rng.random() < 0.15:
        asked = questions(form)
        return rng.choice(asked) if asked else form
    return form
