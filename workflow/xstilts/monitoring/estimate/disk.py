"""The disk space of checkpoints and of the states of running trainings, at its peak."""

from collections.abc import Collection, Mapping

from xstilts.experiment.nodes import RECORDED, TRAININGS, TRIALS, Node

WEIGHT_BYTES = 4  # of a parameter in a checkpoint (fp32)
STATE_BYTES = 2 * 16  # of a running training: two states of weights, best weights, two moments
CHECKPOINT_RULES = ("model", *TRAININGS)


def disk(
    nodes: Mapping[str, Node],
    intervals: Mapping[str, tuple[float, float]],
    parameters: Mapping[str, int],
    keep_tuned: bool,
    adapters: Mapping[str, int] | None = None,
) -> tuple[float, float]:
    """Return the bytes at the peak and at the end.

    Rows, encoded rows and predictions are not counted, nor heads and tokenizers.

    Args:
        nodes: of the grid, see `nodes.graph`.
        intervals: job -> its start and end, of the jobs that are left; the others are finished.
        parameters: model -> the number of all its parameters.
        keep_tuned: whether tuned models are kept after their evaluation.
        adapters: model -> the parameters of its adapters, which checkpoints and states then have in
            place of the model.
    """
    readers: dict[str, list[str]] = {}
    for key, node in nodes.items():
        for need in node.needs:
            readers.setdefault(need, []).append(key)
    changes: list[tuple[float, float]] = []
    for key, node in nodes.items():
        if node.rule not in CHECKPOINT_RULES:
            continue
        model = node.name.split("/")[0]
        trained = node.rule != "model" and (adapters or {}).get(model)
        size = trained or parameters[model]
        start, end = intervals.get(key, (0.0, 0.0))
        if node.rule in RECORDED:  # no weights stay
            if key in intervals:
                changes += [(start, STATE_BYTES * size), (end, -STATE_BYTES * size)]
            continue
        temporary = node.rule in TRIALS or (node.rule == "tune" and not keep_tuned)
        deleted = _last_read(readers.get(key, []), intervals) if temporary else None
        if key not in intervals and deleted == 0.0:
            continue  # tuned, evaluated and deleted
        changes.append((start, WEIGHT_BYTES * size))  # reserved before it is written
        if key in intervals and node.rule != "model":
            changes += [(start, STATE_BYTES * size), (end, -STATE_BYTES * size)]
        if deleted is not None:
            changes.append((deleted, -WEIGHT_BYTES * size))
    used = peak = 0.0
    for _, change in sorted(changes):  # at the same time, deletions first
        used += change
        peak = max(peak, used)
    return peak, used


def _last_read(readers: Collection[str], intervals: Mapping[str, tuple[float, float]]) -> float:
    """Return when the last reader ends."""
    return max((intervals[reader][1] for reader in readers if reader in intervals), default=0.0)
