"""What a generated row is made of, by the format of its task: the fields that are asked for.

A decoder is shown rows, and answers, as JSON objects with these fields, which a prompt may call
otherwise (`fields` of a template). Formats whose rows cannot be told apart by one label, or that
are no text of one writer, are not generated.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from xstilts.running.errors import UserError

Row = dict[str, Any]
# Format -> the fields of a generated row, as they are called where a prompt has no other name.
FIELDS = {
    "classification": ("label", "text", "text_pair"),
    "choice": ("context", "right", "wrong"),
    "span": ("context", "question", "answer"),
}


@dataclasses.dataclass(frozen=True)
class Shape:
    """The fields of the rows of one task.

    Attributes:
        format: a key of `FIELDS`.
        labels: of which one is asked for at a time: names; of a choice the numbers of the right
            one, where it is put; of a span None alone.
        choices: of each row, of a choice.
        names: field -> what it is called in JSON, in the order in which it is asked for.
    """

    format: str
    labels: tuple[str | int | None, ...]
    choices: int
    names: Mapping[str, str]


def check_format(where: str, format: str) -> None:
    """Refuse a format that is not generated.

    Raises:
        UserError: it, after `where`.
    """
    if format not in FIELDS:
        raise UserError(
            f"{where} is of format {format}, whose rows are not generated (of {', '.join(FIELDS)}"
            " they are); translate them (`translated`) or leave it out"
        )


def of(format: str, rows: Sequence[Row], labels: Sequence[str], names: Mapping[str, str]) -> Shape:
    """Return the shape of a task's rows.

    Args:
        format: of the task.
        rows: some of its English train rows, which show whether texts are pairs and how many
            choices there are.
        labels: of the task, those of its rows where it names none.
        names: field -> what a prompt calls it.

    Raises:
        UserError: there is nothing to go by.
    """
    if not rows:
        raise UserError("there are no English train rows to show")
    fields: tuple[str, ...] = FIELDS[format]
    if format == "classification" and not any(row["text_pair"] for row in rows):
        fields = ("label", "text")
    choices = (
        Counter(len(row["choices"]) for row in rows).most_common(1)[0][0]
        if (format == "choice")
        else 0
    )
    asked: tuple[str | int | None, ...] = (None,)
    if format == "classification":
        asked = tuple(labels)
    elif format == "choice":
        asked = tuple(range(choices))
    return Shape(format, asked, choices, {field: names.get(field, field) for field in fields})


def values(row: Row, shape: Shape) -> dict[str, Any]:
    """Return the fields of a prepared row that are shown and asked for."""
    if shape.format == "choice":
        wrong = [text for at, text in enumerate(row["choices"]) if at != row["label"]]
        found = {
            "context": row["context"], "right": row["choices"][row["label"]], "wrong": wrong,
        }  # fmt: skip
    elif shape.format == "span":
        found = {name: row[name] for name in ("context", "question")}
        found["answer"] = row["answers"]["text"][0]
    else:
        found = row
    return {field: found[field] for field in shape.names}


def shown(row: Row, shape: Shape) -> dict[str, Any]:
    """Return a prepared row as a decoder is shown it, and is to answer."""
    return {shape.names[field]: value for field, value in values(row, shape).items()}


def can_be_shown(row: Row, shape: Shape, longest: int) -> bool:
    """Whether a row is a good example: whole, and of at most so many characters."""
    if shape.format == "span" and not row["answers"]["text"]:
        return False
    if shape.format == "choice" and len(row["choices"]) != shape.choices:
        return False
    texts = [text for value in values(row, shape).values() for text in _texts(value)]
    return all(texts) and sum(map(len, texts)) <= longest


def _texts(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
