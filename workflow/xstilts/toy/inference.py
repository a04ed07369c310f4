"""What follows from what.

Two clauses are compared part by part: equal, more general (`up`), more specific (`down`), excluded
(red and blue, in Berlin and in China), or unrelated (`other`). As in SNLI both clauses are taken to
be about the same event. Negation turns the direction of generality round.
"""

from functools import cache

from xstilts.toy import lexicon
from xstilts.toy.forms import Clause, Form, Pair, Report, Thing

LABELS = ("entailment", "neutral", "contradiction")


@cache
def relation(premise: str, hypothesis: str) -> str:
    """How a concept of the hypothesis relates to that of the premise in the same part."""
    if premise == hypothesis:
        return "equal"
    if not hypothesis or hypothesis in lexicon.ancestors(premise or hypothesis):
        return "up"
    if not premise or premise in lexicon.ancestors(hypothesis):
        return "down"
    one, other = lexicon.concepts()[premise], lexicon.concepts()[hypothesis]
    excludes = one.kind not in ("noun", "mass", "name") and one.group and one.group == other.group
    return "excluded" if excludes else "other"


NOTHING = Thing("")


def relations(premise: Clause, hypothesis: Clause) -> set[str]:
    """The relations of all parts of two clauses."""
    first, second = premise.patient or NOTHING, hypothesis.patient or NOTHING
    pairs = [
        (premise.agent.noun, hypothesis.agent.noun),
        (premise.verb, hypothesis.verb),
        (first.noun, second.noun),
        (first.adjective, second.adjective),
        (first.number, second.number),
        (premise.place, hypothesis.place),
        (premise.adverb, hypothesis.adverb),
        (premise.time, hypothesis.time),
        (premise.quality, hypothesis.quality),
    ]
    return {relation(*pair) for pair in pairs}


def infer(premise: Clause, hypothesis: Clause) -> str:
    """The label of a hypothesis about one clause."""
    found_relations = relations(premise, hypothesis)
    if "other" in found_relations:
        return "neutral"
    if hypothesis.negated and not premise.negated:
        if "excluded" in found_relations:
            return "entailment"
        return "neutral" if "down" in found_relations else "contradiction"
    if not premise.negated:
        if "excluded" in found_relations:
            return "contradiction"
        return "neutral" if "down" in found_relations else "entailment"
    if "excluded" in found_relations or "up" in found_relations:
        return "neutral"
    return "entailment" if hypothesis.negated else "contradiction"


def label(premise: Form, hypothesis: Clause) -> str:
    """The label of a hypothesis about a sentence; what is only thought says nothing."""
    if isinstance(premise, Report):
        return "neutral" if premise.verb == "think" else infer(premise.content, hypothesis)
    clauses = (premise.first, premise.second) if isinstance(premise, Pair) else (premise,)
    labels = {infer(clause, hypothesis) for clause in clauses} - {"neutral"}
    return labels.pop() if len(labels) == 1 else "neutral"
