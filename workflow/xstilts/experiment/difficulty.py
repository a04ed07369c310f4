"""The measures of how difficult a train row is: names, formats, and the node that each is of."""

import dataclasses

FOLDER = "results/difficulty"


@dataclasses.dataclass(frozen=True)
class Measure:
    """One of them: the formats that have it, and what the name of its files has besides."""

    formats: tuple[str, ...]
    file: str = ""


PVI = "pvi"
RECORDED = Measure(("classification", "choice", "span", "tagging"))
# Column -> measure. `metrics/dynamics.py` has the formulas.
MEASURES = {
    **dict.fromkeys(("confidence", "variability", "correctness", "forgetting", "loss"), RECORDED),
    # Of an input that can be left out while the answers stay: labels, endings.
    PVI: Measure(("classification", "choice"), f".{PVI}"),
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
