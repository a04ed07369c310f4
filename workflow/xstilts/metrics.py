"""Metrics equal to the official scorers: lists of gold and predicted values in, floats 0 to 1 out.

`METRICS` names every metric that a task may ask for, `score` computes one. Plain Python, because
importing seqeval costs 1.4 s a process; the tests compare this module with it.
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple


def accuracy(gold: Sequence[Hashable], predicted: Sequence[Hashable]) -> dict[str, float]:
    """Share of predictions that equal the gold value."""
    _check(gold, predicted)
    return {"accuracy": _mean([g == p for g, p in zip(gold, predicted, strict=True)])}


def retrieval(gold: Sequence[Hashable], predicted: Sequence[Hashable]) -> dict[str, float]:
    """Share of queries whose nearest sentence is their translation: one id a query on each side."""
    return accuracy(gold, predicted)


# --- Tagging -------------------------------------------------------------------------------------


def tagging(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> dict[str, float]:
    """Accuracy over words, and seqeval's micro F1 over chunks, which is XTREME's official figure.

    On bare part-of-speech tags a run of equal tags is one chunk, so that F1 is below accuracy.
    """
    _check(gold, predicted)
    words: list[bool] = []
    correct = in_gold = in_predicted = 0
    for i, (gs, ps) in enumerate(zip(gold, predicted, strict=True)):
        if len(gs) != len(ps):
            raise ValueError(f"sentence {i} has {len(gs)} gold tags but {len(ps)} predicted ones")
        words += [g == p for g, p in zip(gs, ps, strict=True)]
        g, p = set(chunks(gs)), set(chunks(ps))
        correct += len(g & p)
        in_gold += len(g)
        in_predicted += len(p)
    return {"accuracy": _mean(words), "f1": _f1(correct, in_predicted, in_gold)}


def chunks(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return (kind, start, end) of each chunk, as conlleval and seqeval read IOB and IOBES tags.

    The first letter says where in a chunk a word stands, whatever the tag set: `SCONJ` and `SYM`
    read as single words (S), `INTJ` as inside (I). The kind of a tag without a prefix is the whole
    tag, as in seqeval 0.0.12, which jiant pins. Later versions cut its first letter off, so that
    CCONJ for SCONJ counts as correct, and lose an X beside the end of a sentence.
    """
    found: list[tuple[str, int, int]] = []
    start: int | None = None
    letter_before = kind_before = "O"
    for i, tag in enumerate([*tags, "O"]):
        letter, kind = tag[:1], tag[2:] if tag[1:2] == "-" else tag
        outside = letter in "O."
        begins = not outside and (letter in "BS" or letter_before in "ESO" or kind != kind_before)
        if start is not None and (outside or begins):
            found.append((kind_before, start, i))
            start = None
        if begins:
            start = i
        letter_before, kind_before = letter, kind
    return found


# --- Question answering --------------------------------------------------------------------------


def squad(gold: Sequence[Sequence[str]], predicted: Sequence[str]) -> dict[str, float]:
    """SQuAD v1.1: mean over questions of `squad_example`."""
    _check(gold, predicted)
    return _span([squad_example(g, p) for g, p in zip(gold, predicted, strict=True)])


def mlqa(
    gold: Sequence[Sequence[str]], predicted: Sequence[str], language: str
) -> dict[str, float]:
    """MLQA: mean over questions of `mlqa_example`; `language` is the answers'."""
    _check(gold, predicted)
    return _span([mlqa_example(g, p, language) for g, p in zip(gold, predicted, strict=True)])


def squad_example(golds: Sequence[str], prediction: str) -> tuple[float, float]:
    """(F1, exact match) of one answer by SQuAD v1.1's rules, each the best over the gold answers.

    No gold answers means that the question has none: 1 for an empty prediction, else 0, as in v2.
    """
    return _best(squad_words, golds, prediction)


def mlqa_example(golds: Sequence[str], prediction: str, language: str) -> tuple[float, float]:
    """`squad_example` by MLQA's own normalisation for the language."""
    if language not in MLQA_ARTICLES:
        raise ValueError(f"MLQA has no language {language!r}, only {', '.join(MLQA_ARTICLES)}")
    return _best(lambda text: mlqa_words(text, language), golds, prediction)


def squad_words(text: str) -> list[str]:
    """Words of an answer in lower case, without ASCII punctuation and English articles."""
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


# What is cut out of an answer before words are compared. Arabic loses every `ال`, also inside a
# word: the official pattern `\sال^|ال` says no more, since its first half cannot match.
MLQA_ARTICLES = {
    "ar": "ال",
    "de": r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
    "en": r"\b(a|an|the)\b",
    "es": r"\b(un|una|unos|unas|el|la|los|las)\b",
    "hi": None,
    "vi": r"\b(của|là|cái|chiếc|những)\b",
    "zh": None,
}


def mlqa_words(text: str, language: str) -> list[str]:
    """Words of an answer in lower case, without punctuation of any script and without articles.

    In Chinese every character of the basic Han block is a word of its own.
    """
    text = "".join(c for c in text.lower() if not _is_punctuation(c))
    if articles := MLQA_ARTICLES[language]:
        text = re.sub(articles, " ", text)
    if language == "zh":
        text = re.sub("([\u4e00-\u9fa5])", r" \1 ", text)
    return text.split()


def _is_punctuation(c: str) -> bool:
    return c in string.punctuation or unicodedata.category(c).startswith("P")


def _best(
    words: Callable[[str], list[str]], golds: Sequence[str], prediction: str
) -> tuple[float, float]:
    p = words(prediction)
    if not golds:
        return float(not p), float(not p)
    pairs = [(_overlap(g, p), float(g == p)) for g in map(words, golds)]
    return max(f1 for f1, _ in pairs), max(em for _, em in pairs)


def _overlap(gold: list[str], predicted: list[str]) -> float:
    return _f1((Counter(gold) & Counter(predicted)).total(), len(predicted), len(gold))


def _span(examples: list[tuple[float, float]]) -> dict[str, float]:
    return {
        "f1": _mean([f1 for f1, _ in examples]),
        "exact_match": _mean([em for _, em in examples]),
    }


# --- Shared --------------------------------------------------------------------------------------


def _f1(correct: int, predicted: int, gold: int) -> float:
    if not correct:
        return 0.0
    precision, recall = correct / predicted, correct / gold
    return 2 * precision * recall / (precision + recall)


def _mean(values: Sequence[float]) -> float:
    if not values:
        raise ValueError("there is nothing to score")
    return sum(values) / len(values)


def _check(gold: Sequence, predicted: Sequence) -> None:
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} gold values but {len(predicted)} predictions")


# --- Registry ------------------------------------------------------------------------------------


class Metric(NamedTuple):
    """A metric that a task may name."""

    function: Callable[..., dict[str, float]]
    keys: tuple[str, ...]  # what it returns
    main: str  # the key to show where there is room for one
    averaged: tuple[str, ...]  # the task's score in a benchmark is the mean of these
    by_language: bool = False  # the function takes the language

    def task_score(self, values: dict[str, float]) -> float:
        """The one figure of a task, as XTREME averages it: for questions the mean of F1 and EM."""
        return _mean([values[key] for key in self.averaged])


METRICS = {
    "accuracy": Metric(accuracy, ("accuracy",), "accuracy", ("accuracy",)),
    "tagging": Metric(tagging, ("accuracy", "f1"), "f1", ("f1",)),
    "squad": Metric(squad, ("f1", "exact_match"), "f1", ("f1", "exact_match")),
    "mlqa": Metric(mlqa, ("f1", "exact_match"), "f1", ("f1", "exact_match"), by_language=True),
    "retrieval": Metric(retrieval, ("accuracy",), "accuracy", ("accuracy",)),
}


def score(name: str, gold: Sequence, predicted: Sequence, language: str) -> dict[str, float]:
    """Compute the metric `name` of one language."""
    metric = METRICS[name]
    arguments = (gold, predicted, language) if metric.by_language else (gold, predicted)
    return metric.function(*arguments)
