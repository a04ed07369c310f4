"""Texts are cut into segments, and come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.translation.segments import Text, cut

LONG = 'Mr. Smith went to Washington in Jan. 1999. He said: "It rains!" Nobody heard him.'


def test_short_line_is_one_segment():
    """A line that is not long is translated as a whole, however many sentences it has."""
    assert cut("One. Two.", 20) == Text(("One. Two.",), ("", ""))


def test_long_line_is_cut_into_sentences():
    """Titles, months and initials end none; the space between is kept apart."""
    assert cut(LONG, 40) == Text(
        (
            "Mr. Smith went to Washington in Jan. 1999.",
            'He said: "It rains!"',
            "Nobody heard him.",
        ),
        ("", " ", " ", ""),
    )


def test_lines_are_cut_always():
    """Every line break of Unicode ends a segment, with the space around it."""
    assert cut(" a \n\n  b\u2028c\r\n", 99) == Text(
        ("a", "b", "c"), (" ", " \n\n  ", "\u2028", "\r\n")
    )


def test_scripts_without_spaces():
    """Their marks end a sentence without a space, which another language has."""
    text = cut("安娜买面包。汤姆在公园？", 5)
    assert text.parts == ("安娜买面包。", "汤姆在公园？")
    assert text.joined(["Anna buys bread.", "Is Tom in the park?"]) == (
        "Anna buys bread. Is Tom in the park?"
    )
    assert cut("A b. C d.", 3).joined(["甲。", "乙。"], unspaced=True) == "甲。乙。"


def test_an_empty_translation_takes_its_space_along():
    """But not a line break."""
    assert cut("A b. C d. E f.", 3).joined(["x", "", "z"]) == "x z"
    assert cut("A\nB", 3).joined(["", "y"]) == "\ny"


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.integers(0, 30))
def test_any_text_comes_back(text: str, longest: int):
    """Put together from its own segments a text is itself, but for a space where none was; no
    segment is blank or has a line break."""
    found = cut(text, longest)
    whole = "".join(gap + part for gap, part in zip(found.gaps, (*found.parts, ""), strict=True))
    assert whole == text
    assert "".join(found.joined(found.parts).split()) == "".join(text.split())
    for part in found.parts:
        assert part == part.strip() and part and len(part.splitlines()) == 1


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\0"])
def test_nothing_to_translate(text: str):
    """A text without a word has no segment."""
    assert cut(text, 10).parts == () and cut(text, 10).joined([]) == text
