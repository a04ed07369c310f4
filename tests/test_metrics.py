"""metrics.py on cases worked out by hand, and against the official scorers."""

import pathlib
import re
import string
import subprocess
import sys
import unicodedata
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts import metrics

# --- Accuracy and retrieval ----------------------------------------------------------------------


def test_accuracy_by_hand():
    gold = ["entailment", "neutral", "neutral"]
    assert metrics.accuracy(gold, ["entailment", "neutral", "contradiction"]) == {"accuracy": 2 / 3}


def test_retrieval_by_hand():
    assert metrics.retrieval([0, 1, 2, 3], [0, 2, 2, 3]) == {"accuracy": 0.75}


@pytest.mark.parametrize("name", metrics.METRICS)
def test_wrong_input_is_an_error(name):
    gold, predicted = EXAMPLES[name]
    with pytest.raises(ValueError, match="2 gold values but 1 predictions"):
        metrics.score(name, [*gold, *gold][:2], predicted[:1], "en")
    with pytest.raises(ValueError, match="nothing to score"):
        metrics.score(name, [], [], "en")


# --- Tagging -------------------------------------------------------------------------------------


def test_ner_by_hand():
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG"]]
    predicted = [["B-PER", "I-PER", "O", "B-ORG"], ["B-ORG", "I-ORG"]]
    # Chunks: gold 3, predicted 3, in common the person.
    assert metrics.tagging(gold, predicted) == {"accuracy": 3 / 6, "f1": pytest.approx(1 / 3)}


def test_a_chunk_ends_with_its_sentence():
    assert metrics.chunks(["B-PER", "I-PER"]) == [("PER", 0, 2)]
    two = metrics.tagging([["B-PER"], ["I-PER"]], [["B-PER"], ["I-PER"]])
    assert two == {"accuracy": 1.0, "f1": 1.0}


def test_runs_of_equal_pos_tags_are_one_chunk():
    gold = [["NOUN", "NOUN", "VERB", "NOUN"]]
    predicted = [["NOUN", "VERB", "VERB", "NOUN"]]
    assert metrics.chunks(gold[0]) == [("NOUN", 0, 2), ("VERB", 2, 3), ("NOUN", 3, 4)]
    # One word of four is wrong, but two chunks of three: this is why F1 is below accuracy.
    assert metrics.tagging(gold, predicted) == {"accuracy": 0.75, "f1": pytest.approx(1 / 3)}


def test_first_letters_of_pos_tags_are_read_as_positions():
    assert metrics.chunks(["SCONJ", "SCONJ"]) == [("SCONJ", 0, 1), ("SCONJ", 1, 2)]
    assert metrics.chunks(["INTJ", "INTJ"]) == [("INTJ", 0, 2)]


def test_conjunctions_are_not_confused():
    """Where today's seqeval is not followed; `chunks` says why."""
    gold, predicted = [["CCONJ", "NOUN"]], [["SCONJ", "NOUN"]]
    assert metrics.tagging(gold, predicted)["f1"] == 0.5
    assert seqeval_f1(gold, predicted) == 1.0


def test_an_x_at_the_end_of_a_sentence_is_a_chunk():
    gold, predicted = [["NOUN", "X"]], [["NOUN", "NOUN"]]
    assert metrics.chunks(gold[0]) == [("NOUN", 0, 1), ("X", 1, 2)]
    assert metrics.tagging(gold, gold)["f1"] == 1.0
    assert metrics.tagging(gold, predicted)["f1"] == 0.0


def test_no_chunks_at_all_is_zero_as_in_seqeval():
    assert metrics.tagging([["O", "O"]], [["O", "O"]]) == {"accuracy": 1.0, "f1": 0.0}


def test_sentences_of_unequal_length_are_named():
    with pytest.raises(ValueError, match="sentence 1 has 2 gold tags but 1 predicted ones"):
        metrics.tagging([["O"], ["O", "O"]], [["O"], ["O"]])


IOBES = ["O", *(f"{letter}-{kind}" for letter in "BIES" for kind in ("PER", "LOC", "A-B"))]
UPOS = ["ADJ", "ADP", "CCONJ", "DET", "INTJ", "NOUN", "PUNCT", "SCONJ", "SYM", "VERB", "X", "_"]
PENN = [".", ",", "NN", "EX", "IN", "BOS", "O"]


def tag_pairs(tags):
    """Return a strategy of (gold, predicted): sentences of equal length over `tags`."""
    pair = st.tuples(st.sampled_from(tags), st.sampled_from(tags))
    sentences = st.lists(st.lists(pair, min_size=1, max_size=12), min_size=1, max_size=6)
    return sentences.map(
        lambda rows: ([[g for g, _ in row] for row in rows], [[p for _, p in row] for row in rows])
    )


def seqeval_f1(gold, predicted):
    from seqeval.metrics import f1_score

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return f1_score(gold, predicted)


@given(tag_pairs(IOBES))
def test_iobes_equals_seqeval(pair):
    assert metrics.tagging(*pair)["f1"] == pytest.approx(seqeval_f1(*pair), abs=1e-12)


@pytest.mark.parametrize("tags", [UPOS, PENN])
def test_bare_tags_equal_seqeval_told_the_whole_tag(tags):
    """`N-<NOUN>` tells today's seqeval what 0.0.12 read off `NOUN`: letter N, a kind of its own."""

    def spelt_out(sentences):
        return [[tag if tag in "O." else f"{tag[0]}-<{tag}>" for tag in tags] for tags in sentences]

    @given(tag_pairs(tags))
    def check(pair):
        f1 = seqeval_f1(*map(spelt_out, pair))
        assert metrics.tagging(*pair)["f1"] == pytest.approx(f1, abs=1e-12)

    check()


# --- Question answering --------------------------------------------------------------------------


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
    assert metrics.squad_example(golds, prediction) == (pytest.approx(f1), em)


def test_squad_is_the_mean_over_questions():
    scores = metrics.squad([["in 1889"], ["Paris"]], ["1889", "paris"])
    assert scores == {"f1": pytest.approx((2 / 3 + 1) / 2), "exact_match": 0.5}


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
    assert metrics.mlqa_example([gold], prediction, language) == (pytest.approx(f1), em)


def test_mlqa_of_another_language_is_an_error():
    with pytest.raises(ValueError, match="MLQA has no language 'ru'"):
        metrics.mlqa([["а"]], ["а"], "ru")


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
    got = [metrics.squad_example(golds, p) for golds, p in questions]
    assert got == [(pytest.approx(f1), em) for f1, em in expected]


@given(QUESTIONS, st.sampled_from(sorted(metrics.MLQA_ARTICLES)))
def test_mlqa_equals_the_official_rules(questions, language):
    for golds, prediction in questions:
        f1, em = reference(golds, prediction, lambda text: mlqa_reference(text, language))
        assert metrics.mlqa_example(golds, prediction, language) == (pytest.approx(f1), em)


# --- Every metric --------------------------------------------------------------------------------

EXAMPLES = {  # metric -> gold, prediction that is perfect for it
    "accuracy": (["a", "b"], ["a", "b"]),
    "retrieval": ([4, 2], [4, 2]),
    "tagging": ([["B-PER", "O"], ["NOUN"]], [["B-PER", "O"], ["NOUN"]]),
    "squad": ([["Paris", "in Paris"], []], ["Paris", ""]),
    "mlqa": ([["Paris", "in Paris"], ["Rom"]], ["Paris", "Rom"]),
}
STRATEGIES = {
    "accuracy": st.lists(st.tuples(*[st.sampled_from("abc")] * 2), min_size=1),
    "retrieval": st.lists(st.tuples(*[st.integers(0, 5)] * 2), min_size=1),
    "tagging": tag_pairs(IOBES + UPOS).map(lambda pair: list(zip(*pair, strict=True))),
    "squad": QUESTIONS,
    "mlqa": QUESTIONS,
}


@pytest.mark.parametrize("name", metrics.METRICS)
def test_perfect_is_one(name):
    gold, predicted = EXAMPLES[name]
    metric = metrics.METRICS[name]
    values = metrics.score(name, gold, predicted, "en")
    assert values == dict.fromkeys(metric.keys, 1.0)
    assert metric.task_score(values) == 1.0
    assert {metric.main, *metric.averaged} <= set(metric.keys)


@pytest.mark.parametrize("name", metrics.METRICS)
def test_scores_are_between_0_and_1_and_ignore_the_order(name):
    @given(STRATEGIES[name], st.randoms(use_true_random=False))
    def check(examples, random):
        values = metrics.score(name, *map(list, zip(*examples, strict=True)), "en")
        assert all(isinstance(v, float) and 0 <= v <= 1 for v in values.values())
        random.shuffle(examples)
        again = metrics.score(name, *map(list, zip(*examples, strict=True)), "en")
        assert again == {key: pytest.approx(value) for key, value in values.items()}

    check()


def test_question_answering_counts_as_the_mean_of_f1_and_exact_match():
    values = {"f1": 0.8, "exact_match": 0.6}
    assert metrics.METRICS["squad"].task_score(values) == pytest.approx(0.7)
    assert metrics.METRICS["mlqa"].task_score(values) == pytest.approx(0.7)


def test_importing_metrics_imports_no_scientific_library():
    code = "import sys; import xstilts.metrics; print(*sys.modules)"
    folder = pathlib.Path(metrics.__file__).parents[1]
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    imported = set(ran.stdout.split())
    assert "xstilts.metrics" in imported
    assert not imported & {"numpy", "seqeval", "sklearn", "torch", "pandas"}
