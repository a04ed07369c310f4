"""English: subject-verb-object, articles, do-support in questions and negation."""

from xstilts.toy import lexicon
from xstilts.toy.forms import Clause, Report, Thing
from xstilts.toy.grammar import Grammar, Token


class English(Grammar):
    """English."""

    language = "en"

    def noun_phrase(self, thing: Thing, slot: str) -> list[Token]:
        """`a red car`, `five cars`, `the car`, `bread`, `Anna`."""
        kind = lexicon.concepts()[thing.noun].kind
        noun = self.word(thing.noun, 1 if thing.number else 0, f"{slot}.noun")
        phrase = [*self.maybe(thing.adjective, f"{slot}.adjective"), *noun]
        if thing.number:
            return [*self.word(thing.number, slot=f"{slot}.number"), *phrase]
        if thing.definite:
            return [Token("the", "DET", f"{slot}.article"), *phrase]
        if kind != "noun":
            return phrase
        article = "an" if phrase[0].text[0] in "aeiou" else "a"
        return [Token(article, "DET", f"{slot}.article"), *phrase]

    def place(self, concept: str) -> list[Token]:
        """`in the park`, `in Berlin`."""
        article = (
            [Token("the", "DET", "place")] if lexicon.concepts()[concept].kind == "site" else []
        )
        return [*self.word("in", upos="ADP"), *article, *self.word(concept, slot="place")]

    def how_many(self, thing: Thing) -> list[Token]:
        """`how many red cars`."""
        how, many, *rest = super().how_many(thing)
        return [Token(how.text, "ADV"), Token(many.text, "ADJ"), *rest]

    def event(self, clause: Clause, subordinate: bool = False) -> list[Token]:
        """`today Anna does not often buy bread in the park`."""
        has_auxiliary = clause.negated or clause.ask in ("patient", "number", "place")
        verb = self.word(clause.verb, 1 if has_auxiliary else 0, "verb")
        does = [Token("does", "AUX")] if has_auxiliary else []
        negation = [Token("not", "PART")] if clause.negated else []
        agent, patient, where = self.agent(clause), self.patient(clause), self.where(clause)
        time, adverb = self.maybe(clause.time), self.maybe(clause.adverb)
        if clause.ask in ("patient", "number"):
            return [*patient, *does, *agent, *negation, *adverb, *verb, *where, *time]
        if clause.ask == "place":
            return [*where, *does, *agent, *negation, *adverb, *verb, *patient, *time]
        return [*time, *agent, *does, *negation, *adverb, *verb, *patient, *where]

    def located(self, clause: Clause) -> list[Token]:
        """`Anna is not in the park`."""
        be = [Token("is", "AUX"), *([Token("not", "PART")] if clause.negated else [])]
        if clause.ask == "place":
            return [*self.where(clause), *be, *self.agent(clause)]
        return [*self.agent(clause), *be, *self.where(clause)]

    def described(self, clause: Clause) -> list[Token]:
        """`the car is not red`."""
        be = [Token("is", "AUX"), *([Token("not", "PART")] if clause.negated else [])]
        if clause.ask == "quality":
            return [*self.quality(clause), *be, *self.agent(clause)]
        return [*self.agent(clause), *be, *self.quality(clause)]

    def report(self, report: Report) -> list[Token]:
        """`Anna knows that Tom buys bread`."""
        agent, verb = self.noun_phrase(report.agent, "agent"), self.word(report.verb)
        return [*agent, *verb, Token("that", "SCONJ"), *self.clause(report.content, True)]
