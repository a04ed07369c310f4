"""The bootstrap by hand, and by simulation: coverage of its interval, error rate of its test."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.analysis import bootstrap
from xstilts.analysis.bootstrap import Difference, Means


def rng():
    return np.random.default_rng(0)


def test_each_replicate_draws_as_many_examples_as_there_are():
    counts = bootstrap.draw_counts(7, 50, rng())
    assert counts.shape == (50, 7) and (counts.sum(axis=1) == 7).all() and counts.std() > 0.5


def test_means_of_two_runs_by_language():
    values = {"de": np.array([[1, 0, 1, 0], [1, 1, 1, 1]]), "en": np.array([[0, 1], [1, 1]])}
    ids = {"de": ["1", "2", "3", "4"], "en": ["1", "2"]}
    found = bootstrap.resampled_means(values, ids, rng())
    assert found["de"].observed.tolist() == [0.5, 1.0]
    assert found["de"].resampled.shape == (bootstrap.REPLICATES, 2)
    assert (found["de"].resampled[:, 1] == 1).all(), "what is always right is so in every replicate"
    # The deviation of a mean of four: root of 0.25 / 4.
    assert found["de"].resampled[:, 0].std() == pytest.approx(0.25, rel=0.1)
    assert bootstrap.mean_over_languages(found).observed.tolist() == [0.5, 1.0]


def test_examples_of_the_same_id_are_drawn_together():
    same = np.array([[1.0, 0.0, 1.0, 0.0]])
    names = list("abcd")
    values = {"de": same, "en": 1 - same}
    found = bootstrap.resampled_means(values, {"de": names, "en": names}, rng())
    assert np.allclose(bootstrap.mean_over_languages(found).resampled, 0.5)
    apart = {"de": names, "en": list("efgh")}
    found = bootstrap.resampled_means(values, apart, rng())
    assert bootstrap.mean_over_languages(found).resampled.std() > 0.1


def test_how_many_replicates_are_drawn_at_a_time_changes_nothing(monkeypatch):
    values = {"de": np.arange(12.0).reshape(2, 6), "ru": np.ones((2, 3))}
    ids = {"de": list("abcdef"), "ru": list("abx")}
    found = bootstrap.resampled_means(values, ids, np.random.default_rng(1))
    monkeypatch.setattr(bootstrap, "BLOCK", bootstrap.REPLICATES)
    whole = bootstrap.resampled_means(values, ids, np.random.default_rng(1))
    for language in values:
        np.testing.assert_allclose(found[language].resampled, whole[language].resampled, rtol=1e-6)
        assert found[language].resampled.shape == (bootstrap.REPLICATES, 2)


def test_a_run_without_values_has_no_mean():
    values = {"de": np.array([[1.0, 0.0], [np.nan, np.nan]])}
    found = bootstrap.resampled_means(values, {"de": ["a", "b"]}, rng())["de"]
    assert np.isnan(found.observed).tolist() == [False, True]
    assert not np.isnan(found.resampled[:, 0]).any()


def test_the_noise_of_seeds_alone_by_hand():
    """Three seeds a row: standard error root of 1/3 + 4/3, 2.94 degrees of freedom (Welch)."""
    row = Means(np.tile([4.0, 5.0, 6.0], (20000, 1)), np.array([4.0, 5.0, 6.0]))
    none = Means(np.tile([0.0, 2.0, 4.0], (20000, 1)), np.array([0.0, 2.0, 4.0]))
    found = bootstrap.difference(row, none, rng())
    assert found.value == 3.0 and found.dof == 2
    assert found.standard_error == pytest.approx(np.sqrt(5 / 3), rel=0.02)
    low, high = found.interval()
    margin = 4.3027 * found.standard_error
    assert (low, high) == pytest.approx((3 - margin, 3 + margin), abs=1e-3)


def test_equal_rows_do_not_differ():
    same = Means(np.full((10, 1), 0.5), np.array([0.5]))
    found = bootstrap.difference(same, same, rng())
    assert found == Difference(0.0, 0.0, bootstrap.MAX_DOF)
    assert found.p_value() == 1.0 and found.interval() == (0.0, 0.0)
    assert Difference(0.1, 0.0, 5).p_value() == 0.0


def test_the_p_value_is_one_of_the_printed_tables():
    assert Difference(2.776, 1.0, 4).p_value() == pytest.approx(0.05, abs=1e-4)
    assert Difference(-2.776, 1.0, 4).p_value() == pytest.approx(0.05, abs=1e-4)


def test_holm_by_hand():
    assert bootstrap.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert bootstrap.holm([0.5, 0.9]) == [1.0, 1.0]
    assert bootstrap.holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=30))
def test_holm_keeps_the_order_and_lowers_nothing(p_values):
    found = bootstrap.holm(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, found, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(found)[order]) >= 0).all()


def simulate(seeds, noise, truth, rng):
    """The estimated difference of two simulated rows, in two languages with 80 parallel examples.

    Examples differ in how hard they are and in how much the task helps, seeds by `noise`.
    """
    hard, helped = rng.normal(0, 1, 80), rng.normal(truth, 0.3, 80)
    luck = rng.normal(0, noise, (2, seeds, 1))
    values = {
        language: np.concatenate([hard + helped + luck[0], hard + luck[1]])
        + rng.normal(0, 0.5, (2 * seeds, 80))
        for language in ("de", "en")
    }
    names = [str(i) for i in range(80)]
    found = bootstrap.resampled_means(values, dict.fromkeys(values, names), rng)
    mean = bootstrap.mean_over_languages(found)
    row, none = (
        Means(mean.resampled[:, part], mean.observed[part])
        for part in (slice(0, seeds), slice(seeds, None))
    )
    return bootstrap.difference(row, none, rng)


@pytest.mark.parametrize(("seeds", "noise"), [(3, 0.05), (3, 0.2), (5, 0.1)])
def test_intervals_hold_the_truth_and_false_positives_are_rare(monkeypatch, seeds, noise):
    """Of 200 experiments each; 95% and 5% are promised, and what is counted twice makes it safer.

    tests/bench/coverage.py does the same with more experiments and other sizes.
    """
    monkeypatch.setattr(bootstrap, "REPLICATES", 100)
    generator = np.random.default_rng(1)
    intervals = [simulate(seeds, noise, 0.1, generator).interval() for _ in range(200)]
    assert np.mean([low <= 0.1 <= high for low, high in intervals]) >= 0.91
    assert (
        np.mean([simulate(seeds, noise, 0.0, generator).p_value() < 0.05 for _ in range(200)])
        <= 0.09
    )


def test_one_seed_hides_the_noise_of_training(monkeypatch):
    """Why a delta of one seed gets no mark: half of such tests would be wrong, not 5%."""
    monkeypatch.setattr(bootstrap, "REPLICATES", 100)
    generator = np.random.default_rng(2)
    assert np.mean([simulate(1, 0.2, 0.0, generator).p_value() < 0.05 for _ in range(100)]) > 0.4
