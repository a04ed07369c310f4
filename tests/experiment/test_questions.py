"""Questions: the cells of their classes, and one line for each that cannot be asked of a grid."""

import dataclasses
import re

import pytest
import yaml

from xstilts.experiment import asking, classes, questions
from xstilts.experiment.config import load
from xstilts.experiment.config_files import merge
from xstilts.experiment.grid import Grid
from xstilts.experiment.questions import AskedCell, AskedClass, Point, Question
from xstilts.experiment.selectors import Condition
from xstilts.running.errors import UserError

BASE = {
    "source": "hub",
    "models": {"base": {"from": "FacebookAI/xlm-roberta-base"}},
    "intermediates": {
        "mnli": {"tasks": ["mnli"]},
        "squad": {"tasks": ["squad"]},
        "both": {"tasks": ["mnli", "squad"]},
    },
    "targets": ["xnli", "xquad"],
    "languages": ["de", "en", "sw"],  # XQuAD has no Swahili
}


def ask(entry, **over):
    [found] = load(merge(BASE, {**over, "questions": {"q": entry}})).questions
    return found


def cells(found):
    """Of each class its cells as (intermediate, over, target, language), without a model."""
    return {
        one.name: [cell[1:] for point in one.points for cell in point.cells]
        for one in found.classes
    }


def rows(found):
    return {
        name: list(dict.fromkeys(c[0] for c in having)) for name, having in cells(found).items()
    }


def spoken(found):
    return {name: sorted({c[3] for c in having}) for name, having in cells(found).items()}


def axis(found):
    """Of each class its points: x, label."""
    return {one.name: [(point.x, point.label) for point in one.points] for one in found.classes}


# ---- what is asked


def test_a_question_in_full():
    found = ask(
        {
            "ask": "Does it help German?", "where": {"language": "de"},
            "compare": {
                "pairs": {"intermediate": ["mnli"], "target": "xnli"},
                "questions": {"intermediate": "squad"},
            },
            "scales": ["points", "log-odds"],
        }
    )  # fmt: skip
    assert found == Question(
        name="q",
        ask="Does it help German?",
        classes=(
            AskedClass("pairs", (Point((AskedCell("base", "mnli", "none", "xnli", "de"),)),)),
            AskedClass(
                "questions",
                (
                    Point(
                        (
                            AskedCell("base", "squad", "none", "xnli", "de"),
                            AskedCell("base", "squad", "none", "xquad", "de"),
                        )
                    ),
                ),
            ),
        ),
        value="gain",
        contrast="first",
        along="",
        scale="",
        scales=("points", "log-odds"),
    )


def test_without_classes_it_is_about_all_rows_but_none():
    found = ask({})
    assert (found.ask, found.contrast, found.value) == ("q", "zero", "gain")
    assert rows(found) == {"all": ["mnli", "squad", "both"]}
    assert len(cells(found)["all"]) == 3 * (3 + 2)


def test_a_score_is_of_all_rows_and_over_nothing():
    found = ask({"value": "score", "where": {"language": "en", "target": "xquad"}})
    assert cells(found) == {
        "all": [(row, "", "xquad", "en") for row in ("none", "mnli", "squad", "both")]
    }


def test_a_gain_may_be_over_another_row_or_each_over_its_own():
    one = {"where": {"language": "en", "target": "xnli"}}
    assert cells(ask({**one, "over": "mnli"})) == {
        "all": [("squad", "mnli", "xnli", "en"), ("both", "mnli", "xnli", "en")]
    }
    assert cells(ask({**one, "over": {"both": "mnli", "squad": "none"}})) == {
        "all": [("both", "mnli", "xnli", "en"), ("squad", "none", "xnli", "en")]
    }


def test_languages_by_what_the_rows_were_trained_in():
    german = {"german": {"tasks": ["mnli_translated"], "languages": ["de"]}}
    found = ask({"by": {"language": "seen"}, "where": {"intermediate": ["mnli", "german"]}},
                intermediates=german)  # fmt: skip
    assert spoken(found) == {"seen": ["de", "en"], "not seen": ["de", "en", "sw"]}
    assert ("german", "none", "xnli", "de") in cells(found)["seen"]
    assert ("mnli", "none", "xquad", "de") in cells(found)["not seen"]
    only = ask({"where": {"language": {"seen": True}, "intermediate": "german"}},
               intermediates=german)  # fmt: skip
    assert cells(only) == {
        "all": [("german", "none", "xnli", "de"), ("german", "none", "xquad", "de")]
    }


def test_a_target_without_the_languages_is_not_in_the_class():
    found = ask({"where": {"language": "sw", "intermediate": "mnli"}})
    assert cells(found) == {"all": [("mnli", "none", "xnli", "sw")]}


def test_along_a_number_there_is_a_point_a_value_in_order():
    own = {"squad": {"traits": {"rows": 500}}, "both": {"traits": {"rows": 500}}}
    more = {"intermediates": merge(own, {"one": {"tasks": ["qqp"], "traits": {"rows": 20}}})}
    found = ask({"along": {"intermediate": "rows", "scale": "log10"}}, **more)
    assert (found.along, found.scale) == ("intermediate rows", "log10")
    assert axis(found) == {"all": [(20.0, "one"), (500.0, "squad, both"), (392702.0, "mnli")]}
    assert [len(point.cells) for point in found.classes[0].points] == [5, 10, 5]
    assert ask({"along": {"language": "distance"}}).scale == "linear"
    assert axis(ask({"along": {"language": "distance", "scale": "rank"}, "by": "target"},
                    targets=["xnli", "tatoeba", "xquad"],
                    languages=["de", "ru", "hi"])) == {
        name: [(0.097, "de"), (0.188, "ru"), (0.384, "hi")]
        for name in ("xnli", "tatoeba", "xquad")
    }  # fmt: skip


def test_headroom_is_measured_later():
    found = ask({"along": {"language": "headroom"}, "where": {"target": "xnli"}})
    assert found.along == "language headroom"
    assert axis(found) == {"all": [(None, "de"), (None, "en"), (None, "sw")]}
    found = ask({"along": {"target": "headroom"}}, targets=["xnli", "tatoeba", "xquad"])
    assert axis(found) == {"all": [(None, "xnli"), (None, "tatoeba"), (None, "xquad")]}


def test_flop_are_measured_later_of_each_row():
    found = ask({"along": {"intermediate": "flop", "scale": "log10"}})
    assert (found.along, found.scale) == ("intermediate flop", "log10")
    assert axis(found) == {"all": [(None, "mnli"), (None, "squad"), (None, "both")]}


def test_classes_are_made_of_what_is_there():
    assert list(rows(ask({"by": "intermediate"}))) == ["mnli", "squad", "both"]
    assert list(rows(ask({"by": {"intermediate": "format"}}))) == [
        "classification", "classification + span", "span",
    ]  # fmt: skip
    assert spoken(ask({"by": {"language": "family"}})) == {
        "Atlantic-Congo": ["sw"], "Indo-European, Germanic": ["de", "en"],
    }  # fmt: skip
    found = ask({"by": ["target", {"language": "script"}], "where": {"intermediate": "mnli"}})
    assert list(rows(found)) == ["xnli / Latin", "xquad / Latin"]
    assert found.contrast == "zero"
    numbers = {name: {"traits": {"size": size}} for name, size in (("mnli", 10), ("squad", 9))}
    found = ask({"by": {"intermediate": "size"}}, intermediates=numbers)
    assert rows(found) == {"9": ["squad"], "10": ["mnli"]}, "what has no such trait is in none"


def test_what_has_no_value_of_by_is_named():
    """Was: out of every class without a word."""
    tagged = {"intermediates": {"mnli": {"traits": {"kind": "semantic"}}}}
    found = ask({"by": {"intermediate": "kind"}}, **tagged)
    assert rows(found) == {"semantic": ["mnli"]}
    assert found.notes == ("In no class, without a value of intermediate kind: both, squad.",)
    assert ask({"by": "intermediate"}, **tagged).notes == ()


def test_the_questions_of_a_grid_are_in_the_order_of_its_config():
    asked = {"second": {}, "first": {"by": "target"}}
    grid = Grid(load({**BASE, "questions": asked}))
    assert [found.name for found in questions.all_of(grid)] == ["second", "first"]
    assert questions.all_of(Grid(load(BASE))) == []


# ---- strata


def scope_with_strata(**over):
    """Return a grid of which XNLI's examples have strata."""
    found = load(merge(BASE, over))
    xnli = dataclasses.replace(found.tasks["xnli"])
    object.__setattr__(xnli, "strata", {"kind": "k", "genre": "g"})  # of a frozen dataclass
    return classes.scope(dataclasses.replace(found, tasks={**found.tasks, "xnli": xnli}))


def test_one_stratum_against_another():
    entry = yaml.safe_load(
        """
        ask: Is negation harder than the rest?
        compare:
          rest: {example: {kind: {not: negation}}}
          negation: {example: {kind: negation}}
        where: {target: xnli, example: {genre: [fiction, travel]}}
        """
    )
    found = asking.resolve("q", entry, scope_with_strata())
    genre = Condition(("fiction", "travel"))
    assert [one.examples for one in found.classes] == [
        {"genre": genre, "kind": Condition(None, ("negation",))},
        {"genre": genre, "kind": Condition(("negation",))},
    ]
    assert found.classes[0].points == found.classes[1].points, "the same cells, other examples"


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (
            {"where": {"example": {"kind": "a"}}},
            "questions: q: example: the examples of target `xquad` have no stratum `kind`; narrow"
            " the class to targets that have: xnli",
        ),
        (
            {"where": {"example": {"gener": "a"}, "target": "xnli"}},
            "the examples of target `xnli` have no stratum `gener`; did you mean `genre`?",
        ),
        (
            {
                "where": {"example": {"kind": "a"}, "target": "xnli"},
                "compare": {"x": {"example": {"kind": "b"}}, "y": {"example": {"kind": "a"}}},
            },
            "questions: q: compare: x: example: kind: has nothing in it: `where` wants others",
        ),
        (
            {
                "where": {"target": "xnli"},
                "compare": {"x": {"example": {"kind": "a"}}, "y": {"example": {"genre": "b"}}},
            },
            "questions: q: classes `x` and `y` overlap: base / both / xnli in de is in both, and 8",
        ),
        (
            {"by": {"example": "kind"}},
            "by: example: the classes of a stratum are in the data; name",
        ),
        ({"along": {"example": "kind"}}, "along: there is no thing `example`"),
    ],
)
def test_strata_that_a_target_has_not(entry, line):
    with pytest.raises(UserError, match=re.escape(line)) as error:
        asking.resolve("q", entry, scope_with_strata())
    assert "\n" not in str(error.value)


# ---- asked in YAML alone, of the toy world

TOY = """
source: toy
models:
  xlmr: {from: FacebookAI/xlm-roberta-base}
intermediates:
  mnli: {tasks: [mnli], traits: {kind: semantic}}
  squad: {tasks: [squad], traits: {kind: semantic}}
  ccg: {tasks: [ccg], traits: {kind: syntactic}}
  two: {tasks: [mnli, squad]}
  three: {tasks: [mnli, squad, hellaswag]}
  german: {tasks: [mnli_translated], languages: [de]}
  mnli-100: {tasks: [mnli], traits: {rows: 100}}
  mnli-1000: {tasks: [mnli], traits: {rows: 1000}}
targets: [xnli, xquad, udpos]
seeds: [1, 2]
toy: {sizes: {train: 2500, dev: 50, test: 50}}
"""


def of_the_toy_world(text):
    asked = {"questions": {"q": yaml.safe_load(text)}}
    found = load(merge(yaml.safe_load(TOY), asked))
    assert found.notes == ()
    return found.questions[0]


def test_european_against_other_languages():
    found = of_the_toy_world(
        """
        ask: Do European languages gain more?
        compare:
          European: {language: {family: [Germanic, Balto-Slavic]}}
          other: {language: {not: {family: [Germanic, Balto-Slavic]}}}
        where: {language: {not: en}}
        """
    )
    assert spoken(found) == {"European": ["de", "ru"], "other": ["ar", "hi", "zh"]}
    own = yaml.safe_load(TOY) | {
        "language_traits": {"de": {"european": True}, "ru": {"european": True}},
        "questions": {
            "q": {
                "compare": {
                    "European": {"language": {"european": True}},
                    "other": {"language": {"not": {"european": True}}},
                },
                "where": {"language": {"not": "en"}},
            }
        },
    }
    assert spoken(load(own).questions[0]) == spoken(found)


def test_the_number_of_tasks_in_a_mix():
    found = of_the_toy_world(
        """
        along: {intermediate: n_tasks}
        where: {intermediate: [mnli, squad, two, three]}
        """
    )
    assert axis(found) == {"all": [(1.0, "mnli, squad"), (2.0, "two"), (3.0, "three")]}


def test_intermediate_data_in_german_against_english():
    found = of_the_toy_world(
        """
        compare:
          English: {intermediate: {languages: en}}
          German: {intermediate: {languages: de}}
        where: {intermediate: {n_tasks: 1, tasks: [mnli, mnli_translated], rows: {from: 2500}}}
        """
    )
    assert rows(found) == {"English": ["mnli"], "German": ["german"]}


def test_semantic_against_syntactic_tasks():
    found = of_the_toy_world(
        """
        compare:
          semantic: {intermediate: {kind: semantic}}
          syntactic: {intermediate: {kind: syntactic}}
        """
    )
    assert rows(found) == {"semantic": ["mnli", "squad"], "syntactic": ["ccg"]}


def test_poor_against_rich_languages_by_dose():
    found = of_the_toy_world(
        """
        compare:
          rich: {language: {resources: {from: 10000}}}
          poor: {language: {resources: {below: 10000}}}
        along: {intermediate: rows, scale: log10}
        where: {intermediate: {tasks: mnli, n_tasks: 1}, language: {not: en}}
        """
    )
    dose = [(100.0, "mnli-100"), (1000.0, "mnli-1000"), (2500.0, "mnli")]
    assert axis(found) == {"rich": dose, "poor": dose}
    assert spoken(found) == {"rich": ["de", "ru", "zh"], "poor": ["ar", "hi"]}


# ---- a rehearsal


def test_a_rehearsal_leaves_out_what_the_toy_world_cannot_answer():
    real = {
        **BASE,
        "intermediates": {"mnli": {"tasks": ["mnli"]}, "squad": {"tasks": ["squad"]}},
        "questions": {
            "poor": {"where": {"language": {"resources": {"below": 1000}}}},
            "swahili": {"where": {"language": "sw"}},
            "all": {},
        },
        "languages": "all",
    }
    assert [found.name for found in load(real).questions] == ["poor", "swahili", "all"]
    toy = load({**real, "source": "toy"})
    assert [found.name for found in toy.questions] == ["all"]
    assert toy.notes == (
        "questions: poor: the question: has nothing in it: no target is scored in such a language"
        " (`resources` goes from 2500 to 82000); the toy world is not asked this",
        "questions: swahili: where: language: there is no language `sw`; the toy world is not asked"
        " this",
    )
    wrong = {**real, "source": "toy", "questions": {"q": {"where": {"language": {"famly": "x"}}}}}
    with pytest.raises(UserError, match="no language has a trait `famly`; did you mean `family`"):
        load(wrong)


def test_a_question_that_is_wrong_everywhere_is_refused_by_what_the_toy_world_has():
    toy = {**BASE, "source": "toy", "languages": "all", "toy": {"languages": ["en", "de", "hi"]}}
    overlap = {"compare": {"a": {"target": "xnli"}, "b": {"language": {"not": "en"}}}}
    with pytest.raises(UserError, match="overlap: base / both / xnli in de is in both, and 5 more"):
        load({**toy, "questions": {"q": overlap}})
    mixed = {"compare": {"a": {"language": "sw"}, "b": {"target": "xnil"}}}
    with pytest.raises(UserError) as error:
        load({**toy, "questions": {"q": mixed}})
    assert str(error.value) == (
        "questions: q: compare: b: target: there is no target `xnil`; did you mean `xnli`?"
    ), "not that the toy world lacks Swahili"
