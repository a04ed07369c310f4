"""Paragraphs of a question: which of them are shown, in which order, and where the answer stands.

A row function of `hops.py` returns a question with all its paragraphs; `assemble` makes a row of
format `span` of it. What is shown follows from the raw row alone, never from its text, so that rows
of one id show the same paragraphs in the same order in every language and view.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from xstilts.running.errors import UserError

Row = dict[str, Any]
VIEWS = ("all", "gold", "answer")  # of `context`, beside a number
YES_NO = "yes no "  # begins every text, so that both answers are spans of it
# Why a row is not used.
NOWHERE = "answer is in no supporting paragraph"
ABSENT = "a supporting paragraph is not there"
SEVERAL = "answer is in several supporting paragraphs"
IN_NONE = "yes or no is in no paragraph"
MOST_LOST = 0.2  # of the rows of a file


def assemble(row: Mapping[str, Any], context: str | int = "all") -> Row | str:
    """Return the span row of a question, or why there is none.

    Args:
        row: id, question, answers (the answer, then its aliases), strata, paragraphs, each
            {title, text, gold, facts}: whether it supports the answer, and where its supporting
            sentences stand in its text, (start, end) each; and where that can be, how many
            supporting paragraphs are `absent`.
        context: the paragraphs that are shown: all, gold (those that support the answer), answer
            (the one of them that holds it), or gold and so many of the others, in the row's order.
    """
    paragraphs, answers = row["paragraphs"], [text for text in row["answers"] if text]
    gold = [i for i, paragraph in enumerate(paragraphs) if paragraph["gold"]]
    yes_no = bool(answers) and answers[0].casefold() in YES_NO.split()
    if row.get("absent") or not gold:
        return ABSENT
    if context == "answer":
        places = ([i for i in gold if _holds(paragraphs[i], answer)] for answer in answers)
        holding = next(filter(None, places), [])
        if yes_no or len(holding) != 1:
            return IN_NONE if yes_no else SEVERAL if holding else NOWHERE
        shown = holding
    elif context == "all":
        shown = list(range(len(paragraphs)))
    else:
        others = [i for i in range(len(paragraphs)) if i not in gold]
        shown = gold + others[: 0 if context == "gold" else int(context)]
    shown.sort(key=lambda i: hashlib.sha256(f"{row['id']}:{i}".encode()).digest())
    text, starts = YES_NO, {}
    for i in shown:
        title = f"{paragraphs[i]['title']}: " if paragraphs[i]["title"] else ""
        starts[i] = len(text) + len(title)
        text += f"{title}{paragraphs[i]['text']} "
    text = text.rstrip()
    if yes_no:
        found = [(answers[0].casefold(), YES_NO.index(answers[0].casefold()))]
    else:
        where = [(starts[i], paragraphs[i]) for i in shown if paragraphs[i]["gold"]]
        found = [(a, start) for a in answers if (start := _find(where, a)) is not None]
        if not found:
            return NOWHERE
    return {
        "id": row["id"],
        "question": row["question"],
        "context": text,
        "answers": {"text": [a for a, _ in found], "start": [start for _, start in found]},
        "strata": dict(row["strata"]),
    }


def check_answers(
    where: str, dropped: Mapping[str, int], total: int, first: Mapping[str, Any]
) -> None:
    """Refuse a file of which more than a fifth of the rows lost their answer, or what it is in.

    Args:
        where: how the message begins.
        dropped: reason -> rows.
        total: rows of the file.
        first: reason -> id of the first of them.
    """
    lost = {reason: dropped[reason] for reason in (NOWHERE, ABSENT) if dropped.get(reason)}
    if sum(lost.values()) > MOST_LOST * total:
        said = ", ".join(f"{reason}: {n} (first: {first[reason]})" for reason, n in lost.items())
        raise UserError(
            f"{where}: {sum(lost.values())} of its {total} rows cannot be used: {said}; a"
            " translation has to copy the answer from its own paragraphs, letter by letter, to"
            " have the same titles in `supporting_facts` and `context`, and to leave yes and no in"
            " English"
        )


def _find(where: Sequence[tuple[int, Mapping[str, Any]]], answer: str) -> int | None:
    """Return where an answer stands first: in a supporting sentence, else in a paragraph.

    Args:
        where: place in the whole text, and paragraph, of those that support the answer.
    """
    for begin, paragraph in where:
        for start, end in paragraph["facts"]:
            if (found := _place(paragraph["text"][start:end], answer)) is not None:
                return begin + start + found
    for begin, paragraph in where:
        if (found := _place(paragraph["text"], answer)) is not None:
            return begin + found
    return None


def _holds(paragraph: Mapping[str, Any], answer: str) -> bool:
    """Whether an answer is in the supporting sentences of a paragraph, or in its text if none are
    known."""
    text = paragraph["text"]
    sentences = [text[start:end] for start, end in paragraph["facts"]] or [text]
    return any(_place(sentence, answer) is not None for sentence in sentences)


def _place(text: str, answer: str) -> int | None:
    """Return where an answer stands first, as whole words where it does so anywhere: 19 is not to
    be found in 1987. Scripts without blanks have no whole words."""
    whole = re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", text)
    start = whole.start() if whole else text.find(answer)
    return None if start < 0 else start
