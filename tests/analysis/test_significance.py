"""Differences to `none`: which are made, over which noise, of what, and the marks."""

import numpy as np
import pandas as pd
import pytest
from tests.analysis.test_tables import row, score

from xstilts.analysis import evidence, significance
from xstilts.analysis.estimates import EXAMPLES, EXAMPLES_AND_SEEDS, Estimator
from xstilts.analysis.significance import EXAMPLE_VALUES, SCORE
from xstilts.scoring import scores

EXAMPLES_OF = 60
IDS = [str(i) for i in range(EXAMPLES_OF)]


def experiment(rates, target="xnli", languages=("de", "en"), shift=0.0):
    """Grid, scores and values, right in about as many examples as `rates` says.

    Args:
        rates: (intermediate, seed) -> share of right examples.
        shift: how far the score is from the mean of the values.
    """
    random = np.random.default_rng(0)
    lines, files, values = [], {}, {}
    for (intermediate, seed), rate in rates.items():
        for language in languages:
            line = row(intermediate, seed, target, language)
            right = random.permutation(EXAMPLES_OF) < round(rate * EXAMPLES_OF)
            lines.append(line)
            values[line["score"]] = right.astype(np.float32)
            files[line["score"]] = score(line, right.mean() + shift)
    grid = pd.DataFrame(lines)
    return grid, scores.to_frame(files), values


def deltas(grid, found, values):
    ids = {key: IDS for key in grid[["target", "language"]].itertuples(index=False, name=None)}
    ids = {key: names for key, names in ids.items() if values}
    return significance.deltas(grid, found, values, Estimator(evidence.collect(grid, values, ids)))


RATES = {
    **{("none", f"seed{i}"): 0.3 for i in (1, 2, 3)},
    **{("mnli", f"seed{i}"): 0.9 for i in (1, 2, 3)},
    **{("squad", f"seed{i}"): 0.3 for i in (1, 2, 3)},
}


def test_a_gain_survives_and_noise_does_not():
    table = deltas(*experiment(RATES))
    assert list(table) == significance.COLUMNS
    assert list(zip(table["intermediate"], table["language"], strict=True)) == [
        ("mnli", ""), ("mnli", "de"), ("mnli", "en"),
        ("squad", ""), ("squad", "de"), ("squad", "en"),
    ]  # fmt: skip
    assert table["delta"].tolist() == pytest.approx([60, 60, 60, 0, 0, 0], abs=1e-4)
    assert table["survives"].tolist() == [True, False, False, False, False, False]
    assert (table["low"] < table["delta"]).all() and (table["delta"] < table["high"]).all()
    assert set(table["over"]) == {EXAMPLES_AND_SEEDS} and set(table["statistic"]) == {SCORE}
    assert table["p"].notna().tolist() == [True, False, False] * 2, "languages are not tested"
    assert table.loc[0, "p holm"] == pytest.approx(2 * table.loc[0, "p"])


def test_a_weak_gain_does_not_survive_the_correction_for_several_tests():
    weak = {**RATES, **{("mnli", f"seed{i}"): 0.38 for i in (1, 2, 3)}}
    weak |= {("qqp", f"seed{i}"): 0.3 for i in (1, 2, 3)}
    table = deltas(*experiment(weak))
    tested = table[table["language"] == ""].set_index("intermediate")
    p = tested["p"]
    assert 0.05 / 3 < p["mnli"] < 0.05 < p["squad"]
    assert tested.loc["mnli", "p holm"] == pytest.approx(3 * p["mnli"])
    assert not tested.loc["mnli", "survives"]


def test_one_seed_has_no_mark():
    one = {key: rate for key, rate in RATES.items() if key[1] == "seed1"}
    table = deltas(*experiment(one))
    assert set(table["over"]) == {EXAMPLES} and table.loc[0, "p holm"] < 0.001
    assert not table["survives"].any()


def test_two_seeds_do_not_show_the_noise_of_training():
    """Was: an interval by a Student's t of up to 12.7, drawn like any other."""
    two = {key: rate for key, rate in RATES.items() if key[1] != "seed3"}
    table = deltas(*experiment(two))
    assert set(table["over"]) == {EXAMPLES} and not table["survives"].any()
    three_and_two = {k: v for k, v in RATES.items() if k != ("mnli", "seed3")}
    table = deltas(*experiment(three_and_two)).set_index("intermediate")
    assert set(table.loc["mnli", "over"]) == {EXAMPLES}
    assert set(table.loc["squad", "over"]) == {EXAMPLES_AND_SEEDS}


def test_a_baseline_that_no_seed_can_change_has_all_noise_there_is():
    kept = {key: rate for key, rate in RATES.items() if key[0] == "mnli"}
    table = deltas(*experiment({("none", "noseed"): 0.3, **kept}, "tatoeba", ["de"]))
    assert set(table["over"]) == {EXAMPLES_AND_SEEDS} and table.loc[0, "survives"]


def test_a_score_that_is_no_mean_over_examples_is_said():
    assert set(deltas(*experiment(RATES, shift=-0.1))["statistic"]) == {EXAMPLE_VALUES}


def test_what_is_missing_is_left_out():
    grid, found, values = experiment(RATES)
    del values["scores/m/mnli/seed2/xnli/de.json"]
    table = deltas(grid, found, values)
    kept = list(zip(table["intermediate"], table["language"], strict=True))
    assert kept == [("mnli", "en"), ("squad", ""), ("squad", "de"), ("squad", "en")]
    values = {path: value for path, value in values.items() if "/none/" not in path}
    assert deltas(grid, found, values).empty
    assert deltas(grid, found, {}).empty


def test_without_a_baseline_there_is_no_difference():
    assert deltas(*experiment({k: v for k, v in RATES.items() if k[0] != "none"})).empty


def test_another_row_changes_no_value_and_another_order_no_interval():
    grid, found, values = experiment(RATES)
    both = deltas(grid, found, values)
    fewer = grid[grid["intermediate"] != "squad"]
    assert deltas(fewer, found, values)["delta"].tolist() == both.loc[:2, "delta"].tolist()
    turned = deltas(grid[::-1], found, values)
    key, same = ["intermediate", "language"], ["delta", "low", "high", "p"]
    pd.testing.assert_frame_equal(
        both.set_index(key)[same].sort_index(), turned.set_index(key)[same].sort_index()
    )
