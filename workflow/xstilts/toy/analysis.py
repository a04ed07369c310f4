"""From the text of a sentence back to its semantic form, in any language of the toy world.

By synthesis: the words of a sentence say which concepts it has, and of the few forms that these
can make the one is taken whose sentence is the text. So what a grammar can say it can also read,
without a second description of the language. Where two forms make the same text (a language
without articles does not say what is definite) it is the first of them.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from xstilts.toy import lexicon
from xstilts.toy.forms import Chain, Clause, Form, Pair, Report, Thing
from xstilts.toy.grammar import PUNCTUATION, Grammar, Sentence, Token
from xstilts.toy.languages import grammar

ANYBODY, ANYTHING = Thing("anna"), Thing("car")  # in the place of what is asked for
KINDS = {
    "name": "things", "noun": "things", "mass": "things", "pronoun": "things", "verb": "verbs",
    "adjective": "adjectives", "number": "numbers", "site": "places", "city": "places",
    "adverb": "adverbs", "time": "times",
}  # fmt: skip
FUNCTION = ("in", "not", "and", "but", "who", "what", "where")
# With these an adjective takes every ending that it has.
NOUNS = (
    "car",
    "book",
    "table",
    "shirt",
    "dog",
    "cat",
    "rabbit",
    "horse",
    "bread",
    "egg",
    "key",
    "window",
)


@dataclass(frozen=True)
class Found:
    """The concepts whose words are in a sentence, by what they can be in a clause, in its order."""

    things: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    adjectives: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    adverbs: tuple[str, ...] = ()
    times: tuple[str, ...] = ()


@cache
def index(language: str) -> dict[str, tuple[str, ...]]:
    """Return surface, in small letters -> the concepts that it is a word of, or a part of one."""
    of, found = grammar(language), dict[str, dict[str, None]]()
    for name, concept in lexicon.concepts().items():
        for token in _tokens(of, name, concept.kind):
            found.setdefault(token.text.lower(), {})[name] = None
    return {text: tuple(names) for text, names in found.items()}


def _tokens(of: Grammar, name: str, kind: str) -> Iterator[Token]:
    """Yield the words of a concept in every form that a grammar gives them."""
    if kind in ("adverb", "time", "number", "name", "city") or name in FUNCTION:
        yield from of.word(name, upos="X")
    if kind == "adjective":
        for noun in NOUNS:
            for thing in _forms(Thing(noun, name)) if noun in lexicon.concepts() else ():
                for slot in ("agent", "patient"):
                    yield from _of(of.noun_phrase(thing, slot), f"{slot}.adjective")
                told = of.described(Clause(replace(thing, adjective=""), "be", quality=name))
                yield from _of(told, "quality")
    if kind in ("site", "city"):
        yield from _of(of.place(name), "place")
    if kind == "verb":
        for form in range(len(of.words[name].forms)):
            yield from of.word(name, form, upos="X")
    if KINDS.get(kind) == "things":
        for thing in _forms(Thing(name)):
            for slot in ("agent", "patient"):
                yield from _of(of.noun_phrase(thing, slot), f"{slot}.noun")


def _forms(thing: Thing) -> Iterator[Thing]:
    yield from (thing, replace(thing, definite=True), replace(thing, number="five"))


def _of(tokens: Iterable[Token], slot: str) -> Iterator[Token]:
    """Yield the tokens of a slot that are words, not articles or particles beside one (`的`)."""
    yield from (t for t in tokens if t.slot == slot and t.upos not in ("DET", "PART"))


@cache
def _longest(language: str) -> int:
    return max(map(len, index(language)))


def words(text: str, language: str) -> list[str]:
    """Return the tokens of a text as a grammar has them; of a language without spaces the longest
    words that there are, and single characters between them."""
    if grammar(language).spaced:
        marks = re.escape("".join(PUNCTUATION))
        return re.findall(rf"[{marks}]|[^\s{marks}]+", text)
    known, found, at = index(language), list[str](), 0
    while at < len(text):
        most = min(_longest(language), len(text) - at)
        size = next((n for n in range(most, 1, -1) if text[at : at + n] in known), 1)
        if not text[at : at + size].isspace():
            found.append(text[at : at + size])
        at += size
    return found


def parse(text: str, language: str) -> Form | Chain | None:
    """Return the form of a sentence; None if no form has it for its sentence."""
    of = grammar(language)
    bare = text.strip()
    asks = bare.endswith(of.question)
    bare = bare.removesuffix(of.question if asks else of.stop)
    tokens = words(bare, language)
    form = _clause(of, bare, tokens, asks) or _report(of, bare, tokens)
    return form or _joined(of, tokens, asks)


def _clause(of: Grammar, text: str, tokens: Sequence[str], asks: bool) -> Clause | None:
    found = _found(tokens, of.language)
    return next((form for form in _clauses(found, asks) if _says(of, form, text)), None)


def _report(of: Grammar, text: str, tokens: Sequence[str]) -> Report | None:
    found, concepts = _found(tokens, of.language), lexicon.concepts()
    for verb in (v for v in found.verbs if "fact" in concepts[v].takes):
        for agent in found.things:
            others = tuple(t for t in found.things if t != agent)
            rest = replace(
                found,
                things=others if len(others) > 1 else found.things,  # who thinks may be who does
                verbs=tuple(v for v in found.verbs if v != verb),
            )
            for who in _definite(agent):
                for content in _clauses(rest, False):
                    if _says(of, form := Report(who, verb, content), text):
                        return form
    return None


def _joined(of: Grammar, tokens: Sequence[str], asks: bool) -> Pair | Chain | None:
    """Return clauses that a link joins: two, or (in questions) more."""
    links = {of.words[name].form(0): name for name in ("and", "but")}
    at = [number for number, token in enumerate(tokens) if token in links]
    if not at:
        return None
    parts = []
    for start, end in itertools.pairwise([-1, *at, len(tokens)]):
        part = tokens[start + 1 : end]
        text = Sentence(tuple(Token(t, "") for t in part), of.spaced).text
        form = (_clause(of, text, part, True) if asks else None) or _clause(of, text, part, False)
        if form is None:
            return None
        parts.append(form)
    if len(parts) == 2:
        return Pair(parts[0], links[tokens[at[0]]], parts[1])
    return Chain(tuple(parts))


def _says(of: Grammar, form: Form, text: str) -> bool:
    """Whether a form is written as a text, the first letter's case apart."""
    try:
        said = Sentence(tuple(of.phrase(form)), of.spaced).text
    except (KeyError, ValueError):  # a number of what has none
        return False
    return said[1:] == text[1:] and said[:1].lower() == text[:1].lower()


def _found(tokens: Sequence[str], language: str) -> Found:
    known, concepts = index(language), lexicon.concepts()
    found: dict[str, dict[str, None]] = {}
    for token in tokens:
        for name in known.get(token.lower(), ()):
            if part := KINDS.get(concepts[name].kind):
                found.setdefault(part, {})[name] = None
    return Found(**{part: tuple(names) for part, names in found.items()})


def _definite(noun: str) -> tuple[Thing, ...]:
    if lexicon.concepts()[noun].kind in ("name", "pronoun"):
        return (Thing(noun),)
    return Thing(noun, definite=True), Thing(noun)


def _clauses(found: Found, asks: bool) -> Iterator[Clause]:
    """Yield the clauses that some concepts can make, all of one sort after another."""
    if asks:
        yield from _questions(found)
        return
    for agent in found.things:
        for who, no in itertools.product(_definite(agent), (False, True)):
            for place in found.places:
                yield Clause(who, "be", place=place, negated=no)
            for quality in found.adjectives:
                yield Clause(who, "be", quality=quality, negated=no)
    for who, verb, what in _events(found):
        for place, adverb, time, no in _around(found):
            yield Clause(who, verb, what, place, adverb, time, negated=no)


def _questions(found: Found) -> Iterator[Clause]:
    for place in found.places:
        yield Clause(ANYBODY, "be", place=place, ask="agent")
    for agent in found.things:
        for who in _definite(agent):
            yield Clause(who, "be", place="park", ask="place")
            yield Clause(who, "be", quality="red", ask="quality")
    for place, adverb, time, no in _around(found):
        beside: dict[str, Any] = {"adverb": adverb, "time": time, "negated": no}
        for verb in found.verbs:
            for noun in found.things:
                for thing in _definite(noun):
                    yield Clause(thing, verb, ANYTHING, place=place, ask="patient", **beside)
                for thing in _things(found, noun):
                    yield Clause(ANYBODY, verb, thing, place=place, ask="agent", **beside)
        for who, verb, thing in _events(found):
            yield Clause(who, verb, thing, place="park", ask="place", **beside)
            yield Clause(who, verb, thing, place=place, ask="number", **beside)


def _around(found: Found) -> Iterator[tuple[str, str, str, bool]]:
    """Yield what may stand around an event: place, adverb, time, negation."""
    yield from itertools.product(
        found.places or ("",), found.adverbs or ("",), found.times or ("",), (False, True)
    )


def _events(found: Found) -> Iterator[tuple[Thing, str, Thing]]:
    """Yield who does what to whom."""
    for verb in found.verbs:
        # Where the verb alone tells who does it, a pronoun is not said.
        for agent in (*found.things, "he", "she"):
            for patient in (noun for noun in found.things if noun != agent):
                for who in _definite(agent):
                    for what in _things(found, patient):
                        yield who, verb, what


def _things(found: Found, noun: str) -> Iterator[Thing]:
    """Yield a thing with the adjective and number that are there."""
    for adjective in found.adjectives or ("",):
        for number in found.numbers:
            yield Thing(noun, adjective, number)
        if not found.numbers:
            yield Thing(noun, adjective)
            if lexicon.concepts()[noun].kind not in ("name", "pronoun"):
                yield Thing(noun, adjective, definite=True)
