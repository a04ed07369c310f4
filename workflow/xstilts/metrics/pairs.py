"""Pairs of sentences that are mined as translations of each other (BUCC 2018)."""

from collections.abc import Sequence

from xstilts.metrics import counts

Pair = tuple[str, str]  # the ids of a sentence and of its translation


def mining_f1(gold: Sequence[Pair], predicted: Sequence[Pair]) -> dict[str, float]:
    """Precision, recall and F1 over the sets of pairs, as `bucc_f1` of XTREME's `evaluate.py`.

    Unlike in other metrics the two need not be of one length: most sentences have no translation.
    """
    if not gold:
        raise ValueError("there is nothing to score")
    predicted_pairs, gold_pairs = set(predicted), set(gold)
    correct = len(predicted_pairs & gold_pairs)
    return {
        "precision": correct / len(predicted_pairs) if predicted_pairs else 0.0,
        "recall": correct / len(gold_pairs),
        "f1": counts.f1(correct, len(predicted_pairs), len(gold_pairs)),
    }
