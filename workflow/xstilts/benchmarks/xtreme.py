"""XTREME (arXiv 2003.11080): tasks, languages, files of a submission, averages of scores.

From `evaluate.py` of google-research/xtreme. The keys are our names of the targets.
"""

from pathlib import PurePosixPath

from xstilts.benchmarks import benchmark
from xstilts.experiment import reference

XTREME = benchmark.make(
    "xtreme",
    "XTREME",
    groups={
        "classification": ("pawsx", "xnli"),
        "tagging": ("udpos", "wikiann"),
        "qa": ("xquad", "mlqa", "tydiqa"),
        "retrieval": ("bucc", "tatoeba"),
    },
    files={
        "pawsx": "pawsx labels",
        "xnli": "xnli labels",
        "udpos": "udpos tags",
        "wikiann": "panx tags",
        "xquad": "xquad answers",
        "mlqa": "mlqa answers",
        "tydiqa": "tydiqa answers",
        "bucc": "bucc2018 pairs",
        "tatoeba": "tatoeba indices",
    },
)
GROUPS, TASKS = XTREME.groups, XTREME.tasks
averages, scored_groups = XTREME.averages, XTREME.scored_groups


def is_published(checkpoint: str, split: str = "dev") -> bool:
    """Return whether there are published results of this checkpoint, by whatever owner.

    Beside those of another a smaller model, or the one of the toy world, would look like a failure.
    """
    rows = reference.table("published")
    return (split, published_name(checkpoint)) in {(row["split"], row["model"]) for row in rows}


def published_name(checkpoint: str) -> str:
    """Return what `reference/published.csv` calls a checkpoint: its name without owner."""
    return PurePosixPath(checkpoint).name.lower()
