"""The shapes in which data sets keep the values of a column, brought to the one of unified rows.

Each function takes the values of one raw row by the columns that `columns.find` found. A list or an
object in a field of a csv may be JSON or Python's notation.
"""

import ast
import json
from collections.abc import Callable
from typing import Any

from xstilts.data.source import POOL

Row = dict[str, Any]


def span(row: Row) -> Row:
    """Answers as {text: [...], start: [...]}, from {text, answer_start}, a list of such, or text.

    An answer without an offset gets -1, so that it is looked for in the context.
    """
    answers, start = _literal(row["answers"]), row.get("start")
    if answers is None or answers == "":
        pairs = []
    elif isinstance(answers, dict):
        starts = answers.get("answer_start", answers.get("start"))
        pairs = _zipped(answers.get("text"), starts)
    elif isinstance(answers, list) and any(isinstance(a, dict) for a in answers):
        found = [a for a in answers if isinstance(a, dict)]
        pairs = [(a.get("text"), a.get("answer_start", a.get("start"))) for a in found]
    else:
        pairs = _zipped(answers, _literal(start))
    pairs = [(text, _offset(at)) for text, at in pairs if text is not None]
    row["answers"] = {"text": [str(t) for t, _ in pairs], "start": [at for _, at in pairs]}
    return row


def _zipped(texts: Any, starts: Any) -> list[tuple[Any, Any]]:
    texts, starts = _listed(texts), _listed(starts)
    return list(zip(texts, [*starts, *[None] * len(texts)], strict=False))


def _offset(value: Any) -> int:
    try:
        return int(value)
    except (OverflowError, TypeError, ValueError):
        return -1


def choice(row: Row) -> Row:
    """Choices as a list of texts, and under `keys` what the data calls each (`A`, `1`), if it does.

    From [text], {text: [...], label: [...]}, [{text, label}], or a question with both in it. A
    question goes behind its context.
    """
    for field in ("context", "choices"):
        value = row[field] = _literal(row[field])
        if isinstance(value, dict) and "stem" in value:
            row[field] = value["stem"] if field == "context" else value.get("choices")
    texts = [row["context"], row.get("question")]
    row["context"] = " ".join(str(t).strip() for t in texts if t is not None).strip()
    choices: Any = row["choices"]
    keys: list[Any] | None = None
    if isinstance(choices, dict):
        choices, keys = choices.get("text"), choices.get("label")
    elif isinstance(choices, list) and any(isinstance(c, dict) for c in choices):
        found = [c for c in choices if isinstance(c, dict)]
        keys, choices = [c.get("label") for c in found], [c.get("text") for c in found]
    row["choices"] = [str(c).strip() for c in _listed(choices) if c is not None]
    row["keys"] = None if keys is None else [str(key) for key in _listed(keys)]
    return row


def tagging(row: Row) -> Row:
    """Tokens and tags as lists; text is cut at blanks."""
    for field in ("tokens", "tags"):
        value = _literal(row[field])
        row[field] = value.split() if isinstance(value, str) else _listed(value)
    row["tokens"] = ["" if token is None else str(token) for token in row["tokens"]]
    return row


def retrieval(lang: str) -> Callable[[Row], Row | list[Row]]:
    """Return what makes two rows of a pair of sentences; rows that have a `side` stay as they are.

    A `translation` {code: text} holds both: the language is the source, English the target.
    """

    def sides(row: Row) -> Row | list[Row]:
        if "side" in row:
            return row
        texts = {side: row[side] for side in ("source", "target")}
        for side, text in texts.items():
            if isinstance(text, dict):
                texts[side] = text.get(lang if side == "source" else "en")
        own = row.get("id")
        ids = {} if own is None else {side: {"id": f"{own}.{side}"} for side in texts}
        return [
            {"side": s, "text": t and str(t).strip(), **ids.get(s, {})} for s, t in texts.items()
        ]

    return sides


def pooled(side: str) -> Callable[[Row], Row]:
    """Return what makes a query or a candidate, of that side unless it says its own; a query has
    its right candidates: a list in `golds`, or one in `gold`."""

    def one(row: Row) -> Row:
        right = _listed(_literal(row.get("golds"))) or _listed(row.get("gold"))
        there = [str(each) for each in right if each not in (None, "")]
        row = {"side": side, **row}
        return row | {"golds": there if row["side"] == "source" else None}

    return one


def texts(row: Row) -> Row:
    """Texts that a file has as numbers, as text."""
    for field in ("text", "text_pair", "question", "context"):
        if not isinstance(row.get(field, ""), str | None):
            row[field] = str(row[field])
    return row


def of(spec: dict) -> Callable[[Row], Row | list[Row]]:
    """Return the function of a format."""
    if spec.get("pool"):
        of_side = pooled("target" if spec.get("lang") == POOL else "source")
        return lambda row: texts(of_side(row))
    if spec["format"] == "retrieval":
        return retrieval(spec.get("lang") or "")
    shapes: dict[str, Callable[[Row], Row]] = {"span": span, "choice": choice, "tagging": tagging}
    shape = shapes.get(spec["format"], lambda row: row)
    return lambda row: texts(shape(row))


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _literal(value: Any) -> Any:
    """A list or object from its notation in text; other values as they are."""
    if not isinstance(value, str) or value.strip()[:1] not in ("[", "{"):
        return value
    try:
        return json.loads(value)
    except ValueError:
        pass
    try:
        return ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value
