import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from xstilts.experiment.filters import MEASURES, PRESETS
from xstilts.translation import filtering, language, measures
from xstilts.translation.measures import Lengths

SOURCE = [["Anna paid 1,200 dollars to Maria Smith in Berlin on 3 May.", "Anna paid."]]
SPANISH = [["Anna pagó 1.200 dólares a María Smith en Berlín el 3 de mayo.", "Anna pagó."]]
ENGLISH = [["Anna paid 1,200 dollars to Maria Smith in Berlin on 3 May.", "Anna pagó."]]


def test_the_texts_of_a_row_by_format():
    assert measures.texts({"text": "a", "text_pair": None}, "classification") == ["a", ""]
    assert measures.texts({"question": "q", "context": "c"}, "span") == ["q", "c"]
    assert measures.texts({"context": "c", "choices": ["a", "b"]}, "choice") == ["c", "a", "b"]
    assert measures.texts({"tokens": ["Hi", "."]}, "tagging") == ["Hi."]


def test_each_measure_of_one_row():
    assert measures.numbers(SPANISH, SOURCE).tolist() == [1.0]
    assert measures.numbers([["Anna pagó 7."]], [["Anna paid 5."]]).tolist() == [0.0]
    assert np.isnan(measures.numbers([["Anna."]], [["Anna."]])[0])
    assert measures.copied(ENGLISH, SOURCE).tolist() == [1.0]
    assert measures.copied(SPANISH, SOURCE)[0] == pytest.approx(2 / 10)  # Anna, Smith of ten words
    assert np.isnan(measures.copied([["Hola."]], [["Hello."]])[0])
    # Maria, Smith, Berlin and May; Mayo begins as May does, which has three letters.
    assert measures.names(SPANISH, SOURCE)[0] == pytest.approx(3 / 4)
    assert np.isnan(measures.names([["Анна заплатила Марии Смит."]], [["He paid Maria Smith."]])[0])
    assert measures.empty([["Hola", " "], ["", ""]], [["Hello", "a"], ["b", ""]]).tolist() == [1, 1]
    assert measures.empty([["", "a"], ["a", ""]], None).tolist() == [1, 0]


def test_a_length_is_in_units_of_the_usual_one():
    lengths = Lengths()
    source, made = [["a" * 100], ["a" * 100]], [["b" * 40], ["b" * 120]]
    lengths.add(made, source)
    # As long as 0.8 of the source on the whole, and ten characters are added to both.
    found = lengths.measured(made, source)
    np.testing.assert_allclose(found, [(40 + 10) / (80 + 10), (120 + 10) / (80 + 10)], rtol=1e-6)


def test_duplicates_are_counted_from_the_second_on():
    rows = [["a", "b"], ["ab", ""], ["a", "b"], ["c"], ["a", "b"]]
    assert measures.duplicate(measures.fingerprints(rows)).tolist() == [0, 0, 1, 0, 2]


@given(st.lists(st.lists(st.text(max_size=3), min_size=1, max_size=2), max_size=8))
def test_duplicates_are_those_before_with_the_same_texts(rows):
    expected = [rows[:at].count(row) for at, row in enumerate(rows)]
    assert measures.duplicate(measures.fingerprints(rows)).tolist() == expected


def test_the_language_equals_what_py3langid_says():
    known = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    texts = [
        "Der Hund schläft.", "Le chien dort dans la maison.", "HELLO WORLD", "собака спит дома",
        "a", "狗在睡觉。", "", "!?", "कुत्ता घर में सोता है", "e\u0301t\u00e9 chaud",
    ]  # fmt: skip
    nothing = {"a", "", "!?"}  # all languages are as probable to py3langid
    for lang in ("de", "fr", "en", "ru", "hi"):
        found = language.probability(texts, lang)
        said = [dict(known.rank(text))[lang] for text in texts]
        expected = [np.nan if text in nothing else p for text, p in zip(texts, said, strict=True)]
        np.testing.assert_allclose(found, expected, atol=1e-5)
    assert language.probability(["狗在睡觉，猫在花园里。"], "zh")[0] > 0.5
    assert np.isnan(language.probability(["Nuqa"], "xx-none")).all()
    texts = [["Der Hund schläft im Garten.", "Die Katze auch."], ["The dog sleeps.", "The cat."]]
    of = measures.in_language(texts, "de")
    assert of[0] > 0.9 > 0.1 > of[1]


def test_rows_are_dropped_by_the_first_reason_and_each_measure_counts_all():
    by = {"empty": {"max": 0}, "language": {"min": 0.5}, "length_ratio": {"min": 0.5, "max": 2}}
    measured = {
        "empty": np.float32([0, 1, 0, 0, 0]),
        "language": np.float32([0.9, 0.1, 0.1, np.nan, 0.5]),
        "length_ratio": np.float32([1, 1, 3, 1, 0.4]),
    }
    kept, counted = filtering.decided(measured, by, 5)
    assert kept.tolist() == [True, False, False, True, False]
    # In the order of the measures: the third is too long before it is of another language.
    assert counted["dropped"] == {"empty": 1, "length": 2}
    assert counted["outside"] == {"empty": 1, "length_ratio": 2, "language": 2}
    assert filtering.decided(measured, PRESETS["none"], 5)[0].all()


@given(
    st.lists(st.floats(-2, 2, width=32) | st.just(float("nan")), max_size=8),
    st.floats(-1, 1),
    st.floats(-1, 1),
)
def test_rows_inside_of_bounds_stay(values, low, high):
    found = filtering.outside(np.float32(values), {"min": low, "max": high})
    for value, out in zip(np.float32(values), found, strict=True):
        assert out == (value < low or value > high)


def test_a_summary_is_of_the_values_that_are_known():
    found = filtering.summary(np.float32([1, np.nan, 3]))
    assert (found["rows"], found["mean"], found["q50"]) == (2, 2.0, 2.0)
    assert filtering.summary(np.float32([np.nan]))["mean"] is None


def test_stricter_presets_ask_for_no_less():
    assert set(PRESETS["basic"]) <= set(PRESETS["strict"]) <= set(MEASURES)
    for name, bounds in PRESETS["basic"].items():
        strict = PRESETS["strict"][name]
        assert strict.get("min", -9) >= bounds.get("min", -9)
        assert strict.get("max", 9) <= bounds.get("max", 9)
