"""The translator of the toy world: its grammars, with mistakes at given rates.

What a sentence means is read from its text (`toy.analysis`) and written in the other language. What
no grammar can have written is translated word by word, and a word that the toy world has not stays
as it is. The mistakes are those that translators make; which line has which follows from the seed
and the line, so it is the same in any block.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from random import Random

from xstilts.toy import analysis, lexicon
from xstilts.toy.forms import Chain, Form
from xstilts.toy.grammar import PUNCTUATION, Sentence, Token
from xstilts.toy.languages import grammar
from xstilts.translation.segments import UNSPACED

# Rates, of words but for the last two: of sentences, and of marks around an answer.
MISTAKES = ("wrong_word", "dropped_word", "english_left", "other_order", "lost_mark")
PAIRS = ("[]", "{}", "«»", "⟦⟧")  # marks that are kept around the words that they are around
_SENTENCE = re.compile(r"[^.?؟।。？]+[.?؟।。？]*\s*")
_ARTICLES = frozenset({"a", "an", "the", "does", "is", "der", "die", "das", "ein", "eine", "ist"})


class Toy:
    """An engine of two languages of the toy world."""

    def __init__(self, source: str, target: str, mistakes: Mapping[str, float], seed: int) -> None:
        """Take the languages, a rate of each of `MISTAKES` that is made, and what they are drawn
        by."""
        self.source, self.target, self.mistakes, self.seed = source, target, mistakes, seed

    def translate(self, lines: Sequence[str]) -> list[str]:
        """Return the lines in the other language."""
        return [self.line(line) for line in lines]

    def line(self, line: str) -> str:
        """Return a line of any number of sentences in the other language."""
        rng = Random(f"{self.seed}/{self.source}/{self.target}/{line}")
        bare, pair, start, end = unmarked(line)
        found = []
        for match in _SENTENCE.finditer(bare):
            text = match[0].strip()
            inside = (start - match.start(), end - match.start()) if pair else (-1, -1)
            tokens = self._sentence(text, inside if 0 <= inside[0] < len(text) else (-1, -1))
            found.append(self._written(self._mistaken(tokens, rng), pair, rng))
        return ("" if self.target in UNSPACED else " ").join(filter(None, found))

    def _sentence(self, text: str, inside: tuple[int, int]) -> list[tuple[Token, bool]]:
        """Return the words of a sentence, each with whether it is between the marks, which are
        around the characters `inside`."""
        form = parsed(text, self.source)
        if form is None:
            return self._word_by_word(text, inside)
        was, now = grammar(self.source).sentence(form), grammar(self.target).sentence(form)
        within = _within(was, inside)
        slots = {t.slot for t, there in zip(was.tokens, within, strict=True) if there and t.slot}
        others = {t.slot for t, there in zip(was.tokens, within, strict=True) if not there}
        heads = {slot.partition(".")[0] for slot in slots}
        return [
            (
                token,
                token.slot in slots
                or (token.slot not in others and token.slot.partition(".")[0] in heads),
            )
            for token in now.tokens
        ]

    def _word_by_word(self, text: str, inside: tuple[int, int]) -> list[tuple[Token, bool]]:
        found, known, at = [], analysis.index(self.source), 0
        for word in analysis.words(text, self.source):
            at = text.index(word, at)
            marked = inside[0] <= at < inside[1]
            at += len(word)
            names = known.get(word.lower(), ())
            if dropped(word, self.source):
                continue
            upos = "PUNCT" if word in PUNCTUATION else "X"
            into = self._mark(word) if upos == "PUNCT" else word
            if names:
                into = grammar(self.target).words[names[0]].form(0)
            found.append((Token(into, upos), marked))
        return found

    def _mark(self, mark: str) -> str:
        was, now = grammar(self.source), grammar(self.target)
        pairs = ((was.stop, now.stop), (was.question, now.question), (was.comma, now.comma))
        return dict(pairs).get(mark, mark)

    def _mistaken(self, tokens: list[tuple[Token, bool]], rng: Random) -> list[tuple[Token, bool]]:
        """Return the words of a sentence with its mistakes."""
        rate = {kind: self.mistakes.get(kind, 0.0) for kind in MISTAKES}
        found = []
        for token, marked in tokens:
            drawn = rng.random(), rng.random(), rng.random()
            if token.upos == "PUNCT":
                found.append((token, marked))
                continue
            if drawn[0] < rate["wrong_word"]:
                token = replace(token, text=self._wrong(token, rng))
            elif drawn[1] < rate["english_left"]:
                token = replace(token, text=self._english(token))
            if drawn[2] >= rate["dropped_word"]:
                found.append((token, marked))
        words = sum(token.upos != "PUNCT" for token, _ in found)
        if rng.random() < rate["other_order"] and words > 1:
            at = rng.randrange(words - 1)
            found[at], found[at + 1] = found[at + 1], found[at]
        return found

    def _wrong(self, token: Token, rng: Random) -> str:
        """Return another word of the same kind; the word itself where it is of no concept."""
        names = analysis.index(self.target).get(token.text.lower(), ())
        if not names or lexicon.concepts()[names[0]].kind == "function":
            return token.text
        kind = lexicon.concepts()[names[0]].kind
        others = [c.name for c in lexicon.of_kind(kind) if c.name not in names]
        return grammar(self.target).words[rng.choice(others)].form(0)

    def _english(self, token: Token) -> str:
        names = analysis.index(self.target).get(token.text.lower(), ())
        return grammar(self.source).words[names[0]].form(0) if names else token.text

    def _written(self, tokens: list[tuple[Token, bool]], pair: str, rng: Random) -> str:
        sentence = Sentence(tuple(token for token, _ in tokens), grammar(self.target).spaced)
        text = sentence.text
        at = [number for number, (_, marked) in enumerate(tokens) if marked]
        if not pair or not at or rng.random() < self.mistakes.get("lost_mark", 0.0):
            return text
        places = sentence.places()
        start, end = places[at[0]][0], places[at[-1]][1]
        return f"{text[:start]}{pair[0]}{text[start:end]}{pair[1]}{text[end:]}"


@cache
def parsed(text: str, language: str) -> Form | Chain | None:
    """Return what a sentence means; None if no grammar can have written it."""
    return analysis.parse(text, language)


def dropped(word: str, language: str) -> bool:
    """Whether a word is left out of what is translated word by word: an article."""
    article = word.lower() in _ARTICLES and language in ("en", "de")
    return article and word.lower() not in analysis.index(language)


def _within(sentence: Sentence, inside: tuple[int, int]) -> list[bool]:
    return [start < inside[1] and inside[0] < end for start, end in sentence.places()]


def unmarked(line: str) -> tuple[str, str, int, int]:
    """Return a line without its marks, the pair of them, and the characters [start, end) that they
    are around; "" for a line without."""
    for pair in PAIRS:
        if line.count(pair[0]) == 1 == line.count(pair[1]) and line.index(pair[0]) < line.index(
            pair[1]
        ):
            start, end = line.index(pair[0]), line.index(pair[1]) - 1
            return line.replace(pair[0], "").replace(pair[1], ""), pair, start, end
    return line, "", 0, 0
