"""Rows with a question whose answer is a stretch of the context: it is found again by marks that
are put around it, else by the words that belong to its own. Pure.

Of a row with several answers the first stays.
"""

from collections.abc import Sequence

from xstilts.translation import spans
from xstilts.translation.rows import EMPTY, Align, Row
from xstilts.translation.words import words

LOST = "answer is not found in the translation"


def texts(row: Row) -> list[str]:
    """Return what of a row is to be translated, each text once: the question, and the context with
    marks around its first answer."""
    return list(dict.fromkeys((row["question"], _marked(row))))


def pairs(row: Row, translated: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    """Return the words of both contexts where they have to be aligned: the marks are lost."""
    question, context = _of(row, translated)
    if not row["answers"]["text"] or not question.strip() or not context.strip():
        return []
    marks = spans.marks_for(row["context"])
    if marks and spans.found(context, marks):
        return []
    after = words(spans.unmarked(context, marks))
    return [([w.text for w in words(row["context"])], [w.text for w in after])]


def rebuilt(row: Row, translated: Sequence[str], align: Align | None = None) -> Row | str:
    """Return a row of the translations of its texts, or why there is none.

    Args:
        row: before.
        translated: of `texts`, in their order.
        align: returns how the words of two texts belong together; None where nothing can.
    """
    question, context = _of(row, translated)
    if not question.strip() or not context.strip():
        return EMPTY
    made = {**row, "question": question}
    if not row["answers"]["text"]:
        return {**made, "context": context, "answers": {"text": [], "start": []}}
    marks = spans.marks_for(row["context"])
    found = spans.found(context, marks) if marks else None
    if found is None:
        found = _aligned(row, spans.unmarked(context, marks), align)
    if found is None:
        return LOST
    answers = {"text": [found.answer], "start": [found.start]}
    return {**made, "context": found.context, "answers": answers}


def _aligned(row: Row, context: str, align: Align | None) -> spans.Found | None:
    before, after = words(row["context"]), words(context)
    how = align([w.text for w in before], [w.text for w in after]) if align else None
    if how is None:
        return None
    start, end = _answer(row)
    return spans.aligned(before, start, end, context, after, how.links)


def _answer(row: Row) -> tuple[int, int]:
    start = row["answers"]["start"][0]
    return start, start + len(row["answers"]["text"][0])


def _marked(row: Row) -> str:
    return spans.marked(row["context"], *_answer(row)) if row["answers"]["text"] else row["context"]


def _of(row: Row, translated: Sequence[str]) -> tuple[str, str]:
    by_text = dict(zip(texts(row), translated, strict=True))
    return by_text[row["question"]], by_text[_marked(row)]
