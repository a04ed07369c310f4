"""What a translator should leave as it is: numbers, names, markup and line breaks."""

import dataclasses
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

_NUMBER = re.compile(r"\d+(?:[.,٫٬'’\u00a0\u202f]\d+)*")
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|https?://\S+|\S+@\S+\.\S+|&[a-z]+;|[@#]\w+")
# A name: a word with a capital that does not begin a sentence.
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
KINDS = ("numbers", "names", "markup", "breaks")


def numbers(text: str) -> Counter[str]:
    """Return the numbers of a text, in ASCII digits and without marks between them: `1,234` and
    `1.234` are the same."""
    return Counter(
        "".join(str(unicodedata.digit(c)) for c in match[0] if c.isdigit())
        for match in _NUMBER.finditer(text)
    )


def names(text: str) -> Counter[str]:
    """Return the words that are written with a capital within a sentence; `I` is none."""
    found: list[str] = []
    for match in _WORD.finditer(text):
        before = text[: match.start()].rstrip(" \t\"'“‘«([")
        starts = not before or before[-1] in ".!?…:;\n。！？"
        if match[0][0].isupper() and not starts and match[0] != "I":
            found.append(match[0])
    return Counter(found)


def markup(text: str) -> Counter[str]:
    """Return tags, addresses, entities, mentions and hashtags."""
    return Counter(_MARKUP.findall(text))


def breaks(text: str) -> Counter[str]:
    """Return the line breaks."""
    return Counter({"\n": text.count("\n")}) if "\n" in text else Counter()


@dataclasses.dataclass
class Kept:
    """How many there were `before`, are `after`, and of those before how many are `kept`."""

    before: int = 0
    after: int = 0
    kept: int = 0

    def add(self, source: Counter[str], translated: Counter[str]) -> None:
        """Count those of one text and its translation."""
        self.before += source.total()
        self.after += translated.total()
        self.kept += (source & translated).total()


def kept(pairs: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Return {kind: {before, after, kept}} over texts and their translations.

    Names are compared as they are written, so between scripts none is kept.
    """
    found = {kind: Kept() for kind in KINDS}
    of = (numbers, names, markup, breaks)
    for source, translated in pairs:
        for kind, count in zip(KINDS, of, strict=True):
            found[kind].add(count(source), count(translated))
    return {kind: dataclasses.asdict(each) for kind, each in found.items()}
