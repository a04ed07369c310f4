"""Rows made of the translations of their texts, and how their labels came along."""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple, Protocol

from xstilts.translation.links import Alignment
from xstilts.translation.rows import Row

CHUNK = 1000  # rows whose words are aligned together
MARKS, WORDS = "marks", "words"  # by what a label was found


class Aligner(Protocol):
    """What says how words belong together (`aligner.WordAligner`)."""

    def prepare(self, pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> None:
        """Align pairs of texts, given as words, together."""

    def __call__(self, source: Sequence[str], target: Sequence[str]) -> Alignment:
        """Return how the words of two texts belong together."""


class Truth(Protocol):
    """What the right labels are, where that is known (`truth`)."""

    def right(self, source: Row, made: Row) -> float | None:
        """Return the share of the labels of a row that are right; None where it is not known."""


class Rebuilt(NamedTuple):
    """Rows of translations.

    Attributes:
        rows: that could be made.
        dropped: reason -> how many could not.
        projected: of formats whose labels are found again, by what they were found by (`MARKS`,
            `WORDS`), {rows}, and where the truth is known {known, right, share}: rows of which it
            is, those that are right in all, the mean share of each that is right. Else empty.
    """

    rows: list[Row]
    dropped: Counter[str]
    projected: dict[str, Any]


def rebuilt(
    page: ModuleType,
    rows: Sequence[Row],
    translated: Mapping[str, str],
    aligner: Aligner | None = None,
    truth: Truth | None = None,
) -> Rebuilt:
    """Return the rows of the translations of some.

    Args:
        page: of their format (`rows.page`).
        rows: before.
        translated: text -> translation.
        aligner: of words; None where there is none.
        truth: what is right, where it is known.
    """
    kept: list[Row] = []
    dropped, found = Counter[str](), Counter[str]()
    shares: dict[str, list[float]] = {MARKS: [], WORDS: []}
    pairs_of = getattr(page, "pairs", None)
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        texts = [[translated[text] for text in page.texts(row)] for row in chunk]
        pairs = [pairs_of(*one) for one in zip(chunk, texts, strict=True)] if pairs_of else []
        if aligner and any(pairs):
            aligner.prepare([pair for own in pairs for pair in own])
        for at, (row, own) in enumerate(zip(chunk, texts, strict=True)):
            made = page.rebuilt(row, own, aligner)
            if isinstance(made, str):
                dropped[made] += 1
                continue
            kept.append({key: value for key, value in made.items() if key != "strata"})
            if pairs_of:
                by = WORDS if pairs[at] else MARKS
                found[by] += 1
                share = truth.right(row, made) if truth else None
                shares[by] += [] if share is None else [share]
    projected = {by: {"rows": n, **_of_truth(shares[by])} for by, n in sorted(found.items())}
    return Rebuilt(kept, dropped, projected)


def summed(found: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Return what is said of the rows of several shards (`Rebuilt.projected`) of all together."""
    out: dict[str, dict[str, Any]] = {}
    for by in sorted({by for one in found for by in one}):
        own = [one[by] for one in found if by in one]
        out[by] = {"rows": sum(of["rows"] for of in own)}
        if known := [of for of in own if "known" in of]:
            count = sum(of["known"] for of in known)
            share = sum(of["known"] * of["share"] for of in known) / count
            right = sum(of["right"] for of in known)
            out[by] |= {"known": count, "right": right, "share": round(share, 6)}
    return out


def _of_truth(shares: Sequence[float]) -> dict[str, Any]:
    if not shares:
        return {}
    right = sum(share == 1 for share in shares)
    return {"known": len(shares), "right": right, "share": round(sum(shares) / len(shares), 6)}
