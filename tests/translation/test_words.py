from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.translation.words import join, within, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't buy 1,000 e-mails.", ["Don't", "buy", "1,000", "e-mails", "."]),
        ("¿Qué compra Ana?", ["¿", "Qué", "compra", "Ana", "?"]),
        ("安娜买5个面包。", ["安", "娜", "买", "5", "个", "面", "包", "。"]),
        ("आन्ना रोटी खरीदती है।", ["आन्ना", "रोटी", "खरीदती", "है", "।"]),
        ("  ", []),
    ],
)
def test_words_of_a_text(text, expected):
    assert [word.text for word in words(text)] == expected


@given(st.text())
def test_words_stand_where_they_say_and_cover_all_but_spaces(text):
    found = words(text)
    assert [text[w.start : w.end] for w in found] == [w.text for w in found]
    assert all(one.end <= two.start for one, two in pairwise(found))
    covered = {at for w in found for at in range(w.start, w.end)}
    assert all(text[at].isspace() for at in range(len(text)) if at not in covered)


def test_words_that_have_a_character_of_a_stretch():
    found = words("der rote Hund")
    assert within(found, 4, 8) == [1]
    assert within(found, 5, 10) == [1, 2]
    assert within(found, 3, 4) == []


def test_tokens_as_a_text():
    tokens = ["The", "dog", ",", "Anna", "'s", "friend", ",", "sleeps", "."]
    assert join(tokens) == "The dog, Anna 's friend, sleeps."
    assert join([]) == ""
