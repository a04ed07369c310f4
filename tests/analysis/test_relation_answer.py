"""Answers about alignment by hand: its change, what goes with it, and what is said of it."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from tests.analysis import answers
from tests.analysis.test_answer import evidence

from xstilts.analysis.alignment import COLUMNS
from xstilts.analysis.answers import aligned, files, relation_text, text
from xstilts.analysis.answers.answering import Answering
from xstilts.analysis.answers.files import COLLAPSED, CORRELATION, RELATED_COLUMNS, WITHIN
from xstilts.analysis.estimates import NOTHING, SEEDS, Estimator
from xstilts.analysis.evidence import Evidence
from xstilts.analysis.plots import answer as plot
from xstilts.experiment.questions import Aligned, AskedCell, AskedClass, Point, Question, Relation

ROWS = ("a", "b", "c", "d", "e", "f")
LANGUAGES = ("de", "ru")
MARGIN = Aligned("pairs", "margin", ("2",))
GAINS = {row: 0.02 * (i + 1) for i, row in enumerate(ROWS)}


def measured(change, seeds=3, spread=0.01, layers=(1, 2)):
    """A table of alignment: `change` of each row at layer 2, and its opposite at layer 1."""
    lines = []
    for lang in LANGUAGES:
        for layer in layers:
            key = ("pairs", lang, layer, "margin")
            lines.append(("m", "none", "noseed", *key, 1.0, 100, 100))
            for row, value in change.items():
                value = value if layer == 2 else -value
                for s in range(seeds):
                    off = spread * (s - (seeds - 1) / 2)
                    lines.append(("m", row, f"seed{s + 1}", *key, 1.0 + value + off, 100, 100))
    return pd.DataFrame(lines, columns=COLUMNS)


def grid(seeds=3):
    means = {("none", "xnli"): 0.4, **{(row, "xnli"): 0.4 + GAINS[row] for row in ROWS}}
    found = evidence(means, LANGUAGES, seeds, spread=0.002)
    runs = [*found.runs, *aligned.runs(["m"])]
    values = {
        key: np.vstack([each, np.full((1, each.shape[1]), np.nan, np.float32)])
        for key, each in found.values.items()
    }
    return Evidence(runs, values, found.ids)


def cells(rows, target="xnli"):
    return tuple(AskedCell("m", row, "none", target, lang) for row in rows for lang in LANGUAGES)


def related(families="", layers=("2",), value="gain"):
    points = tuple(
        Point(cells([row]), None, row, families[i] if families else "")
        for i, row in enumerate(ROWS)
    )
    relation = Relation("row", (), "intermediate kind" if families else "")
    one = AskedClass("all", points)
    asked = MARGIN._replace(layers=layers)
    return Question("q", "?", (one,), value=value, aligned=asked, relation=relation)


def answered(question, change, seeds=3, collapsed=(), **about):
    found = grid(seeds)
    frame = measured(change, seeds, **about)
    found = aligned.extended(found, frame, [question.aligned])
    return Answering(Estimator(found), collapsed, measured=frame).answer(question)


def of_value(*classes):
    target = MARGIN.target("2")
    made = tuple(AskedClass(name, (Point(cells(rows, target)),)) for name, rows in classes)
    return Question(
        "q", "?", made, "alignment", "first" if classes[1:] else "zero", scales=("measure",),
        aligned=MARGIN,
    )  # fmt: skip


def test_a_change_in_alignment_is_in_the_unit_of_its_measure_and_has_the_noise_of_seeds():
    found = answered(of_value(("low", ["a"]), ("high", ["b", "c"])), {"a": 0.1, "b": 0.2, "c": 0.4})
    low, high, difference = found.table.to_dict("records")
    assert [row["estimate"] for row in (low, high, difference)] == pytest.approx([0.1, 0.3, 0.2])
    assert difference["kind"] == "difference" and difference["noise"] == SEEDS
    # Three seeds of deviation 0.01 in a, and in b and c by half each; all rows are alike.
    assert difference["high"] - difference["low"] == pytest.approx(
        2 * 0.01 * np.sqrt((1 + 0.5) / 3) * 2.5, rel=0.25
    )
    assert found.meta["sentence"].startswith(
        "Compared to low, the change in margin (pairs) is larger for high: a difference of +0.200 ("
    )
    assert "at layer 2; higher values are those of better aligned languages" in " ".join(
        text.notes(found.meta, found.table)
    )
    plot.draw(found.meta, found.table, found.points)


def test_with_two_seeds_nothing_is_claimed_of_alignment():
    found = answered(of_value(("all", ["a"])), {"a": 0.1}, seeds=2)
    [row] = found.table.to_dict("records")
    assert row["estimate"] == pytest.approx(0.1) and row["noise"] == NOTHING
    assert np.isnan([row["low"], row["p"], row["detectable"]]).all() and not row["agrees"]
    assert found.meta["sentence"].endswith(
        "With fewer than three seeds nothing is known of its noise, so nothing is claimed."
    )
    assert "above zero" not in found.meta["sentence"]


def test_rows_whose_alignment_rises_more_gain_more():
    found = answered(related(), dict(zip(ROWS, (0.1, 0.2, 0.3, 0.4, 0.6, 0.5), strict=True)))
    [row] = found.table.to_dict("records")
    assert list(found.table) == list(RELATED_COLUMNS)
    assert row["estimate"] == pytest.approx(1 - 6 * 2 / (6 * 35)) and row["points"] == 6
    assert row["agrees"] and 0 < row["low"] <= row["estimate"]
    assert (
        row["p"] == row["p holm"] == pytest.approx(12 / 720, abs=0.008)
    )  # 1, and five swaps; both signs
    assert found.meta["sentence"].startswith(
        "Over 6 rows, a larger change in margin (pairs) goes with a larger gain: 0.94 (95%: "
    )
    first = found.points.iloc[0]
    assert (first["label"], first["layer"]) == ("a", "2")
    assert first["x"] == pytest.approx(0.1) and first["estimate"] == pytest.approx(2)
    assert first["x low"] < 0.1 < first["x high"] and first["low"] < 2 < first["high"]
    for word in ("because", "cause", "due to", "leads to", "effect"):
        assert word not in found.meta["sentence"]


def test_levels_need_no_row_to_be_over():
    question = related(value="score")
    points = tuple(
        dataclasses.replace(p, cells=tuple(c._replace(over="") for c in p.cells))
        for p in question.classes[0].points
    )
    question = dataclasses.replace(question, classes=(AskedClass("all", points),))
    found = answered(question, GAINS)
    assert found.table["estimate"].tolist() == pytest.approx([1.0])
    assert found.points["x"].iloc[0] == pytest.approx(1.02)
    assert found.meta["sentence"].startswith("Over 6 rows, a larger margin (pairs) goes with a lar")


def test_of_several_layers_the_one_that_says_most_is_said():
    change = dict(zip(ROWS, (0.1, 0.2, 0.3, 0.4, 0.5, 0.6), strict=True))
    found = answered(related(layers=()), change)
    assert found.table["layer"].tolist() == ["1", "2"]
    assert found.table["estimate"].tolist() == pytest.approx([-1, 1])
    said = "; of 2 layers layer 1 says most; layer 2 says as much the other way round."
    assert said in found.meta["sentence"]
    tied = found.table.assign(estimate=[1.0, 1.0 - 1e-12], low=0.9, high=1.0)
    assert text.sentence(found.meta, tied).endswith("; of 2 layers layers 1 and 2 say most alike.")
    third = pd.concat([found.table, found.table.tail(1).assign(layer="3")], ignore_index=True)
    most = relation_text.strongest(third).iloc[0]
    assert (most["layer"], most["alike"], most["opposite"]) == ("2", ["2", "3"], ["1"])
    chance = tied.assign(estimate=0.2, low=-0.5, **{"p holm": 0.6})
    assert " at any of 2 layers; the strongest, at layers 1 and 2 alike, is 0.20 (95%" in (
        text.sentence(found.meta, chance)
    )
    barred = text.sentence(found.meta, tied.assign(barred="one seed"))
    assert barred.startswith(
        "Over 6 rows, nothing is claimed of the correlation of the gain with the change in margin"
        " (pairs) (from one seed alone): 1.00 (95%: 0.90 to 1.00; p "
    )
    share = answered(related(layers=("last", "0.5")), change)
    assert share.table["estimate"].tolist() == pytest.approx([1, -1]), "layer 2, and half of that"


def test_over_all_and_within_families_are_apart():
    # Of two families one is above the other in both, and within each it is the other way round.
    change = dict(zip(ROWS, (0.3, 0.2, 0.1, 0.9, 0.8, 0.7), strict=True))
    found = answered(related("xxxyyy"), change)
    by = found.table.set_index(["kind", "family"])["estimate"]
    assert by[CORRELATION, ""] == pytest.approx(1 - 6 * 16 / (6 * 35))
    inside = [(CORRELATION, "x"), (CORRELATION, "y"), (WITHIN, "")]
    assert by[inside].tolist() == pytest.approx([-1, -1, -1])
    assert found.table["tested"].tolist() == [True, False, False, True]
    assert "Within families, no correlation" in found.meta["sentence"], "of 36 orders two are such"
    shown = text.text_table(found.meta, found.table)
    assert [names[0] for names, _ in shown.rows] == [
        "rank correlation of the gain with the change in margin (pairs)", "family x", "family y",
        "within families by intermediate kind",
    ]  # fmt: skip
    assert "A correlation says what goes together, not what comes of what." in shown.notes
    panel = plot.draw(found.meta, found.table, found.points).subfigs[0].axes[0]
    assert len(panel.get_legend().get_texts()) == 2


def test_simpsons_paradox_is_said():
    rows = answered(related("xxxyyy"), GAINS).table
    over, within = (rows["kind"] == CORRELATION) & (rows["family"] == ""), rows["kind"] == WITHIN
    for name, upper, lower in (("p holm", 0.001, 0.001), ("low", 0.5, -1.0), ("high", 1.0, -0.5)):
        rows.loc[over, name], rows.loc[within, name] = upper, lower
    about = answered(related("xxxyyy"), GAINS).meta
    said = text.sentence(about, rows)
    assert said.endswith("So within families it is the other way round (Simpson's paradox).")
    rows.loc[within, "p holm"] = 0.4
    assert text.sentence(about, rows).endswith("may be a difference between families.")


def test_what_is_more_than_chance_but_not_than_noise_is_not_said_to_be_too_weak():
    found = answered(related(), GAINS)
    rows = found.table.assign(low=-1.0)
    assert (rows["p holm"] < 0.05).all() and (rows["estimate"] > rows["least"]).all()
    said = text.sentence(found.meta, rows)
    assert said.endswith("; more than chance, but not more than the noise of the points.")
    assert "no correlation of the gain with the change in margin (pairs) was found: 1.00" in said
    distance = found.meta["aligned"] | {"measure": "spectral"}
    said = text.sentence(found.meta | {"aligned": distance}, rows)
    assert "with the change in spectral distance (pairs) was" in said


def test_what_is_not_measured_is_named_and_keeps_an_answer_back():
    question, frame = related(), measured(GAINS)
    frame = frame[(frame["intermediate"] != "b") | (frame["seed"] != "seed2")]
    found = Answering(Estimator(aligned.extended(grid(), frame, [MARGIN])), measured=frame)
    made = found.answer(question)
    assert made.meta["missing"] == ["m/b/seed2/pairs"] and made.table.empty
    assert made.meta["cells"] == 21 + 19, "cells of the grid; encoders, of `none` one"
    assert made.meta["sentence"] == "Not answered yet: 1 of 40 cells is missing (m/b/seed2/pairs)."
    plot.draw(made.meta, made.table, made.points)
    assert text.text_table(made.meta, made.table).rows == []


def test_a_layer_that_is_not_there_is_said():
    found = answered(related(layers=("7",)), GAINS)
    assert found.meta["sentence"] == (
        "Not answered: no layer (7) of `pairs` is measured of all of m."
    )
    some = answered(related(layers=("2", "7")), GAINS)
    assert "all: without what is not measured of all, layer 7." in some.meta["notes"]
    value = dataclasses.replace(of_value(("all", ["a"])), aligned=MARGIN._replace(layers=("7",)))
    assert "no layer (7)" in answered(value, GAINS).meta["sentence"]


def test_an_encoder_of_which_nothing_was_learned_is_left_out_of_both_sides():
    change = {**GAINS}
    gone = {("m", "c", "seed1", "xnli")}
    found = answered(related(), change, collapsed=gone)
    assert set(found.table["without"]) == {"", COLLAPSED}
    assert found.meta["notes"] == [
        "Collapsed: m/c/seed1/pairs, m/c/seed1/xnli. The answer is given with and without them."
    ]


def test_the_files_of_a_relation_are_read_as_written(tmp_path):
    found = answered(related("xxxyyy", layers=()), GAINS)
    answers.write(tmp_path, "q", found)
    again = files.read(tmp_path, "q")
    pd.testing.assert_frame_equal(again.table, found.table, check_dtype=False)
    assert again.points["layer"].tolist() == found.points["layer"].tolist()
    assert text.sentence(again.meta, again.table) == found.meta["sentence"]
