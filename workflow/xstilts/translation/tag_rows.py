"""Rows of words with tags, which go to the words that belong to theirs. Pure.

The words of a translation are those of `words.words`: in scripts without spaces every character.
"""

from collections.abc import Sequence

from xstilts.translation import tags
from xstilts.translation.rows import EMPTY, Align, Row
from xstilts.translation.words import join, words

LOST = "tags are not found in the translation"


def texts(row: Row) -> list[str]:
    """Return the sentence of a row, which is to be translated."""
    return [join(row["tokens"])]


def pairs(row: Row, translated: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    """Return the words of both sentences, which have to be aligned."""
    after = [word.text for word in words(translated[0])]
    return [(list(row["tokens"]), after)] if after else []


def rebuilt(row: Row, translated: Sequence[str], align: Align | None = None) -> Row | str:
    """Return a row of the words of its translation with their tags, or why there is none; the
    arguments as of `span_rows.rebuilt`."""
    after = [word.text for word in words(translated[0])]
    if not after:
        return EMPTY
    how = align(row["tokens"], after) if align else None
    found = tags.projected(row["tokens"], row["tags"], after, how) if how else None
    if found is None:
        return LOST
    return {**row, "tokens": after, "tags": found}
