"""A bag-of-words model: what of each train row can be told from its words alone.

It says what a subset of rows is like. One that is hard because its labels are wrong is below chance
with it, one that is easy by its words near to 1.

Each row is predicted by a model of the rows that are not in its fold, of `FOLDS` by a hash of the
id. Classification: naive Bayes on which words occur on which side (binarized multinomial, add-one
smoothing: McCallum and Nigam 1998; Wang and Manning 2012). Choice: the same, of words of a right
choice against those of a wrong one, and of those that the context has too; the highest is chosen.
Tagging: the tag that a word has most often. Span: no model is fit; whether the answer is in the
sentence that shares most words with the question, weighted by log(sentences / sentences with it).
"""

import hashlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

FOLDS = 5
_WORD = re.compile(r"\w+|[^\w\s]")
_SENTENCE = re.compile(r"[^.!?。！？؟]*[.!?。！？؟]*")
Rows = Sequence[Mapping[str, Any]]


def words(text: str | None) -> list[str]:
    """Return the words and signs of a text, in lower case."""
    return _WORD.findall((text or "").lower())


def correct(rows: Rows, format: str) -> np.ndarray:
    """Return how right the model is of each row, 0 to 1, float64 [rows].

    Args:
        rows: unified train rows.
        format: of them, one of `FORMATS`.
    """
    folds = np.array([_fold(row["id"]) for row in rows])
    return FORMATS[format](rows, folds)


def _fold(id: str) -> int:
    return hashlib.sha256(f"fold {id}".encode()).digest()[0] % FOLDS


def _classification(rows: Rows, folds: np.ndarray) -> np.ndarray:
    texts = (  # not all at once: sets of words take kilobytes a row
        {*words(row["text"]), *(f"2 {word}" for word in words(row["text_pair"]))} for row in rows
    )
    names = sorted({row["label"] for row in rows})
    gold = np.array([names.index(row["label"]) for row in rows])
    return (_scores(texts, gold, folds, len(names)).argmax(1) == gold).astype(float)


def _choice(rows: Rows, folds: np.ndarray) -> np.ndarray:
    texts, right = [], []
    for row in rows:
        context = {*words(row["context"])}
        for number, choice in enumerate(row["choices"]):
            own = {*words(choice)}
            texts.append({*own, *(f"2 {word}" for word in own & context)})
            right.append(int(number == row["label"]))
    of: np.ndarray = np.repeat(np.arange(len(rows)), [len(row["choices"]) for row in rows])
    scores = _scores(texts, np.array(right), folds[of], 2)
    odds = np.split(scores[:, 1] - scores[:, 0], np.flatnonzero(np.diff(of)) + 1)
    pairs = zip(odds, rows, strict=True)
    return np.array([float(own.argmax() == row["label"]) for own, row in pairs])


def _scores(
    texts: Iterable[Iterable[str]], gold: np.ndarray, folds: np.ndarray, classes: int
) -> np.ndarray:
    """Return log P(class) + log P(words | class) but for a constant, [texts, classes], by the texts
    of the other folds."""
    known: dict[str, int] = {}
    ids = [np.array([known.setdefault(w, len(known)) for w in sorted(own)], int) for own in texts]
    of: np.ndarray = np.repeat(np.arange(len(ids)), [len(own) for own in ids])
    word, size = np.concatenate(ids), len(known)
    found = np.zeros((len(ids), classes))
    for fold in range(FOLDS):
        train, test = folds != fold, folds[of] == fold
        for name in range(classes):
            own = train & (gold == name)
            counts = 1.0 + np.bincount(word[own[of]], minlength=size)
            logs = np.log(counts / counts.sum())
            summed = np.bincount(of[test], weights=logs[word[test]], minlength=len(ids))
            prior = math.log((own.sum() + 1) / (train.sum() + classes))
            found[~train, name] = summed[~train] + prior
    return found


def _tagging(rows: Rows, folds: np.ndarray) -> np.ndarray:
    found = np.zeros(len(rows))
    for fold in range(FOLDS):
        tags: dict[str, Counter] = defaultdict(Counter)
        every = Counter[str]()
        for row, own in zip(rows, folds, strict=True):
            if own != fold:
                every.update(row["tags"])
                for word, tag in zip(row["tokens"], row["tags"], strict=True):
                    tags[word.lower()][tag] += 1
        best = {word: _most(counts) for word, counts in tags.items()}
        other = _most(every)
        for at in np.flatnonzero(folds == fold):
            row = rows[int(at)]
            pairs = zip(row["tokens"], row["tags"], strict=True)
            hits = [best.get(word.lower(), other) == tag for word, tag in pairs]
            found[at] = sum(hits) / max(1, len(hits))
    return found


def _most(counts: Counter) -> str:
    return min(counts, key=lambda tag: (-counts[tag], tag), default="")


def _span(rows: Rows, folds: np.ndarray) -> np.ndarray:
    contexts = {row["context"]: _sentences(row["context"]) for row in rows}
    every = [{*words(text)} for spans in contexts.values() for _, _, text in spans]
    seen = Counter(word for own in every for word in own)
    found = []
    for row in rows:
        asked, spans = {*words(row["question"])}, contexts[row["context"]]
        starts = row["answers"]["start"]
        if not starts or not spans:
            found.append(0.0)
            continue
        shared = [
            sum(math.log(len(every) / seen[word]) for word in sorted(asked & {*words(text)}))
            for _, _, text in spans
        ]
        begin, end, _ = spans[int(np.argmax(shared))]
        found.append(float(begin <= starts[0] < end))
    return np.array(found)


def _sentences(text: str) -> list[tuple[int, int, str]]:
    """Return begin, end and text of each sentence."""
    return [(m.start(), m.end(), m[0]) for m in _SENTENCE.finditer(text) if m[0].strip()]


FORMATS = {
    "classification": _classification,
    "choice": _choice,
    "tagging": _tagging,
    "span": _span,
}
