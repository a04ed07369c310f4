"""Export predictions as a submission to XTREME or XTREME-R.

Its folder has `<task>/test-<language>.tsv`, `.json` for questions, as XTREME's README and
`mock_test_data` show them; of XTREME-R also `.jsonl` for choices, as its `run_xcopa.py` writes
and its `evaluate.py` reads them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from xstilts.benchmarks import validator
from xstilts.benchmarks.benchmark import Benchmark
from xstilts.benchmarks.xtreme import XTREME
from xstilts.data import prepare
from xstilts.running.errors import UserError
from xstilts.running.files import atomic

Rows = Sequence[dict[str, Any]]
Predictions = Mapping[str, str]  # id of a row -> prediction, as `evaluate` writes it


def _labels(rows: Rows, predicted: Predictions) -> str:
    return "".join(f"{predicted[row['id']]}\n" for row in rows)


def _tags(rows: Rows, predicted: Predictions) -> str:
    """A tag a line, and an empty line after each sentence."""
    return "".join(predicted[row["id"]].replace(" ", "\n") + "\n\n" for row in rows)


def _answers(rows: Rows, predicted: Predictions) -> str:
    """Id -> answer; in ASCII, as XTREME's script reads it in the encoding of its machine."""
    return json.dumps({row["id"]: predicted[row["id"]] for row in rows}, indent=1) + "\n"


def _pairs(rows: Rows, predicted: Predictions) -> str:
    """The mined pairs; the prediction of a sentence without translation is ""."""
    sources = [row["id"] for row in rows if row["side"] == "source"]
    return "".join(f"{key}\t{predicted[key]}\n" for key in sources if predicted[key])


def _indices(rows: Rows, predicted: Predictions) -> str:
    """For each English sentence the index of the foreign one, from 0 on, in the published order.

    The English sentences are sorted, as by `tatoeba_preprocess` of XTREME's
    `utils_preprocess.py`; equal ones are in the published order.
    """
    index = {row["id"]: i for i, row in enumerate(r for r in rows if r["side"] == "target")}
    queries = sorted((row for row in rows if row["side"] == "source"), key=lambda row: row["text"])
    return "".join(f"{index[predicted[row['id']]]}\n" for row in queries)


def _choices(rows: Rows, predicted: Predictions) -> str:
    return "".join(f'{{"label": {predicted[row["id"]]}}}\n' for row in rows)


def _ranked(rows: Rows, predicted: Predictions) -> str:
    """Id -> the best candidates, the best first; a prediction is a list of them in JSON."""
    return json.dumps({row["id"]: json.loads(predicted[row["id"]]) for row in rows}) + "\n"


WRITERS: dict[str, Callable[[Rows, Predictions], str]] = {
    "labels": _labels,
    "tags": _tags,
    "answers": _answers,
    "pairs": _pairs,
    "indices": _indices,
    "choices": _choices,
    "ranked": _ranked,
}


def file_content(target: str, rows: Rows, predicted: Predictions, of: Benchmark = XTREME) -> str:
    """Return the file of one language, from its prepared rows and their predictions.

    Raises:
        UserError: if the predictions are not of just these rows.
    """
    ids = [row["id"] for row in rows if row.get("side") != "target"]
    if ids != list(predicted):
        differ = sorted(set(ids) ^ set(predicted))
        example = f", for instance `{differ[0]}`" if differ else ", in another order"
        raise UserError(
            f"{len(predicted)} predictions are not those of the {len(ids)} prepared rows{example}"
        )
    return WRITERS[of.tasks[target].kind](rows, predicted)


def export(target: str, folder: Path, data: Path, out: Path, of: Benchmark = XTREME) -> list[str]:
    """Write the files of one target; return their languages.

    Args:
        folder: of the cell's `{language}.parquet`, as `evaluate` writes them.
        data: of the prepared rows, `{target}/{language}.{split}.parquet`.
        out: of the submission.
        of: what it is a submission to.
    """
    task = of.tasks[target]
    languages = [lang for lang in task.languages if (folder / f"{lang}.parquet").exists()]
    if not languages:
        raise UserError(f"--cell {target}: {folder} has no predictions in a language of {of.title}")
    for lang in languages:
        table = prepare.read(folder / f"{lang}.parquet")
        predicted = dict(zip(table["id"].to_pylist(), table["prediction"].to_pylist(), strict=True))
        rows_path = validator.rows_path(data, target, lang, of)
        try:
            content = file_content(target, prepare.read(rows_path).to_pylist(), predicted, of)
        except UserError as error:
            raise UserError(f"{folder}/{lang}.parquet and {rows_path}: {error}") from None
        with atomic(out / task.file(lang)) as path:
            path.write_text(content, encoding="utf-8")
    return languages
