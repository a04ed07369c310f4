"""A submission to XTREME: predictions in its form.

The folder has `<task>/test-<language>.tsv`, `.json` for questions, as XTREME's README and
`mock_test_data` show them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from xstilts.benchmarks import validator, xtreme
from xstilts.data import prepare
from xstilts.running.errors import UserError
from xstilts.running.files import atomic

Rows = Sequence[dict[str, Any]]
Predictions = Mapping[str, str]  # id of a row -> what `evaluate` wrote


def _labels(rows: Rows, predicted: Predictions) -> str:
    return "".join(f"{predicted[row['id']]}\n" for row in rows)


def _tags(rows: Rows, predicted: Predictions) -> str:
    """A tag a line, and an empty line after each sentence."""
    return "".join(predicted[row["id"]].replace(" ", "\n") + "\n\n" for row in rows)


def _answers(rows: Rows, predicted: Predictions) -> str:
    """Id -> answer; in ASCII, as XTREME's script reads it in the encoding of its machine."""
    return json.dumps({row["id"]: predicted[row["id"]] for row in rows}, indent=1) + "\n"


def _pairs(rows: Rows, predicted: Predictions) -> str:
    """The pairs that were mined; a sentence without translation is predicted as ""."""
    sources = [row["id"] for row in rows if row["side"] == "source"]
    return "".join(f"{key}\t{predicted[key]}\n" for key in sources if predicted[key])


def _indices(rows: Rows, predicted: Predictions) -> str:
    """For each English sentence the place of the foreign one, from 0 on, in the published order.

    The English ones are sorted, as `tatoeba_preprocess` of XTREME's `utils_preprocess.py` leaves
    them; equal ones in the published order.
    """
    place = {row["id"]: i for i, row in enumerate(r for r in rows if r["side"] == "target")}
    queries = sorted((row for row in rows if row["side"] == "source"), key=lambda row: row["text"])
    return "".join(f"{place[predicted[row['id']]]}\n" for row in queries)


WRITERS: dict[str, Callable[[Rows, Predictions], str]] = {
    "labels": _labels,
    "tags": _tags,
    "answers": _answers,
    "pairs": _pairs,
    "indices": _indices,
}


def text(target: str, rows: Rows, predicted: Predictions) -> str:
    """Return the file of one language, from its prepared rows and the predictions of them.

    Raises:
        UserError: if the predictions are not of just these rows.
    """
    asked = [row["id"] for row in rows if row.get("side") != "target"]
    if asked != list(predicted):
        differ = sorted(set(asked) ^ set(predicted))
        what = f", for instance `{differ[0]}`" if differ else ", in another order"
        raise UserError(
            f"{len(predicted)} predictions are not those of the {len(asked)} prepared rows{what}"
        )
    return WRITERS[xtreme.TASKS[target].kind](rows, predicted)


def export(target: str, folder: Path, data: Path, out: Path) -> list[str]:
    """Write the files of one target; return of which languages.

    Args:
        folder: of the cell's `{language}.parquet`, as `evaluate` writes them.
        data: of the prepared rows, `{target}/{language}.{split}.parquet`.
        out: of the submission.
    """
    task = xtreme.TASKS[target]
    found = [lang for lang in task.languages if (folder / f"{lang}.parquet").exists()]
    if not found:
        raise UserError(f"--cell {target}: {folder} has no predictions in a language of XTREME")
    for lang in found:
        table = prepare.read(folder / f"{lang}.parquet")
        predicted = dict(zip(table["id"].to_pylist(), table["prediction"].to_pylist(), strict=True))
        rows = validator.rows_file(data, target, lang)
        try:
            content = text(target, prepare.read(rows).to_pylist(), predicted)
        except UserError as error:
            raise UserError(f"{folder}/{lang}.parquet and {rows}: {error}") from None
        with atomic(out / task.file(lang)) as path:
            path.write_text(content, encoding="utf-8")
    return found
