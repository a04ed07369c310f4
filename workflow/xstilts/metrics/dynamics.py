"""Measures of a train row from its training dynamics: what a model makes of it after each epoch.

Of each row and epoch: the `probability` of its gold answer, the `rank` of that among all answers (1
is the first), the `loss` (natural logarithm), and how far the row is `right`, 0 to 1.
"""

import numpy as np

VALUES = ("probability", "rank", "loss", "right")


def measures(recorded: np.ndarray) -> dict[str, np.ndarray]:
    """Return measure -> its value for each row, [rows]: float64, of `forgetting` int64.

    Data maps (Swayamdipta et al. 2020, section 2): `confidence`, the mean of the probability over
    the epochs; `variability`, its standard deviation (over E, not E - 1); `correctness`, the mean
    of `right`. `forgetting` (Toneva et al. 2019, section 3): in how many epochs a row is not right
    that was so after the epoch before. A row that never was has their number, the most that there
    can be: it was not learnt, and is sorted with what is forgotten most, as there. `loss`: the mean.

    Args:
        recorded: [epochs, rows, `VALUES`].
    """
    probability, rank, loss, right = np.moveaxis(recorded.astype(np.float64), 2, 0)
    first = rank == 1
    forgotten = (first[:-1] & ~first[1:]).sum(0)
    return {
        "confidence": probability.mean(0),
        "variability": probability.std(0),
        "correctness": right.mean(0),
        "forgetting": np.where(first.any(0), forgotten, len(recorded)),
        "loss": loss.mean(0),
    }


def pvi(loss: np.ndarray, loss_empty: np.ndarray) -> np.ndarray:
    """Return pointwise V-usable information of each row, bits, float64 [rows].

    Ethayarajh et al. 2022, definition 3.1: log2 of the probability that a model gives the gold
    answer, less log2 of that by a model that was trained without the input. Below zero where the
    input misleads.

    Args:
        loss, loss_empty: minus the natural logarithm of these, [rows].
    """
    return (loss_empty.astype(np.float64) - loss.astype(np.float64)) / np.log(2)
