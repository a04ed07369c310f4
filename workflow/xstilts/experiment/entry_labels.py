"""The labels of a task's entry: listed, or those of its train rows."""

from collections.abc import Mapping
from typing import Any

from xstilts.experiment.tasks import LABELLED
from xstilts.running.errors import UserError

OF_ROWS = "rows"  # in place of labels: those of the train rows


def check(name: str, entry: Mapping[str, Any]) -> None:
    """Refuse labels that cannot be, of an entry that is filled in.

    Raises:
        UserError: the field, what is wrong with it, what would be right.
    """
    labels, format = entry.get("labels") or [], entry["format"]
    if format not in LABELLED:
        if labels or entry.get("other_labels"):
            kind = "a set of pictures" if format == "images" else f"a {format} task"
            raise UserError(f"task `{name}`: {kind} has no `labels`; leave them out")
        return
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise UserError(f"task `{name}`: labels: `{twice[0]}` is there twice")
    if entry.get("other_labels") and format != "classification":
        raise UserError(
            f"task `{name}`: labels: `{OF_ROWS}` is for classification; a {format} task without"
            " `labels` has those of its train rows"
        )
    if (most := entry.get("most_labels")) is not None:
        if not entry.get("other_labels"):
            raise UserError(
                f"task `{name}`: most_labels: is for labels that are those of the train rows; say"
                f" `labels: {OF_ROWS}` too"
            )
        if most < 2:
            raise UserError(f"task `{name}`: most_labels: must be at least 2, not {most}")
    if not labels and "train" not in entry["splits"] and not entry.get("tuned_on"):
        raise UserError(
            f"task `{name}`: a {format} task needs `labels`, in the head's order, or a"
            " train split to take them from"
        )
