"""What guessing gives, by hand for each format; the interval of a score, how often it is wrong."""

import numpy as np
import pytest

from xstilts import metrics
from xstilts.scoring import guessing
from xstilts.scoring.guessing import Guess, best, interval


def labelled(*labels):
    return [{"label": label} for label in labels]


LABELS = labelled("a", "a", "a", "b", "b", "c")


def test_of_labels_the_most_frequent():
    assert best("classification", "accuracy", LABELS, "en") == Guess(0.5, "always a", 6)


def test_of_macro_f1_labels_as_often_as_they_are():
    """Worth 9 / (1/3 + 1/2 + 1) rows; always `a` would give 2/3 of one label of three."""
    guess = best("classification", "macro_f1", LABELS, "en")
    assert guess[:2] == (1 / 3, "labels as often as they are")
    assert guess.rows == pytest.approx(54 / 11)
    always = metrics.score("macro_f1", list("aaabbc"), list("aaaaaa"), "en")["macro_f1"]
    assert always == pytest.approx(2 / 9) and always < guess.score


@pytest.mark.parametrize(
    ("format", "metric"),
    [("classification", "matthews"), ("regression", "pearson"), ("regression", "spearman")],
)
def test_of_correlations_nothing(format, metric):
    assert best(format, metric, labelled(1.0, 2.0), "en") == Guess(0.0, "anything", 2)


def choices(*rows):
    return [{"label": label, "choices": ["x"] * count} for label, count in rows]


def test_of_choices_a_position_or_any():
    rows = choices((0, 2), (1, 4), (1, 4), (1, 4))
    assert best("choice", "accuracy", rows, "en") == Guess(0.75, "always choice 2", 4)
    rows = choices((0, 2), (1, 2), (2, 3), (3, 4))
    guess = best("choice", "accuracy", rows, "en")
    assert guess == Guess((1 / 2 + 1 / 2 + 1 / 3 + 1 / 4) / 4, "any choice", 4)


def tagged(*sentences):
    return [{"tags": sentence.split()} for sentence in sentences]


def test_of_entities_o_everywhere_is_worth_nothing():
    """`B-X` everywhere finds one of the two chunks among seven words: F1 2 / (7 + 2)."""
    guess = best("tagging", "tagging", tagged("O O O B-X", "O B-X I-X"), "en")
    assert guess == Guess(pytest.approx(2 / 9), "always B-X", 2)
    assert best("tagging", "tagging", tagged("O O", "O"), "en") == Guess(0.0, "always O", 2)


def test_of_parts_of_speech_the_most_frequent_tag_by_the_metric_of_the_task():
    """`NOUN` is two chunks of 3 + 1; as one tag each sentence is one chunk: 1 of 2 + 4 right."""
    rows = tagged("DET NOUN VERB", "NOUN")
    guess = best("tagging", "tagging", rows, "en")
    assert guess == Guess(pytest.approx(2 / 6), "always NOUN", pytest.approx(16 / 10))


def asked(context, *answers):
    return {"context": context, "answers": {"text": list(answers), "start": [0] * len(answers)}}


def test_of_questions_no_answer_or_a_place():
    rows = [asked("one two three four"), asked("one two three four"), asked("one two", "two")]
    assert best("span", "squad2", rows, "en") == Guess(2 / 3, "always no answer", 3)
    rows = [asked("red dog sees the big cat", "red dog"), asked("big cat is on the mat", "big cat")]
    assert best("span", "squad", rows, "en") == Guess(
        1.0, "the words, 2 of them, at 0% of the context", 2
    )
    rows = [asked("he sees the big cat", "big cat"), asked("it is on that red mat", "red mat")]
    assert best("span", "squad", rows, "en") == Guess(
        1.0, "the words, 2 of them, at 100% of the context", 2
    )


def test_of_questions_in_part():
    """Of `one two` one word is right: F1 2/3, no exact match."""
    rows = [asked("one two", "one")] * 3 + [asked("one two three", "one two")]
    guess = best("span", "squad", rows, "en")
    assert guess.how == "the word at 0% of the context"
    assert guess.score == pytest.approx(((3 + 2 / 3) / 4 + 3 / 4) / 2)


def test_what_is_not_trained_on_is_not_guessed():
    with pytest.raises(KeyError):
        best("retrieval", "retrieval", [{}], "en")


def test_the_interval_of_a_proportion_is_wilsons():
    """81 of 263, an example of Newcombe 1998: 0.2553 to 0.3662."""
    assert interval("accuracy", 81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert interval("accuracy", 0.0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert interval("accuracy", 1.0, 20)[1] == 1.0


def test_the_interval_of_a_correlation_is_fishers():
    """z = atanh 0.5 = 0.5493, error 1.96 sqrt(1.125 / 100) = 0.2079."""
    low, high = interval("pearson", 0.5, 103)
    assert (low, high) == pytest.approx(
        (np.tanh(0.5493 - 0.2079), np.tanh(0.5493 + 0.2079)), abs=1e-4
    )
    assert interval("spearman", 1.0, 50)[0] > 0.99
    assert interval("spearman", 1.0, 3) == (-1.0, 1.0)


@pytest.mark.parametrize(("metric", "score"), [("accuracy", 0.4), ("matthews", 0.1)])
def test_the_highest_of_several_evaluations_has_a_wider_interval(metric, score):
    one, many = (interval(metric, score, 500, looks) for looks in (1, 30))
    assert many[0] < one[0] < score < one[1] < many[1]


@pytest.mark.parametrize("looks", [1, 4, 30])
def test_who_guesses_is_found_and_who_is_well_above_is_not(looks):
    """Three labels, 500 dev rows, 4,000 trainings; the standard error of a share is 0.3 points.

    At most 5% of those that guess, anew at each evaluation, are above guessing; with the interval
    of a single evaluation it would be half of them at 30. Of those that are right in 45% none is
    taken for a guesser.
    """
    draw = np.random.default_rng(1)

    def marked(p, looks_known):
        best_of = draw.binomial(500, p, size=(4000, looks)).max(1) / 500
        lows = {x: interval("accuracy", x, 500, looks_known)[0] for x in set(best_of.tolist())}
        return np.mean([lows[x] <= 1 / 3 for x in best_of.tolist()])

    assert marked(1 / 3, looks) > 0.95
    assert marked(0.45, looks) < 0.002
    if looks == 30:
        assert 0.35 < marked(1 / 3, 1) < 0.6


@pytest.mark.parametrize("shares", [(1 / 3, 1 / 3, 1 / 3), (0.7, 0.2, 0.1)])
def test_macro_f1_of_who_guesses_is_not_above_guessing(shares):
    draw, above = np.random.default_rng(2), 0
    for _ in range(200):
        gold, predicted = (draw.choice(["a", "b", "c"], 300, p=shares).tolist() for _ in range(2))
        guess = guessing.best("classification", "macro_f1", labelled(*gold), "en")
        score = metrics.score("macro_f1", gold, predicted, "en")["macro_f1"]
        above += interval("macro_f1", score, guess.rows)[0] > guess.score
    assert above <= 12
