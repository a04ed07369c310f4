"""The words of a text, and where they are in it. Pure."""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple


class Word(NamedTuple):
    """A word, and the characters [start, end) of its text that it is."""

    text: str
    start: int
    end: int


@cache
def _pattern() -> Any:
    # Not `re`, to which the vowel signs of Devanagari are no part of a word.
    import regex

    inside = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{_ALONE}]]"
    return regex.compile(rf"(?V1)[{_ALONE}]\p{{M}}*|{inside}+(?:['’.,\-]{inside}+)*|\S")


# Scripts that are written without spaces, of which every character is a word.
_ALONE = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"


@cache
def is_character(word: str) -> bool:
    """Return whether a word is a character of a script that is written without spaces."""
    import regex

    return regex.fullmatch(rf"[{_ALONE}]\p{{M}}*", word) is not None


def words(text: str) -> list[Word]:
    """Return the words of a text, in order; every sign is a word, and in scripts that are written
    without spaces every character.

    A point, comma, hyphen or apostrophe between letters or digits is part of the word: `don't`,
    `1,000`, `e-mail`.
    """
    return [Word(found.group(), *found.span()) for found in _pattern().finditer(text)]


def within(found: Sequence[Word], start: int, end: int) -> list[int]:
    """Return the positions of the words that have a character in [start, end) of their text."""
    return [at for at, word in enumerate(found) if word.start < end and word.end > start]


def join(texts: Sequence[str]) -> str:
    """Return words as a text that is to be translated; before a sign that ends is no space."""
    text = ""
    for word in texts:
        text += word if not text or word in _ENDS else f" {word}"
    return text


_ENDS = frozenset(".,;:!?)]}%…'’।،؛؟。，、；：！？")
