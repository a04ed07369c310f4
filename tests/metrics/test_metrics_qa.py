"""Question answering on cases worked out by hand, and against the official rules written anew."""

import re
import string
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.metrics import qa


@pytest.mark.parametrize(
    ("golds", "prediction", "f1", "em"),
    [
        (["the Eiffel Tower"], "Eiffel tower.", 1, 1),  # case, punctuation, article
        (["in 1889"], "1889", 2 / 3, 0),  # precision 1, recall 1/2
        (["a b c"], "b c d", 2 * (2 / 3) / (5 / 3), 0),  # `a` is an article: P 2/3, R 1
        (["Paris", "Paris, France"], "Paris France", 1, 1),  # the best gold answer counts
        (["x y", "y"], "x", 2 / 3, 0),
        (["go go go"], "go", 0.5, 0),  # repeated words count as often as they stand
        (["埃菲尔铁塔"], "埃菲尔", 0, 0),  # no spaces, so one word: SQuAD's rule for every language
        (["٥٠٪"], "٥٠٪", 1, 1),
        (["wide – dash"], "wide dash", 0.8, 0),  # only ASCII punctuation is cut
        (["The"], "a", 0, 1),  # both empty once normalised: v1.1 gives F1 0 and EM 1
        ([], "", 1, 1),  # no answer, and none given
        ([], "The ...", 1, 1),  # nothing is left of it
        ([], "Paris", 0, 0),
        (["Paris"], "", 0, 0),
    ],
)
def test_squad_by_hand(golds, prediction, f1, em):
    assert qa.squad_example(golds, prediction) == (pytest.approx(f1), em)


def test_squad_is_the_mean_over_questions():
    scores = qa.squad([["in 1889"], ["Paris"]], ["1889", "paris"])
    assert scores == {"f1": pytest.approx((2 / 3 + 1) / 2), "exact_match": 0.5}


@pytest.mark.parametrize(
    ("golds", "prediction", "f1", "em"),
    [
        (["in 1889"], "1889", 2 / 3, 0),  # as in v1.1
        (["Paris", "Paris, France"], "paris france", 1, 1),
        ([], "", 1, 1),  # no answer, and none given
        ([], "The ...", 1, 1),  # nothing is left of it
        ([], "Paris", 0, 0),
        (["Paris"], "", 0, 0),  # an answer that was not found
        (["The"], "a", 1, 1),  # nothing is left of either; v1.1 gives F1 0
        (["The", "Paris"], "", 0, 0),  # an answer of articles is none, but the other one is
        (["The"], "Paris", 0, 0),
    ],
)
def test_squad2_by_hand(golds, prediction, f1, em):
    assert qa.squad2_example(golds, prediction) == (pytest.approx(f1), em)


def test_squad2_is_the_mean_over_questions():
    scores = qa.squad2([["in 1889"], [], []], ["1889", "", "x"])
    assert scores == {"f1": pytest.approx((2 / 3 + 1) / 3), "exact_match": pytest.approx(1 / 3)}


@pytest.mark.parametrize(
    ("language", "gold", "prediction", "f1", "em"),
    [
        ("en", "the “Tower”", "Tower", 1, 1),  # punctuation of any script
        ("de", "der Turm", "Turm", 1, 1),
        ("es", "La torre", "torre", 1, 1),
        ("vi", "những cái tháp", "tháp", 1, 1),
        ("hi", "राम।", "राम", 1, 1),
        ("ar", "البرج", "برج", 1, 1),
        ("ar", "بالقرب", "ب قرب", 1, 1),  # the official script cuts it inside words too
        ("zh", "埃菲尔铁塔", "铁塔", 2 * 0.4 / 1.4, 0),  # a word a character: P 1, R 2/5
        ("zh", "iPhone手机", "iPhone", 0.5, 0),  # Latin words stay whole: P 1, R 1/3
        ("zh", "《红楼梦》", "红楼梦", 1, 1),
        ("de", "the Turm", "Turm", 2 / 3, 0),  # English articles are no articles here
    ],
)
def test_mlqa_by_hand(language, gold, prediction, f1, em):
    assert qa.mlqa_example([gold], prediction, language) == (pytest.approx(f1), em)


def test_mlqa_of_another_language_is_an_error():
    with pytest.raises(ValueError, match="MLQA has no language 'ru'"):
        qa.mlqa([["а"]], ["а"], "ru")


ALPHABET = "abthen AN 12.,;-_'“”«–、。《》？红楼梦ال برجक।म ñ\t"
TEXT = st.one_of(
    st.text(ALPHABET, max_size=20),
    st.lists(
        st.sampled_from(["The", "an", "der", "la", "của", "Turm,", "البرج", "红楼", "x-y", "१२"]),
        max_size=6,
    ).map(" ".join),
)
QUESTIONS = st.lists(
    st.tuples(st.lists(TEXT, min_size=1, max_size=3), TEXT), min_size=1, max_size=4
)


def reference_f1(gold, predicted):
    """F1 of two lists of words, by crossing out one gold word for each that is found."""
    left, common = list(gold), 0
    for word in predicted:
        if word in left:
            left.remove(word)
            common += 1
    return 2 * common / (len(gold) + len(predicted)) if common else 0


def reference(golds, prediction, normalised):
    """Official percentages of one question, with `normalised` giving one string of words."""
    prediction = normalised(prediction)
    golds = [normalised(gold) for gold in golds]
    f1 = max(reference_f1(gold.split(), prediction.split()) for gold in golds)
    return f1, max(int(gold == prediction) for gold in golds)


def squad_reference(text):
    text = text.lower().translate(str.maketrans("", "", string.punctuation))
    words = re.split(r"\s+", re.sub(r"\b(?:the|an|a)\b", " ", text))
    return " ".join(filter(None, words))


PUNCTUATION = {chr(i) for i in range(sys.maxunicode) if unicodedata.category(chr(i))[0] == "P"}


def mlqa_reference(text, language):
    articles = {
        "en": r"\b(a|an|the)\b",
        "es": r"\b(un|una|unos|unas|el|la|los|las)\b",
        "vi": r"\b(của|là|cái|chiếc|những)\b",
        "de": r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
        "ar": "\\sال^|ال",
    }
    text = "".join(c for c in text.lower() if c not in PUNCTUATION | set(string.punctuation))
    if language in articles:
        text = re.sub(articles[language], " ", text)
    if language == "zh":
        words, word = [], ""
        for c in text:
            if "\u4e00" <= c <= "\u9fa5":
                words, word = [*words, *word.split(), c], ""
            else:
                word += c
        return " ".join([*words, *word.split()])
    return " ".join(text.split())


@given(QUESTIONS)
def test_squad_equals_the_official_rules(questions):
    expected = [reference(golds, p, squad_reference) for golds, p in questions]
    got = [qa.squad_example(golds, p) for golds, p in questions]
    assert got == [(pytest.approx(f1), em) for f1, em in expected]


def squad2_reference(golds, prediction):
    """The official script of v2.0 in its own order: gold answers first, then F1 by cases."""
    golds = [gold for gold in golds if squad_reference(gold)] or [""]
    exact = max(int(squad_reference(gold) == squad_reference(prediction)) for gold in golds)
    words = [squad_reference(gold).split() for gold in golds]
    found = squad_reference(prediction).split()
    return max(reference_f1(w, found) if w and found else int(w == found) for w in words), exact


@given(st.lists(TEXT, max_size=3), TEXT)
def test_squad2_equals_the_official_rules(golds, prediction):
    f1, em = squad2_reference(golds, prediction)
    assert qa.squad2_example(golds, prediction) == (pytest.approx(f1), em)


@given(QUESTIONS, st.sampled_from(sorted(qa.MLQA_ARTICLES)))
def test_mlqa_equals_the_official_rules(questions, language):
    for golds, prediction in questions:
        f1, em = reference(golds, prediction, lambda text: mlqa_reference(text, language))
        assert qa.mlqa_example(golds, prediction, language) == (pytest.approx(f1), em)
