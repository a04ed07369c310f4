"""Parallel sentences: those of unified rows that are each other's translations."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from xstilts.data.prepare import sample
from xstilts.data.rows import Row
from xstilts.running.errors import UserError


class Pair(NamedTuple):
    """A sentence in a language, and its translation in the pivot."""

    text: str
    pivot: str


def of_rows(
    rows: Iterable[Row], pivot_rows: Iterable[Row], column: str, lang: str, pivot: str
) -> list[Pair]:
    """Return the sentences in a column of rows of two languages that have the same ids, in the
    order of the pivot.

    Raises:
        UserError: one has an id that the other has not.
    """
    texts, pivots = ({row["id"]: row[column] for row in side} for side in (rows, pivot_rows))
    if odd := sorted(texts.keys() ^ pivots.keys()):
        where = lang if odd[0] in texts else pivot
        raise UserError(
            f"{len(texts)} rows in {lang} and {len(pivots)} in {pivot}: both need rows of the same"
            f" ids, and `{odd[0]}` is in {where} alone; give both the same rows, or leave {lang}"
            " out of `languages`"
        )
    return [Pair(texts[name] or "", pivots[name] or "") for name in pivots]


def of_pairs(rows: Sequence[Row], pivot_first: bool) -> list[Pair]:
    """Return the pairs of rows of format retrieval, in the order of their sources.

    Args:
        rows: of a language.
        pivot_first: whether the sources are the pivot's sentences, as in XTREME's Tatoeba; else the
            language's.

    Raises:
        UserError: no source has a target.
    """
    targets = {row["id"]: row["text"] for row in rows if row["side"] == "target"}
    found = [
        (row["text"], targets[row["gold"]])
        for row in rows
        if row["side"] == "source" and row.get("gold") in targets
    ]
    if not found:
        raise UserError("no sentence has its translation among the rows")
    return [Pair(*(pair[::-1] if pivot_first else pair)) for pair in found]


def chosen(pairs: Sequence[Pair], most: int) -> tuple[list[int], list[int], int]:
    """Return the sentences that are measured: positions in `pairs`, ascending.

    Of a sentence that is there again its copies would be each other's nearest, so the first counts.
    The sample is drawn from the pivot alone, so that it is the same for all languages with the same
    rows (but for what is repeated in a language).

    Returns:
        Those of the pivot, those of them that are measured in the language, and how many were left
        out as repeated or empty: all of the pivot's, and of those that were drawn the language's.
    """
    first = _distinct(range(len(pairs)), [pair.pivot for pair in pairs])
    drawn = [first[at] for at in sample(len(first), most)]
    kept = _distinct(drawn, [pair.text for pair in pairs])
    return drawn, kept, len(pairs) - len(first) + len(drawn) - len(kept)


def _distinct(positions: Iterable[int], texts: Sequence[str]) -> list[int]:
    """Return the first position of each text that is not empty."""
    first: dict[str, int] = {}
    for at in positions:
        first.setdefault(texts[at], at)
    first.pop("", None)
    return list(first.values())
