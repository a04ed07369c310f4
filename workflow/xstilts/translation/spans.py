"""The answer of a question in the translation of its context. Pure.

It is marked before the context is translated and looked for between the marks afterwards (as in
EasyProject, Chen et al. 2023, arXiv 2211.15613, which finds square brackets to survive best).
Where the marks are lost, it is the stretch of the translation whose words belong to those of the
answer. What is returned always stands in the context at the place that is said.
"""

from collections.abc import Sequence
from typing import NamedTuple

from xstilts.translation.links import Link
from xstilts.translation.words import Word, within

MARKS = (("[", "]"), ("{", "}"), ("«", "»"), ("⟦", "⟧"))  # the first pair that a text has not
WIDER, MORE = 2.0, 3  # an answer has at most so many times as many words, and so many more


class Found(NamedTuple):
    """A context, an answer in it, and the character where that begins."""

    context: str
    answer: str
    start: int


def marks_for(context: str) -> tuple[str, str] | None:
    """Return the marks that are put around an answer: those that are not in its context. None if
    it has all of them."""
    return next((pair for pair in MARKS if not any(mark in context for mark in pair)), None)


def marked(context: str, start: int, end: int) -> str:
    """Return a context with marks around the characters [start, end); as it is if it has all."""
    pair = marks_for(context)
    if pair is None:
        return context
    return f"{context[:start]}{pair[0]}{context[start:end]}{pair[1]}{context[end:]}"


def found(translated: str, marks: tuple[str, str] = MARKS[0]) -> Found | None:
    """Return what stands between the marks of a translated context, and that context without them;
    None unless each is there once, in order, with something between.

    A space that the translator has put inside of the marks is taken to be outside.
    """
    opening, closing = marks
    if translated.count(opening) != 1 or translated.count(closing) != 1:
        return None
    before, _, rest = translated.partition(opening)
    if closing not in rest:
        return None
    inner, _, after = rest.partition(closing)
    answer = inner.strip()
    if not answer:
        return None
    if inner[: len(inner) - len(inner.lstrip())] and before and not before[-1].isspace():
        before += " "
    if inner[len(inner.rstrip()) :] and after and after[0].isalnum():
        after = f" {after}"
    return Found(before + answer + after, answer, len(before))


def unmarked(translated: str, marks: tuple[str, str] | None) -> str:
    """Return a translated context without what is left of its marks."""
    for mark in marks or ():
        translated = translated.replace(mark, "")
    return translated


def aligned(
    source: Sequence[Word],
    start: int,
    end: int,
    translated: str,
    words: Sequence[Word],
    links: Sequence[Link],
) -> Found | None:
    """Return the answer as the stretch of a translated context whose words belong to its words.

    None where no word does, or where they are so far apart that the stretch would have more than
    `WIDER` times the words of the answer and `MORE`.

    Args:
        source: words of the context before.
        start, end: the characters of the answer in it.
        translated: the context afterwards.
        words: of it.
        links: between both, by their positions.
    """
    asked = within(source, start, end)
    wanted = {at for at in asked if source[at].text.isalnum()} or set(asked)
    places = sorted({j for i, j in links if i in wanted})
    if not places:
        return None
    first, last = places[0], places[-1]
    if last - first + 1 > WIDER * len(asked) + MORE:
        return None
    begin, stop = words[first].start, words[last].end
    return Found(translated, translated[begin:stop], begin)
