"""Answers of an experiment: what is missing, what collapsed, what is behind each class."""

import dataclasses

import pytest
from tests.analysis.test_answer import MEANS, cells, evidence, one

from xstilts.analysis.answers.answering import Answering
from xstilts.analysis.answers.files import COLLAPSED, COLUMNS, ONE_SEED
from xstilts.analysis.estimates import Estimator
from xstilts.experiment.questions import AskedClass, Point, Question

BOTH = Question(
    "both", "Near or far?", (one("near", ["mnli"], ["near"]), one("far", ["mnli"], ["far"]))
)


def test_an_answer_says_what_was_asked_and_what_is_behind_it():
    found = Answering(Estimator(evidence(MEANS)), by_example=["far", "udpos"]).answer(BOTH)
    assert found.meta.pop("sentence").startswith("The gain")
    assert found.meta == {
        "name": "both", "ask": "Near or far?", "value": "gain", "contrast": "zero", "along": "",
        "scale": "", "scales": ["points"], "missing": [], "cells": 12,
        "reason": "",
        "notes": [
            "far: the mean value of the examples, because the score is not a mean over them."
        ],
        "classes": {
            name: {"rows": [["m", "mnli"]], "targets": [name], "languages": ["de"]}
            for name in ("near", "far")
        },
    }  # fmt: skip
    assert len(found.table) == len(found.points) == 2 and set(found.table["without"]) == {""}


def test_what_is_in_no_class_is_a_note():
    noted = dataclasses.replace(BOTH, notes=("In no class: x.",))
    assert Answering(Estimator(evidence(MEANS))).answer(noted).meta["notes"] == ["In no class: x."]


def test_it_is_not_given_for_less_than_was_asked():
    some = evidence(MEANS)
    some.missing = {("m", "none", "far", "de"): ["seed2", "seed3"]}
    found = Answering(Estimator(some)).answer(BOTH)
    assert found.meta["missing"] == ["m/none/seed2/far", "m/none/seed3/far"]
    assert found.meta["cells"] == 12
    assert found.table.empty and list(found.table) == list(COLUMNS) and found.points.empty
    near = Question("near", "?", BOTH.classes[:1])
    assert len(Answering(Estimator(some)).answer(near).table) == 1


def test_with_and_without_what_collapsed():
    some = evidence(MEANS, spread=0.2)
    gone = {("m", "mnli", "seed1", "far"), ("m", "squad", "seed1", "far")}
    found = Answering(Estimator(some), gone).answer(BOTH)
    assert found.meta["notes"] == [
        "Collapsed: m/mnli/seed1/far. The answer is given with and without them."
    ]
    far = found.table[found.table["class"] == "far"].set_index("without")["estimate"]
    assert far[COLLAPSED] - far[""] == pytest.approx(5, abs=1e-3)
    near = Answering(Estimator(some), gone).answer(Question("near", "?", BOTH.classes[:1]))
    assert near.meta["notes"] == [] and len(near.table) == 1


def test_where_all_collapsed_nothing_is_left():
    gone = {("m", "none", f"seed{i}", "far") for i in (1, 2, 3)}
    found = Answering(Estimator(evidence(MEANS)), gone).answer(BOTH)
    assert found.meta["notes"] == [
        "Collapsed: m/none/seed1/far, m/none/seed2/far, m/none/seed3/far; without them nothing is"
        " left of m/none/far."
    ]
    assert len(found.table) == 2
    assert found.table["barred"].tolist() == ["", COLLAPSED], "near has another none"
    assert found.table["agrees"].tolist() == [True, False]
    assert found.meta["sentence"].startswith("The gain is above zero for near (")
    barred = (
        "; nothing is claimed of the gain (all trainings of a side ended at guessing) for far ("
    )
    assert barred in found.meta["sentence"]
    both = Question("q", "?", (AskedClass("all", (Point(cells(["mnli"], ["near", "far"])),)),))
    found = Answering(Estimator(evidence(MEANS)), gone).answer(both)
    assert found.table["barred"].tolist() == [""], "in part: a note says so"


def test_from_one_seed_nothing_is_claimed():
    for question in BOTH, dataclasses.replace(BOTH, contrast="first"):
        found = Answering(Estimator(evidence(MEANS, seeds=1))).answer(question)
        assert set(found.table["barred"]) == {ONE_SEED} and not found.table["agrees"].any()
        assert "nothing is claimed of the " in found.meta["sentence"].lower()
        assert not any(word in found.meta["sentence"] for word in ("above", "smaller", "larger"))


def test_a_language_that_turned_out_to_have_no_rows_is_left_out_by_name():
    both = cells(["mnli"], ["far"], ("de", "sw"))
    question = Question("q", "?", (AskedClass("all", (Point(both),)),))
    some = evidence(MEANS, spread=0.2)
    found = Answering(Estimator(some), {("m", "mnli", "seed1", "far")}).answer(question)
    assert found.meta["notes"][0] == "all: without far in sw, which has no rows."
    assert found.table["estimate"][0] == pytest.approx(5, abs=1e-3)
    alone = Question("q", "?", (AskedClass("all", (Point(both[1:]),)),))
    assert Answering(Estimator(some)).answer(alone).meta["reason"] == (
        "class `all` has no rows in any language"
    )


def test_what_rests_on_other_targets_in_part_is_said():
    """A gain that no target has more of in far languages fell with their distance: the target that
    gains most has none of these."""
    some = evidence(MEANS, ("de", "ru", "sw"))
    near = {"de": ["near", "far"], "ru": ["near", "far"], "sw": ["far"]}
    at = [
        Point(cells(["mnli"], targets, [language]), x=float(i), label=language)
        for i, (language, targets) in enumerate(near.items())
    ]
    along = {"along": "language distance", "scale": "linear"}
    found = Answering(Estimator(some)).answer(
        Question("q", "?", (AskedClass("a", tuple(at)),), **along)
    )
    assert found.table["estimate"][0] < -1
    assert found.meta["notes"] == [
        "Not all values of language distance have the same targets, so a change may be the"
        " difference of targets; `by: target` tells them apart."
    ]
    classes = [AskedClass(p.label, (Point(p.cells),)) for p in at]
    note = [
        "Not all classes have the same targets, so a difference of classes may be that of targets."
    ]
    said = [
        Answering(Estimator(some)).answer(Question("q", "?", tuple(of))).meta["notes"]
        for of in (classes, classes[:2], BOTH.classes)
    ]
    assert said == [note, [], []], "of targets that are compared nothing is said"


def test_a_class_without_examples_is_a_note():
    rare = AskedClass("rare", (Point(cells(["mnli"], ["far"])),), {"type": None})
    found = Answering(Estimator(evidence(MEANS))).answer(Question("q", "?", (rare,)))
    assert found.table.empty
    assert found.meta["reason"] == "class `rare` has fewer than 20 examples in each language"
