"""XTREME (arXiv 2003.11080): tasks, languages, files of a submission, averages of scores.

From `evaluate.py` of google-research/xtreme. The keys are our names of the targets.
"""

import dataclasses
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath

from xstilts.experiment import reference

GROUPS = {
    "classification": ("pawsx", "xnli"),
    "tagging": ("udpos", "wikiann"),
    "qa": ("xquad", "mlqa", "tydiqa"),
    "retrieval": ("bucc", "tatoeba"),
}


@dataclasses.dataclass(frozen=True)
class Task:
    """A task of XTREME.

    Attributes:
        folder: XTREME's name of it, and its folder in a submission.
        kind: what a file of predictions holds: labels, tags, answers, pairs or indices.
        languages: those that a submission must have.
        split: of our rows that XTREME calls test; three tasks publish one split only.
    """

    folder: str
    kind: str
    languages: tuple[str, ...]
    split: str = "test"

    def file(self, language: str) -> str:
        """Return the path of a language's predictions in a submission."""
        return f"{self.folder}/test-{language}.{'json' if self.kind == 'answers' else 'tsv'}"


def _task(folder: str, kind: str, languages: str, split: str = "test") -> Task:
    return Task(folder, kind, tuple(languages.split()), split)


TASKS = {
    "pawsx": _task("pawsx", "labels", "de en es fr ja ko zh"),
    "xnli": _task("xnli", "labels", "ar bg de el en es fr hi ru sw th tr ur vi zh"),
    "udpos": _task(
        "udpos",
        "tags",
        "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl pt ru ta te th tl tr ur"
        " vi yo zh",
    ),
    "wikiann": _task(
        "panx",
        "tags",
        "af ar bg bn de el en es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr ms my nl pt ru"
        " sw ta te th tl tr ur vi yo zh",
    ),
    "xquad": _task("xquad", "answers", "ar de el en es hi ru th tr vi zh", "dev"),
    "mlqa": _task("mlqa", "answers", "ar de en es hi vi zh"),
    "tydiqa": _task("tydiqa", "answers", "ar bn en fi id ko ru sw te", "dev"),
    "bucc": _task("bucc2018", "pairs", "de fr ru zh"),
    "tatoeba": _task(
        "tatoeba",
        "indices",
        "af ar bg bn de el es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr nl pt ru sw ta te"
        " th tl tr ur vi zh",
        "dev",
    ),
}


def averages(scores: Mapping[str, float]) -> dict[str, float | None]:
    """Return the score of each group, and `overall`: unweighted means over their tasks.

    Args:
        scores: target -> score, averaged over all languages, English included; of questions the
            mean of F1 and exact match.

    Returns:
        None for a mean with a missing task; `overall` is the mean of the nine tasks, not of the
        groups.
    """
    means = {group: _mean(scores, tasks) for group, tasks in GROUPS.items()}
    return {**means, "overall": _mean(scores, tuple(TASKS))}


def scored_groups(targets: Collection[str]) -> list[str]:
    """Return the groups of which all tasks are among some targets."""
    return [group for group, tasks in GROUPS.items() if set(tasks) <= set(targets)]


def is_published(checkpoint: str, split: str = "dev") -> bool:
    """Return whether there are published results of this checkpoint, by whatever owner.

    Beside those of another a smaller model, or the one of the toy world, would look like a failure.
    """
    rows = reference.table("published")
    return (split, published_name(checkpoint)) in {(row["split"], row["model"]) for row in rows}


def published_name(checkpoint: str) -> str:
    """Return what `reference/published.csv` calls a checkpoint: its name without owner."""
    return PurePosixPath(checkpoint).name.lower()


def _mean(scores: Mapping[str, float], tasks: tuple[str, ...]) -> float | None:
    if any(task not in scores for task in tasks):
        return None
    return sum(scores[task] for task in tasks) / len(tasks)
