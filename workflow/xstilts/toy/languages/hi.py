"""Hindi: the verb last with its auxiliary, postpositions, questions in place."""

from dataclasses import replace

from xstilts.toy.forms import Clause, Report, Thing
from xstilts.toy.grammar import Grammar, Token

IS = Token("है", "AUX")


class Hindi(Grammar):
    """Hindi. Habitual present in the singular; animate patients take `को` after the noun."""

    language = "hi"
    stop = "।"

    def marked(self, thing: Thing, slot: str) -> bool:
        """Whether a patient takes `को`."""
        return slot == "patient" and self.is_animate(thing) and not thing.number

    def noun_phrase(self, thing: Thing, slot: str) -> list[Token]:
        """`लाल गाड़ी`, `पाँच लाल गाड़ियाँ`, `कुत्ते को`; the postposition has no slot."""
        marked = self.marked(thing, slot)
        noun = self.word(thing.noun, 1 if thing.number else 2 if marked else 0, f"{slot}.noun")
        adjective = []
        if thing.adjective:
            form = 1 if self.gender(thing) == "f" else 2 if thing.number or marked else 0
            adjective = self.word(thing.adjective, form, f"{slot}.adjective")
        to = [Token("को", "ADP")] if marked else []
        return [*self.maybe(thing.number, f"{slot}.number"), *adjective, *noun, *to]

    def place(self, concept: str) -> list[Token]:
        """`पार्क में`."""
        return [*self.word(concept, 1, "place"), *self.word("in", upos="ADP")]

    def verb(self, concept: str, feminine: bool, negated: bool = False) -> list[Token]:
        """`खरीदती`; of `नफ़रत नहीं करती` the first word is a noun."""
        *nouns, verb = self.word(concept, int(feminine), "verb")
        negation = self.word("not", upos="PART") if negated else []
        return [*(replace(t, upos="NOUN") for t in nouns), *negation, verb]

    def event(self, clause: Clause, subordinate: bool = False) -> list[Token]:
        """`आज आन्ना पार्क में अक्सर लाल गाड़ी नहीं खरीदती है`."""
        feminine = clause.ask != "agent" and self.gender(clause.agent) == "f"
        time, where, adverb = self.maybe(clause.time), self.where(clause), self.maybe(clause.adverb)
        verb = self.verb(clause.verb, feminine, clause.negated)
        return [*time, *self.agent(clause), *where, *adverb, *self.patient(clause), *verb, IS]

    def located(self, clause: Clause) -> list[Token]:
        """`आन्ना पार्क में नहीं है`."""
        negation = self.word("not", upos="PART") if clause.negated else []
        return [*self.agent(clause), *self.where(clause), *negation, IS]

    def described(self, clause: Clause) -> list[Token]:
        """`गाड़ी लाल नहीं है`, `गाड़ी किस रंग की है`."""
        negation = self.word("not", upos="PART") if clause.negated else []
        feminine = self.gender(clause.agent) == "f"
        quality = self.quality(clause, int(feminine))
        if clause.ask == "quality":
            quality.append(Token("की" if feminine else "का", "ADP"))
        return [*self.agent(clause), *quality, *negation, IS]

    def report(self, report: Report) -> list[Token]:
        """`आन्ना जानती है कि टॉम रोटी खरीदता है`."""
        verb = self.verb(report.verb, self.gender(report.agent) == "f")
        agent = self.noun_phrase(report.agent, "agent")
        return [*agent, *verb, IS, Token("कि", "SCONJ"), *self.clause(report.content, True)]
