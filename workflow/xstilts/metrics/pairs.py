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
    found, wanted = set(predicted), set(gold)
    correct = len(found & wanted)
    return {
        "precision": correct / len(found) if found else 0.0,
        "recall": correct / len(wanted),
        "f1": counts.f1(correct, len(found), len(wanted)),
    }
