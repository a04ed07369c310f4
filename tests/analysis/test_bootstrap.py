"""The bootstrap by hand, and by simulation: how often its interval and its test are wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.analysis import bootstrap
from xstilts.analysis.bootstrap import Difference, Draws


def random():
    return np.random.default_rng(0)


def test_each_replicate_draws_as_many_examples_as_there_are():
    drawn = bootstrap.weights(7, 50, random())
    assert drawn.shape == (50, 7) and (drawn.sum(axis=1) == 7).all() and drawn.std() > 0.5


def test_means_of_two_columns_by_language():
    values = {"de": np.array([[1, 0, 1, 0], [1, 1, 1, 1]]), "en": np.array([[0, 1], [1, 1]])}
    ids = {"de": ["1", "2", "3", "4"], "en": ["1", "2"]}
    found = bootstrap.means(values, ids, random())
    assert found["de"].measured.tolist() == [0.5, 1.0]
    assert found["de"].drawn.shape == (bootstrap.REPLICATES, 2)
    assert (found["de"].drawn[:, 1] == 1).all(), "what is always right is so in every replicate"
    # The deviation of a mean of four: root of 0.25 / 4.
    assert found["de"].drawn[:, 0].std() == pytest.approx(0.25, rel=0.1)
    assert bootstrap.over_languages(found).measured.tolist() == [0.5, 1.0]


def test_examples_of_the_same_id_are_drawn_together():
    same = np.array([[1.0, 0.0, 1.0, 0.0]])
    names = list("abcd")
    found = bootstrap.means({"de": same, "en": 1 - same}, {"de": names, "en": names}, random())
    assert np.allclose(bootstrap.over_languages(found).drawn, 0.5)
    apart = {"de": names, "en": list("efgh")}
    found = bootstrap.means({"de": same, "en": 1 - same}, apart, random())
    assert bootstrap.over_languages(found).drawn.std() > 0.1


def test_how_many_replicates_are_drawn_at_a_time_changes_nothing(monkeypatch):
    values = {"de": np.arange(12.0).reshape(2, 6), "ru": np.ones((2, 3))}
    ids = {"de": list("abcdef"), "ru": list("abx")}
    found = bootstrap.means(values, ids, np.random.default_rng(1))
    monkeypatch.setattr(bootstrap, "BLOCK", bootstrap.REPLICATES)
    whole = bootstrap.means(values, ids, np.random.default_rng(1))
    for language in values:
        np.testing.assert_allclose(found[language].drawn, whole[language].drawn, rtol=1e-6)
        assert found[language].drawn.shape == (bootstrap.REPLICATES, 2)


def test_a_column_without_values_has_no_mean():
    values = {"de": np.array([[1.0, 0.0], [np.nan, np.nan]])}
    found = bootstrap.means(values, {"de": ["a", "b"]}, random())["de"]
    assert np.isnan(found.measured).tolist() == [False, True]
    assert not np.isnan(found.drawn[:, 0]).any()


def test_the_noise_of_seeds_alone_by_hand():
    """Three seeds a row, their standard error is root of 1/3 + 4/3; Welch's freedom is 2.94."""
    row = Draws(np.tile([4.0, 5.0, 6.0], (20000, 1)), np.array([4.0, 5.0, 6.0]))
    none = Draws(np.tile([0.0, 2.0, 4.0], (20000, 1)), np.array([0.0, 2.0, 4.0]))
    found = bootstrap.difference(row, none, random())
    assert found.value == 3.0 and found.freedom == 2
    assert found.error == pytest.approx(np.sqrt(5 / 3), rel=0.02)
    low, high = found.ends()
    reach = 4.3027 * found.error
    assert (low, high) == pytest.approx((3 - reach, 3 + reach), abs=1e-3)


def test_equal_rows_do_not_differ():
    same = Draws(np.full((10, 1), 0.5), np.array([0.5]))
    found = bootstrap.difference(same, same, random())
    assert found == Difference(0.0, 0.0, bootstrap.MOST_FREEDOM)
    assert found.p_value() == 1.0 and found.ends() == (0.0, 0.0)
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


def simulate(seeds, noise, truth, random):
    """The difference of two rows of two languages with 80 parallel examples, and what was found.

    Examples differ in how hard they are and in how much the task helps, seeds by `noise`.
    """
    hard, helped = random.normal(0, 1, 80), random.normal(truth, 0.3, 80)
    luck = random.normal(0, noise, (2, seeds, 1))
    values = {
        language: np.concatenate([hard + helped + luck[0], hard + luck[1]])
        + random.normal(0, 0.5, (2 * seeds, 80))
        for language in ("de", "en")
    }
    names = [str(i) for i in range(80)]
    found = bootstrap.means(values, dict.fromkeys(values, names), random)
    mean = bootstrap.over_languages(found)
    row, none = (
        Draws(mean.drawn[:, part], mean.measured[part])
        for part in (slice(0, seeds), slice(seeds, None))
    )
    return bootstrap.difference(row, none, random)


@pytest.mark.parametrize(("seeds", "noise"), [(3, 0.05), (3, 0.2), (5, 0.1)])
def test_intervals_hold_the_truth_and_false_positives_are_rare(monkeypatch, seeds, noise):
    """Of 200 experiments each; 95% and 5% are promised, and what is counted twice makes it safer.

    tests/bench/coverage.py does the same with more experiments and other sizes.
    """
    monkeypatch.setattr(bootstrap, "REPLICATES", 100)
    draws = np.random.default_rng(1)
    ends = [simulate(seeds, noise, 0.1, draws).ends() for _ in range(200)]
    assert np.mean([low <= 0.1 <= high for low, high in ends]) >= 0.91
    assert (
        np.mean([simulate(seeds, noise, 0.0, draws).p_value() < 0.05 for _ in range(200)]) <= 0.09
    )


def test_one_seed_hides_the_noise_of_training(monkeypatch):
    """Why a delta of one seed gets no mark: half of such tests would be wrong, not 5%."""
    monkeypatch.setattr(bootstrap, "REPLICATES", 100)
    draws = np.random.default_rng(2)
    assert np.mean([simulate(1, 0.2, 0.0, draws).p_value() < 0.05 for _ in range(100)]) > 0.4
