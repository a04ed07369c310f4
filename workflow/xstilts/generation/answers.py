"""What a decoder has answered: a row, or why it is none. Strict, so that what was not asked for is
counted and not mended.

An answer is one JSON object, all of it, with the fields that were asked for and no others; a fence
of Markdown round it (```json) is let through, since instruction-tuned models mostly write one.
"""

import json
import re
from collections.abc import Collection
from typing import Any

from xstilts.generation.shapes import Row, Shape

CUT, NO_JSON, FIELDS_OF, NO_TEXT = "cut off", "not JSON", "other fields", "not text"
EMPTY, LABEL, COPY = "empty", "another label", "copy of an example"
ANSWER, CHOICES, TEXTS = "answer is not in the context", "choices are alike", "texts are alike"
REASONS = (CUT, NO_JSON, FIELDS_OF, NO_TEXT, EMPTY, LABEL, COPY, ANSWER, CHOICES, TEXTS)
_FENCE = re.compile(r"\A```(?:json)?[ \t]*\n(.*)\n```\Z", re.S)


def parse(
    text: str, ended: bool, shape: Shape, label: str | int | None, shown: Collection[str] = ()
) -> Row | str:
    """Return the row of an answer, without an id, or why there is none (one of `REASONS`).

    Args:
        text: the answer.
        ended: whether the decoder ended it, and was not cut off.
        shape: what was asked for.
        label: which of its labels was asked for; of a choice where the right one is put.
        shown: `key` of the rows that it was shown.
    """
    if not ended:
        return CUT
    text = text.strip()
    fenced = _FENCE.match(text)
    try:
        found = json.loads(fenced[1] if fenced else text, object_pairs_hook=_once)
    except ValueError:
        return NO_JSON
    if not isinstance(found, dict):
        return NO_JSON
    if found.keys() != set(shape.names.values()):
        return FIELDS_OF
    given = {field: found[called] for field, called in shape.names.items()}
    if reason := _reason(given, shape):
        return reason
    given = {field: _stripped(value) for field, value in given.items()}
    if "label" in given and given["label"] != label:
        return LABEL
    if key(given) in shown:
        return COPY
    return _row(given, shape, label)


def key(values: dict[str, Any]) -> str:
    """Return what two rows with the same texts have in common, whatever the case and spaces."""
    texts = [text for field, value in values.items() if field != "label" for text in _all(value)]
    return "\n".join(" ".join(text.lower().split()) for text in texts)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _all(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _stripped(value: Any) -> Any:
    return [text.strip() for text in value] if isinstance(value, list) else value.strip()


def _reason(given: dict[str, Any], shape: Shape) -> str | None:
    """Return why fields are not as they were asked for."""
    for field, value in given.items():
        if isinstance(value, list) != (field == "wrong"):
            return NO_TEXT
        if not all(isinstance(text, str) for text in _all(value)):
            return NO_TEXT
        if field == "wrong" and len(value) != shape.choices - 1:
            return CHOICES
        if not all(text.strip() for text in _all(value)):
            return EMPTY
    return None


def _row(given: dict[str, Any], shape: Shape, label: str | int | None) -> Row | str:
    if shape.format == "choice":
        assert isinstance(label, int)
        choices = [*given["wrong"][:label], given["right"], *given["wrong"][label:]]
        if len({choice.casefold() for choice in choices}) < len(choices):
            return CHOICES
        return {"context": given["context"], "choices": choices, "label": label}
    if shape.format == "span":
        start = given["context"].find(given["answer"])
        if start < 0:
            return ANSWER
        answers = {"text": [given["answer"]], "start": [start]}
        return {"question": given["question"], "context": given["context"], "answers": answers}
    pair = given.get("text_pair")
    if pair is not None and pair.casefold() == given["text"].casefold():
        return TEXTS
    return {"text": given["text"], "text_pair": pair, "label": label}
