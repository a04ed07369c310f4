"""Data in the files of its makers, or of translators, where a user's folder holds those.

    hotpot      a file a language in HotpotQA's form, as its makers write it or with the hub's
                columns: de.json, ru.json, ...
    lareqa      xquad-r/ of google-research-datasets/lareqa: ar.json, de.json, ...
    mewslix     what download_data.sh of google-research/xtreme makes: candidate_set_entities.jsonl,
                wikipedia_pairs-{train,dev}.jsonl, wikinews_mentions/{dev,test}-{lang}.jsonl

Any other folder is one in the shape of a hub data set, with the same columns.
"""

import contextlib
import json
import re
from collections.abc import Collection, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pyarrow as pa

from xstilts.data.files import content, records
from xstilts.running.errors import Absent, UserError

# Row function -> config (None: any other) -> file, as published.
_MEWSLIX = {
    "candidates": "candidate_set_entities.jsonl",
    "wikipedia_pairs": "wikipedia_pairs-{split}.jsonl",
    None: "wikinews_mentions/{split}-{config}.jsonl",
}
FILES: dict[str, dict[str | None, str]] = {
    "hotpot": {None: "{config}.json"},
    "lareqa": {None: "{config}.json"},
    "mewslix": _MEWSLIX,
    "mewslix_en": _MEWSLIX,
}
_SPLITS = {"validation": "dev"}  # ours, as these call them


def name(rows: str | None, config: str | None, split: str) -> str | None:
    """Return the file that holds a config and split for a row function; None for other ones."""
    files = FILES.get(rows or "")
    if not files or config is None:
        return None
    named = files.get(config) or files[None]
    return named.format(config=config, split=_SPLITS.get(split, split))


def file(spec: dict[str, Any], config: str | None, names: Collection[str]) -> str | None:
    """Return the file of a folder, whose files are `names`, that holds a config of a task's rows;
    None where the folder is in the shape of a hub data set, or the rows are other ones.

    Raises:
        Absent: there is none of this language.
        UserError: the folder is none of these.
    """
    wanted = name(spec.get("rows"), config, spec["split"])
    if not wanted or "README.md" in names:
        return None
    if wanted not in names:
        raise missing(spec["task"], spec["rows"], wanted, sorted(names))
    return wanted


def missing(task: str, rows: str, wanted: str, names: Sequence[str]) -> Absent | UserError:
    """Say that a file is not in a folder: of a language, which then is not there, or of all."""
    files = FILES[rows]
    ours = [n for n in names if any(fnmatch(n, _anything(pattern)) for pattern in files.values())]
    if ours and fnmatch(wanted, _anything(files[None])):
        return Absent(f"there is no {wanted}")
    there = ", ".join(names[:5]) or "nothing"
    return UserError(
        f"task {task}: its folder has no {wanted} (there is {there}); "
        + ("its candidates are in" if wanted == files.get("candidates") else "that is one of")
        + f" the files {', '.join(files.values())}, or the folder is in the shape of a hub data"
        " set, with a README.md that lists its configs"
    )


def _anything(pattern: str) -> str:
    return re.sub(r"\{.*?\}", "*", pattern)


def schema(path: Path, rows: str) -> pa.Schema | None:
    """Return the schema of such a file; None where that would take long to know."""
    if path.suffix == ".jsonl":
        return None
    if rows != "hotpot":
        return read(path, rows).schema
    text, _ = content.text(path, None)
    begin = re.search(r"[^\s\[]", text)
    with contextlib.suppress(ValueError):
        first, _ = json.JSONDecoder().raw_decode(text, begin.start() if begin else 0)
        if isinstance(first, dict) and "question" in first:  # else it is around the rows
            return records.table(path, [first]).schema
    return read(path, rows).schema


def read(path: Path, rows: str) -> pa.Table:
    """Return the rows of such a file; of SQuAD's JSON a row a question, with the
    `sentence_breaks` of its paragraph.

    Args:
        path: of the file.
        rows: the row function of the task.

    Raises:
        UserError: it is not such JSON.
    """
    if rows == "hotpot":
        return records.read(path, *content.text(path, None), "json")
    try:
        if path.suffix == ".jsonl":
            from pyarrow import json as lines

            options = lines.ReadOptions(block_size=1 << 26)
            return lines.read_json(path, read_options=options)
        return pa.Table.from_pylist(_questions(json.loads(path.read_text(encoding="utf-8"))))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({error})") from error
    except (KeyError, TypeError) as error:
        raise UserError(f"{path}: has no {error}, which SQuAD's form has") from error


def _questions(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "id": question["id"],
            "title": article.get("title", ""),
            "context": paragraph["context"],
            "question": question["question"],
            "answers": {
                key: [answer[key] for answer in question["answers"]]
                for key in ("text", "answer_start")
            },
            **{key: paragraph[key] for key in ("sentence_breaks",) if key in paragraph},
        }
        for article in document["data"]
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    ]
