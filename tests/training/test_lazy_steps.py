"""The steps of a row without gradient, all at once, against the same steps one by one."""

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from xstilts.training.lazy_steps import FIRST, ORDER, IdleSteps

BETAS, EPS = (0.9, 0.999), 1e-8
F64 = torch.empty(0, dtype=torch.float64)


def step_by_step(weight, moment, square, last, now, rates, decay):
    """AdamW with gradients of zero; also returns the sum of how far each weight was moved."""
    moved = np.zeros_like(weight)
    for step in range(last + 1, now + 1):
        moment, square = moment * BETAS[0], square * BETAS[1]
        rate = rates[step - 1]
        denominator = np.sqrt(square / (1 - BETAS[1] ** step)) + EPS
        update = rate / (1 - BETAS[0] ** step) * moment / denominator
        weight = weight * (1 - rate * decay) - update
        moved += np.abs(update)
    return weight, moment, square, moved


def rows(seed, size=(3, 32)):
    """Weights and moments; sqrt(v) from 1e-14, far below eps, to 1e-2; the first row is 0."""
    generator = np.random.default_rng(seed)
    square = 10 ** generator.uniform(-28, -4, size)
    square[0] = 0
    moment = generator.normal(size=size) * np.sqrt(square) * 3
    return generator.normal(size=size), moment, square


def all_at_once(idle, rows, last, now):
    tensors = [torch.from_numpy(array.copy()) for array in rows]
    idle.apply_(*tensors, torch.full((len(tensors[0]),), last), now)
    return [tensor.numpy() for tensor in tensors]


def test_one_step_of_one_number():
    """Step 201 at a rate of 0.5 and a decay of 0.1, after a gradient at step 200."""
    idle = IdleSteps([0.5] * 201, 0.1, BETAS, EPS, F64)
    weight, moment, square = all_at_once(
        idle, [np.array([[v]]) for v in (2.0, 3e-4, 4e-8)], 200, 201
    )
    root = math.sqrt(0.999 * 4e-8 / (1 - 0.999**201))
    update = 0.5 * 0.9 * 3e-4 / (1 - 0.9**201) / (root + 1e-8)
    assert weight.item() == pytest.approx(2.0 * 0.95 - update, rel=1e-12)
    assert moment.item() == pytest.approx(2.7e-4, rel=1e-12)
    assert square.item() == pytest.approx(3.996e-8, rel=1e-12)


SCHEDULES = st.one_of(
    st.tuples(st.floats(0, 0.1), st.floats(0, 0.1)).map(lambda ends: np.linspace(*ends, 900)),
    st.lists(st.sampled_from([0.0, 1e-12, 1e-5, 0.3]), min_size=1, max_size=30).map(
        lambda rates: np.resize(np.repeat(rates, 9), 900)
    ),
    st.floats(0.01, 0.9).map(
        lambda w: 1e-3 * np.minimum(np.arange(1, 901) / (900 * w), np.arange(900, 0, -1) / 900)
    ),
)


def bound(moment, square, last, now, rates, decay):
    """What the series can be wrong by: with a and q of each step, c the mean of q by a, at most
    |m| / (sqrt(v) + eps c) sum a |q / c - 1|^(ORDER + 1) c / min q."""
    step = np.arange(last + 1, now + 1)
    root = np.sqrt(1 - BETAS[1] ** step)
    after = np.cumprod((1 - np.asarray(rates)[step - 1] * decay)[::-1])[::-1]
    a = np.asarray(rates)[step - 1] * root / (1 - BETAS[0] ** step) * after
    a = a * (BETAS[0] / math.sqrt(BETAS[1])) ** (step - last)
    if not a.any():
        return 0 * moment
    q = root * BETAS[1] ** (-(step - last) / 2)
    c = (a * q).sum() / a.sum()
    left_out = (a * np.abs(q / c - 1) ** (ORDER + 1)).sum() * c / q.min()
    return np.abs(moment) / (np.sqrt(square) + EPS * c) * left_out


@settings(max_examples=25, deadline=None)
@given(SCHEDULES, st.integers(FIRST, 899), st.integers(0, 300), st.sampled_from([0, 0.01, 0.03]),
       st.integers(0, 99))  # fmt: skip
@example(np.array([0.0] * 250 + [1.0] * 650), FIRST, 50, 0.01, 0)  # nothing yet, all to come
@example(np.linspace(0, 0.1, 900), FIRST, 300, 0.01, 0)
def test_any_schedule_and_any_gap(rates, last, gap, decay, seed):
    now, before = min(last + gap, 900), rows(seed)
    weight, moment, square, _ = step_by_step(*before, last, now, rates, decay)
    found = all_at_once(IdleSteps(rates.tolist(), decay, BETAS, EPS, F64), before, last, now)
    # The rates to come are in the tables: of those next to 0 rounding leaves so much.
    noise = 1e-12 * (np.abs(before[0]) + np.abs(before[1]) / (np.sqrt(before[2]) + EPS))
    error = np.abs(found[0] - weight)
    assert (error <= 1.01 * bound(*before[1:], last, now, rates, decay) + noise).all()
    np.testing.assert_allclose(found[1], moment, rtol=1e-11)
    np.testing.assert_allclose(found[2], square, rtol=1e-11)


def test_what_is_left_out_of_the_series():
    """As the module says: 4e-7 of the movement at the first step, 2e-10 after 5,000."""
    idle = IdleSteps([1e-3] * 6000, 0.0, BETAS, EPS, F64)
    worst = {}
    for last in (FIRST, 1000, 5000):
        square = 10 ** np.linspace(-24, -8, 60)[None]
        before = np.zeros_like(square), np.sqrt(square), square
        wanted, *_, moved = step_by_step(*before, last, last + 400, [1e-3] * 6000, 0.0)
        worst[last] = (
            np.abs(all_at_once(idle, before, last, last + 400)[0] - wanted) / moved
        ).max()
    assert worst[FIRST] < 4e-7
    assert worst[1000] < 2e-9
    assert worst[5000] < 2e-10
    assert worst[FIRST] > 1e-9, "an error there is, so the figures mean something"


def test_a_row_without_any_gradient_decays_alone():
    rates = np.linspace(1e-3, 0, 400)
    idle = IdleSteps(rates.tolist(), 0.5, BETAS, EPS, F64)
    weight = np.array([[1.0, -2.0]])
    found = all_at_once(idle, (weight, weight * 0, weight * 0), FIRST, 400)
    np.testing.assert_allclose(found[0], weight * np.prod(1 - 0.5 * rates[FIRST:]), rtol=1e-13)
    assert not found[1].any()
    assert not found[2].any()


def test_two_parts_are_as_good_as_one():
    rates = np.linspace(0, 1e-2, 600)
    idle, before = IdleSteps(rates.tolist(), 0.01, BETAS, EPS, F64), rows(4)
    parts = all_at_once(idle, all_at_once(idle, before, 250, 277), 277, 600)
    for one, other in zip(parts, all_at_once(idle, before, 250, 600), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)


def test_rows_of_different_steps_at_once():
    idle, (weight, moment, square) = IdleSteps([1e-3] * 500, 0.01, BETAS, EPS, F64), rows(5)
    tensors = [torch.from_numpy(array.copy()) for array in (weight, moment, square)]
    idle.apply_(*tensors, torch.tensor([500, 499, 210]), 500)
    for row, last in enumerate((500, 499, 210)):
        own = [array[row : row + 1] for array in (weight, moment, square)]
        for one, other in zip(tensors, all_at_once(idle, own, last, 500), strict=True):
            np.testing.assert_array_equal(one[row : row + 1].numpy(), other)
    np.testing.assert_array_equal(tensors[0][0].numpy(), weight[0])


def test_the_tables_of_a_long_schedule():
    steps = 200_000
    idle = IdleSteps([1e-3] * steps, 0.01, BETAS, EPS, F64)
    assert idle.sums.shape == (steps + 1, ORDER + 1)
    assert idle.sums.isfinite().all()
    before = rows(6)
    wanted = step_by_step(*before, steps - 90, steps, np.full(steps, 1e-3), 0.01)
    found = all_at_once(idle, before, steps - 90, steps)
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-9)
