"""The measures of how difficult a train row is: names, formats, and the node that each is of."""

import dataclasses
from collections.abc import Iterable

from xstilts.metrics.dynamics import RECORDED

FOLDER = "results/difficulty"
Run = tuple[str, str, str]  # model, task and seed of a recorded training


@dataclasses.dataclass(frozen=True)
class Measure:
    """One of them: the formats that have it, and what the name of its files has besides."""

    formats: tuple[str, ...]
    file: str = ""


PVI = "pvi"
OVER_EPOCHS = ("variability", "forgetting")  # which a single epoch does not show
ANY = Measure(("classification", "choice", "span", "tagging"))
# Column -> measure. `metrics/dynamics.py` has the formulas.
MEASURES = {
    **dict.fromkeys(RECORDED, ANY),
    # Of an input that can be left out while the answers stay: labels, endings.
    PVI: Measure(("classification", "choice"), f".{PVI}"),
}
# Formats without a measure -> why.
NONE = {
    "regression": "a number is not one of several answers",
    "dual": "what is right among depends on the other rows of a batch",
    "mlm": "it has no answers",
    "caption": "it has no answer, but pieces that are hidden",
}


def node_key(model: str, task: str, seed: str, measure: str) -> str:
    """Return the path of the record of what holds a measure; see `rows_of`.

    Args:
        model, task: of the training that is recorded.
        seed: of it, `seed1`.
        measure: one of `MEASURES`.
    """
    return f"{FOLDER}/{model}/{task}/{seed}{MEASURES[measure].file}.json"


def rows_of(key: str) -> str:
    """Return the path of the rows beside a record."""
    return f"{key.removesuffix('.json')}.parquet"


def recorded(nodes: Iterable[str]) -> list[Run]:
    """Return the recorded trainings of a graph, by the keys of its nodes."""
    found = dict[Run, None]()
    for key in nodes:
        if key.startswith(f"{FOLDER}/"):
            model, task, seed = key.split("/")[2:]
            seed = seed.partition(".")[0]  # of all that is measured with it
            found[model, task, seed] = None
    return list(found)
