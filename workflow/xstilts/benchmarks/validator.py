"""Check a submission to XTREME or XTREME-R against the prepared rows.

XTREME's `evaluate.py` compares line by line, so a missing line silently shifts all that follow.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from xstilts.benchmarks.benchmark import Benchmark
from xstilts.benchmarks.xtreme import XTREME
from xstilts.data import prepare
from xstilts.data.pools import TAKEN
from xstilts.data.rows import FOREIGN, UNUSED
from xstilts.data.source import POOL
from xstilts.running.errors import UserError, nearest

RANKED = 20  # candidates that are ranked, at most
Rows = Sequence[dict[str, Any]]


def _labels(content: str, rows: Rows, labels: Sequence[str]) -> list[str]:
    lines = content.splitlines()
    unknown = [
        f"line {number}: there is no label `{label}`{nearest(label, labels)}"
        for number, label in enumerate(lines, start=1)
        if label not in labels
    ]
    return _wrong_count(len(lines), "lines", len(rows), "rows") + _summary(unknown)


def _tags(content: str, rows: Rows, labels: Sequence[str]) -> list[str]:
    """Sentences end with an empty line, the last one optionally."""
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
    count = _wrong_count(len(sentences), "sentences", len(rows), "rows")
    return count + _summary(lengths) + _summary(unknown)


def _answers(content: str, rows: Rows, labels: Sequence[str]) -> list[str]:
    def text(answer: Any) -> str:
        return "" if isinstance(answer, str) else "is no text"

    return _by_id(content, [row["id"] for row in rows], "question", "answer", text)


def _ranked(content: str, rows: Rows, labels: Sequence[str]) -> list[str]:
    candidates = frozenset(labels)

    def ids(answer: Any) -> str:
        if not isinstance(answer, list) or not all(isinstance(one, str) for one in answer):
            return "is no list of ids of candidates"
        if len(set(answer)) < len(answer):
            return "has a candidate twice"
        if candidates and (odd := next((one for one in answer if one not in candidates), None)):
            return f"has `{odd}`, which is no candidate"
        return "" if len(answer) <= RANKED else f"has more than {RANKED} candidates"

    return _by_id(content, [row["id"] for row in rows], "mention", "answer", ids)


def _by_id(
    content: str, ids: Sequence[str], noun: str, of: str, wrong: Callable[[Any], str]
) -> list[str]:
    """Return the faults of a JSON object, id -> answer; `wrong` says that of an answer."""
    try:
        answers = json.loads(content)
    except ValueError as error:
        return [f"is not JSON ({error})"]
    if not isinstance(answers, dict):
        return [f"must be a JSON object, id of a {noun} -> {of}"]
    missing = [f"{noun} `{key}` has no {of}" for key in ids if key not in answers]
    known = set(ids)
    unknown = [f"there is no {noun} `{key}`" for key in answers if key not in known]
    odd = [f"the {of} to `{key}` {why}" for key, a in answers.items() if (why := wrong(a))]
    return _summary(missing) + _summary(unknown) + _summary(odd)


def _choices(content: str, rows: Rows, labels: Sequence[str]) -> list[str]:
    lines, odd = content.splitlines(), []
    for number, (line, row) in enumerate(zip(lines, rows, strict=False), start=1):
        valid = [{"label": choice} for choice in range(len(row["choices"]))]
        try:
            right = json.loads(line) in valid
        except ValueError:
            right = False
        if not right:
            odd.append(f'line {number}: must be {{"label": 0}} to {{"label": {len(valid) - 1}}}')
    return _wrong_count(len(lines), "lines", len(rows), "rows") + _summary(odd)


def _pairs(content: str, rows: Rows, labels: Sequence[str]) -> list[str]:
    sides = {
        side: {row["id"] for row in rows if row["side"] == side} for side in ("source", "target")
    }
    malformed, unknown, counts = [], [], Counter[str]()
    for number, line in enumerate(content.splitlines(), start=1):
        ids = line.split("\t")
        counts[line] += 1
        if len(ids) != 2:
            malformed.append(f"line {number}: must be two ids, separated by a TAB")
            continue
        for key, side in zip(ids, ("source", "target"), strict=True):
            if key not in sides[side]:
                unknown.append(f"line {number}: `{key}` is no id of the {side} side")
    repeated = [f"the pair `{line}` is there {n} times" for line, n in counts.items() if n > 1]
    return _summary(malformed) + _summary(unknown) + _summary(repeated)


def _indices(content: str, rows: Rows, labels: Sequence[str]) -> list[str]:
    lines = content.splitlines()
    targets = sum(row["side"] == "target" for row in rows)
    wrong = [
        f"line {number}: `{line}` is no index from 0 to {targets - 1}"
        for number, line in enumerate(lines, start=1)
        if not (line.isascii() and line.isdecimal() and int(line) < targets)
    ]
    return _wrong_count(len(lines), "lines", len(rows) - targets, "queries") + _summary(wrong)


CHECKS: dict[str, Callable[[str, Rows, Sequence[str]], list[str]]] = {
    "labels": _labels,
    "tags": _tags,
    "answers": _answers,
    "pairs": _pairs,
    "indices": _indices,
    "choices": _choices,
    "ranked": _ranked,
}


def _wrong_count(count: int, unit: str, expected: int, source: str) -> list[str]:
    return [] if count == expected else [f"has {count} {unit}, but there are {expected} {source}"]


def _summary(faults: list[str]) -> list[str]:
    """Return the first of faults of one kind, with the number of others."""
    more = f" (and {len(faults) - 1} more like this)" if len(faults) > 1 else ""
    return [faults[0] + more] if faults else []


def faults(
    target: str, content: str, rows: Rows, labels: Sequence[str], of: Benchmark = XTREME
) -> list[str]:
    """Return a line for each kind of fault in the file of one language.

    Args:
        target: our name of the task.
        content: of the file.
        rows: the prepared rows, see `prepare.SCHEMAS`.
        labels: names of the task's labels, where it has any; ids of its candidates.
        of: what it is a submission to.
    """
    return CHECKS[of.tasks[target].kind](content, rows, labels)


def missing_rows(metadata: dict[str, Any], rehearsal: bool) -> list[str]:
    """Return what the prepared rows lack of the full split.

    Args:
        metadata: see `prepare.metadata`.
        rehearsal: a sample is no fault.
    """
    # Of the pairs that are `TAKEN` both sentences are there.
    expected = (FOREIGN, UNUSED, TAKEN)
    dropped = {why: n for why, n in metadata["dropped"].items() if why not in expected}
    lines = [
        f"{n} row(s) were dropped when they were prepared: {why}" for why, n in dropped.items()
    ]
    others = sum(metadata["dropped"].get(why, 0) for why in (FOREIGN, UNUSED))
    usable = metadata["rows_total"] - others - sum(dropped.values())
    max_rows = metadata["spec"].get("max_rows")
    if not rehearsal and max_rows is not None and usable > max_rows:
        lines.append(f"the prepared rows are a sample of {max_rows} (`limits` of the config)")
    return lines


def full_submission(of: Benchmark = XTREME) -> dict[str, list[str]]:
    """Return target -> languages of a full submission."""
    return {target: list(task.languages) for target, task in of.files.items()}


def prepared_languages(data: Path, of: Benchmark = XTREME) -> dict[str, list[str]]:
    """Return target -> languages that have prepared rows; UserError if there are none."""
    languages = {
        target: [lang for lang in task_languages if rows_path(data, target, lang, of).exists()]
        for target, task_languages in full_submission(of).items()
    }
    if not any(languages.values()):
        raise UserError(f"{data}: there are no prepared rows of a task of {of.title}")
    return languages


def rows_path(data: Path, target: str, lang: str, of: Benchmark = XTREME) -> Path:
    """Return the path of the prepared rows of a file in a submission."""
    return data / target / f"{lang}.{of.tasks[target].split}.parquet"


def check(
    folder: Path,
    data: Path,
    expected: Mapping[str, Collection[str]],
    rehearsal: bool,
    of: Benchmark = XTREME,
) -> list[str]:
    """Return a line for each fault of a submission; none if it may be uploaded.

    Args:
        folder: the submission.
        data: of the prepared rows, `{target}/{language}.{split}.parquet`.
        expected: target -> languages that must be there, and no others; for an upload those of
            `full_submission`.
        rehearsal: the prepared rows may be a sample.
        of: what it is a submission to.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder")
    lines, expected_files = [], set()
    for target, languages in expected.items():
        task = of.tasks[target]
        if languages and not (folder / task.folder).is_dir():
            lines.append(f"{task.folder}: there is no such folder")
            continue
        for lang in languages:
            expected_files.add(task.file(lang))
            file_faults = _file_faults(folder, target, lang, data, rehearsal, of)
            lines += [f"{task.file(lang)}: {fault}" for fault in file_faults]
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    unexpected = [name for name in files if name not in expected_files]
    return lines + [f"{name}: is no file of a submission" for name in unexpected]


def _file_faults(
    folder: Path, target: str, lang: str, data: Path, rehearsal: bool, of: Benchmark
) -> list[str]:
    """Return the faults of one file, against its prepared rows."""
    file, rows = folder / of.tasks[target].file(lang), rows_path(data, target, lang, of)
    if not file.exists():
        return ["is missing"]
    try:
        content = file.read_text(encoding="utf-8")
        metadata, prepared = prepare.metadata(rows), prepare.read(rows).to_pylist()
    except UnicodeDecodeError:
        return ["is not UTF-8"]
    except UserError as error:
        return [f"cannot be checked: {error}"]
    labels = metadata["spec"].get("labels") or []
    pool = rows_path(data, target, POOL, of)
    if metadata["spec"].get("pool") and pool.exists():
        labels = pq.read_table(pool, columns=["id"])["id"].to_pylist()
    return missing_rows(metadata, rehearsal) + faults(target, content, prepared, labels, of)
