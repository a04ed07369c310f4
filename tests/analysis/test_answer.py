"""Answers by hand: classes, slopes, differences of slopes, ranks, scales, headroom, strata."""

import dataclasses
import math
from typing import NamedTuple

import numpy as np
import pytest

from xstilts.analysis import ranks
from xstilts.analysis.answers.calculation import Calculation, answer, missing, points
from xstilts.analysis.answers.files import COLUMNS, POINT_COLUMNS
from xstilts.analysis.estimates import EXAMPLES, EXAMPLES_AND_SEEDS, Estimator
from xstilts.analysis.evidence import Evidence, half
from xstilts.experiment.questions import AskedCell, AskedClass, Point, Question
from xstilts.running.errors import UserError

IDS = [f"q{i}" for i in range(40)]


class Is(NamedTuple):
    """A condition on a stratum."""

    name: str

    def matches(self, value):
        return value == self.name


def evidence(means, languages=("de",), seeds=3, spread=0.0, strata=None):
    """Values of examples that are the mean of a row and target, plus noise of the example."""
    rows = list(dict.fromkeys(row for row, _ in means))
    targets = list(dict.fromkeys(target for _, target in means))
    runs = [("m", row, f"seed{s + 1}") for row in rows for s in range(seeds)]
    random = np.random.default_rng(1)
    values, ids = {}, {}
    for target in targets:
        for language in languages:
            hard = random.normal(0, 0.1, len(IDS))
            hard -= hard.mean()
            values[target, language] = np.array(
                [
                    means[row, target] + hard + spread * (s - (seeds - 1) / 2) / max(1, seeds - 1)
                    for row in rows
                    for s in range(seeds)
                ],
                np.float32,
            )
            ids[target, language] = [f"{target} {name}" for name in IDS]
    return Evidence(runs, values, ids, strata or {})


def cells(rows, targets, languages=("de",), over="none"):
    return tuple(
        AskedCell("m", row, over, target, language)
        for row in rows
        for target in targets
        for language in languages
    )


def one(name, rows, targets, **about):
    return AskedClass(name, (Point(cells(rows, targets)),), **about)


MEANS = {
    ("none", "near"): 0.5, ("mnli", "near"): 0.6, ("squad", "near"): 0.7,
    ("none", "far"): 0.2, ("mnli", "far"): 0.25, ("squad", "far"): 0.3842,
}  # fmt: skip


def number(table, kind, of, scale="points"):
    chosen = table[(table["kind"] == kind) & (table["class"] == of) & (table["scale"] == scale)]
    return chosen.iloc[0]


def test_two_classes_and_their_difference():
    classes = tuple(one(name, ["mnli", "squad"], [name]) for name in ("near", "far"))
    scales = ("points", "share", "log-odds")
    question = Question("q", "?", classes, contrast="first", scales=scales)
    table = answer(question, evidence(MEANS, spread=0.01))
    assert list(table) == list(COLUMNS)
    assert list(zip(table["class"], table["kind"], table["over"], strict=True))[:3] == [
        ("near", "value", ""), ("far", "value", ""), ("far", "difference", "near"),
    ]  # fmt: skip
    assert number(table, "value", "near")["estimate"] == pytest.approx(15, abs=1e-4)
    assert number(table, "value", "far")["estimate"] == pytest.approx(11.71, abs=1e-4)
    difference = number(table, "difference", "far")
    assert difference["estimate"] == pytest.approx(-3.29, abs=1e-4)
    ends = difference["low"], difference["high"]
    assert ends == (difference["estimate"],) * 2, "what varies is the same in both"
    assert difference["p holm"] == difference["p"] < 0.05
    assert difference["noise"] == EXAMPLES_AND_SEEDS and bool(difference["tested"])
    assert tuple(difference[["rows", "targets", "languages", "examples"]]) == (2, 2, 1, 80)
    # Of the errors of 0.5 and 0.8 those removed: 0.15 / 0.5 and 0.1171 / 0.8.
    assert number(table, "value", "near", "share")["estimate"] == pytest.approx(30, abs=1e-3)
    assert number(table, "value", "far", "share")["estimate"] == pytest.approx(14.6375, abs=1e-3)
    logit = math.log(0.3171 / 0.6829) - math.log(0.2 / 0.8)
    assert number(table, "value", "far", "log-odds")["estimate"] == pytest.approx(logit, abs=1e-4)
    # Fewer points and a smaller share, but the same log-odds: no change is claimed.
    assert not table["agrees"].any()
    points_alone = Question("q", "?", question.classes, contrast="first")
    assert number(answer(points_alone, evidence(MEANS, spread=0.01)), "difference", "far")["agrees"]


def test_without_errors_there_is_no_share_of_them():
    means = MEANS | {("none", "near"): 1.0}
    classes = tuple(one(name, ["mnli", "squad"], [name]) for name in ("near", "far"))
    question = Question("q", "?", classes, contrast="first", scales=("share", "points", "log-odds"))
    found = Calculation(question, Estimator(evidence(means)))
    assert found.table()["scale"].unique().tolist() == ["points", "log-odds"]
    assert found.points()["scale"].unique().tolist() == ["points", "log-odds"]
    assert found.notes == [
        "Without the share of errors: the row that the gain of near is over makes no error."
    ]
    only = dataclasses.replace(question, scales=("share",))
    with pytest.raises(UserError, match=r"near is over makes no error.*`scales: \[points\]`"):
        answer(only, evidence(means))
    assert set(answer(only, evidence(MEANS))["scale"]) == {"share"}


def test_each_class_for_itself():
    question = Question(
        "q", "?", (one("mnli", ["mnli"], ["far"]), one("squad", ["squad"], ["far"]))
    )
    table = answer(question, evidence(MEANS, spread=0.01))
    assert table["kind"].tolist() == ["value", "value"] and table["tested"].all()
    assert table["p holm"].max() <= 2 * table["p"].max() and table["agrees"].all()


def test_a_score_is_over_nothing():
    asked = AskedClass("all", (Point(cells(["mnli"], ["near", "far"], over="")),))
    table = answer(Question("q", "?", (asked,), value="score"), evidence(MEANS))
    assert table["estimate"].tolist() == pytest.approx([42.5], abs=1e-4)


def test_with_one_seed_the_noise_of_training_is_not_in_it():
    table = answer(Question("q", "?", (one("all", ["mnli"], ["far"]),)), evidence(MEANS, seeds=1))
    assert table["noise"].tolist() == [EXAMPLES]


DOSES = {(f"d{x}", "near"): 0.5 + 0.1 * math.log10(x) for x in (10, 100, 1000)} | {
    ("none", "near"): 0.5,
    **{(f"e{x}", "near"): 0.5 + 0.02 * math.log10(x) for x in (10, 100, 1000)},
}


def doses(name, letter):
    at = (Point(cells([f"{letter}{x}"], ["near"]), x, f"{letter}{x}") for x in (10, 100, 1000))
    return AskedClass(name, tuple(at))


def test_slopes_and_their_difference():
    classes = (doses("steep", "d"), doses("flat", "e"))
    question = Question(
        "q", "?", classes, contrast="first", along="intermediate rows", scale="log10"
    )
    found = evidence(DOSES, spread=0.001)
    table = answer(question, found)
    assert number(table, "slope", "steep")["estimate"] == pytest.approx(10, abs=1e-3)
    assert number(table, "slope", "flat")["estimate"] == pytest.approx(2, abs=1e-3)
    assert number(table, "difference", "flat")["estimate"] == pytest.approx(-8, abs=1e-3)
    at = points(question, found)
    assert list(at) == list(POINT_COLUMNS)
    assert at["estimate"].tolist() == pytest.approx([10, 20, 30, 2, 4, 6], abs=1e-3)
    assert at["x"].tolist() == [10, 100, 1000] * 2 and at["label"][0] == "d10"
    linear = Question("q", "?", classes[:1], along="intermediate rows", scale="linear")
    slope = np.polyfit([10, 100, 1000], [10, 20, 30], 1)[0]
    assert answer(linear, found)["estimate"].tolist() == pytest.approx([slope], abs=1e-5)


def test_rank_correlations():
    classes = (doses("steep", "d"), doses("flat", "e"))
    question = Question(
        "q", "?", classes, contrast="first", along="intermediate rows", scale="rank"
    )
    table = answer(question, evidence(DOSES, spread=0.001))
    assert table["kind"].tolist() == ["correlation", "correlation", "difference"]
    assert table["estimate"].tolist() == [1, 1, 0]
    assert table.loc[0, "high"] == 1 and table.loc[0, "low"] > 0.4


def test_a_rank_correlation_of_points_that_have_not_the_same_seeds():
    means = {("none", t): m for t, m in {"a": 0.2, "b": 0.5, "c": 0.8}.items()}
    means |= {
        ("mnli", t): m + gain
        for (_, t), m, gain in zip(means, means.values(), (0.1, 0.2, 0.3), strict=True)
    }
    points = tuple(Point(cells(["mnli"], [t]), x=float(i), label=t) for i, t in enumerate("abc"))
    question = Question("q", "?", (AskedClass("all", points),), along="target kind", scale="rank")
    whole = evidence(means, seeds=5, spread=0.01)
    found = answer(question, whole.without({("m", "mnli", "seed3", "a")})).iloc[0]
    before = answer(question, whole).iloc[0]
    assert found["noise"] == EXAMPLES_AND_SEEDS
    assert found["estimate"] == before["estimate"] == 1
    assert found["low"] == pytest.approx(before["low"], abs=0.1)


def test_where_estimates_differ_by_their_noise_alone_there_is_no_order():
    means = {**{key: 0.5 for key in DOSES}, ("d1000", "near"): 0.5001}
    question = Question("q", "?", (doses("one", "d"),), along="intermediate rows", scale="rank")
    table = answer(question, evidence(means, spread=0.1))
    assert table[["low", "high", "p"]].to_numpy().tolist() == [[-1, 1, 1]]
    assert table["detectable"].isna().all(), "not even a correlation of 1 would have been seen"


def test_spearman_by_hand_and_with_ties():
    y = np.array([[1.0, 2, 3], [3, 2, 1], [1, 1, 2], [1, 1, 1]])
    found = ranks.spearman(np.array([1.0, 5, 9]), y)
    assert found.tolist() == pytest.approx([1, -1, math.sqrt(3) / 2, 0])


def test_headroom_is_measured_on_the_other_half_of_the_examples():
    targets = {"a": 0.2, "b": 0.5, "c": 0.8}
    means = {("none", t): m for t, m in targets.items()}
    means |= {("mnli", t): m + (1 - m) / 10 for t, m in targets.items()}
    classes = (AskedClass("all", tuple(Point(cells(["mnli"], [t]), label=t) for t in targets)),)
    question = Question("q", "?", classes, along="target headroom", scale="linear")
    found = evidence(means)
    row = answer(question, found).iloc[0]
    assert row["kind"] == "slope" and row["estimate"] == pytest.approx(0.1, abs=0.01)
    assert points(question, found)["x"].tolist() == pytest.approx([80, 50, 20], abs=1)
    assert {half(name) for name in IDS} == {0, 1}


@pytest.mark.parametrize(
    ("bases", "scale", "line"),
    [
        (
            (0.2, 0.2, 0.2),
            "linear",
            "class `all` has 1 different value of target headroom; a slope needs 3",
        ),
        (
            (0.2, 0.5, 1.0),
            "log10",
            "class `all`: target headroom of `c` is 0, which has no logarithm",
        ),
    ],
)
def test_a_headroom_that_no_slope_can_go_along(bases, scale, line):
    means = {(row, t): m for row in ("none", "mnli") for t, m in zip("abc", bases, strict=True)}
    found = evidence(means)
    for target, mean in zip("abc", bases, strict=True):
        found.values[target, "de"][:] = mean
    classes = (AskedClass("all", tuple(Point(cells(["mnli"], [t]), label=t) for t in "abc")),)
    with pytest.raises(UserError, match=line):
        answer(Question("q", "?", classes, along="target headroom", scale=scale), found)


def test_a_slope_along_the_operations_of_a_row():
    rows = {"a": 1e15, "b": 1e16, "c": 1e17, "d": None}
    means = {("none", "xnli"): 0.5} | {(row, "xnli"): 0.5 + i / 10 for i, row in enumerate(rows)}
    classes = (AskedClass("all", tuple(Point(cells([r], ["xnli"]), label=r) for r in rows)),)
    question = Question("q", "?", classes, along="intermediate flop", scale="log10")
    known = {("m", row): flop for row, flop in rows.items() if flop}
    found = dataclasses.replace(evidence(means), measured={"flop": known})
    calculation = Calculation(question, Estimator(found))
    assert calculation.table().iloc[0]["estimate"] == pytest.approx(10, abs=1e-4)
    assert calculation.notes == [
        "all: without m / d, whose flop are not known: a training of it has no record."
    ]
    assert calculation.points()["x"].tolist() == [1e15, 1e16, 1e17]
    with pytest.raises(UserError, match="class `all` has no row whose flop are known"):
        answer(question, evidence(means))


def test_a_slope_of_which_few_values_have_examples_enough_is_refused():
    kinds = {"de": 40, "ru": 30, "sw": 10}
    strata = {("far", x): {"type": ["kept"] * n + ["other"] * (40 - n)} for x, n in kinds.items()}
    found = evidence(MEANS, tuple(kinds), strata=strata)
    at = tuple(
        Point(cells(["mnli"], ["far"], [x]), x=float(i), label=x) for i, x in enumerate(kinds)
    )
    classes = (AskedClass("kept", at, {"type": Is("kept")}),)
    question = Question("q", "?", classes, along="language distance", scale="linear")
    with pytest.raises(UserError, match="class `kept` has 2 different values of language distance"):
        answer(question, found)


def test_a_stratum_against_another():
    kinds = ["bridge" if i % 2 else "comparison" for i in range(40)]
    found = evidence(MEANS, strata={("far", "de"): {"type": kinds}})
    found.values["far", "de"][:3, 1::2] += 0.1  # of mnli and its seeds, those of a bridge
    rows = found.runs[:3]
    assert rows == [("m", "none", f"seed{i}") for i in (1, 2, 3)]
    classes = tuple(
        one(kind, ["mnli"], ["far"], examples={"type": Is(kind)})
        for kind in ("comparison", "bridge")
    )
    question = Question("q", "?", classes, contrast="first")
    table = answer(question, found)
    assert number(table, "difference", "bridge")["estimate"] == pytest.approx(-10, abs=1e-4)
    assert number(table, "value", "bridge")["examples"] == 20


def test_a_stratum_of_few_examples_is_left_out_by_name():
    kinds = ["rare"] * 10 + ["other"] * 30
    found = evidence(MEANS, strata={("far", "de"): {"type": kinds}})
    question = Question("q", "?", (one("x", ["mnli"], ["far"], examples={"type": Is("rare")}),))
    with pytest.raises(UserError, match=r"^class `x` has fewer than 20 examples in each language"):
        answer(question, found)


def test_what_is_missing_is_named():
    question = Question("q", "?", (one("all", ["mnli"], ["near", "far"]),))
    found = evidence(MEANS)
    assert missing(question, found) == []
    found.missing = {("m", row, "far", "de"): ["seed2"] for row in ("none", "squad")}
    assert missing(question, found) == [("m", "none", "far", "de")]


def test_without_runs_that_collapsed():
    found = evidence(MEANS, spread=0.1)
    gone = found.without({("m", "mnli", "seed3", "far")})
    question = Question("q", "?", (one("all", ["mnli"], ["far"]),))
    before, after = answer(question, found), answer(question, gone)
    assert after["estimate"][0] == pytest.approx(before["estimate"][0] - 2.5, abs=1e-4)
    assert after["noise"].tolist() == [EXAMPLES], "two seeds are left"
    assert not np.isnan(found.values["far", "de"]).any(), "the evidence itself is as it was"


def apart(means, seeds=3):
    """Evidence of rows whose languages have these means: (row, target) -> language -> mean."""
    rows = list(dict.fromkeys(row for row, _ in means))
    runs = [("m", row, f"seed{s + 1}") for row in rows for s in range(seeds)]
    random = np.random.default_rng(2)
    values, ids = {}, {}
    for target in dict.fromkeys(target for _, target in means):
        for language in means[rows[0], target]:
            noise = random.normal(0, 0.1, len(IDS))
            noise -= noise.mean()
            each = [means[row, target][language] + noise for row in rows for _ in range(seeds)]
            values[target, language] = np.array(each, np.float32)
            ids[target, language] = [f"{target} {name}" for name in IDS]
    return Evidence(runs, values, ids, {})


def test_a_spread_is_the_deviation_over_the_languages_of_each_row_and_target():
    """By hand: 10 and 20 points over three languages, 2 and 4 over two (deviations of 1 and 2
    times the square root of 2)."""
    means = {
        ("none", "a"): {"de": 0.4, "ru": 0.5, "zh": 0.6}, ("none", "b"): {"de": 0.48, "ru": 0.52},
        ("mnli", "a"): {"de": 0.3, "ru": 0.5, "zh": 0.7}, ("mnli", "b"): {"de": 0.46, "ru": 0.54},
    }  # fmt: skip
    languages = {"a": ("de", "ru", "zh"), "b": ("de", "ru")}

    def class_(row):
        found = [c for t in "ab" for c in cells([row], [t], languages[t], over="")]
        return AskedClass(row, (Point(tuple(found)),))

    asked = Question("q", "?", (class_("none"), class_("mnli")), "spread", "first")
    table = answer(asked, apart(means)).set_index(["class", "kind"])
    none = (10 + 2 * math.sqrt(2)) / 2
    assert table.loc[("none", "value"), "estimate"] == pytest.approx(none, abs=1e-4)
    assert table.loc[("mnli", "value"), "estimate"] == pytest.approx(2 * none, abs=1e-4)
    assert table.loc[("mnli", "difference"), "estimate"] == pytest.approx(none, abs=1e-4)
    assert (table["low"] <= table["estimate"]).all() and (table["high"] >= table["estimate"]).all()

    # The weights of its form are its derivatives.
    calculation = Calculation(asked, Estimator(apart(means)))
    at = calculation.classes[1].means[0][0].row
    for target, language in [("a", "de"), ("a", "ru"), ("b", "ru")]:
        moved = {key: dict(of) for key, of in means.items()}
        moved["mnli", target][language] += 1e-3
        other = Calculation(asked, Estimator(apart(moved))).classes[1].means[0][0].row
        weight = next(w for p, w in at.form.items() if p[:2] == (target, language))
        assert (other.value - at.value) / 1e-3 == pytest.approx(weight.sum(), abs=0.02)


def test_a_language_alone_has_no_spread():
    asked = Question("q", "?", (one("x", ["mnli"], ["near"]),), "spread")
    with pytest.raises(UserError, match="near is left with one language, which has no spread"):
        answer(asked, evidence(MEANS))
