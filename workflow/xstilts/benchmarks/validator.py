"""What is wrong with a folder that is to be submitted to XTREME, held against the prepared rows.

XTREME's `evaluate.py` compares by line, so a line too few shifts all that follow without a word.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from xstilts.benchmarks import xtreme
from xstilts.data import prepare
from xstilts.data.pools import TAKEN
from xstilts.data.rows import FOREIGN, UNUSED
from xstilts.running.errors import UserError, nearest

Rows = Sequence[dict[str, Any]]


def _labels(content: str, rows: Rows, labels: Sequence[str]) -> list[str]:
    lines = content.splitlines()
    wrong = [
        f"line {number}: there is no label `{label}`{nearest(label, labels)}"
        for number, label in enumerate(lines, start=1)
        if label not in labels
    ]
    return _counted(len(lines), "lines", len(rows), "rows") + _first(wrong)


def _tags(content: str, rows: Rows, labels: Sequence[str]) -> list[str]:
    """Sentences end with an empty line; XTREME does not ask for the last one."""
    sentences: list[list[str]] = [[]]
    unknown = []
    for number, tag in enumerate(content.splitlines(), start=1):
        if not tag:
            sentences.append([])
            continue
        sentences[-1].append(tag)
        if tag not in labels:
            unknown.append(f"line {number}: there is no tag `{tag}`{nearest(tag, labels)}")
    if not sentences[-1]:
        sentences.pop()
    lengths = [
        f"sentence {number} (id `{row['id']}`) has {len(tags)} tags, but {len(row['tokens'])} words"
        for number, (tags, row) in enumerate(zip(sentences, rows, strict=False), start=1)
        if len(tags) != len(row["tokens"])
    ]
    counted = _counted(len(sentences), "sentences", len(rows), "rows")
    return counted + _first(lengths) + _first(unknown)


def _answers(content: str, rows: Rows, labels: Sequence[str]) -> list[str]:
    try:
        answers = json.loads(content)
    except ValueError as error:
        return [f"is not JSON ({error})"]
    if not isinstance(answers, dict):
        return ["must be a JSON object, id of a question -> answer"]
    ids = [row["id"] for row in rows]
    missing = [f"question `{key}` has no answer" for key in ids if key not in answers]
    known = set(ids)
    strange = [f"there is no question `{key}`" for key in answers if key not in known]
    kinds = [
        f"the answer to `{key}` is no text" for key, a in answers.items() if not isinstance(a, str)
    ]
    return _first(missing) + _first(strange) + _first(kinds)


def _pairs(content: str, rows: Rows, labels: Sequence[str]) -> list[str]:
    sides = {
        side: {row["id"] for row in rows if row["side"] == side} for side in ("source", "target")
    }
    shape, strange, seen = [], [], Counter[str]()
    for number, line in enumerate(content.splitlines(), start=1):
        ids = line.split("\t")
        seen[line] += 1
        if len(ids) != 2:
            shape.append(f"line {number}: must be two ids, separated by a TAB")
            continue
        for key, side in zip(ids, ("source", "target"), strict=True):
            if key not in sides[side]:
                strange.append(f"line {number}: `{key}` is no id of the {side} side")
    twice = [f"the pair `{line}` is there {n} times" for line, n in seen.items() if n > 1]
    return _first(shape) + _first(strange) + _first(twice)


def _indices(content: str, rows: Rows, labels: Sequence[str]) -> list[str]:
    lines = content.splitlines()
    targets = sum(row["side"] == "target" for row in rows)
    wrong = [
        f"line {number}: `{line}` is no index from 0 to {targets - 1}"
        for number, line in enumerate(lines, start=1)
        if not (line.isascii() and line.isdecimal() and int(line) < targets)
    ]
    return _counted(len(lines), "lines", len(rows) - targets, "queries") + _first(wrong)


CHECKS: dict[str, Callable[[str, Rows, Sequence[str]], list[str]]] = {
    "labels": _labels,
    "tags": _tags,
    "answers": _answers,
    "pairs": _pairs,
    "indices": _indices,
}


def _counted(found: int, what: str, expected: int, of: str) -> list[str]:
    return [] if found == expected else [f"has {found} {what}, but there are {expected} {of}"]


def _first(faults: list[str]) -> list[str]:
    """Return the first of faults of one kind, and how many more there are."""
    more = f" (and {len(faults) - 1} more like this)" if len(faults) > 1 else ""
    return [faults[0] + more] if faults else []


def faults(target: str, content: str, rows: Rows, labels: Sequence[str]) -> list[str]:
    """Return a line for each kind of thing that is wrong with the file of one language.

    Args:
        target: our name of the task.
        content: of the file.
        rows: the prepared rows, see `prepare.SCHEMAS`.
        labels: names of the task's labels, where it has any.
    """
    return CHECKS[xtreme.TASKS[target].kind](content, rows, labels)


def incomplete(about: dict[str, Any], rehearsal: bool) -> list[str]:
    """Return what the prepared rows lack of the whole split, by their metadata.

    Args:
        about: see `prepare.metadata`.
        rehearsal: a sample will do.
    """
    # Of the pairs that are `TAKEN` both sentences are there.
    apart = (FOREIGN, UNUSED, TAKEN)
    dropped = {why: n for why, n in about["dropped"].items() if why not in apart}
    lines = [
        f"{n} row(s) were dropped when they were prepared: {why}" for why, n in dropped.items()
    ]
    others = sum(about["dropped"].get(why, 0) for why in (FOREIGN, UNUSED))
    used, most = about["rows_total"] - others - sum(dropped.values()), about["spec"].get("max_rows")
    if not rehearsal and most is not None and used > most:
        lines.append(f"the prepared rows are a sample of {most} (`limits` of the config)")
    return lines


def everything() -> dict[str, list[str]]:
    """Return target -> languages of a whole submission."""
    return {target: list(task.languages) for target, task in xtreme.TASKS.items()}


def prepared(data: Path) -> dict[str, list[str]]:
    """Return target -> languages of which there are prepared rows; UserError if there are none."""
    found = {
        target: [lang for lang in languages if rows_file(data, target, lang).exists()]
        for target, languages in everything().items()
    }
    if not any(found.values()):
        raise UserError(f"{data}: there are no prepared rows of a task of XTREME")
    return found


def rows_file(data: Path, target: str, lang: str) -> Path:
    """Return the path of the prepared rows that a file of a submission is of."""
    return data / target / f"{lang}.{xtreme.TASKS[target].split}.parquet"


def check(
    folder: Path, data: Path, asked: Mapping[str, Collection[str]], rehearsal: bool
) -> list[str]:
    """Return a line for each thing that is wrong with a submission; none if it may be uploaded.

    Args:
        folder: the submission.
        data: of the prepared rows, `{target}/{language}.{split}.parquet`.
        asked: target -> languages that must be there, and no others: `everything` for an upload.
        rehearsal: the prepared rows may be a sample.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder")
    found, expected = [], set()
    for target, languages in asked.items():
        task = xtreme.TASKS[target]
        if languages and not (folder / task.folder).is_dir():
            found.append(f"{task.folder}: there is no such folder")
            continue
        for lang in languages:
            expected.add(task.file(lang))
            lines = _file(folder, target, lang, rows_file(data, target, lang), rehearsal)
            found += [f"{task.file(lang)}: {line}" for line in lines]
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return found + [f"{name}: is no file of a submission" for name in files if name not in expected]


def _file(folder: Path, target: str, lang: str, path: Path, rehearsal: bool) -> list[str]:
    """Return what is wrong with one file, `path` being its prepared rows."""
    file = folder / xtreme.TASKS[target].file(lang)
    if not file.exists():
        return ["is missing"]
    try:
        content = file.read_text(encoding="utf-8")
        about, rows = prepare.metadata(path), prepare.read(path).to_pylist()
    except UnicodeDecodeError:
        return ["is not UTF-8"]
    except UserError as error:
        return [f"cannot be checked: {error}"]
    labels = about["spec"].get("labels") or []
    return incomplete(about, rehearsal) + faults(target, content, rows, labels)
