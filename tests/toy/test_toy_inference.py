"""What follows from what, and that nothing but the meaning tells the label."""

from collections import Counter
from dataclasses import replace
from itertools import islice
from random import Random

import numpy as np
import pytest

from xstilts.toy import nli
from xstilts.toy.forms import Clause, Pair, Report, Thing
from xstilts.toy.inference import LABELS, infer, label
from xstilts.toy.languages import grammar

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


@pytest.fixture(scope="module")
def items():
    return list(islice(nli.inferences(Random("shortcuts")), 1500))


def test_labels_are_balanced_and_items_differ(items):
    assert set(Counter(item.label for item in items).values()) == {500}
    assert len({(item.premise, item.hypothesis) for item in items}) == len(items)


def accuracy(texts, labels):
    """Held-out accuracy of a logistic model of the words of each text."""
    words = sorted({word for text in texts for word in text})
    index = {word: i for i, word in enumerate(words)}
    features = np.zeros((len(texts), len(words) + 1))
    features[:, -1] = 1
    for row, text in enumerate(texts):
        features[row, [index[word] for word in text]] = 1
    gold = np.array([LABELS.index(name) for name in labels])
    split = len(texts) * 3 // 4
    weights = np.zeros((len(words) + 1, 3))
    for _ in range(300):
        scores = features[:split] @ weights
        chances = np.exp(scores - scores.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        error = chances - np.eye(3)[gold[:split]]
        weights -= 4.0 * (features[:split].T @ error / split + 1e-3 * weights)
    return ((features[split:] @ weights).argmax(1) == gold[split:]).mean()


def words_of(form):
    return {token.text.lower() for token in grammar("en").sentence(form).tokens}


def test_no_shortcut_gives_the_label_away(items):
    labels = [item.label for item in items]
    premise = [words_of(item.premise) for item in items]
    hypothesis = [words_of(item.hypothesis) for item in items]
    new = [h - p for p, h in zip(premise, hypothesis, strict=True)]
    both = [
        {"p:" + w for w in p} | {"h:" + w for w in h} | {"new:" + w for w in h - p}
        for p, h in zip(premise, hypothesis, strict=True)
    ]
    figures = {
        "premise": accuracy(premise, labels),
        "hypothesis": accuracy(hypothesis, labels),
        "new": accuracy(new, labels),
        "both": accuracy(both, labels),
    }
    print(figures)
    assert figures["hypothesis"] < 0.40
    assert figures["new"] < 0.45
    assert figures["premise"] < 0.50
    assert figures["both"] < 0.60
