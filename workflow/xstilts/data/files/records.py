"""json and jsonl: records as published, also SQuAD's nested articles and pandas' columns.

Rows are numbered as lines in jsonl, and as records from 1 in json.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from xstilts.data.files import content
from xstilts.running.errors import UserError

Record = dict[str, Any]
_OF_ANSWERS = ("is_impossible", "answer_start", "start")  # what a question says of its answers


def read(path: Path, text: str, cut: bool, kind: str) -> pa.Table:
    """Return all records as rows, in their order; a key that a record lacks is missing (null).

    `kind` is what the name says; json that holds an object a line is read as jsonl. `cut` as in
    `delimited.read`.
    """
    if kind == "json" and not _is_lines(text):
        try:
            whole = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _not_json(path, getattr(error, "lineno", 1), error) from None
        rows = _records(path, whole)
    elif kind == "jsonl" and text.lstrip()[:1] == "[":
        return read(path, text, cut, "json")
    else:
        rows = list(_lines(path, text))
    if not rows:
        raise UserError(f"{path}: holds no row; give a file with rows, or leave it out")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise UserError(
                f"{path}: row {number}: is {_noun(row)}, not an object; write each row as"
                ' {"text": ..., "label": ...}'
            )
    return table(path, rows)


def table(path: Path, rows: list[Record]) -> pa.Table:
    """Return the table of records; values of a column that have no common type become text."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        raise UserError(f"{path}: its rows have no keys; give a file with rows, or leave it out")
    try:
        arrays = [_array([row.get(name) for row in rows]) for name in names]
        return pa.Table.from_arrays(arrays, names=names)
    except UnicodeEncodeError:
        number = next(i for i, row in enumerate(rows, 1) if _is_torn(row))
        raise UserError(
            f"{path}: row {number}: holds half of a surrogate pair (\\ud800 to \\udfff), which is"
            " no character; write it anew as UTF-8"
        ) from None


def as_text(value: Any) -> str | None:
    """Return a value as text: text as it is, anything else as JSON; None stays."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def _array(values: list[Any]) -> pa.Array:
    if len({type(v) for v in values if v is not None} & {bool, int, float, str}) > 1 and any(
        isinstance(v, (bool, str)) for v in values
    ):
        return pa.array([as_text(v) for v in values], pa.string())
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        if isinstance(error, UnicodeEncodeError):
            raise
        return pa.array([as_text(v) for v in values], pa.string())


def _is_torn(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _is_lines(text: str) -> bool:
    """Whether each line is an object of its own, as far as the first two tell."""
    first, _, rest = text.lstrip().partition("\n")
    if first[:1] != "{" or rest.lstrip()[:1] != "{":
        return False
    try:
        json.loads(first)
    except ValueError:
        return False
    return True


def _lines(path: Path, text: str) -> Iterator[Any]:
    for number, line in enumerate(content.lines(text), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError) as error:
                raise _not_json(path, number, error) from None


def _not_json(path: Path, row: int, error: Exception) -> UserError:
    reason = str(error)
    if isinstance(error, json.JSONDecodeError):
        reason = f"{error.msg} at character {error.colno}"
    return UserError(
        f"{path}: row {row}: is not JSON ({reason}); mend it, or fetch the file again if it is cut"
        " off"
    )


def _records(path: Path, whole: Any) -> list[Any]:
    """The records of a JSON document: a list, or an object around one, or columns of values."""
    data = whole.get("data") if isinstance(whole, dict) else whole
    if isinstance(data, list) and data and all(_is_article(a) for a in data):
        return list(_questions(path, data))
    if isinstance(whole, list):
        return whole
    if not isinstance(whole, dict):
        raise UserError(f"{path}: is {_noun(whole)}, not a list of records")
    values = list(whole.values())
    lists = [v for v in values if isinstance(v, list)]
    records = [v for v in lists if v and all(isinstance(r, dict) for r in v)]
    if len(records) == 1:
        return records[0]
    if values and len(lists) == len(values):
        lengths = {name: len(column) for name, column in whole.items()}
        if len(set(lengths.values())) > 1:
            said = ", ".join(f"{name}: {n}" for name, n in lengths.items())
            raise UserError(f"{path}: its columns are not equally long ({said}); mend the file")
        return [dict(zip(whole, row, strict=True)) for row in zip(*values, strict=True)]
    if values and all(isinstance(v, dict) for v in values):
        if all(key.isdecimal() for v in values for key in v):  # pandas: {column: {row: value}}
            return [{name: c.get(row) for name, c in whole.items()} for row in values[0]]
        return [{"id": key, **value} for key, value in whole.items()]
    raise UserError(
        f"{path}: is an object with {', '.join(list(whole)[:8])}, in which no list of records is"
        ' found; write a list of records, or {"data": [...]}'
    )


def _is_article(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("paragraphs"), list)


def _questions(path: Path, articles: list[Record]) -> Iterator[Record]:
    """SQuAD 1.1 and 2.0, XQuAD, MLQA, TyDi QA (gold passage): a row a question.

    An impossible question has no answers; its plausible ones are none. What else a question says of
    itself in a text or a number stays, as it may be a stratum.
    """
    for a, article in enumerate(articles, 1):
        for p, paragraph in enumerate(article["paragraphs"], 1):
            questions = _needed(path, (a, p), paragraph, "qas")
            for q, question in enumerate(questions if isinstance(questions, list) else [], 1):
                row = {
                    "id": _needed(path, (a, p, q), question, "id"),
                    "title": article.get("title"),
                    "question": _needed(path, (a, p, q), question, "question"),
                    "context": _needed(path, (a, p), paragraph, "context"),
                    "answers": []
                    if question.get("is_impossible")
                    else question.get("answers") or [],
                }
                yield row | {
                    key: value
                    for key, value in question.items()
                    if isinstance(value, str | int) and key not in (*row, *_OF_ANSWERS)
                }


def _needed(path: Path, place: tuple[int, ...], value: Any, key: str) -> Any:
    if isinstance(value, dict) and key in value:
        return value[key]
    words = zip(("article", "paragraph", "question"), place, strict=False)
    raise UserError(
        f"{path}: {', '.join(f'{word} {n}' for word, n in words)}: has no `{key}`, which SQuAD's"
        " form has"
    )


def _noun(value: Any) -> str:
    nouns = {list: "a list", dict: "an object", str: "text", bool: "true or false"}
    return nouns.get(type(value), "null" if value is None else "a number")
