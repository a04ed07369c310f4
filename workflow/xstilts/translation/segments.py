"""Texts cut into what a translator reads, and put together again.

A segment is a line or, of a line that is long, a sentence of it: translators are trained on
sentences, and leave some out where they are given several. What stands between segments (line
breaks, the spaces of a gap) is not translated but kept.
"""

import dataclasses
import re
from collections.abc import Sequence

UNSPACED = frozenset({"zh", "ja", "th", "my", "km", "lo"})  # written without spaces
# What ends a line: every line break of Unicode, and the zero byte, which ends a text for Apertium.
_BREAK = "\n\r\v\f\x1c-\x1e\x85\u2028\u2029\0"
# Where a sentence ends: a mark, closing quotes and brackets, and a space; of the marks of scripts
# without spaces no space.
_END = re.compile(r"""(?<=[.!?…؟।])["'”’»)\]]*(?P<gap>\s+)|(?<=[。！？])["'”’»）」』]*(?P<none>)""")
# After these a full stop ends no sentence: titles, what is cut short in English, initials.
_SHORT = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|Gen|Col|Lt|Sgt|Capt|Rev|Sen|Rep|Gov|Jr|Sr|vs|etc|e\.g|i\.e|cf|No|"
    r"Inc|Co|Corp|Ltd|Jan|Feb|Mar|Apr|Aug|Sept|Sep|Oct|Nov|Dec|[A-Z])\.$"
)


@dataclasses.dataclass(frozen=True)
class Text:
    """A text as segments: `gaps[0] + parts[0] + gaps[1] + ... + parts[-1] + gaps[-1]`.

    Attributes:
        parts: what is translated; none is empty, has a line break, or begins or ends with space.
        gaps: what stands around them, one more than the parts.
    """

    parts: tuple[str, ...]
    gaps: tuple[str, ...]

    def joined(self, parts: Sequence[str], unspaced: bool = False) -> str:
        """Return the text with other parts in their place.

        Args:
            parts: as many as there are; with one that is empty the space after it goes, too.
            unspaced: whether they are of a language without spaces, in which a gap of one space
                between sentences is none; else a gap that is empty becomes one.
        """
        found, last = self.gaps[0], len(parts) - 1
        for number, (part, gap) in enumerate(zip(parts, self.gaps[1:], strict=True)):
            if number < last and unspaced and gap == " ":
                gap = ""
            elif number < last and not unspaced and not gap:
                gap = " "
            found += part + gap if part or "\n" in gap else ""
        return found


def cut(text: str, longest: int) -> Text:
    """Return a text as segments.

    Args:
        text: any, line breaks included.
        longest: characters of a line that is still one segment; a longer one is cut into its
            sentences.
    """
    parts: list[str] = []
    gaps = [""]
    for piece in re.split(rf"(\s*[{_BREAK}][\s\0]*)", text):
        if not piece.strip(" \0") or piece.isspace() or "\0" in piece:
            gaps[-1] += piece
            continue
        for part, gap in _sentences(piece, longest):
            bare = part.strip()
            start = part.index(bare)
            gaps[-1] += part[:start]
            parts.append(bare)
            gaps.append(part[start + len(bare) :] + gap)
    return Text(tuple(parts), tuple(gaps))


def _sentences(line: str, longest: int) -> list[tuple[str, str]]:
    """Return the sentences of a line, each with the space after it; a short line as it is."""
    if len(line.strip()) <= longest:
        return [(line, "")]
    found, start = [], 0
    for match in _END.finditer(line):
        gap = match["gap"] or ""
        end = match.end() - len(gap)
        before = line[start:end]
        if not before.strip() or _SHORT.search(before) or match.end() >= len(line):
            continue
        found.append((before, gap))
        start = match.end()
    return [*found, (line[start:], "")]
