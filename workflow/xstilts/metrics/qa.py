"""Answers to questions: F1 over words and exact match, as SQuAD v1.1, v2.0 and MLQA score them.

Gold is a list of right answers a question, of which the best counts; a prediction is one text,
empty for no answer.
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

from xstilts.metrics import counts


def squad(gold: Sequence[Sequence[str]], predicted: Sequence[str]) -> dict[str, float]:
    """SQuAD v1.1: mean over questions of `squad_example`."""
    counts.check(gold, predicted)
    return _span([squad_example(g, p) for g, p in zip(gold, predicted, strict=True)])


def squad2(gold: Sequence[Sequence[str]], predicted: Sequence[str]) -> dict[str, float]:
    """SQuAD v2.0: mean over questions of `squad2_example`."""
    counts.check(gold, predicted)
    return _span([squad2_example(g, p) for g, p in zip(gold, predicted, strict=True)])


def mlqa(
    gold: Sequence[Sequence[str]], predicted: Sequence[str], language: str
) -> dict[str, float]:
    """MLQA: mean over questions of `mlqa_example`; `language` is the answers'."""
    counts.check(gold, predicted)
    return _span([mlqa_example(g, p, language) for g, p in zip(gold, predicted, strict=True)])


def squad_example(golds: Sequence[str], prediction: str) -> tuple[float, float]:
    """(F1, exact match) of one answer by SQuAD v1.1's rules, each the best over the gold answers.

    No gold answers means that the question has none: 1 for an empty prediction, else 0, as in v2.
    """
    return _best(squad_words, golds, prediction)


def squad2_example(golds: Sequence[str], prediction: str) -> tuple[float, float]:
    """(F1, exact match) of one answer by the official script of SQuAD v2.0.

    Words are v1.1's. A question has no answer if nothing is left of any gold answer; then, and
    where nothing is left of the prediction, F1 is 1 if nothing is left of either, else 0. (v1.1
    gives 0 to two answers of articles alone.)
    """
    golds = [gold for gold in golds if squad_words(gold)]
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
    return counts.f1((Counter(gold) & Counter(predicted)).total(), len(predicted), len(gold))


def _span(examples: list[tuple[float, float]]) -> dict[str, float]:
    return {
        "f1": counts.mean([f1 for f1, _ in examples]),
        "exact_match": counts.mean([em for _, em in examples]),
    }
