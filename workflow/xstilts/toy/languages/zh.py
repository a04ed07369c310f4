"""Chinese: no spaces, no inflection, the place before the verb, questions in place."""

from xstilts.toy.forms import Clause, Report, Thing
from xstilts.toy.grammar import Grammar, Token


class Chinese(Grammar):
    """Chinese, in simplified characters; the measure word is always `个`."""

    language = "zh"
    spaced = False
    stop, question, comma = "。", "？", "，"

    def noun_phrase(self, thing: Thing, slot: str) -> list[Token]:
        """`红色的汽车`, `五个红色的汽车`."""
        phrase = self.word(thing.noun, slot=f"{slot}.noun")
        if thing.adjective:
            adjective = self.word(thing.adjective, slot=f"{slot}.adjective")
            phrase = [*adjective, Token("的", "PART", f"{slot}.adjective"), *phrase]
        if not thing.number:
            return phrase
        number = self.word(thing.number, slot=f"{slot}.number")
        return [*number, Token("个", "NOUN", f"{slot}.measure"), *phrase]

    def how_many(self, thing: Thing) -> list[Token]:
        """`多少红色的汽车`: without the measure word."""
        how, _, *rest = super().how_many(thing)
        return [how, *rest]

    def place(self, concept: str) -> list[Token]:
        """`在公园`."""
        return [*self.word("in", upos="ADP"), *self.word(concept, slot="place")]

    def where(self, clause: Clause) -> list[Token]:
        """`在哪里`, `在公园`."""
        if clause.ask == "place":
            return [*self.word("in", upos="ADP"), *super().where(clause)]
        return super().where(clause)

    def event(self, clause: Clause, subordinate: bool = False) -> list[Token]:
        """`今天安娜不经常在公园买红色的汽车`."""
        time, where, adverb = self.maybe(clause.time), self.where(clause), self.maybe(clause.adverb)
        negation = self.word("not", upos="ADV") if clause.negated else []
        verb = self.word(clause.verb, slot="verb")
        agent, patient = self.agent(clause), self.patient(clause)
        return [*time, *agent, *negation, *adverb, *where, *verb, *patient]

    def located(self, clause: Clause) -> list[Token]:
        """`安娜不在公园`; here `在` is the verb."""
        negation = self.word("not", upos="ADV") if clause.negated else []
        _, *place = self.where(clause)
        return [*self.agent(clause), *negation, *self.word("in", upos="VERB"), *place]

    def described(self, clause: Clause) -> list[Token]:
        """`汽车不是红色的`, `汽车是什么颜色的`."""
        negation = self.word("not", upos="ADV") if clause.negated else []
        be, particle = Token("是", "AUX"), Token("的", "PART")
        return [*self.agent(clause), *negation, be, *self.quality(clause), particle]

    def report(self, report: Report) -> list[Token]:
        """`安娜知道汤姆买面包`."""
        agent, verb = self.noun_phrase(report.agent, "agent"), self.word(report.verb)
        return [*agent, *verb, *self.clause(report.content, True)]
