"""Rows of targets that stand in the train rows of another task, where a model may have read them.

A row counts where its question is that of a train row (of a pair, both texts), or where `RUN`
running words of its context stand in one. Words are in lower case, without signs. (Runs of 13 words
as in the analysis of GPT-3: Brown et al. 2020, arXiv 2005.14165, appendix C; from memory.)
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from xstilts.running.errors import UserError
from xstilts.running.files import read_json

RUN = 13
MOST = 0.01  # share of the rows of a target beyond which a score may be of what was read before
# Format -> the columns that are its question together, and those of which each is a context.
COLUMNS = {
    **dict.fromkeys(
        ("classification", "regression", "dual"), (("text", "text_pair"), ("text", "text_pair"))
    ),
    **dict.fromkeys(("retrieval", "mlm", "caption"), (("text",), ("text",))),
    "choice": (("context",), ("context", "choices")),
    "span": (("question",), ("context",)),
    "tagging": (("tokens",), ("tokens",)),
}
BATCH = 20_000  # rows that are looked at together
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no bit of a word is lost
_BITS = 26
_SHIFT = np.uint64(64 - _BITS)
_WORD = re.compile(r"\w+")
Rows = Iterable[Mapping[str, Any]]


class Overlap(NamedTuple):
    """How many of the rows of a target are found: by question, by context, by either."""

    rows: int
    question: int
    context: int
    either: int


def words(text: str) -> list[str]:
    """Return the words of a text."""
    return _WORD.findall(text.lower())


def overlaps(
    train: tuple[str, Iterable[Rows]], targets: Mapping[str, tuple[str, Rows]]
) -> dict[str, Overlap]:
    """Return target -> how many of its rows are in train rows.

    Args:
        train: format, and unified rows in batches.
        targets: name -> format and unified rows.
    """
    parts = {name: _hashed(*of) for name, of in targets.items()}
    questions = _Sought(part.questions for part in parts.values())
    runs = _Sought(part.runs for part in parts.values())
    format, batches = train
    seen = set[int]()  # contexts: many questions of SQuAD have the same
    for batch in batches:
        found = _hashed(format, batch, seen)
        questions.look(found.questions)
        runs.look(found.runs)
    return {name: _counted(part, questions, runs) for name, part in parts.items()}


def batches(path: str | Path, format: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of a file of unified rows: what `overlaps` needs of them."""
    columns = list(dict.fromkeys(chain(*COLUMNS[format])))
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH, columns=columns):
            yield batch.to_pylist()


class _Hashes(NamedTuple):
    """The texts of rows as hashes, uint64: of the `questions` [rows], 0 of one without words, and
    of the `runs`, with the number of the `row` of each.

    They are those of this process: Python's hashes of words differ from one to the next.
    """

    questions: np.ndarray
    runs: np.ndarray
    row: np.ndarray


def _hashed(format: str, rows: Rows, seen: set[int] | None = None) -> _Hashes:
    """Return the hashes of rows.

    Args:
        seen: contexts that are left out, to which those of the rows are added; None for none.
    """
    of_question, of_context = COLUMNS[format]
    questions, texts, numbers = list[int](), list[list[str]](), list[int]()
    for number, row in enumerate(rows):
        asked = {text: words(text) for text in _texts(row, of_question)}
        whole = " ".join(word for each in asked.values() for word in each)
        questions.append(hash(whole) if whole else 0)
        for text in _texts(row, of_context):
            if seen is not None:
                if (key := hash(text)) in seen:
                    continue
                seen.add(key)
            texts.append(asked[text] if text in asked else words(text))
            numbers.append(number)
    runs, of = _runs(texts)
    return _Hashes(np.array(questions, np.int64).view(np.uint64), runs, np.array(numbers, int)[of])


def _texts(row: Mapping[str, Any], columns: Sequence[str]) -> Iterator[str]:
    for name in columns:
        value = row[name]
        if name == "tokens":
            yield " ".join(value)
        elif isinstance(value, str):
            yield value
        else:
            yield from value or ()


def _runs(texts: Sequence[Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the hash of every run of words within a text, and the number of the text."""
    lengths = np.array([len(text) for text in texts], int)
    flat = np.fromiter(map(hash, chain.from_iterable(texts)), np.int64, int(lengths.sum()))
    size = max(0, len(flat) - RUN + 1)
    found: np.ndarray = np.zeros(size, np.uint64)
    for place in range(RUN):
        found *= _MULTIPLIER
        found += flat.view(np.uint64)[place : place + size]
    of: np.ndarray = np.repeat(np.arange(len(texts)), lengths)
    inside = of[:size] == of[len(of) - size :]
    return found[inside], of[:size][inside]


class _Sought:
    """Hashes that are looked for."""

    def __init__(self, parts: Iterable[np.ndarray]) -> None:
        # By their first bits, which leave out nearly all that is looked at.
        self._may: np.ndarray = np.zeros(2**_BITS, bool)
        for part in parts:
            self._may[part >> _SHIFT] = True
        self._found: list[np.ndarray] = [np.zeros(0, np.uint64)]

    def look(self, hashes: np.ndarray) -> None:
        """Take note of what may be among them."""
        self._found.append(hashes[self._may[hashes >> _SHIFT]])

    def which(self, hashes: np.ndarray) -> np.ndarray:
        """Return of each of its own hashes whether it was there."""
        found = np.sort(np.concatenate([*self._found, np.zeros(1, np.uint64)]))
        places = np.searchsorted(found, hashes)
        return found[np.minimum(places, len(found) - 1)] == hashes


def _counted(part: _Hashes, questions: _Sought, runs: _Sought) -> Overlap:
    asked = questions.which(part.questions) & (part.questions != 0)
    read: np.ndarray = np.zeros(len(asked), bool)
    read[part.row[runs.which(part.runs)]] = True
    return Overlap(len(asked), int(asked.sum()), int(read.sum()), int((asked | read).sum()))


def refuse(path: str, target: str, name: str, where: str) -> None:
    """Refuse to score what a model has read in translation, by the record of an overlap.

    Args:
        path: of the record, that of a task.
        target: that is scored.
        name: the intermediate that is trained on translations of the task.
        where: what is refused, for the message.

    Raises:
        UserError: what was found, and what to do.
    """
    task = Path(path).stem
    found = read_json(Path(path).with_suffix("") / f"{target}.json")
    if found["either"] > MOST * found["rows"]:
        raise UserError(
            f"{where}: {found['either']} of the {found['rows']} English rows of {target} stand in"
            f" the train rows of {task}, which `{name}` is trained on in translation, so it may"
            " have read them (tables/overlap); leave the cell out, or say `leaks: allow` in"
            f" `intermediates: {name}: translated`"
        )
