"""What guessing gives on the rows of a task, and the interval of a score on them.

A guess sees no text: it is the best answer that is the same for every row, or one drawn by chance
where that gives more. What a training must be above to have learnt anything.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist, median
from typing import Any, NamedTuple

from xstilts import metrics
from xstilts.metrics import ranking
from xstilts.metrics.tagging import chunks

CORRELATIONS = ("matthews", "pearson", "spearman")  # guessing is not correlated with anything
TAGS = 3  # the most frequent ones that are tried; a tag set may have a thousand
PLACES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of a context, where an answer is guessed to be
ERROR = 0.05  # of an interval: it is of 95%
Rows = Sequence[Mapping[str, Any]]


class Guess(NamedTuple):
    """The best guess.

    Attributes:
        score: the task's score of it, as `Metric.task_score`.
        how: what it answers, to say after "guessing": `always neutral`.
        rows: the independent examples that a score on these rows is worth, see `interval`.
    """

    score: float
    how: str
    rows: float


def best(format: str, metric: str, rows: Rows, language: str) -> Guess:
    """Return the best guess on rows.

    - accuracy of labels: always the most frequent one. That is never below 1 / labels.
    - macro F1: labels as often as they are in the rows. Then the F1 of each is its share, and the
      mean of these is 1 / labels; it is no more for one label alone (at most 1 / labels), nor for
      labels drawn with equal odds (2p / (1 + Kp) of a share p of K labels, which is concave in p).
    - correlations: 0.
    - choice: always one position, or any of the choices at random, the mean of 1 / choices.
    - tagging: always one tag, by the task's own metric: F1 of O everywhere is 0, and of NOUN
      everywhere above that.
    - span: always no answer, or as many words as answers have (median) at the same place of every
      context: its beginning, its end, or a quarter, half or three quarters of the way.
    - caption: always one word, the most frequent, as if words were pieces.
    - dual: passages in any order, of which the right one is at each rank as often: the mean of 1 /
      rank, 0 past the last that counts.

    Args:
        format: of the task.
        metric: of the task.
        rows: unified rows, with their gold values.
        language: theirs.

    Raises:
        KeyError: nothing is trained on the format (retrieval), or it is not scored (mlm).
    """
    if metric in CORRELATIONS:
        return Guess(0.0, "anything", len(rows))
    return _GUESSES[format](metric, rows, language)


def least(format: str, metric: str, rows: Rows) -> float:
    """Return the lowest score of one answer for every row, 0 where that is not known: what is below
    has learnt something, but not what the rows say.

    Args: see `best`.
    """
    if metric != "accuracy" or format not in ("classification", "choice"):
        return 0.0
    return min(Counter(row["label"] for row in rows).values()) / len(rows)


def interval(metric: str, score: float, rows: float, looks: int = 1) -> tuple[float, float]:
    """Return the bounds of the 95% interval of a score that is the highest of `looks` evaluations.

    The highest of several noisy figures is too high, so each bound is wider, by Bonferroni's
    inequality: of 1 - 0.05 / looks.

    A score from 0 to 1: Wilson's interval (1927, J. Am. Stat. Assoc. 22) of a proportion in `rows`
    independent examples. Of a mean of values from 0 to 1 that are not all 0 or 1 it is a little too
    wide: their variance is at most m (1 - m), that of a proportion (Bhatia and Davis 2000, Am.
    Math. Monthly 107). What is worth fewer examples than there are rows:

    - F1 over chunks is 2 C / S, where S counts the chunks of gold and prediction, so a sentence
      weighs as many: Kish's effective size (1965), (sum s)^2 / sum s^2 over sentences.
    - macro F1 is a mean over labels, of which the F1 of a rare one is the most uncertain: taken as
      K^2 / sum (1 / n_k), as if each F1 was a proportion in its n_k rows. An approximation.

    A correlation: Fisher's z with the variance (1 + r^2 / 2) / (n - 3) that Bonett and Wright
    (2000, Psychometrika 65) give for Spearman's; Pearson's is 1 / (n - 3), and Matthews' is
    Pearson's of labels.

    (Sources from memory.) `tests/scoring/test_guessing.py` counts how often it is wrong.

    Args:
        metric: of the task.
        score: 0 to 1, of a correlation -1 to 1.
        rows: see `Guess`.
        looks: evaluations of which it is the highest.
    """
    z = NormalDist().inv_cdf(1 - ERROR / 2 / looks)
    if metric in CORRELATIONS:
        if rows <= 3:
            return -1.0, 1.0
        at = math.atanh(max(-1 + 1e-9, min(1 - 1e-9, score)))
        error = z * math.sqrt((1 + score * score / 2) / (rows - 3))
        return math.tanh(at - error), math.tanh(at + error)
    share = z * z / rows
    middle = score + share / 2
    half = z * math.sqrt(max(0.0, score * (1 - score)) / rows + share / rows / 4)
    return max(0.0, (middle - half) / (1 + share)), min(1.0, (middle + half) / (1 + share))


def _labels(metric: str, rows: Rows, language: str) -> Guess:
    counts = Counter(row["label"] for row in rows)
    if metric == "macro_f1":
        worth = len(counts) ** 2 / sum(1 / n for n in counts.values())
        return Guess(1 / len(counts), "labels as often as they are", worth)
    label, n = counts.most_common(1)[0]
    return Guess(n / len(rows), f"always {label}", len(rows))


def _choices(metric: str, rows: Rows, language: str) -> Guess:
    at, n = Counter(int(row["label"]) for row in rows).most_common(1)[0]
    chance = sum(1 / len(row["choices"]) for row in rows) / len(rows)
    if n / len(rows) > chance:
        return Guess(n / len(rows), f"always choice {at + 1}", len(rows))
    return Guess(chance, "any choice", len(rows))


def _tags(metric: str, rows: Rows, language: str) -> Guess:
    gold = [row["tags"] for row in rows]
    tags = [tag for tag, _ in Counter(t for tags in gold for t in tags).most_common(TAGS)]
    guesses = {f"always {tag}": [[tag] * len(one) for one in gold] for tag in tags}
    sizes = [len(chunks(one)) for one in gold]
    worth = sum(sizes) ** 2 / sum(n * n for n in sizes) if any(sizes) else len(rows)
    return _highest(metric, gold, guesses, language, worth)


def _answers(metric: str, rows: Rows, language: str) -> Guess:
    gold = [row["answers"]["text"] for row in rows]
    words = [row["context"].split() for row in rows]
    size = round(median([len(answers[0].split()) for answers in gold if answers] or [0]))
    guesses = {"always no answer": [""] * len(rows)}
    for place in PLACES if size else ():
        starts = [round(place * max(0, len(one) - size)) for one in words]
        at = f"the word{'' if size == 1 else f's, {size} of them,'} at {place:.0%} of the context"
        guesses[at] = [
            " ".join(one[start : start + size]) for one, start in zip(words, starts, strict=True)
        ]
    return _highest(metric, gold, guesses, language, len(rows))


def _passages(metric: str, rows: Rows, language: str) -> Guess:
    passages = len({row["text_pair"] for row in rows})
    chance = sum(1 / rank for rank in range(1, min(ranking.RANKS, passages) + 1)) / passages
    return Guess(chance, "any passages", len(rows))


def _words(metric: str, rows: Rows, language: str) -> Guess:
    counts = Counter(word for row in rows for word in row["text"].split())
    [(word, n)] = counts.most_common(1)
    return Guess(n / counts.total(), f"always {word}", len(rows))


def _highest(
    metric: str, gold: Sequence, guesses: Mapping[str, Sequence], language: str, worth: float
) -> Guess:
    """Return the guess of the highest score, the first of those that are equal."""
    chosen = metrics.METRICS[metric]
    scores = {
        how: chosen.task_score(metrics.score(metric, gold, predicted, language))
        for how, predicted in guesses.items()
    }
    how = max(scores, key=scores.__getitem__)
    return Guess(scores[how], how, worth)


_GUESSES: dict[str, Callable[[str, Rows, str], Guess]] = {
    "classification": _labels,
    "choice": _choices,
    "tagging": _tags,
    "span": _answers,
    "dual": _passages,
    "caption": _words,
}
