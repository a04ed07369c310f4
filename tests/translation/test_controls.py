"""What is made of translated rows to be compared to them."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.translation import controls
from xstilts.translation.tags import repaired
from xstilts.translation.words import words

PAIR = {"id": "7", "text": "The dog eats bread.", "text_pair": "A dog eats.", "label": "entailment"}
SPAN = {
    "id": "8",
    "question": "Who eats bread in the park?",
    "context": "Tom is in the park. Anna eats bread. Maria sleeps.",
    "answers": {"text": ["Anna"], "start": [20]},
}
TAGS = {"id": "9", "tokens": ["Anna", "Smith", "eats", "."], "tags": ["B-PER", "I-PER", "O", "O"]}


def test_dealt():
    """A row falls to one of the languages, the same if one that it does not fall to is missing."""
    ids = [str(i) for i in range(600)]
    of = {one: controls.dealt(one, ("de", "ru", "sw")) for one in ids}
    assert all(170 < list(of.values()).count(lang) < 230 for lang in ("de", "ru", "sw"))
    assert all(
        controls.dealt(one, ("de", "ru")) == lang for one, lang in of.items() if lang != "sw"
    )
    assert controls.dealt("1", ("sw",)) == "sw"


def test_switched():
    """Words of the lexicon stand in the place of all that it has, capitals as they were."""
    change = controls.switch(1.0, {"de": {"the": "der", "dog": "Hund", "bread": "Brot"}})
    made = controls.changed(PAIR, "classification", change, "x")
    assert made == PAIR | {"text": "Der Hund eats Brot.", "text_pair": "A Hund eats."}
    assert controls.changed(PAIR, "classification", controls.switch(0.0, {}), "x") == PAIR


def test_switched_answer():
    """An answer goes along, and is where it stands then."""
    change = controls.switch(1.0, {"ru": {"anna": "анна", "park": "парке", "tom": "том"}})
    made = controls.changed(SPAN, "span", change, "x", answers=True)
    assert made["context"] == "Том is in the парке. Анна eats bread. Maria sleeps."
    assert made["answers"] == {"text": ["Анна"], "start": [21]}
    assert made["question"] == "Who eats bread in the парке?"


def test_lexicon():
    """Words that stay as they are, and what is longer than a word or two, are none of it."""
    pairs = [("dog", "Hund."), ("tom", "Tom"), ("the", ""), ("up", "hinauf auf die Bühne")]
    assert controls.lexicon(pairs) == {"dog": "Hund"}


def test_vocabulary():
    """The most frequent first; signs and numbers are no words."""
    assert controls.vocabulary(["a B b.", "B 5 c"]) == ["b", "a", "c"]
    assert controls.vocabulary(["a B b.", "B 5 c"], 2, small=False) == ["B", "a"]


@pytest.mark.parametrize("kind", controls.NOISES)
def test_noise_of_each_kind(kind, monkeypatch):
    """A word is dropped, doubled, swapped with the next, or replaced."""
    monkeypatch.setattr(controls, "NOISES", (kind,))
    made = controls.changed(PAIR, "classification", controls.noise(1.0, ["X"]), "x")
    assert (
        made["text"]
        == {
            "dropped": PAIR["text"],  # no word would be left
            "doubled": "The The dog dog eats eats bread bread.",
            "swapped": "dog The bread eats.",
            "replaced": "X X X X.",
        }[kind]
    )


def test_noise_of_tags(monkeypatch):
    """Tags go with their words; the second of a doubled one is inside."""
    monkeypatch.setattr(controls, "NOISES", ("doubled",))
    made = controls.changed(TAGS, "tagging", controls.noise(1.0, []), "x")
    assert made["tokens"] == ["Anna", "Anna", "Smith", "Smith", "eats", "eats", "."]
    assert made["tags"] == ["B-PER", "I-PER", "I-PER", "I-PER", "O", "O", "O"]


@given(st.floats(0, 1), st.integers(0, 50))
def test_noise_leaves_names_that_begin(rate, seed):
    """Where the first word of a name is dropped, or two are swapped."""
    row = TAGS | {"id": str(seed), "tags": ["B-PER", "I-PER", "O", "B-LOC"]}
    made = controls.changed(row, "tagging", controls.noise(rate, ["w"]), "x")["tags"]
    assert made == repaired(made)


def test_noise_of_other_tags(monkeypatch):
    """Those that are no names stay as they are."""
    monkeypatch.setattr(controls, "NOISES", ("dropped",))
    row = TAGS | {"tags": ["PROPN", "I-X", "VERB", "PUNCT"]}
    made = controls.changed(row, "tagging", controls.noise(1.0, []), "x")
    assert made["tags"] == ["PUNCT"]


@given(st.floats(0, 1), st.text("abc .,'\n安", max_size=40), st.integers(0, 9))
def test_noise_of_any_text(rate, text, seed):
    """A text with words keeps one at least; the same draws, the same text."""
    row = {"id": str(seed), "text": text, "text_pair": None}
    made = [
        controls.changed(row, "classification", controls.noise(rate, ["w"]), "x")["text"]
        for _ in range(2)
    ]
    has = any(c.isalnum() for c in text)
    assert made[0] == made[1] and any(c.isalnum() for c in made[0]) == has


@given(st.floats(0, 1), st.integers(0, 50))
def test_noise_leaves_answers(rate, seed):
    """What stands around an answer is changed, and the answer is where it is said to be."""
    row = SPAN | {"id": str(seed)}
    made = controls.changed(row, "span", controls.noise(rate, ["w"]), "x")
    [start], [answer] = made["answers"]["start"], made["answers"]["text"]
    assert answer == "Anna" and made["context"][start : start + 4] == "Anna"


def test_rate_of_noise():
    """The rate is a share of the words."""
    text = " ".join(["word"] * 4000)
    pieces = [controls.Piece(" ", word.text) for word in words(text)]
    found = controls.noise(0.2, ["new"])(pieces, Random(1))
    replaced = sum(piece.text == "new" for piece in found)
    assert 140 < replaced < 260


def test_shuffled():
    """The second text is of another language."""
    other = PAIR | {"text": "Der Hund frisst Brot.", "text_pair": "Ein Hund frisst."}
    assert controls.shuffled(PAIR, other) == PAIR | {"text_pair": "Ein Hund frisst."}
