"""German: the finite verb second, and last after `dass`; articles and adjectives agree in case."""

from xstilts.toy import lexicon
from xstilts.toy.forms import Clause, Report, Thing
from xstilts.toy.grammar import Grammar, Token

DEFINITE = {
    "nom": {"m": "der", "f": "die", "n": "das"},
    "acc": {"m": "den", "f": "die", "n": "das"},
    "dat": {"m": "dem", "f": "der", "n": "dem"},
}
INDEFINITE = {
    "nom": {"m": "ein", "f": "eine", "n": "ein"},
    "acc": {"m": "einen", "f": "eine", "n": "ein"},
}
STRONG = {"nom": {"m": "er", "f": "e", "n": "es"}, "acc": {"m": "en", "f": "e", "n": "es"}}


class German(Grammar):
    """German. `im` is written `in dem`; negation is always `nicht`."""

    language = "de"

    def noun_phrase(self, thing: Thing, slot: str) -> list[Token]:
        """`ein rotes Auto`, `fünf rote Autos`, `den Hund`, `Brot`, `Anna`."""
        case = "acc" if slot == "patient" else "nom"
        kind, gender = lexicon.concepts()[thing.noun].kind, self.gender(thing)
        noun = self.word(thing.noun, 1 if thing.number else 0, f"{slot}.noun")
        if thing.number:
            start, ending = self.word(thing.number, slot=f"{slot}.number"), "e"
        elif thing.definite:
            start = [Token(DEFINITE[case][gender], "DET", f"{slot}.article")]
            ending = "en" if (case, gender) == ("acc", "m") else "e"
        else:
            article = INDEFINITE[case][gender] if kind == "noun" else ""
            start = [Token(article, "DET", f"{slot}.article")] if article else []
            ending = STRONG[case].get(gender, "")
        if not thing.adjective:
            return [*start, *noun]
        stem = self.words[thing.adjective].form(1)
        return [*start, Token(stem + ending, "ADJ", f"{slot}.adjective"), *noun]

    def place(self, concept: str) -> list[Token]:
        """`in dem Park`, `in Berlin`."""
        article = []
        if lexicon.concepts()[concept].kind == "site":
            article = [Token(DEFINITE["dat"][self.words[concept].gender], "DET", "place")]
        return [*self.word("in", upos="ADP"), *article, *self.word(concept, slot="place")]

    def how_many(self, thing: Thing) -> list[Token]:
        """`wie viele rote Autos`."""
        how, many, *rest = super().how_many(thing)
        return [Token(how.text, "ADV"), Token(many.text, "ADJ"), *rest]

    def event(self, clause: Clause, subordinate: bool = False) -> list[Token]:
        """`heute kauft Anna oft in dem Park ein rotes Auto`."""
        verb, agent, patient = (
            self.word(clause.verb, slot="verb"),
            self.agent(clause),
            self.patient(clause),
        )
        time, where, adverb = self.maybe(clause.time), self.where(clause), self.maybe(clause.adverb)
        negation = [Token("nicht", "PART")] if clause.negated else []
        if subordinate:
            return [*agent, *time, *adverb, *where, *negation, *patient, *verb]
        if clause.ask in ("patient", "number"):
            return [*patient, *verb, *agent, *time, *adverb, *negation, *where]
        if clause.ask == "place":
            return [*where, *verb, *agent, *time, *adverb, *negation, *patient]
        if clause.ask == "agent" or not time:
            return [*agent, *verb, *time, *adverb, *where, *negation, *patient]
        return [*time, *verb, *agent, *adverb, *where, *negation, *patient]

    def located(self, clause: Clause) -> list[Token]:
        """`Anna ist nicht in dem Park`."""
        be, negation = [Token("ist", "AUX")], [Token("nicht", "PART")] if clause.negated else []
        if clause.ask == "place":
            return [*self.where(clause), *be, *self.agent(clause), *negation]
        return [*self.agent(clause), *be, *negation, *self.where(clause)]

    def described(self, clause: Clause) -> list[Token]:
        """`das Auto ist nicht rot`."""
        be, negation = [Token("ist", "AUX")], [Token("nicht", "PART")] if clause.negated else []
        if clause.ask == "quality":
            return [*self.quality(clause), *be, *self.agent(clause), *negation]
        return [*self.agent(clause), *be, *negation, *self.quality(clause)]

    def report(self, report: Report) -> list[Token]:
        """`Anna weiß, dass Tom Brot kauft`."""
        agent, verb = self.noun_phrase(report.agent, "agent"), self.word(report.verb)
        that = [Token(self.comma, "PUNCT"), Token("dass", "SCONJ")]
        return [*agent, *verb, *that, *self.clause(report.content, True)]
