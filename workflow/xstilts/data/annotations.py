"""What the gold of a split says when it is read as a whole, where one row alone does not tell:
names of labels that are numbers, the number of a choice, offsets that count bytes."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from xstilts.running.errors import UserError, brief

Row = dict[str, Any]
Unit = tuple[int, list[Row]]  # the number of a raw row, and its unified rows
_NO_LABEL = (None, "", -1)


def names(values: Iterable[Any]) -> list[str | None]:
    """Return labels as text: 1 and true as JSON has them, 1.0 as "1" where all of them are whole.

    None for no label: null, "", NaN, and the number -1 (the hub's data sets have it for none).
    """
    found = [None if isinstance(v, float) and math.isnan(v) else v for v in values]
    whole = all(v.is_integer() for v in found if isinstance(v, float))
    return [None if v in _NO_LABEL else _name(v, whole) for v in found]


def _name(value: Any, whole: bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and whole:
        return str(int(value))
    return value if isinstance(value, str) else str(value)


def choices(task: str, rows: list[Row]) -> None:
    """Make each row's `label` the number of its choice, from 0; -1 and "" are no label (None).

    What labels are is told by all of them: the names that the data gives its choices (`keys`),
    numbers from 0, numbers from 1, letters from A, or the text of a choice. A number past the
    choices is left, for its row to be dropped. UserError naming a label that is none of these.
    """
    given = [(row, row["label"]) for row in rows if row.get("label") not in _NO_LABEL]
    for row in rows:
        if row.get("label") in _NO_LABEL:
            row["label"] = None
    readings = (_by_key, _from(0), _from(1), _by_letter, _by_text)
    for reading in readings:
        if all(reading(row, label) is not None for row, label in given):
            for row, label in given:
                row["label"] = reading(row, label)
            return
    # Some are wrong. Where others are the last of their choices, and none is 0, they count from 1.
    last = any(number(label) == len(row["choices"]) for row, label in given)
    first = 1 if last and not any(number(label) == 0 for _, label in given) else 0
    for row, label in given:
        if (at := number(label)) is None:
            raise UserError(
                f"task {task}: row {row['id']}: the label `{brief(label)}` is not the number, the"
                f" letter or the text of one of its {len(row['choices'])} choices"
            )
        row["label"] = at - first


def _by_key(row: Row, label: Any) -> int | None:
    keys = row.get("keys") or []
    return keys.index(str(label)) if keys.count(str(label)) == 1 else None


def _from(first: int) -> Callable[[Row, Any], int | None]:
    def reading(row: Row, label: Any) -> int | None:
        at = number(label)
        return at - first if at is not None and 0 <= at - first < len(row["choices"]) else None

    return reading


def _by_letter(row: Row, label: Any) -> int | None:
    letter = str(label).strip().lower()
    at = ord(letter) - ord("a") if re.fullmatch("[a-z]", letter) else -1
    return at if 0 <= at < len(row["choices"]) else None


def _by_text(row: Row, label: Any) -> int | None:
    text = str(label).strip()
    return row["choices"].index(text) if row["choices"].count(text) == 1 else None


def number(label: Any) -> int | None:
    """Return a label as a whole number, also 1.0 and "1"; None if it is none."""
    if isinstance(label, str):
        return int(float(label)) if re.fullmatch(r"-?\d+(\.0+)?", label.strip()) else None
    return int(label) if float(label).is_integer() else None


def offsets(rows: list[Row]) -> bool:
    """Turn answers' offsets in bytes into offsets in characters, where they can be nothing else.

    That is: counted in characters an answer is not where it should be, and counted in bytes of
    UTF-8 all answers of all rows are. Returns whether it was so.
    """
    answers = [(row["context"], row["answers"]) for row in rows if row["answers"]["text"]]
    if all(_at(context, text, start) for context, a in answers for text, start in _pairs(a)):
        return False
    moved = []
    for context, answer in answers:
        data = (context or "").encode()
        if not all(_at(data, text.encode(), start) for text, start in _pairs(answer)):
            return False
        moved.append([len(data[:start].decode(errors="replace")) for start in answer["start"]])
    for (_, answer), starts in zip(answers, moved, strict=True):
        answer["start"] = starts
    return True


def _pairs(answers: Row) -> Iterable[tuple[str, int]]:
    return zip(answers["text"], answers["start"], strict=True)


def _at(context: Any, text: Any, start: int) -> bool:
    return bool(text) and start >= 0 and (context or "")[start : start + len(text)] == text


def one_value(format: str, rows: list[Row]) -> str | None:
    """Return the only gold value of two rows or more, as published test sets without labels have
    it; None where there are several, or no such column."""
    if format == "tagging":
        found = {tag for row in rows for tag in row["tags"]}
    else:
        found = {row.get("label") for row in rows}
    value = next(iter(found), None)
    return str(value) if len(rows) > 1 and len(found) == 1 and value is not None else None


def frequent(units: list[Unit], most: int) -> tuple[list[Unit], dict[str, int]]:
    """Return the rows that have one of the most frequent labels, or none, and how many have not.

    Of labels that are as frequent the first by name counts as more so.

    Args:
        units: each of a single row.
        most: how many labels.
    """
    labels = [row["label"] for _, [row] in units]
    counts = Counter(label for label in labels if label is not None)
    ranked = sorted(counts, key=lambda label: (-counts[label], label))
    kept = {None, *ranked[:most]}
    found = [unit for unit, label in zip(units, labels, strict=True) if label in kept]
    gone = len(units) - len(found)
    return found, {f"its label is not among the {most:,} most frequent": gone} if gone else {}
