"""The choice between the trials of a search, by their scores on the English dev set alone."""

from collections.abc import Mapping
from typing import Any

from xstilts.running.errors import NotFinite
from xstilts.training.collapse import COLLAPSED

DIVERGED = "diverged"  # the key in the record of a trial whose loss or weights became infinite
# Of the record of a trial, what is kept in that of the choice: what it cost.
COST = (
    "steps", "seconds", "energy_joules", "tokens", "tokens_per_second", "device", "precision",
    "ranks", "peak_memory", "stream", "streams",
)  # fmt: skip


def best(records: Mapping[str, Mapping[str, Any]], search: str) -> str:
    """Return the name of the trial that is taken.

    The one with the highest dev score (that of its best checkpoint); of equal ones the first, which
    has the smaller value (of text: the one written first). One that collapsed comes after all
    that did not, one that diverged never.

    Args:
        records: name of a trial -> its `node.json`.
        search: its name, for the message.

    Raises:
        NotFinite: all of them diverged.
    """
    finite = [name for name, record in records.items() if DIVERGED not in record]
    if not finite:
        raise NotFinite(
            f"{search}: the training diverged with all that was tried: {', '.join(records)};"
            " name lower learning rates, or more warmup"
        )
    return max(finite, key=lambda name: (COLLAPSED not in records[name], score(records[name])))


def score(record: Mapping[str, Any]) -> float:
    """Return the dev score of a training, that of its best checkpoint, 0 to 1."""
    return float(record["best"]["score"])


def summary(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the record of a choice says of a trial: `score` and `step` of its best
    checkpoint, `collapsed`, or why it `diverged`; and what it cost."""
    cost = {key: record[key] for key in COST if key in record}
    if DIVERGED in record:
        return {DIVERGED: record[DIVERGED], **cost}
    at_guessing = {COLLAPSED: True} if COLLAPSED in record else {}
    return {"score": score(record), "step": record["best"]["step"], **at_guessing, **cost}
