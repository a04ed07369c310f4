"""Contexts of several sentences with questions that one of the sentences answers.

Other sentences of the context are made like the one that answers (same verb, same thing or same
kind of place), so a question has to be matched to its sentence, not to a type of word.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from xstilts.toy import lexicon, world
from xstilts.toy.forms import Clause, Thing
from xstilts.toy.grammar import Grammar

KINDS = ("agent", "patient", "place", "number", "quality")


@dataclass(frozen=True)
class Passage:
    """Clauses that make a context, a question, and which clause answers it (or, where it is not
    answerable, comes near to)."""

    clauses: tuple[Clause, ...]
    question: Clause
    answer: int
    answerable: bool = True


def plain(c: Clause) -> Clause:
    """A question asks for what it must: no adverb, time or negation."""
    return replace(c, adverb="", time="", negated=False)


def answers(c: Clause, question: Clause) -> bool:
    """Whether a clause fits a question, so that it could be taken for its answer."""
    part = question.ask
    if (c.verb == "be") != (question.verb == "be") or (not c.quality) != (not question.quality):
        return False
    if question.verb != "be" and c.verb != question.verb:
        return False
    if part != "agent" and c.agent.noun != question.agent.noun:
        return False
    same_noun = c.patient and question.patient and c.patient.noun == question.patient.noun
    return bool(part == "patient" or not question.patient or same_noun)


def context(rng: Random, kind: str) -> list[Clause]:
    """Four clauses, the first of which answers a question of this kind."""
    people = world.people(rng, 4)
    if kind == "quality":
        topics = rng.sample([n for n in world.nouns(*world.OBJECTS)], 2)
        colours = rng.sample(world.adjectives("colour"), 2)
        clauses = [
            Clause(Thing(n, definite=True), "be", quality=q)
            for n, q in zip(topics, colours, strict=True)
        ]
        clauses += [plain(world.event(rng, agent, place=0.4)) for agent in people[:2]]
        return clauses
    first = plain(world.event(rng, people[0], place=1.0 if kind == "place" else 0.5))
    if kind == "number":
        countable = [n for n in lexicon.concepts()[first.verb].takes if n not in ("name", "person")]
        thing = world.thing(rng, tuple(countable), counted=1.0) if countable else Thing("")
        if not thing.number:
            return []
        first = replace(first, patient=thing)
    if kind == "place" and rng.random() < 0.4:
        first = Clause(people[0], "be", place=first.place)
    similar = plain(world.event(rng, people[1], place=0.7))
    if first.patient is None:
        similar = world.location(rng, people[1], negation=0)
    elif kind in ("agent", "patient", "number") or rng.random() < 0.5:
        similar = replace(
            similar, verb=first.verb, patient=world.thing(rng, lexicon.concepts()[first.verb].takes)
        )
    same_agent = plain(world.event(rng, people[0] if kind != "place" else people[2], place=0.4))
    other = world.location(rng, people[3], negation=0)
    return [first, similar, same_agent, other]


def passage(rng: Random) -> Passage | None:
    """A context with a question, or nothing where two clauses could answer it."""
    kind = rng.choice(KINDS)
    clauses = context(rng, kind)
    if not clauses or any(c.patient and c.patient.noun == c.agent.noun for c in clauses):
        return None
    question = replace(clauses[0], ask=kind)
    if kind in ("agent", "patient", "number"):
        question = replace(question, place="")
    if question.patient and kind in ("agent", "place"):
        patient = question.patient
        is_object = lexicon.concepts()[patient.noun].kind != "name"
        question = replace(question, patient=replace(patient, number="", definite=is_object))
    if any(answers(c, question) for c in clauses[1:]):
        return None
    order = rng.sample(range(len(clauses)), len(clauses))
    return Passage(tuple(clauses[i] for i in order), question, order.index(0))


def passages(rng: Random) -> Iterator[Passage]:
    """Different passages without end."""
    seen: set[tuple[Clause, ...]] = set()
    while True:
        item = passage(rng)
        if item and item.clauses not in seen:
            seen.add(item.clauses)
            yield item


def near_misses(rng: Random, clause: Clause, part: str) -> list[Clause]:
    """A clause with another agent, verb or patient, where the question does not ask for that."""
    if clause.quality:
        return [
            replace(clause, agent=Thing(rng.choice(world.nouns(*world.OBJECTS)), definite=True))
        ]
    misses = [] if part == "agent" else [replace(clause, agent=world.person(rng))]
    if clause.patient:
        misses.append(replace(clause, verb=rng.choice(world.events())))
        concept = lexicon.concepts()[clause.patient.noun]
        alternatives = [c.name for c in lexicon.of_kind(concept.kind) if c.group == concept.group]
        if part != "patient":
            misses.append(
                replace(clause, patient=replace(clause.patient, noun=rng.choice(alternatives)))
            )
    return [c for c in misses if not c.patient or world.fits(c)]


def make_unanswerable(rng: Random, item: Passage) -> Passage | None:
    """A passage with the clause that answers turned into a near miss, so that nothing answers the
    question; nothing where something still would."""
    misses = near_misses(rng, item.clauses[item.answer], item.question.ask)
    if not misses:
        return None
    clauses = list(item.clauses)
    clauses[item.answer] = rng.choice(misses)
    if any(answers(c, item.question) for c in clauses):
        return None
    return replace(item, clauses=tuple(clauses), answerable=False)


def with_unanswerable(rng: Random) -> Iterator[Passage]:
    """Different passages without end, a third of which do not answer their question."""
    for item in passages(rng):
        yield (rng.random() < 0.4 and make_unanswerable(rng, item)) or item


def render(item: Passage, grammar: Grammar) -> dict[str, str | int]:
    """The context, question and answer in a language, and the character where the answer starts."""
    sentences = [grammar.sentence(c) for c in item.clauses]
    gap = " " if grammar.spaced else ""
    start, text = sentences[item.answer].span(item.question.ask.replace("number", "patient.number"))
    before = sum(len(s.text) + len(gap) for s in sentences[: item.answer])
    return {
        "context": gap.join(s.text for s in sentences),
        "question": grammar.sentence(item.question).text,
        "answer": text,
        "start": before + start,
    }


def sentence_breaks(item: Passage, grammar: Grammar) -> list[list[int]]:
    """Return [start, end) of the sentences of a passage's context in a language."""
    gap, start, breaks = int(grammar.spaced), 0, []
    for c in item.clauses:
        end = start + len(grammar.sentence(c).text)
        breaks.append([start, end])
        start = end + gap
    return breaks
