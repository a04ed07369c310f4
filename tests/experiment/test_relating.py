"""Questions about alignment and difficulty: what they are about, and what cannot be asked."""

import re

import pytest
from tests.experiment.test_questions import BASE

from xstilts.experiment.config import load
from xstilts.experiment.config_files import merge
from xstilts.experiment.questions import Aligned, AskedCell, Relation
from xstilts.running.errors import UserError

SETS = {"tatoeba": {}, "xnli": {"measures": ["cka"], "layers": [0, 8]}}
MARGIN = {"set": "tatoeba", "measure": "margin", "layer": 8}
HARD = {
    f"{keep}": {"tasks": ["mnli"], "subset": {"by": "confidence", "keep": keep, "rows": 1000}}
    for keep in ("highest", "middle", "lowest")
}


def ask(entry, **over):
    config = {"alignment": SETS, "languages": ["de", "en", "sw", "ru", "fr"], **over}
    [found] = load(merge(BASE, {**config, "questions": {"q": entry}})).questions
    return found


def test_a_value_of_alignment_has_the_set_in_place_of_targets():
    asked = {"value": {"alignment": MARGIN}, "compare": {"a": {"intermediate": "mnli"},
             "b": {"intermediate": "squad"}}, "where": {"language": ["de", "ru"]}}  # fmt: skip
    found = ask(asked)
    assert (found.value, found.scales, found.relation) == ("alignment", ("measure",), None)
    assert found.aligned == Aligned("tatoeba", "margin", ("8",))
    target = "margin on tatoeba, layer 8"
    assert [one.points[0].cells for one in found.classes] == [
        tuple(AskedCell("base", row, "none", target, lang) for lang in ("de", "ru"))
        for row in ("mnli", "squad")
    ]


@pytest.mark.parametrize(
    ("layer", "layers"),
    [(0, ("0",)), ("last", ("last",)), (0.5, ("0.5",)), ([4, 8], ("4", "8")), ("all", ())],
)
def test_layers_are_numbers_shares_of_the_depth_or_all(layer, layers):
    assert ask({"relate": {"alignment": {**MARGIN, "layer": layer}}}).aligned.layers == layers
    toy = ask({"relate": {"alignment": {**MARGIN, "layer": layer}}}, source="toy", languages="all")
    expected = tuple(dict.fromkeys("last" if name in ("4", "8") else name for name in layers))
    assert toy.aligned.layers == expected, "the toy encoder has three layers"


def test_a_relation_over_rows_has_families_and_leaves_out_languages_that_a_set_has_not():
    found = ask({"relate": {"alignment": MARGIN, "within": {"intermediate": "format"}}})
    assert (found.value, found.relation) == ("gain", Relation("row", (), "intermediate format"))
    assert found.notes == ("Without en, which `tatoeba` has not.",)
    points = [(p.label, p.family, len(p.cells)) for p in found.classes[0].points]
    assert points == [
        ("mnli", "classification", 6),
        ("squad", "span", 6),
        ("both", "classification + span", 6),
    ]
    assert {cell.language for p in found.classes[0].points for cell in p.cells} == {
        "de", "fr", "ru", "sw",
    }  # fmt: skip


def test_a_relation_over_languages_has_what_is_taken_out():
    related = {"alignment": MARGIN, "across": "language", "given": {"language": "resources"}}
    found = ask({"relate": related, "where": {"intermediate": "mnli"}})
    assert found.relation == Relation("language", ("language resources",), "")
    points = {
        p.label: (p.given, [cell.target for cell in p.cells]) for p in found.classes[0].points
    }
    assert points["sw"] == ((332.0,), ["xnli"])
    assert points["de"] == ((18000.0,), ["xnli", "xquad"])


def test_levels_are_related_with_the_row_none_among_them():
    found = ask({"relate": {"alignment": MARGIN, "to": "score"}})
    assert found.value == "score"
    assert [(p.label, p.cells[0].over) for p in found.classes[0].points] == [
        (row, "") for row in ("none", "mnli", "squad", "both")
    ]


def test_of_several_models_a_point_is_named_by_both():
    models = {"other": {"from": "FacebookAI/xlm-roberta-large"}}
    found = ask({"relate": {"alignment": MARGIN}}, models=models)
    labels = [p.label for p in found.classes[0].points]
    assert labels[::3] == ["base / mnli", "other / squad"] and len(labels) == 6
    apart = ask({"relate": {"alignment": MARGIN}, "by": "model"}, models=models)
    assert [(one.name, len(one.points)) for one in apart.classes] == [("base", 3), ("other", 3)]


def test_how_hard_a_subset_is_can_be_asked_by():
    hard = {**HARD, "ambiguous": {"tasks": ["mnli"],
            "subset": {"by": "variability", "keep": "highest", "rows": 1000}},
            "random": {"tasks": ["mnli"], "subset": {"keep": "random", "rows": 1000}},
            "loss": {"tasks": ["mnli"], "subset": {"by": "loss", "keep": "highest", "rows": 10}},
            "settled": {"tasks": ["mnli"],
                        "subset": {"by": "variability", "keep": "lowest", "rows": 10}}}  # fmt: skip
    found = ask({"by": {"intermediate": "difficulty"}}, intermediates=hard)
    rows = {c.name: {cell.intermediate for cell in c.points[0].cells} for c in found.classes}
    assert rows == {
        "easy": {"highest"}, "middle": {"middle"}, "hard": {"lowest", "loss"},
        "ambiguous": {"ambiguous"}, "random": {"random"},
    }  # fmt: skip
    [note] = found.notes
    assert (
        note
        == "In no class, without a value of intermediate difficulty: both, mnli, settled, squad."
    )


def test_what_its_rows_measured_is_gone_along_once_it_is_known():
    found = ask({"along": {"intermediate": "confidence"}}, intermediates=HARD)
    assert found.along == "intermediate confidence"
    assert {point.x for point in found.classes[0].points} == {None}
    with pytest.raises(
        UserError, match=r"confidence, .*, loss are recorded; pick a `subset` by it"
    ):
        ask({"along": {"intermediate": "pvi"}}, intermediates=HARD)


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ({"value": {"aligment": MARGIN}}, "value: there is no value `aligment`; did you mean `ali"),
        ({"value": {}}, "value: is empty; gain, score, spread, or {alignment: ...}"),
        ({"value": {"alignment": None}}, "must be a mapping such as {set: tatoeba, measure: margi"),
        ({"value": {"alignment": {**MARGIN, "set": "tatoba"}}}, "set: there is no set `tatoba`; d"),
        ({"value": {"alignment": {"measure": "cka", "layer": 0}}}, "set: is missing; name one of "),
        ({"value": {"alignment": {**MARGIN, "lang": "de"}}}, "there is no key `lang`"),
        ({"value": {"alignment": {**MARGIN, "measure": "margn"}}}, "`margn`; did you mean `margin"),
        ({"value": {"alignment": {"set": "tatoeba", "layer": 0}}}, "measure: is missing; say one "),
        ({"value": {"alignment": {**MARGIN, "set": "xnli"}}}, "there is no measure of `xnli` `mar"),
        (
            {"value": {"alignment": {"set": "xnli", "measure": "cka", "layer": 4}}},
            "layer: layer 4 is not measured (`xnli` has 0, 8)",
        ),
        ({"value": {"alignment": {**MARGIN, "layer": 13}}}, "model `base` has no layer 13, but 0 "),
        ({"value": {"alignment": {**MARGIN, "layer": "all"}}}, "layer: is one layer here: a numbe"),
        ({"value": {"alignment": {**MARGIN, "layer": -1}}}, "layer: must be a number, a share of "),
        ({"value": {"alignment": {**MARGIN, "layer": True}}}, "must be a number, a share of the d"),
        ({"value": {"alignment": {"set": "tatoeba", "measure": "cka"}}}, "layer: is missing; say "),
        ({"relate": {"alignment": {**MARGIN, "layer": [4, 4]}}}, "layer: names a layer twice"),
        ({"relate": {"alignment": {**MARGIN, "layer": []}}}, "layer: must be a number, a share of"),
        ({"value": {"alignment": MARGIN}, "scales": ["share"]}, "scales: alignment is in the unit"),
        ({"value": {"alignment": MARGIN}, "by": "target"}, "by: alignment is of no target; leave "),
        (
            {"value": {"alignment": MARGIN}, "where": {"target": "xnli"}},
            "where: target: alignment is of no target; leave it out",
        ),
        (
            {"value": {"alignment": MARGIN}, "along": {"language": "headroom"}},
            "along: language: alignment is of no target, and leaves no headroom",
        ),
        ({"relate": {}}, "relate: alignment: must be a mapping such as"),
        ({"relate": {"alignment": MARGIN}, "value": "gain"}, "relate: and `value` exclude each ot"),
        ({"relate": {"alignment": MARGIN}, "along": {"target": "headroom"}}, "and `along` exclude"),
        ({"relate": {"alignment": MARGIN}, "scales": ["points"]}, "and `scales` exclude each othe"),
        ({"relate": {"alignment": MARGIN, "to": "gian"}}, "to: there is no value `gian`; did you "),
        ({"relate": {"alignment": MARGIN, "across": "rows"}}, "across: there is no kind of point "),
        ({"relate": {"alignment": MARGIN, "wihtin": 1}}, "there is no key `wihtin`; did you mean "),
        (
            {"relate": {"alignment": MARGIN, "given": {"language": "resources"}}},
            "given: language: the points are rows, which have no language of their own; say a trait"
            " of model or intermediate, or `across: language`",
        ),
        (
            {"relate": {"alignment": MARGIN, "given": {"intermediate": "flop"}}},
            "given: intermediate: no intermediate has a trait `flop`",
        ),
        (
            {
                "relate": {
                    "alignment": MARGIN,
                    "across": "language",
                    "given": {"language": "script"},
                }
            },
            "given: `script` is not a number: of language `de` it is `Latin`",
        ),
        (
            {"relate": {"alignment": MARGIN, "within": {"intermediate": "frmat"}}},
            "within: intermediate: no intermediate has a trait `frmat`; did you mean `format`?",
        ),
        (
            {"relate": {"alignment": MARGIN}, "where": {"intermediate": ["mnli", "squad"]}},
            "the question has 2 rows in the languages of `tatoeba` (de, fr, ru, sw); a correlation"
            " needs 3",
        ),
        ({"along": {"target": "confidence"}}, "; `confidence` is of intermediates, from records: "),
        (
            {"along": {"intermediate": "confidence"}},
            "along: intermediate: `confidence` will not be known of any row: nothing is recorded",
        ),
        ({"along": {"intermediate": "confidnce"}}, "`confidnce`; did you mean `confidence`?"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_in_one_line(entry, line):
    with pytest.raises(UserError, match=re.escape(line)) as error:
        ask(entry)
    assert all(text.startswith("questions: q: ") for text in str(error.value).split("\n"))


def test_alignment_is_asked_of_what_is_measured_alone():
    with pytest.raises(UserError, match="no parallel sentences are measured; name a set in `align"):
        load(merge(BASE, {"questions": {"q": {"relate": {"alignment": MARGIN}}}}))


def test_a_language_that_the_toy_world_lacks_is_no_mistake():
    asked = {"relate": {"alignment": MARGIN}, "where": {"language": ["es", "vi", "hi"]}}
    toy = {"source": "toy", "languages": "all", "alignment": SETS, "questions": {"q": asked}}
    found = load(merge(BASE, toy))
    assert found.questions == () and "the toy world is not asked this" in found.notes[-1]
