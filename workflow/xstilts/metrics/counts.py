"""What every metric counts with."""

from collections.abc import Sequence


def f1(correct: int, predicted: int, gold: int) -> float:
    """Harmonic mean of precision (correct / predicted) and recall (correct / gold); 0 to 1."""
    if not correct:
        return 0.0
    precision, recall = correct / predicted, correct / gold
    return 2 * precision * recall / (precision + recall)


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean; ValueError if there is nothing to score."""
    if not values:
        raise ValueError("there is nothing to score")
    return sum(values) / len(values)


def check(gold: Sequence, predicted: Sequence) -> None:
    """Raise ValueError unless there is one prediction a gold value."""
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} gold values but {len(predicted)} predictions")
