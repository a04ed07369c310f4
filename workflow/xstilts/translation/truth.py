"""The right labels of a row in its translation by the toy world's grammars, which know what each
word says.

An answer is what stands between its marks where none is lost; a word has the tag of the word that
says the same. So what is found by other means can be compared with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from xstilts.toy import analysis
from xstilts.toy.grammar import Token
from xstilts.toy.languages import grammar
from xstilts.translation import segments, spans, tags
from xstilts.translation.rows import Row
from xstilts.translation.toy import Toy, dropped, parsed
from xstilts.translation.words import join

OTHER = ""  # the tag of a word of which it is not known


class ToyTruth:
    """The truth of translations by a spec of the engine `toy`."""

    def __init__(self, spec: Mapping[str, Any], longest: int, unspaced: bool) -> None:
        """Take the spec, and how texts are cut (`blocks.Blocks`)."""
        self.spec, self.longest, self.unspaced = spec, longest, unspaced

    def right(self, source: Row, made: Row) -> float | None:
        """Return the share of the labels of a row that are right: 1 or 0 of an answer, of tags that
        of the characters; None where it is not known."""
        return self._tags(source, made) if "tags" in source else self._answer(source, made)

    def _answer(self, source: Row, made: Row) -> float | None:
        if not source["answers"]["text"]:
            return None
        mistakes = {k: v for k, v in self.spec["mistakes"].items() if k != "lost_mark"}
        toy = Toy(self.spec["from"], self.spec["to"], mistakes, self.spec["seed"])
        start = source["answers"]["start"][0]
        marked = spans.marked(source["context"], start, start + len(source["answers"]["text"][0]))
        cut = segments.cut(marked, self.longest)
        lines = [" ".join(toy.line(part).split()) for part in cut.parts]
        marks = spans.marks_for(source["context"])
        found = spans.found(cut.joined(lines, self.unspaced), marks) if marks else None
        if found is None or found.context != made["context"]:
            return None
        ours = made["answers"]
        return float((found.answer, found.start) == (ours["text"][0], ours["start"][0]))

    def _tags(self, source: Row, made: Row) -> float | None:
        line = join(source["tokens"])
        if len(segments.cut(line, self.longest).parts) != 1:
            return None
        traced = _Traced(self.spec, source["tokens"], source["tags"])
        traced.line(line)
        if traced.given is None:
            return None
        theirs = _characters([t.text for t in traced.given], [t.slot for t in traced.given])
        ours = _characters(made["tokens"], made["tags"])
        if len(theirs) != len(ours):
            return None
        known = [(one, other) for one, other in zip(theirs, ours, strict=True) if one != OTHER]
        return sum(one == other for one, other in known) / len(known) if known else None


class _Traced(Toy):
    """The translator of a sentence, which keeps with each word the tag of the word that says it.

    Attributes:
        given: the words that were written, with their tags in the place of slots; None before.
    """

    def __init__(self, spec: Mapping[str, Any], words: Sequence[str], given: Sequence[str]) -> None:
        super().__init__(spec["from"], spec["to"], spec["mistakes"], spec["seed"])
        self.words, self.tags, self.bio = list(words), list(given), tags.is_bio(given)
        self.given: list[Token] | None = None

    def _sentence(self, text: str, inside: tuple[int, int]) -> list[tuple[Token, bool]]:
        found = super()._sentence(text, inside)
        form = parsed(text, self.source)
        if form is None:
            of = self._by_place(text)
        else:
            was = grammar(self.source).sentence(form).tokens
            if [t.text.lower() for t in was] != [word.lower() for word in self.words]:
                return found
            slots = {t.slot: tag for t, tag in zip(was, self.tags, strict=True) if t.slot}
            others = "O" if self.bio else OTHER
            of = [slots.get(token.slot, others) if token.slot else others for token, _ in found]
        if len(of) != len(found):
            return found
        tagged = [
            (replace(token, slot=tag), marked)
            for (token, marked), tag in zip(found, of, strict=True)
        ]
        return tagged

    def _by_place(self, text: str) -> list[str]:
        known = analysis.words(text, self.source)
        if [word.lower() for word in known] != [word.lower() for word in self.words]:
            return []
        return [
            tag
            for word, tag in zip(known, self.tags, strict=True)
            if not dropped(word, self.source)
        ]

    def _written(self, tokens: list[tuple[Token, bool]], pair: str, rng: Random) -> str:
        # Sentences of a text of tags are one.
        again = self.given is not None
        self.given = None if again else [token for token, _ in tokens]
        return super()._written(tokens, pair, rng)


def _characters(words: Sequence[str], given: Sequence[str]) -> list[str]:
    """Return the tag of each character of words; in a name, only its first begins it."""
    out: list[str] = []
    for word, tag in zip(words, given, strict=True):
        inside = f"I-{tag[2:]}" if tag.startswith("B-") else tag
        out += [tag, *[inside] * (len(word) - 1)]
    return out
