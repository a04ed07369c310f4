"""Estimates by hand, and against the bootstrap whose limit they are."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.analysis import estimates
from xstilts.analysis.estimates import Estimate, Estimator
from xstilts.analysis.evidence import Evidence, Part
from xstilts.analysis.forms import combine, mean_form
from xstilts.experiment.cells import NOSEED

DE, EN = Part("xnli", "de"), Part("xnli", "en")


def evidence(values, runs=None, ids=None):
    """Evidence of one model: (target, language) -> values by run."""
    values = {key: np.array(array, np.float32) for key, array in values.items()}
    if ids is None:
        ids = {key: [str(i) for i in range(array.shape[1])] for key, array in values.items()}
    seeds = next(iter(values.values())).shape[0] // 2
    names = [("m", row, f"seed{i + 1}") for row in ("mnli", "none") for i in range(seeds)]
    return Evidence(runs or names, values, ids)


def gain(found, parts):
    """The form of the gain of the first row over the second."""
    forms = [mean_form(len(found.rows), [(row, part) for part in parts]) for row in (0, 1)]
    return combine([(1.0, forms[0]), (-1.0, forms[1])])


def test_the_mean_of_a_form_is_over_languages_then_targets_then_rows():
    form = mean_form(3, [(0, DE), (0, EN), (0, Part("xquad", "de")), (2, DE)])
    assert {part: weights.tolist() for part, weights in form.items()} == {
        DE: [1 / 8, 0, 1 / 2],
        EN: [1 / 8, 0, 0],
        Part("xquad", "de"): [1 / 4, 0, 0],
    }


def test_one_language_and_one_seed_by_hand():
    """Differences of examples 1, 0, 1, 0: their mean 0.5, its standard error root of (1/3) / 4."""
    found = evidence({("xnli", "de"): [[1, 0, 1, 1], [0, 0, 0, 1]]})
    estimate = Estimator(found).estimate(gain(found, [DE]))
    assert estimate.value == 0.5 and not estimate.seeds and estimate.dof == 3
    assert estimate.standard_error == pytest.approx(math.sqrt(1 / 12))
    margin = 3.1824 * math.sqrt(1 / 12)
    assert estimate.interval() == pytest.approx((0.5 - margin, 0.5 + margin), abs=1e-4)


def test_rows_that_answer_all_alike_have_no_noise_of_rounding():
    values = np.random.default_rng(0).random((1, 50), np.float32)
    keys = [(target, lang) for target in ("a", "b") for lang in ("de", "en", "ru")]
    found = evidence({key: np.repeat(values / (i + 3), 2, 0) for i, key in enumerate(keys)})
    estimator, parts = Estimator(found), [Part(*key) for key in keys[:5]]
    form = combine([(100.0, gain(found, parts))])
    assert any(noise.variance for noise in estimator.example_noise(form)), "it is there"
    estimate = estimator.estimate(form)
    assert estimate.interval() == (estimate.value, estimate.value) and estimate.p_value() == 1
    assert estimate.detectable() == 0


def test_seeds_by_hand():
    """Values that do not differ by example: seeds 4, 5, 6 and 0, 2, 4; variance 1/3 + 4/3."""
    runs = np.array([4, 5, 6, 0, 2, 4])[:, None] * np.ones((1, 5))
    found = evidence({("xnli", "de"): runs})
    estimate = Estimator(found).estimate(gain(found, [DE]))
    assert estimate.value == pytest.approx(3) and estimate.seeds
    assert estimate.standard_error == pytest.approx(math.sqrt(5 / 3))
    assert estimate.dof == pytest.approx((5 / 3) ** 2 / ((1 / 9 + 16 / 9) / 2))


def test_the_interaction_of_seeds_and_examples_is_counted_once():
    """Seeds differ in each example alone: what they differ in, once, is all the noise there is.

    By hand: seeds 1 0 0, 0 1 0, 0 0 1 have no mean that differs, 4 squares of 1/3 and more.
    """
    turns = np.tile(np.eye(3), (1, 2))
    found = evidence({("xnli", "de"): [*turns, *np.zeros((3, 6))]})
    estimator, form = Estimator(found), gain(found, [DE])
    # Deviations are 2/3 and -1/3: their squares sum to 4; by n (n - 1) = 30, and 3 seeds times 2.
    assert estimator.interaction(0, {DE: 1.0}) == pytest.approx(4 / 30 / 6)
    random = np.random.default_rng(0)
    noise = evidence({("xnli", "de"): random.normal(0, 1, (6, 4000))})
    estimate = Estimator(noise).estimate(gain(noise, [DE]))
    assert estimate.standard_error == pytest.approx(math.sqrt(2 / 3 / 4000), rel=0.35)
    assert estimator.estimate(form).standard_error == pytest.approx(0)


def test_a_seed_that_is_missing_in_one_target_is_in_no_interaction():
    random = np.random.default_rng(0)
    values = {("xnli", "de"): random.random((8, 50)), ("pawsx", "de"): random.random((8, 50))}
    three = evidence({key: np.delete(v, [3, 7], axis=0) for key, v in values.items()})
    values["pawsx", "de"][3] = np.nan
    four = evidence(values)
    pattern = {DE: 0.5, Part("pawsx", "de"): 0.5}
    expected = Estimator(three).interaction(0, pattern)
    assert expected > 0
    assert Estimator(four).interaction(0, pattern) == pytest.approx(expected, rel=1e-6)


def test_the_seeds_of_a_row_are_drawn_once_for_all_its_targets():
    runs = np.array([4, 5, 6, 2, 2, 2])[:, None] * np.ones((1, 5))
    two = {("xnli", "de"): runs, ("pawsx", "de"): runs}
    found = evidence(two, ids={("xnli", "de"): list("abcde"), ("pawsx", "de"): list("vwxyz")})
    same = Estimator(found).estimate(gain(found, [DE, Part("pawsx", "de")]))
    assert same.standard_error == pytest.approx(math.sqrt(1 / 3)), "not root of 1/6"
    opposite = {**two, ("pawsx", "de"): runs[[2, 1, 0, 3, 4, 5]]}
    found = evidence(opposite, ids=found.ids)
    apart = Estimator(found).estimate(gain(found, [DE, Part("pawsx", "de")]))
    assert apart.standard_error == pytest.approx(0)


def test_an_example_is_drawn_once_for_all_languages_and_views():
    right = [[1, 0, 1, 0], [0, 0, 0, 0]]
    for other in (("xnli", "en"), ("xnli_view", "de")):
        values = {("xnli", "de"): right, other: [[0, 1, 0, 1], [0, 0, 0, 0]]}
        found = evidence(values, ids={key: list("abcd") for key in values})
        form = gain(found, [DE, Part(*other)])
        assert Estimator(found).estimate(form).standard_error == pytest.approx(0)
        found = evidence(values, ids={("xnli", "de"): list("abcd"), other: list("wxyz")})
        apart = Estimator(found).estimate(gain(found, [DE, Part(*other)]))
        assert apart.standard_error == pytest.approx(math.sqrt(2 * 1 / 3 / 4) / 2)


def test_a_baseline_that_is_not_trained_has_no_noise_of_seeds():
    runs = [("m", "mnli", f"seed{i}") for i in (1, 2, 3)] + [("m", "none", NOSEED)]
    values = {("tatoeba", "de"): np.array([[4.0], [5], [6], [1]]) * np.ones((1, 3))}
    found = evidence(values, runs)
    estimate = Estimator(found).estimate(gain(found, [Part("tatoeba", "de")]))
    assert estimate.seeds and estimate.standard_error == pytest.approx(math.sqrt(1 / 3))


def test_rows_of_a_chain_have_the_luck_of_its_first_encoder_together():
    """Was: each row's seeds drawn for themselves, as if the one lucky encoder were several."""
    names = ("mnli", "mnli-squad", "none")
    runs = [("m", row, f"seed{i}") for row in names for i in (1, 2, 3)]
    luck = np.array([4.0, 5, 6, 4, 5, 6, 2, 2, 2])[:, None] * np.ones((1, 5))
    values, ids = {("xnli", "de"): luck.astype(np.float32)}, {("xnli", "de"): list("abcde")}
    both = combine([(1.0, mean_form(3, [(0, DE), (1, DE)])), (-1.0, mean_form(3, [(2, DE)]))])
    apart = Estimator(Evidence(runs, values, ids)).estimate(both)
    together = Estimator(Evidence(runs, values, ids, roots={"mnli-squad": "mnli"}))
    once = together.estimate(both).standard_error
    assert once == pytest.approx(math.sqrt(2) * apart.standard_error, rel=1e-3)
    difference = combine([(1.0, mean_form(3, [(0, DE)])), (-1.0, mean_form(3, [(1, DE)]))])
    assert together.estimate(difference).standard_error == pytest.approx(0, abs=1e-3)


def test_two_seeds_do_not_show_the_noise_of_training():
    found = evidence({("xnli", "de"): [[1.0, 0], [0, 1], [0, 0], [1, 1]]})
    assert not Estimator(found).estimate(gain(found, [DE])).seeds


def test_a_missing_value_makes_none():
    found = evidence({("xnli", "de"): [[1, 0], [np.nan, np.nan]]})
    missing = Estimator(found).estimate(gain(found, [DE]))
    assert math.isnan(missing.value) and math.isnan(missing.p_value())


def bootstrap(found, form, replicates, random):
    """The standard error of a form: examples drawn by id, seeds by row, as multi-bootstrap does."""
    names = sorted({name for ids in found.ids.values() for name in ids})
    drawn = np.empty(replicates)
    rows = [[i for i, run in enumerate(found.runs) if run[:2] == row] for row in found.rows]
    for b in range(replicates):
        counts = dict(
            zip(names, random.multinomial(len(names), [1 / len(names)] * len(names)), strict=True)
        )
        seeds = [random.choice(members, len(members)) for members in rows]
        total = 0.0
        for part, weights in form.items():
            key = (part.target, part.language)
            weight = np.array([counts[name] for name in found.ids[key]])
            means = found.values[key] @ weight / weight.sum()
            for row in weights.nonzero()[0]:
                mean = means[rows[row]].mean()
                shift = means[seeds[row]].mean() - mean
                n = len(rows[row])
                total += weights[row] * (mean + shift * np.sqrt(n / (n - 1) if n > 1 else 1))
        drawn[b] = total
    return drawn.std()


def test_the_standard_error_is_that_of_the_bootstrap():
    random = np.random.default_rng(0)
    hard, luck = random.normal(0, 1, 60), random.normal(0, 0.2, (6, 1))
    values = {
        key: hard[:n] + luck + random.normal(0, 0.7, (6, n))
        for key, n in {("xnli", "de"): 60, ("xnli", "en"): 50, ("view", "de"): 60}.items()
    }
    found = evidence(values)
    form = gain(found, [DE, EN, Part("view", "de")])
    exact = Estimator(found).estimate(form).standard_error
    # 3,000 replicates know it to 1.3%; resampling n shows (n - 1) / n of a variance.
    assert exact == pytest.approx(bootstrap(found, form, 3000, random), rel=0.06)


def test_the_p_value_is_one_of_the_printed_tables():
    assert Estimate(2.776, 1.0, 4, True).p_value() == pytest.approx(0.05, abs=1e-4)
    assert Estimate(-2.776, 1.0, 4, True).p_value() == pytest.approx(0.05, abs=1e-4)
    assert Estimate(0.0, 0.0, math.inf, True).p_value() == 1.0
    assert Estimate(0.1, 0.0, 5, True).p_value() == 0.0


def test_what_would_have_been_seen_by_hand():
    """1.96 + 0.84 standard errors of a normal distribution; half the level for two tests."""
    estimate = Estimate(0.0, 1.0, math.inf, True)
    assert estimate.detectable() == pytest.approx(1.95996 + 0.84162, abs=1e-4)
    assert estimate.detectable(2) == pytest.approx(2.24140 + 0.84162, abs=1e-4)


def test_holm_by_hand():
    assert estimates.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert estimates.holm([0.5, 0.9]) == [1.0, 1.0]
    assert estimates.holm([]) == []
    assert estimates.holm([0.04, math.nan, 0.01]) == pytest.approx(
        [0.04, math.nan, 0.02], nan_ok=True
    )


@given(st.lists(st.floats(0, 1), max_size=30))
def test_holm_keeps_the_order_and_lowers_nothing(p_values):
    found = estimates.holm(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, found, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(found)[order]) >= 0).all()
