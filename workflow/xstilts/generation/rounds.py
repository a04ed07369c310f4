"""As many rows of each label as were asked for: what is asked, in rounds, until they are there.

A round asks for the rows that are missing, label by label in turns, in blocks, which are what a
killed job goes on from. So what is asked follows from the answers alone.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from xstilts.generation.shapes import Row
from xstilts.running.errors import UserError, brief

BLOCK = 256  # answers that are kept at a time
_SHOWN = 3  # reasons that a message names


@dataclasses.dataclass(frozen=True)
class Request:
    """One row that is asked for: its number, from 0, and its label."""

    number: int
    label: str | int | None


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came of a request: a row or why there is none, and the text that it is of."""

    row: Row | str
    text: str


@dataclasses.dataclass
class Result:
    """What was made.

    Attributes:
        rows: with ids, in the order in which they were asked for.
        asked: answers in all.
        unused: reason -> answers that are no rows.
        by_label: label -> reason, or "kept", -> answers.
    """

    rows: list[Row]
    asked: int
    unused: dict[str, int]
    by_label: dict[str, dict[str, int]]


def generate(
    rows: int,
    labels: Sequence[str | int | None],
    tries: float,
    answer: Callable[[int, list[Request]], list[Answer]],
) -> Result:
    """Ask until there are `rows` rows, equal shares of each label (one more of the first ones).

    Args:
        rows: how many.
        labels: of which one is asked for at a time.
        tries: answers in all, at most so many times the rows.
        answer: from the number of a block and its requests to their answers.

    Raises:
        UserError: no answer of the first block is a row; or none of a label is.
    """
    missing = {
        label: rows // len(labels) + (at < rows % len(labels)) for at, label in enumerate(labels)
    }
    left, block, asked = int(rows * tries), 0, 0
    found, counts = list[Row](), {label: Counter[str]() for label in labels}
    while any(missing.values()) and left > 0:
        wanted = list(_in_turns(missing))[:left]
        left -= len(wanted)
        for start in range(0, len(wanted), BLOCK):
            part = wanted[start : start + BLOCK]
            requests = [Request(asked + at, label) for at, label in enumerate(part)]
            answers = answer(block, requests)
            block, asked = block + 1, asked + len(requests)
            for request, one in zip(requests, answers, strict=True):
                reason = one.row if isinstance(one.row, str) else "kept"
                counts[request.label][reason] += 1
                if not isinstance(one.row, str):
                    missing[request.label] -= 1
                    found.append({"id": f"g{request.number}", **one.row})
            if not found:
                _refuse_all(counts, asked, answers[0].text)
    _refuse_one(counts)
    every = sum(counts.values(), Counter[str]())
    return Result(
        found,
        asked,
        {reason: n for reason, n in sorted(every.items()) if reason != "kept"},
        {str(label): dict(sorted(counts[label].items())) for label in labels if label is not None},
    )


def _in_turns(missing: dict[Any, int]) -> Iterator[Any]:
    """Yield labels in turns, each as often as it is missing."""
    for turn in range(max(missing.values())):
        yield from (label for label, count in missing.items() if turn < count)


def _refuse_all(counts: dict[Any, Counter[str]], asked: int, text: str) -> None:
    every = sum(counts.values(), Counter[str]())
    raise UserError(
        f"none of the first {asked} answers is a row ({_listed(every)}); the first is"
        f" `{brief(text)}`; is the model tuned to follow instructions, and does the prompt ask for"
        " one JSON object?"
    )


def _refuse_one(counts: dict[Any, Counter[str]]) -> None:
    """Refuse a decoder that does not write every label."""
    without = [label for label, of in counts.items() if of and not of["kept"]]
    if without:
        there = [label for label, of in counts.items() if of["kept"]]
        only = ", ".join(f"`{label}`" for label in there)
        of = counts[without[0]]
        raise UserError(
            f"it writes only {only}: of {of.total()} answers to `{without[0]}` none is a row"
            f" ({_listed(of)}); say in the prompt what the label means (`labels` of its head), or"
            " take another generator"
        )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{reason}: {n}" for reason, n in counts.most_common(_SHOWN))
