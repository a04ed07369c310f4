"""What follows from what."""

from dataclasses import replace

import pytest

from xstilts.toy.forms import Clause, Pair, Report, Thing
from xstilts.toy.inference import infer, label

BUYS = Clause(Thing("anna"), "buy", Thing("apple", "red"), place="berlin")


def buys(**changes):
    return replace(BUYS, **changes)


@pytest.mark.parametrize(
    ("hypothesis", "expected"),
    [
        (BUYS, "entailment"),
        (buys(place=""), "entailment"),
        (buys(place="germany"), "entailment"),
        (buys(patient=Thing("food")), "entailment"),
        (buys(verb="sell", negated=True), "entailment"),
        (buys(place="moscow"), "contradiction"),
        (buys(patient=Thing("fruit", "blue")), "contradiction"),
        (buys(negated=True), "contradiction"),
        (buys(place="park"), "neutral"),
        (buys(adverb="often"), "neutral"),
        (buys(agent=Thing("maria")), "neutral"),
        (buys(patient=Thing("apple", "big")), "neutral"),
        (buys(patient=Thing("banana", "red")), "neutral"),
    ],
)
def test_what_follows_from_a_clause(hypothesis, expected):
    assert infer(BUYS, hypothesis) == expected


def test_negation_turns_generality_round():
    no_fruit = Clause(Thing("anna"), "buy", Thing("fruit"), negated=True)
    no_apple = replace(no_fruit, patient=Thing("apple"))
    assert infer(no_fruit, no_apple) == "entailment"
    assert infer(no_apple, no_fruit) == "neutral"
    assert infer(no_fruit, replace(no_apple, negated=False)) == "contradiction"
    assert infer(no_apple, replace(no_fruit, negated=False)) == "neutral"


def test_a_thought_says_nothing_and_knowledge_does():
    assert label(Report(Thing("tom"), "know", BUYS), buys(place="")) == "entailment"
    assert label(Report(Thing("tom"), "think", BUYS), buys(place="")) == "neutral"


def test_a_pair_says_what_either_clause_says():
    pair = Pair(BUYS, "and", Clause(Thing("tom"), "sell", Thing("dog")))
    assert label(pair, Clause(Thing("tom"), "sell", Thing("animal"))) == "entailment"
    assert label(pair, Clause(Thing("tom"), "buy", Thing("apple"))) == "neutral"
