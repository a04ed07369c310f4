"""Examples of right and wrong predictions of a cell, cut to a size that a page can hold."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

LONGEST = 240  # characters of a text that are shown
AROUND = 110  # characters of a context on either side of the answer
SEARCHED = 500  # predictions of a file that examples are taken from: the first ones
RIGHT = 1.0 - 1e-9  # value from which a prediction counts as right

Shown = list[tuple[str, str]]  # what is shown of a row: (heading, text)


def choose(predictions: list[dict[str, Any]], each: int) -> list[dict[str, Any]]:
    """Return up to `each` wrong and `each` right predictions, the first ones in the file.

    Args:
        predictions: rows `id`, `prediction`, `value` (1 is right), as `evaluate` writes them.
    """
    wrong = [row for row in predictions if row["value"] < RIGHT][:each]
    right = [row for row in predictions if row["value"] >= RIGHT][:each]
    return wrong + right


def shown(row: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]], said: str) -> Shown:
    """Return what is shown of a unified row and of what was predicted for it.

    Args:
        row: a unified row of any format (`prepare.SCHEMAS`).
        others: id -> row, of the same file; retrieval names its answers by id.
        said: the prediction.
    """
    if "tags" in row:
        return _tagging(row, said)
    if "question" in row:
        return _span(row, said)
    if "side" in row:
        return _retrieval(row, others, said)
    if "choices" in row:
        return _choice(row, said)
    texts = [("text", row["text"])] + ([("pair", row["text_pair"])] if row["text_pair"] else [])
    return [*texts, ("gold", row["label"]), ("predicted", said)]


def _tagging(row: Mapping[str, Any], said: str) -> Shown:
    predicted = said.split(" ") if said else []
    wrong = [
        f"{token}: {tag}, not {guess}"
        for token, guess, tag in zip(row["tokens"], predicted, row["tags"], strict=False)
        if guess != tag
    ]
    tagged = [f"{token}/{tag}" for token, tag in zip(row["tokens"], row["tags"], strict=True)]
    return [("gold", " ".join(tagged)), ("errors", "; ".join(wrong) or "none")]


def _span(row: Mapping[str, Any], said: str) -> Shown:
    answers = row["answers"]["text"]
    start = row["answers"]["start"][0] if answers else 0
    end = start + (len(answers[0]) if answers else 0)
    context = row["context"]
    near = context[max(0, start - AROUND) : end + AROUND]
    before, after = "… " * (start > AROUND), " …" * (end + AROUND < len(context))
    return [
        ("question", row["question"]),
        ("context", f"{before}{near}{after}"),
        ("gold", " | ".join(dict.fromkeys(answers)) or "(no answer)"),
        ("predicted", said or "(no answer)"),
    ]


def _retrieval(row: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]], said: str) -> Shown:
    def text(key: str | None) -> str:
        return others[key]["text"] if key and key in others else key or "(none)"

    return [("text", row["text"]), ("gold", text(row["gold"])), ("predicted", text(said))]


def _choice(row: Mapping[str, Any], said: str) -> Shown:
    def text(number: Any) -> str:
        inside = str(number).isdecimal() and int(number) < len(row["choices"])
        return row["choices"][int(number)] if inside else str(number)

    return [
        ("context", row["context"]),
        ("gold", text(row["label"])),
        ("predicted", text(said)),
    ]


def cut(text: str, longest: int = LONGEST) -> str:
    """Return a text of at most `longest` characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


class Rows:
    """Unified rows by id: only those that are shown stay in memory."""

    def __init__(self) -> None:
        self.kept: dict[Path, dict[str, dict[str, Any]]] = {}

    def find(self, path: Path, ids: Iterable[str | None]) -> dict[str, dict[str, Any]]:
        """Return id -> row of a data file; fewer where the file or a row is not there."""
        wanted = {one for one in ids if one}
        kept = self.kept.setdefault(path, {})
        if wanted - kept.keys() and path.exists():
            try:
                table = pq.read_table(path)
                some = table.filter(pc.is_in(table["id"], pa.array(sorted(wanted), pa.string())))
            except (OSError, KeyError, pa.ArrowException):
                return {}
            kept.update((row["id"], row) for row in some.to_pylist())
        return {one: kept[one] for one in wanted if one in kept}


def of_language(score: Path, data: Path, rows: Rows, each: int) -> list[dict[str, Any]]:
    """Return the examples of one score file: `right`, `value`, and `shown`, (heading, text) pairs.

    Args:
        score: path of the score; the predictions lie beside it.
        data: path of the unified rows. Without it an example is an id and a prediction.
        each: see `choose`.
    """
    try:
        predictions = pq.read_table(score.with_suffix(".parquet")).slice(0, SEARCHED).to_pylist()
        chosen = choose(predictions, each)
    except (OSError, KeyError, pa.ArrowException):
        return []
    found = rows.find(data, [row["id"] for row in chosen])
    named = [row.get("gold") for row in found.values() if "side" in row]
    if named:  # of retrieval, whose predictions are ids of rows
        found |= rows.find(data, [*named, *(row["prediction"] for row in chosen)])
    return [
        {
            "right": row["value"] >= RIGHT,
            "value": round(row["value"], 3),
            "shown": [[heading, cut(text)] for heading, text in _about(row, found)],
        }
        for row in chosen
    ]


def _about(row: Mapping[str, Any], found: Mapping[str, Mapping[str, Any]]) -> Shown:
    if row["id"] not in found:
        return [("row", row["id"]), ("predicted", row["prediction"])]
    return shown(found[row["id"]], found, row["prediction"])
