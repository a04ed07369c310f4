"""How good the translation of each row is, by measures of its texts alone. Pure.

A measure is a number a row; NaN where it does not apply. `experiment.filters.MEASURES` says what
each is; those that need a model are steps of their own.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from xstilts.translation import counts, language
from xstilts.translation.words import join

Row = Mapping[str, Any]
Texts = Sequence[Sequence[str]]  # of rows, the texts of each
PLAIN = {
    "span": ("question", "context"),
    "classification": ("text", "text_pair"),
    "regression": ("text", "text_pair"),
    "dual": ("text", "text_pair"),
    "mlm": ("text",),
}
SMOOTH = 10.0  # characters that are added to both lengths, since of few one more says little
FEW = 3  # words of a text of which a copy says something, at least
FEW_NAMES = 2
PREFIX = 4  # letters that a name and its translation have in common (London, Londres)
_LETTERS = re.compile(r"[^\W\d_]+")


def texts(row: Row, format: str) -> list[str]:
    """Return the texts of a row, in the same order before and after a translation; "" for one that
    is not there."""
    if format == "tagging":
        return [join(row["tokens"])]
    if format == "choice":
        return [row["context"] or "", *row["choices"]]
    return [row[name] or "" for name in PLAIN[format]]


def empty(translated: Texts, source: Texts | None) -> np.ndarray:
    """Return how many texts of each row are blank, of those whose source is not (without sources,
    of all but the last, which a row need not have)."""
    if source is None:
        found = [sum(not text.strip() for text in row[:1]) for row in translated]
    else:
        found = [
            sum(not one.strip() and bool(other.strip()) for one, other in zip(*pair, strict=True))
            for pair in zip(translated, source, strict=True)
        ]
    return np.array(found, dtype=np.float32)


def copied(translated: Texts, source: Texts) -> np.ndarray:
    """Return the share of the words of the source that stand in the translation, of each row that
    of the text in which it is largest; NaN for texts of fewer than `FEW` words."""
    found: np.ndarray = np.full(len(translated), np.nan, dtype=np.float32)
    for at, (row, before) in enumerate(zip(translated, source, strict=True)):
        shares = [
            len(was & _words(one)) / len(was)
            for one, other in zip(row, before, strict=True)
            if len(was := _words(other)) >= FEW
        ]
        if shares:
            found[at] = max(shares)
    return found


@lru_cache(maxsize=2**12)  # texts repeat: a premise has three hypotheses, a context its questions
def _words(text: str) -> frozenset[str]:
    return frozenset(_LETTERS.findall(text.lower()))


class Lengths:
    """How many characters texts and their translations have in all, which a length is in units of.

    Attributes:
        source, translated: characters so far.
    """

    def __init__(self) -> None:
        self.source = self.translated = 0

    def add(self, translated: Texts, source: Texts) -> None:
        """Count those of more rows."""
        self.source += sum(len(text) for row in source for text in row)
        self.translated += sum(len(text) for row in translated for text in row)

    def measured(self, translated: Texts, source: Texts) -> np.ndarray:
        """Return the characters of a translation over those that its source lets expect; of each
        row that of the text which is farthest from 1."""
        usual = self.translated / max(1, self.source)
        found: np.ndarray = np.ones(len(translated), dtype=np.float32)
        for at, (row, before) in enumerate(zip(translated, source, strict=True)):
            values = [
                (len(one) + SMOOTH) / (usual * len(other) + SMOOTH)
                for one, other in zip(row, before, strict=True)
            ]
            found[at] = max(values, key=lambda value: max(value, 1 / value))
        return found


def in_language(translated: Texts, code: str) -> np.ndarray:
    """Return how probable the language is for the texts of each row together."""
    return language.probability([" ".join(filter(None, row)) for row in translated], code)


def numbers(translated: Texts, source: Texts) -> np.ndarray:
    """Return the share of the numbers of both that are the same (twice those in common, over all),
    of each row; NaN where neither has one."""
    found: np.ndarray = np.full(len(translated), np.nan, dtype=np.float32)
    for at, (row, before) in enumerate(zip(translated, source, strict=True)):
        ours, theirs = " ".join(row), " ".join(before)
        if _DIGIT.search(ours) or _DIGIT.search(theirs):
            one, other = counts.numbers(ours), counts.numbers(theirs)
            if total := one.total() + other.total():
                found[at] = 2 * (one & other).total() / total
    return found


_DIGIT = re.compile(r"\d")


def names(translated: Texts, source: Texts) -> np.ndarray:
    """Return the share of the names of the source that are in the translation, by their first
    `PREFIX` letters, without accents; NaN where there are fewer than `FEW_NAMES` (a single one may
    well be translated: Monday, German), and where the translation is not in Latin letters."""
    found: np.ndarray = np.full(len(translated), np.nan, dtype=np.float32)
    for at, (row, before) in enumerate(zip(translated, source, strict=True)):
        wanted = [name for text in before for name in _names(text)]
        after = " ".join(row)
        if len(wanted) >= FEW_NAMES and _latin(after):
            there = {_begin(word) for word in _LETTERS.findall(after)}
            found[at] = sum(_begin(name) in there for name in wanted) / len(wanted)
    return found


@lru_cache(maxsize=2**12)
def _names(text: str) -> tuple[str, ...]:
    return tuple(counts.names(text))


@lru_cache(maxsize=2**14)
def _begin(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))[:PREFIX]


def _latin(text: str) -> bool:
    """Return whether most letters of a text are Latin: those of ASCII are, and where there are
    others, these are fewer."""
    of_ascii = text.encode("ascii", "ignore").decode()
    return 2 * sum(map(str.isalpha, of_ascii)) > sum(map(str.isalpha, text))


def fingerprints(translated: Texts) -> np.ndarray:
    """Return a number of 64 bits for the texts of each row, uint64 [rows]."""
    made = b"".join(
        hashlib.blake2b("\0".join(row).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for row in translated
    )
    return np.frombuffer(made, dtype=np.uint64)


def duplicate(of: np.ndarray) -> np.ndarray:
    """Return how many rows before each have the same texts, by the `fingerprints` of all rows,
    float32 [rows]."""
    order = np.argsort(of, kind="stable")
    ranked = of[order]
    first: np.ndarray = np.ones(len(of), dtype=bool)
    first[1:] = ranked[1:] != ranked[:-1]
    begins = np.maximum.accumulate(np.where(first, np.arange(len(of)), 0))
    found: np.ndarray = np.zeros(len(of), dtype=np.float32)
    found[order] = np.arange(len(of)) - begins
    return found
