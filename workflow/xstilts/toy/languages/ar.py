"""Arabic: the verb first, adjectives after their noun, `ال` on both when definite, no copula."""

from xstilts.toy import lexicon
from xstilts.toy.forms import Clause, Report, Thing
from xstilts.toy.grammar import Grammar, Token


class Arabic(Grammar):
    """Arabic. Unvocalised, one form a number, counted nouns in the plural, `و` as its own word."""

    language = "ar"
    question, comma = "؟", "،"

    def noun_phrase(self, thing: Thing, slot: str) -> list[Token]:
        """`سيارة حمراء`, `السيارة الحمراء`, `خمس سيارات حمراء`, `آنا`."""
        feminine = int(bool(thing.number) or self.gender(thing) == "f")
        noun = self.word(thing.noun, 1 if thing.number else 0, f"{slot}.noun")
        adjective = []
        if thing.adjective:
            adjective = self.word(thing.adjective, feminine, f"{slot}.adjective")
        phrase = [*noun, *adjective]
        if thing.definite and not thing.number:
            phrase = [Token("ال" + t.text, t.upos, t.slot) for t in phrase]
        return [*self.maybe(thing.number, f"{slot}.number"), *phrase]

    def place(self, concept: str) -> list[Token]:
        """`في المتنزه`, `في برلين`."""
        article = "ال" if lexicon.concepts()[concept].kind == "site" else ""
        (noun,) = self.word(concept, slot="place")
        return [*self.word("in", upos="ADP"), Token(article + noun.text, noun.upos, "place")]

    def event(self, clause: Clause, subordinate: bool = False) -> list[Token]:
        """`اليوم تشتري آنا سيارة حمراء غالبا في المتنزه`; after `أن` the agent comes first."""
        feminine = int(clause.ask != "agent" and self.gender(clause.agent) == "f")
        verb, agent = self.word(clause.verb, feminine, "verb"), self.agent(clause)
        if clause.agent.noun in ("he", "she") and not subordinate:
            agent = []  # the verb says it
        time, where, adverb = self.maybe(clause.time), self.where(clause), self.maybe(clause.adverb)
        patient, negation = self.patient(clause), [Token("لا", "PART")] if clause.negated else []
        if subordinate or clause.ask == "agent":
            return [*agent, *negation, *verb, *patient, *adverb, *where, *time]
        if clause.ask in ("patient", "number"):
            return [*patient, *negation, *verb, *agent, *adverb, *where, *time]
        if clause.ask == "place":
            return [*where, *negation, *verb, *agent, *patient, *adverb, *time]
        return [*time, *negation, *verb, *agent, *patient, *adverb, *where]

    def is_not(self, clause: Clause) -> list[Token]:
        """`ليس` or `ليست` where the clause is negated."""
        if not clause.negated:
            return []
        return [Token("ليست" if self.gender(clause.agent) == "f" else "ليس", "AUX")]

    def located(self, clause: Clause) -> list[Token]:
        """`آنا في المتنزه`, `ليست آنا في المتنزه`."""
        if clause.ask == "place":
            return [*self.where(clause), *self.is_not(clause), *self.agent(clause)]
        return [*self.is_not(clause), *self.agent(clause), *self.where(clause)]

    def described(self, clause: Clause) -> list[Token]:
        """`السيارة حمراء`, `ليست السيارة حمراء`."""
        if clause.ask == "quality":
            return [*self.quality(clause), *self.agent(clause)]
        quality = self.quality(clause, int(self.gender(clause.agent) == "f"))
        return [*self.is_not(clause), *self.agent(clause), *quality]

    def report(self, report: Report) -> list[Token]:
        """`تعرف آنا أن توم يشتري خبزا`."""
        verb = self.word(report.verb, int(self.gender(report.agent) == "f"))
        agent = self.noun_phrase(report.agent, "agent")
        return [*verb, *agent, Token("أن", "SCONJ"), *self.clause(report.content, True)]
