"""By simulation: intervals hold the truth, claims are rarely false, and what is shared matters.

A short form of tests/bench/coverage.py, which has more settings and more grids. With 60 grids, an
interval that holds 95% misses more than 10 of them in 3 of 10,000 tries, and a test at 5% is wrong
as rarely; the seeds are fixed.
"""

import numpy as np
import pytest
from tests.bench import asked
from tests.bench.coverage import EXAMPLES, PLAIN, SEEDS, outcome, scales_outcome
from tests.bench.settings import (
    Size,
    distance,
    dose,
    dose_by_language,
    each_row,
    kinds,
    rank_of_languages,
    targets,
)
from tests.bench.worlds import World, simulate

GRIDS, MISSES = 60, 10
SMALL = Size(rows=4, languages=2, examples=60)
FIVE = SMALL._replace(seeds=5)
ONE = SMALL._replace(seeds=1, luck=0)
SETTINGS = [
    kinds("5 seeds, one row 5 times the luck", FIVE._replace(lucks={"r1": 0.075}), 0.08),
    targets("3 seeds", SMALL, -0.1),
    dose("3 seeds", SMALL, 0.06),
    distance("1 seed", ONE._replace(languages=3), -0.2),
    dose_by_language("3 seeds", SMALL, 0.08),
    rank_of_languages("3 seeds", Size(rows=2, targets=1, languages=8, examples=300)),
]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_intervals_hold_the_truth_and_claims_are_rarely_false(setting):
    there = outcome(setting, setting.effect, GRIDS)
    null = outcome(setting, 0.0, GRIDS)
    assert (~there.held.astype(bool)).sum() <= MISSES
    assert (~null.held.astype(bool)).sum() <= MISSES
    assert null.seen.sum() <= MISSES
    assert there.seen.sum() > 2 * MISSES, "what is there is seen"


def test_a_family_of_tests_is_seldom_wrong_at_all():
    assert outcome(each_row("", SMALL), 0.0, GRIDS).seen.any(axis=1).sum() <= MISSES


def test_seeds_that_are_shared_by_targets_count_once():
    size = Size(rows=2, targets=6, languages=1, luck=0.1, shared=1.0)
    setting = kinds("", size)
    assert (~outcome(setting, 0.0, GRIDS).held.astype(bool)).sum() <= MISSES
    broken = outcome(setting, 0.0, GRIDS, version=SEEDS)
    assert (~broken.held.astype(bool)).sum() > 1.5 * MISSES


def test_examples_that_are_shared_by_languages_count_once():
    setting = kinds("", ONE._replace(rows=2, targets=1, languages=24, fractional=True))
    assert (~outcome(setting, 0.0, GRIDS).held.astype(bool)).sum() <= MISSES
    broken = outcome(setting, 0.0, GRIDS, version=EXAMPLES)
    assert (~broken.held.astype(bool)).sum() > 1.5 * MISSES


def test_one_seed_hides_the_noise_of_training():
    """Why an answer of fewer than three seeds says so: half of such tests are wrong, not 5%."""
    setting = kinds("", Size(rows=2, targets=1, seeds=1, luck=0.08, examples=300))
    assert outcome(setting, 0.0, GRIDS).seen.mean() > 0.4


def test_moderated_variances_make_intervals_shorter():
    setting = each_row("", Size(rows=8, targets=1, languages=2, luck=0.03, examples=300))
    moderated, plain = (outcome(setting, 0.0, 15, version=v) for v in ("", PLAIN))
    assert moderated.width.mean() < 0.92 * plain.width.mean()
    assert moderated.held.mean() > 0.9


@pytest.mark.parametrize("scale", ["points", "share"])
def test_gains_that_are_equal_on_one_scale_claim_nothing(scale):
    held, agrees = scales_outcome(scale, 30)
    assert (~held).sum() <= 7 and agrees.sum() <= 7, "7 of 30: more in 2 of 10,000 tries"


def test_a_simulated_score_is_what_it_is_said_to_be():
    """The bench itself: means of many examples and seeds are the scores that they are made of."""
    scores = {"none": 0.4, "a": 0.7}
    world = World(
        lambda row, target, language: scores[row], ("a",), {"t": "s", "view": "s"}, ("de", "ru"),
        seeds=300, examples=3000, luck=0.05, fractional=True,
    )  # fmt: skip
    found = simulate(world, np.random.default_rng(0))
    assert found.ids["t", "de"] == found.ids["view", "ru"]
    means = np.array([values.mean(axis=1) for values in found.values.values()])
    assert means.mean(axis=1) == pytest.approx(0.55, abs=0.02)
    seeds = means[:, [run[1] == "none" for run in found.runs]]
    assert seeds.mean() == pytest.approx(0.4, abs=0.02)
    assert seeds.std(axis=1) == pytest.approx(0.05, rel=0.15)
    assert np.corrcoef(seeds)[0, 2] == pytest.approx(0.7, abs=0.1), "luck that targets share"


def test_the_true_answers_by_hand():
    world = Size(rows=3, targets=1, languages=2).world(lambda row, t, lang: 0.1 * row + 0.02 * lang)
    points = [asked.point(world, [row], x=10.0**i) for i, row in enumerate(world.rows)]
    question = asked.along({"all": points}, "log10")
    assert asked.truths(question, world) == {("all", "slope", "points"): pytest.approx(10)}
    two = asked.compare({"a": points[0], "b": points[2]}, ("points", "share"))
    rest = 1 - (0.66 + 0.60) / 2
    assert asked.truths(two, world) == {
        ("a", "value", "points"): pytest.approx(1),
        ("b", "value", "points"): pytest.approx(21),
        ("b", "difference", "points"): pytest.approx(20),
        ("a", "value", "share"): pytest.approx(1 / rest),
        ("b", "value", "share"): pytest.approx(21 / rest),
        ("b", "difference", "share"): pytest.approx(20 / rest),
    }
