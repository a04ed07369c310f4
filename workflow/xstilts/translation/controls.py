"""What is made of translated rows to be compared to them, each the same on every machine.

A number that a row is drawn by follows from the row's id and a name alone, so that a row which is
added changes no other.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from random import Random
from typing import NamedTuple

from xstilts.translation.rows import Row
from xstilts.translation.tags import is_bio, repaired
from xstilts.translation.words import is_character, words

NOISES = ("dropped", "doubled", "swapped", "replaced")
WORDS = 20_000  # of a lexicon: the words of a task that are most frequent
LONG = 3  # words of a translation that is still taken for that of a word


class Piece(NamedTuple):
    """A word, what stands before it, and its tag, in rows that have tags."""

    gap: str
    text: str
    tag: str = ""

    @property
    def is_word(self) -> bool:
        """Whether it is no sign."""
        return any(c.isalnum() for c in self.text)


Change = Callable[[list[Piece], Random], list[Piece]]


def dealt(identity: str, languages: Collection[str]) -> str:
    """Return to which of some languages a row falls: that with the lowest number for it
    (rendezvous hashing), so that a language that is missing gives its rows to the others alone."""
    return min(languages, key=lambda lang: _number(f"control {lang} {identity}"))


def changed(row: Row, format: str, change: Change, name: str, answers: bool = False) -> Row:
    """Return a row whose texts are changed, with its label, its tags, or its answer where that is
    now.

    Args:
        row: of a format.
        format: its name.
        change: of the words of a text.
        name: what the draws follow from, beside the id.
        answers: whether the answers of questions are changed, too.
    """
    rng = Random(f"{name}/{row['id']}")
    if format == "tagging":
        pieces = [Piece(" ", *pair) for pair in zip(row["tokens"], row["tags"], strict=True)]
        found = change(pieces, rng) or pieces
        tags = [piece.tag for piece in found]
        if is_bio(row["tags"]):  # a name may have lost its first word
            tags = repaired(tags)
        return row | {"tokens": [p.text for p in found], "tags": tags}
    if format == "span":
        question = {"question": _text(row["question"], change, rng)}
        return row | question | _span(row, change, rng, answers)
    if format == "choice":
        context = row.get("context")
        choices = [_text(text, change, rng) for text in row["choices"]]
        return row | {"choices": choices, "context": context and _text(context, change, rng)}
    there = [field for field in ("text", "text_pair") if row.get(field)]
    return row | {field: _text(row[field], change, rng) for field in there}


def _span(row: Row, change: Change, rng: Random, answers: bool) -> Row:
    """Return context and answer of a row; what stands around the answer is changed by itself, so
    that the answer stays in one piece."""
    if not row["answers"]["text"]:
        return {"context": _text(row["context"], change, rng)}
    answer, start = row["answers"]["text"][0], row["answers"]["start"][0]
    context = row["context"]
    before, after = context[:start], context[start + len(answer) :]
    before, after = (_text(part, change, rng) if part.strip() else part for part in (before, after))
    answer = _text(answer, change, rng) if answers else answer
    found = {"text": [answer], "start": [len(before)]}
    return {"context": before + answer + after, "answers": found}


def _text(text: str, change: Change, rng: Random) -> str:
    """Return a text with its words changed; itself if no word would be left."""
    pieces, end = [], 0
    for word in words(text):
        pieces.append(Piece(text[end : word.start], word.text))
        end = word.end
    found = change(pieces, rng)
    if not any(piece.is_word for piece in found):
        return text
    first = found[0]._replace(gap=pieces[0].gap)
    return "".join(piece.gap + piece.text for piece in (first, *found[1:])) + text[end:]


def noise(rate: float, vocabulary: Sequence[str]) -> Change:
    """Return what drops, doubles, swaps with the next, or replaces a share of the words.

    Args:
        rate: the share.
        vocabulary: of which a word is drawn in the place of another.
    """

    def change(pieces: list[Piece], rng: Random) -> list[Piece]:
        found, at = list[Piece](), 0
        while at < len(pieces):
            piece = pieces[at]
            at += 1
            if not piece.is_word or rng.random() >= rate:
                found.append(piece)
                continue
            kind = rng.choice(NOISES)
            if kind == "doubled":
                gap = "" if is_character(piece.text) else piece.gap or " "
                found += [piece, piece._replace(gap=gap, tag=_inside(piece.tag))]
            elif kind == "swapped" and at < len(pieces) and pieces[at].is_word:
                other = pieces[at]
                at += 1
                found += [other._replace(gap=piece.gap), piece._replace(gap=other.gap)]
            elif kind == "replaced":
                found.append(piece._replace(text=rng.choice(vocabulary)))
            elif kind == "swapped":
                found.append(piece)
        return found

    return change


def _inside(tag: str) -> str:
    """Return the tag of a word's second: `I-PER` of `B-PER`."""
    return f"I-{tag[2:]}" if tag.startswith("B-") else tag


def switch(share: float, lexicons: Mapping[str, Mapping[str, str]]) -> Change:
    """Return what puts words in the place of a share of those that a lexicon has.

    Args:
        share: of the words that one has.
        lexicons: language -> word in small letters -> its translation; of several languages that
            have a word one is drawn.
    """

    def change(pieces: list[Piece], rng: Random) -> list[Piece]:
        found = []
        for piece in pieces:
            word = piece.text.lower()
            of = [lexicons[lang][word] for lang in sorted(lexicons) if word in lexicons[lang]]
            if of and rng.random() < share:
                into = rng.choice(of)
                if piece.text[0].isupper():
                    into = into[0].upper() + into[1:]
                piece = piece._replace(text=into)
            found.append(piece)
        return found

    return change


def vocabulary(texts: Iterable[str], most: int = WORDS, small: bool = True) -> list[str]:
    """Return the words of some texts, the most frequent first, those alike in their order.

    small: whether in small letters.
    """
    counts: dict[str, int] = {}
    for text in texts:
        for word in words(text):
            if any(c.isalpha() for c in word.text):
                key = word.text.lower() if small else word.text
                counts[key] = counts.get(key, 0) + 1
    return sorted(counts, key=lambda word: (-counts[word], word))[:most]


def lexicon(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return word -> translation of those that have one: another word, without a final stop, and
    not a sentence (of more than `LONG` words)."""
    found = {}
    for word, into in pairs:
        into = into.strip().rstrip(".。!؟?।")
        if into and into.lower() != word.lower() and len(into.split()) <= LONG:
            found[word] = into
    return found


def shuffled(first: Row, second: Row) -> Row:
    """Return a row whose first text is of one language, the second of another."""
    return first | {"text_pair": second["text_pair"]}


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
