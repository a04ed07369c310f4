"""Russian: no articles, no copula in the present, case and gender endings."""

from xstilts.toy.forms import Clause, Report, Thing
from xstilts.toy.grammar import Grammar, Token

# Endings of an adjective class: m, f, n, feminine accusative, genitive plural, animate accusative.
ENDINGS = {
    "a": ("ый", "ая", "ое", "ую", "ых", "ого"),
    "o": ("ой", "ая", "ое", "ую", "их", "ого"),
    "i": ("ий", "ая", "ое", "ую", "их", "ого"),
    "s": ("ий", "яя", "ее", "юю", "их", "его"),
}
NOMINATIVE = {"m": 0, "f": 1, "n": 2}


class Russian(Grammar):
    """Russian."""

    language = "ru"

    def adjective(self, concept: str, ending: int, slot: str) -> list[Token]:
        """An adjective with one of its endings."""
        word = self.words[concept]
        return [Token(word.forms[0] + ENDINGS[word.gender][ending], "ADJ", slot)]

    def noun_phrase(self, thing: Thing, slot: str) -> list[Token]:
        """`красную машину`, `пять красных машин`, `Анна`."""
        gender, patient = self.gender(thing), slot == "patient"
        noun = self.word(thing.noun, 2 if thing.number else int(patient), f"{slot}.noun")
        ending = NOMINATIVE[gender]
        if thing.number:
            ending = 4
        elif patient and gender == "f":
            ending = 3
        elif patient and gender == "m" and self.is_animate(thing):
            ending = 5
        adjective = thing.adjective and self.adjective(thing.adjective, ending, f"{slot}.adjective")
        return [*self.maybe(thing.number, f"{slot}.number"), *adjective, *noun]

    def place(self, concept: str) -> list[Token]:
        """`в парке`."""
        return [*self.word("in", upos="ADP"), *self.word(concept, 1, "place")]

    def event(self, clause: Clause, subordinate: bool = False) -> list[Token]:
        """`сегодня Анна часто покупает красную машину в парке`."""
        verb, agent, patient = (
            self.word(clause.verb, slot="verb"),
            self.agent(clause),
            self.patient(clause),
        )
        time, where, adverb = self.maybe(clause.time), self.where(clause), self.maybe(clause.adverb)
        negation = [Token("не", "PART")] if clause.negated else []
        if clause.ask in ("patient", "number"):
            return [*patient, *time, *agent, *adverb, *negation, *verb, *where]
        if clause.ask == "place":
            return [*where, *time, *agent, *adverb, *negation, *verb, *patient]
        return [*time, *agent, *adverb, *negation, *verb, *patient, *where]

    def located(self, clause: Clause) -> list[Token]:
        """`Анна не в парке`."""
        negation = [Token("не", "PART")] if clause.negated else []
        if clause.ask == "place":
            return [*self.where(clause), *negation, *self.agent(clause)]
        return [*self.agent(clause), *negation, *self.where(clause)]

    def described(self, clause: Clause) -> list[Token]:
        """`машина не красная`."""
        negation = [Token("не", "PART")] if clause.negated else []
        if clause.ask == "quality":
            return [*self.which_colour(), *self.agent(clause)]
        ending = NOMINATIVE[self.gender(clause.agent)]
        return [*self.agent(clause), *negation, *self.adjective(clause.quality, ending, "quality")]

    def report(self, report: Report) -> list[Token]:
        """`Анна знает, что Том покупает хлеб`."""
        agent, verb = self.noun_phrase(report.agent, "agent"), self.word(report.verb)
        that = [Token(self.comma, "PUNCT"), Token("что", "SCONJ")]
        return [*agent, *verb, *that, *self.clause(report.content, True)]
