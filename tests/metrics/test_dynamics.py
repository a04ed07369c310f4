"""Training dynamics: each measure by hand, and what holds of any recording."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.metrics import dynamics

# Three epochs of four rows: learnt late, forgotten and learnt again, never right, always right.
PROBABILITY = [[0.2, 0.6, 0.1, 0.9], [0.4, 0.3, 0.1, 0.9], [0.9, 0.6, 0.1, 0.9]]
RANK = [[2, 1, 3, 1], [2, 2, 3, 1], [1, 1, 2, 1]]
RECORDED = np.stack(
    [
        np.array(PROBABILITY),
        np.array(RANK),
        -np.log(PROBABILITY),
        (np.array(RANK) == 1).astype(float),
    ],
    axis=-1,
)


def test_measures_by_hand():
    found = dynamics.measures(RECORDED)
    assert found.keys() == set(dynamics.RECORDED)
    assert found["confidence"] == pytest.approx([0.5, 0.5, 0.1, 0.9])
    # Of 0.2, 0.4, 0.9: sqrt((0.09 + 0.01 + 0.16) / 3).
    assert found["variability"] == pytest.approx([(0.26 / 3) ** 0.5, 0.02**0.5, 0, 0])
    assert found["correctness"] == pytest.approx([1 / 3, 2 / 3, 0, 1])
    assert found["forgetting"].tolist() == [0, 1, 3, 0]
    assert found["forgetting"].dtype == np.int64
    assert found["loss"][0] == pytest.approx(-np.log(0.2 * 0.4 * 0.9) / 3)


def test_one_epoch_has_no_variability_and_forgets_nothing():
    found = dynamics.measures(RECORDED[:1])
    assert found["variability"].tolist() == [0, 0, 0, 0]
    assert found["forgetting"].tolist() == [1, 0, 1, 0]  # what was never right: the epochs


def test_pvi_by_hand():
    """A label of 0.8 with the input and 0.4 without it is one bit; what misleads is below 0."""
    loss, empty = -np.log([0.8, 0.5, 0.1]), -np.log([0.4, 0.5, 0.4])
    assert dynamics.pvi(loss, empty) == pytest.approx([1, 0, -2])
    assert np.isfinite(dynamics.pvi(np.float32([200.0]), np.float32([1.0]))), "no underflow"


@given(
    st.lists(
        st.lists(st.tuples(st.floats(1e-6, 1), st.integers(1, 4)), min_size=3, max_size=3),
        min_size=1,
        max_size=6,
    )
)
def test_bounds_of_any_recording(epochs):
    probability, rank = np.moveaxis(np.array(epochs), 2, 0)
    stacked = [probability, rank, -np.log(probability), (rank == 1).astype(float)]
    found = dynamics.measures(np.stack(stacked, -1))
    assert ((found["confidence"] >= 0) & (found["confidence"] <= 1 + 1e-9)).all()
    assert (found["variability"] <= 0.5 + 1e-9).all(), "the most of numbers in [0, 1]"
    # Forgetting takes an epoch to learn and one to forget; never learnt is more than all of these.
    right = (rank == 1).any(0)
    assert (found["forgetting"][right] <= len(epochs) // 2).all()
    assert (found["forgetting"][~right] == len(epochs)).all()
    assert (found["correctness"] == (rank == 1).mean(0)).all()
    assert (found["loss"] >= -np.log(found["confidence"]) - 1e-9).all(), "Jensen"
