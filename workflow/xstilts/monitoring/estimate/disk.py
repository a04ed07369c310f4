"""The disk that checkpoints and the states of running trainings take, and when it is the most."""

from collections.abc import Collection, Mapping

from xstilts.experiment.graph import Node

WEIGHTS = 4  # bytes of a parameter in a checkpoint (fp32)
STATES = 2 * 16  # of a running training: two states of weights, best weights and two moments
MAKERS = ("model", "intermediate", "tune")


def disk(
    nodes: Mapping[str, Node],
    spans: Mapping[str, tuple[float, float]],
    parameters: Mapping[str, int],
    keep_tuned: bool,
) -> tuple[float, float]:
    """Return the bytes at the peak, and those that stay.

    Rows, encoded rows and predictions are not counted, nor heads and tokenizers.

    Args:
        nodes: of the grid, see `nodes.graph`.
        spans: job -> its start and end, of the jobs that are left; the others are finished.
        parameters: model -> all its parameters.
        keep_tuned: whether tuned models stay when they have been evaluated.
    """
    readers: dict[str, list[str]] = {}
    for key, node in nodes.items():
        for need in node.needs:
            readers.setdefault(need, []).append(key)
    changes: list[tuple[float, float]] = []
    for key, node in nodes.items():
        if node.rule not in MAKERS:
            continue
        size = parameters[node.name.split("/")[0]]
        start, end = spans.get(key, (0.0, 0.0))
        drops = _dropped(readers.get(key, []), spans) if node.rule == "tune" else None
        if key not in spans and drops == 0.0 and not keep_tuned:
            continue  # tuned, evaluated and dropped
        changes.append((start, WEIGHTS * size))  # room is needed before it is written
        if key in spans and node.rule != "model":
            changes += [(start, STATES * size), (end, -STATES * size)]
        if drops is not None and not keep_tuned:
            changes.append((drops, -WEIGHTS * size))
    held = peak = 0.0
    for _, change in sorted(changes):  # at one time, what is dropped goes first
        held += change
        peak = max(peak, held)
    return peak, held


def _dropped(readers: Collection[str], spans: Mapping[str, tuple[float, float]]) -> float:
    """Return when the last reader has ended."""
    return max((spans[reader][1] for reader in readers if reader in spans), default=0.0)
