"""Examples of right and wrong predictions of a cell, cut to a size that a page can hold."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from xstilts.experiment.tasks import POOL

MAX_CHARACTERS = 240  # of a text
CONTEXT_CHARACTERS = 110  # of a context, on either side of the answer
MAX_PREDICTIONS = 500  # of a file that examples are chosen from: the first ones
RIGHT = 1.0 - 1e-9  # value from which a prediction counts as right

Texts = list[tuple[str, str]]  # what the page shows of a row: (heading, text)


def choose(
    predictions: list[dict[str, Any]], count: int, numbers: bool = False
) -> list[dict[str, Any]]:
    """Return up to `count` wrong and `count` right predictions, the first ones in the file.

    Args:
        predictions: rows `id`, `prediction`, `value` (1 is right), as `evaluate` writes them.
        numbers: predictions are numbers, which are near or far rather than right or wrong: return
            the farthest and the nearest.
    """
    if numbers:
        ranked = sorted(predictions, key=lambda row: row["value"])
        return ranked[:count] + ranked[count:][::-1][:count]
    wrong = [row for row in predictions if row["value"] < RIGHT][:count]
    right = [row for row in predictions if row["value"] >= RIGHT][:count]
    return wrong + right


def texts(row: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]], prediction: str) -> Texts:
    """Return what the page shows of a row and its prediction.

    Args:
        row: a unified row of any format (`prepare.SCHEMAS`).
        rows: id -> row of the same file; predictions of retrieval are ids.
        prediction: of the row.
    """
    if "tags" in row:
        return _tagging(row, prediction)
    if "question" in row:
        return _span(row, prediction)
    if "side" in row:
        return _retrieval(row, rows, prediction)
    if "choices" in row:
        return _choice(row, prediction)
    if "group" in row:
        nearest = first(prediction) or "(none)"
        passage = rows[nearest]["text_pair"] if nearest in rows else nearest
        return [("text", row["text"]), ("gold", row["text_pair"]), ("predicted", passage)]
    pair = [("pair", row["text_pair"])] if row["text_pair"] else []
    gold = row["label"]
    if isinstance(gold, float):
        gold, prediction = f"{gold:.4g}", f"{float(prediction):.4g}"
    return [("text", row["text"]), *pair, ("gold", gold), ("predicted", prediction)]


def _tagging(row: Mapping[str, Any], prediction: str) -> Texts:
    predicted_tags = prediction.split(" ") if prediction else []
    wrong = [
        f"{token}: {tag}, not {predicted}"
        for token, predicted, tag in zip(row["tokens"], predicted_tags, row["tags"], strict=False)
        if predicted != tag
    ]
    tagged = [f"{token}/{tag}" for token, tag in zip(row["tokens"], row["tags"], strict=True)]
    return [("gold", " ".join(tagged)), ("errors", "; ".join(wrong) or "none")]


def _span(row: Mapping[str, Any], prediction: str) -> Texts:
    answers = row["answers"]["text"]
    start = row["answers"]["start"][0] if answers else 0
    end = start + (len(answers[0]) if answers else 0)
    context = row["context"]
    left, right = max(0, start - CONTEXT_CHARACTERS), end + CONTEXT_CHARACTERS
    before, after = "… " * (left > 0), " …" * (right < len(context))
    return [
        ("question", row["question"]),
        ("context", f"{before}{context[left:right]}{after}"),
        ("gold", " | ".join(dict.fromkeys(answers)) or "(no answer)"),
        ("predicted", prediction or "(no answer)"),
    ]


def _retrieval(
    row: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]], prediction: str
) -> Texts:
    def text(key: str | None) -> str:
        return rows[key]["text"] if key and key in rows else key or "(none)"

    def of_another(key: str | None) -> bool:
        return rows.get(key or "", {}).get("lang") != row.get("lang")

    gold, *others = sorted(row.get("golds") or [row["gold"]], key=of_another)
    more = f" (and {len(others)} more)" if others else ""
    found = ("predicted", text(first(prediction)))
    return [("text", row["text"]), ("gold", text(gold) + more), found]


def first(prediction: str) -> str | None:
    """Return the id that is predicted: of a ranked list (JSON) the first."""
    try:
        found = json.loads(prediction)
    except ValueError:
        return prediction
    return next(iter(found), None) if isinstance(found, list) else prediction


def _choice(row: Mapping[str, Any], prediction: str) -> Texts:
    def text(index: Any) -> str:
        exists = str(index).isdecimal() and int(index) < len(row["choices"])
        return row["choices"][int(index)] if exists else str(index)

    return [
        ("context", row["context"]),
        ("gold", text(row["label"])),
        ("predicted", text(prediction)),
    ]


def truncate(text: str, length: int = MAX_CHARACTERS) -> str:
    """Return a text of at most `length` characters."""
    return text if len(text) <= length else text[: length - 1] + "…"


class RowCache:
    """The rows that the page shows, by file and id."""

    def __init__(self) -> None:
        self.rows: dict[Path, dict[str, dict[str, Any]]] = {}

    def find(self, path: Path, ids: Iterable[str | None]) -> dict[str, dict[str, Any]]:
        """Return id -> row of a data file; fewer where the file or a row is not there."""
        keys = {key for key in ids if key}
        rows = self.rows.setdefault(path, {})
        if keys - rows.keys() and path.exists():
            try:
                table = pq.read_table(path)
                table = table.filter(pc.is_in(table["id"], pa.array(sorted(keys), pa.string())))
            except (OSError, KeyError, pa.ArrowException):
                return {}
            rows.update((row["id"], row) for row in table.to_pylist())
        return {key: rows[key] for key in keys if key in rows}


def of_language(score: Path, data: Path, cache: RowCache, count: int) -> list[dict[str, Any]]:
    """Return the examples of one score file: `right`, `value`, and `shown`, (heading, text) pairs;
    where predictions are numbers also `error`, and `right` are the nearest.

    Args:
        score: path of the score, with the predictions beside it.
        data: path of the unified rows. Without it an example is an id and a prediction.
        count: see `choose`.
    """
    try:
        predictions = pq.read_table(score.with_suffix(".parquet")).slice(0, MAX_PREDICTIONS)
        numbers = _are_numbers(data)
        if numbers:  # as many far as near, of a few too
            count = min(count, (len(predictions) + 1) // 2)
        chosen = choose(predictions.to_pylist(), count, numbers)
    except (OSError, KeyError, pa.ArrowException):
        return []
    rows = cache.find(data, [prediction["id"] for prediction in chosen])
    if any("side" in row or "group" in row for row in rows.values()):
        # Predictions are ids of rows, or of candidates of all languages.
        ids = [one for row in rows.values() for one in row.get("golds") or [row.get("gold")]]
        ids += [first(prediction["prediction"]) for prediction in chosen]
        pooled = any("golds" in row for row in rows.values())
        split = data.name.partition(".")[2]
        rows |= cache.find(data.with_name(f"{POOL}.{split}") if pooled else data, ids)
    return [
        {
            "right": prediction["value"] >= RIGHT,
            "value": round(prediction["value"], 3),
            "shown": [[heading, truncate(text)] for heading, text in _texts(prediction, rows)],
            **(_nearness(prediction, rows, at >= count) if numbers else {}),
        }
        for at, prediction in enumerate(chosen)
    ]


def _are_numbers(data: Path) -> bool:
    """Return whether what is predicted for the rows of a file are numbers."""
    schema = pq.read_schema(data) if data.exists() else pa.schema([])
    return "label" in schema.names and pa.types.is_floating(schema.field("label").type)


def _nearness(
    prediction: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]], near: bool
) -> dict[str, Any]:
    if prediction["id"] not in rows:
        return {"right": near}
    error = abs(float(prediction["prediction"]) - rows[prediction["id"]]["label"])
    return {"right": near, "error": f"{error:.3g}"}


def _texts(prediction: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> Texts:
    if prediction["id"] not in rows:
        return [("row", prediction["id"]), ("predicted", prediction["prediction"])]
    return texts(rows[prediction["id"]], rows, prediction["prediction"])
