"""From a semantic form to tagged tokens and text: what all languages share.

A language is a subclass (in `languages`) that says how its noun phrases and clauses are built.
Tags are UPOS. A token's slot names the part of the form that it expresses, so that answers can be
found in the text.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from xstilts.toy import lexicon
from xstilts.toy.forms import Chain, Clause, Form, Pair, Report, Thing

UPOS_OF_KIND = {
    "name": "PROPN",
    "city": "PROPN",
    "noun": "NOUN",
    "mass": "NOUN",
    "site": "NOUN",
    "verb": "VERB",
    "adjective": "ADJ",
    "adverb": "ADV",
    "time": "ADV",
    "number": "NUM",
    "pronoun": "PRON",
}
PUNCTUATION = set(".,?،؟।。，？")


@dataclass(frozen=True)
class Token:
    """A word with its tag and the part of the form that it expresses."""

    text: str
    upos: str
    slot: str = ""


@dataclass(frozen=True)
class Sentence:
    """The tokens of a sentence, and its text."""

    tokens: tuple[Token, ...]
    spaced: bool = True

    @cached_property
    def _starts(self) -> list[int]:
        starts, end = [], 0
        for i, token in enumerate(self.tokens):
            gap = self.spaced and i > 0 and token.text not in PUNCTUATION
            starts.append(end + gap)
            end = starts[-1] + len(token.text)
        return starts

    @cached_property
    def text(self) -> str:
        """The sentence as written."""
        text = ""
        for start, token in zip(self._starts, self.tokens, strict=True):
            text = text.ljust(start) + token.text
        return text

    def places(self) -> list[tuple[int, int]]:
        """The characters [start, end) of each token."""
        pairs = zip(self._starts, self.tokens, strict=True)
        return [(start, start + len(token.text)) for start, token in pairs]

    def span(self, slot: str) -> tuple[int, str]:
        """Where the tokens of a slot (`patient` covers `patient.number`) begin, and their text."""
        slots = [token.slot for token in self.tokens]
        indices = [i for i, s in enumerate(slots) if s == slot or s.startswith(slot + ".")]
        if not indices or indices != list(range(indices[0], indices[-1] + 1)):
            raise ValueError(f"slot {slot!r} is not one run of tokens in {self.text!r}")
        start, last = self._starts[indices[0]], indices[-1]
        return start, self.text[start : self._starts[last] + len(self.tokens[last].text)]


class Grammar:
    """What the languages have in common; a subclass gives the rest."""

    language = ""
    spaced = True
    stop, question, comma = ".", "?", ","

    def __init__(self) -> None:
        self.words = lexicon.words(self.language)

    def word(self, concept: str, form: int = 0, slot: str = "", upos: str = "") -> list[Token]:
        """The tokens of a concept's word in a form."""
        tag = upos or UPOS_OF_KIND[lexicon.concepts()[concept].kind]
        return [Token(text, tag, slot) for text in self.words[concept].form(form).split()]

    def maybe(self, concept: str, slot: str = "") -> list[Token]:
        """The word of a concept, or nothing for ""."""
        return self.word(concept, slot=slot) if concept else []

    def gender(self, thing: Thing) -> str:
        """The grammatical gender that a thing imposes; people's own for names and pronouns."""
        concept = lexicon.concepts()[thing.noun]
        return (
            concept.group if concept.kind in ("name", "pronoun") else self.words[thing.noun].gender
        )

    def is_human(self, thing: Thing) -> bool:
        """Whether a thing is a person."""
        concept = lexicon.concepts()[thing.noun]
        return concept.kind in ("name", "pronoun") or concept.group == "person"

    def is_animate(self, thing: Thing) -> bool:
        """Whether a thing is a person or an animal."""
        return self.is_human(thing) or lexicon.concepts()[thing.noun].group == "animal"

    def sentence(self, form: Form | Chain) -> Sentence:
        """A whole sentence, with a capital where the script has them, and its final mark."""
        first, *rest = self.phrase(form)
        first = replace(first, text=first.text[0].upper() + first.text[1:])
        last = form.second if isinstance(form, Pair) else form
        last = form.clauses[-1] if isinstance(form, Chain) else last
        asks = isinstance(last, Clause) and last.ask
        end = Token(self.question if asks else self.stop, "PUNCT")
        return Sentence((first, *rest, end), self.spaced)

    def phrase(self, form: Form | Chain) -> list[Token]:
        """A form without its final mark."""
        if isinstance(form, Report):
            return self.report(form)
        if isinstance(form, Pair):
            link = self.word(form.link, upos="CCONJ")
            second = [replace(t, slot="") for t in self.phrase(form.second)]
            return [*self.phrase(form.first), *link, *second]
        if isinstance(form, Chain):
            tokens = self.phrase(form.clauses[0])
            for clause in form.clauses[1:]:
                tokens += self.word("and", upos="CCONJ")
                tokens += [replace(t, slot="") for t in self.phrase(clause)]
            return tokens
        return self.clause(form)

    def clause(self, clause: Clause, subordinate: bool = False) -> list[Token]:
        """A clause of any of the three sorts."""
        if clause.verb != "be":
            return self.event(clause, subordinate)
        if clause.quality or clause.ask == "quality":
            return self.described(clause)
        return self.located(clause)

    def agent(self, clause: Clause) -> list[Token]:
        """The agent, or the word that asks for it."""
        if clause.ask == "agent":
            return self.word("who", upos="PRON")
        return self.noun_phrase(clause.agent, "agent")

    def patient(self, clause: Clause) -> list[Token]:
        """The patient, or the words that ask for it or its number."""
        if clause.patient is None:
            return []
        if clause.ask == "patient":
            return self.word("what", upos="PRON")
        if clause.ask == "number":
            return self.how_many(clause.patient)
        return self.noun_phrase(clause.patient, "patient")

    def where(self, clause: Clause) -> list[Token]:
        """The place, or the word that asks for it."""
        if clause.ask == "place":
            return self.word("where", upos="ADV")
        return self.place(clause.place) if clause.place else []

    def quality(self, clause: Clause, form: int = 0) -> list[Token]:
        """The predicative adjective, or the words that ask for a colour."""
        if clause.ask == "quality":
            return self.which_colour()
        return self.word(clause.quality, form, "quality")

    def how_many(self, thing: Thing) -> list[Token]:
        """`how many` and what is counted."""
        return [
            *self.word("how_many", upos="DET"),
            *self.noun_phrase(replace(thing, number="ten"), "patient")[1:],
        ]

    def which_colour(self) -> list[Token]:
        """The words that ask for a colour."""
        first, *rest = self.word("which_colour", upos="NOUN")
        return [replace(first, upos="DET"), *rest]

    def report(self, report: Report) -> list[Token]:
        """Somebody knows or thinks that."""
        raise NotImplementedError

    def noun_phrase(self, thing: Thing, slot: str) -> list[Token]:
        """A thing as agent or patient."""
        raise NotImplementedError

    def place(self, concept: str) -> list[Token]:
        """In a place; only the noun phrase has the slot."""
        raise NotImplementedError

    def event(self, clause: Clause, subordinate: bool) -> list[Token]:
        """Somebody does something to something."""
        raise NotImplementedError

    def located(self, clause: Clause) -> list[Token]:
        """Somebody is somewhere."""
        raise NotImplementedError

    def described(self, clause: Clause) -> list[Token]:
        """Something is like this."""
        raise NotImplementedError
