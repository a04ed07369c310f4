"""Questions: the cells of their classes, and one line for each that cannot be asked of a grid."""

import dataclasses
import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from xstilts.experiment import asking, classes, config_files, questions
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


# ---- what cannot be asked

SCOPE = classes.scope(load(BASE))
TWO = {"a": {"target": "xnli"}, "b": {"target": "xquad"}}


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ({"comapre": TWO}, "questions: q: there is no key `comapre`; did you mean `compare`?"),
        ({"ask": "a\nb"}, "questions: q: ask: must be one line of text, not 'a b'"),
        ({"value": "gian"}, "q: value: there is no value `gian`; did you mean `gain`?"),
        ({"value": "score", "over": "mnli"}, "q: over: is of gains; leave it out, or `value: scor"),
        ({"over": "mnil"}, "questions: q: over: there is no row `mnil`; did you mean `mnli`?"),
        ({"over": {"mnli": "suqad"}}, "over: mnli: there is no row `suqad`; did you mean `squad`?"),
        ({"over": {"mnil": "squad"}}, "over: there is no row `mnil`; did you mean `mnli`?"),
        ({"over": {"mnli": "mnli"}}, "over: mnli: a row has no gain over itself"),
        ({"over": {"none": "mnli"}}, "over: `none` is what gains are over, so it has none itself"),
        ({"over": {}}, "over: must be the name of a row, or a mapping of rows to what each is ove"),
        ({"over": {"mnli": ["none"]}}, "over: mnli: there is no row `['none']`"),
        ({"compare": TWO, "by": "target"}, "compare: and `by` exclude each other; leave one out"),
        ({"compare": {"a": {}}}, "compare: needs two classes or more; of one alone ask by `where`"),
        ({"compare": ["a"]}, "compare: must be a mapping of classes to selectors, not ['a']"),
        ({"compare": {True: {}, "b": {}}}, "compare: `True` is no name of a class: YAML reads no,"),
        ({"compare": {"a\tb": {}, "b": {}}}, "compare: 'a\\tb' is no name of a class: it has to b"),
        ({"compare": {" ": {}, "b": {}}}, "compare: ' ' is no name of a class: it has to be one l"),
        ({"compare": {"x" * 61: {}, "b": {}}}, "is too long for a class: 60 characters at most"),
        (
            {"compare": {"near": {"target": "xnli"}, "Near": {"target": "xquad"}}},
            "questions: q: compare: `near` and `Near` are nearly one name; give one another",
        ),
        (
            {"compare": {**TWO, "c": {"langauge": "de"}}},
            "questions: q: compare: c: there is no `langauge` to ask by; did you mean `language`?",
        ),
        (
            {"compare": {**TWO, "c": {"target": "xnil"}}},
            "questions: q: compare: c: target: there is no target `xnil`; did you mean `xnli`?",
        ),
        (
            {"where": {"language": {"famly": "Germanic"}}},
            "questions: q: where: language: no language has a trait `famly`; did you mean `family`",
        ),
        (
            {"where": {"language": {"family": "Germnic"}}},
            "where: language: family: no language has `Germnic`; did you mean `Germanic`?",
        ),
        (
            {"compare": {**TWO, "c": {"language": {"family": "Uralic"}}}},
            "questions: q: class `c`: has nothing in it: no target is scored in such a language",
        ),
        (
            {"compare": {**TWO, "c": {"intermediate": {"n_tasks": 2, "format": {"not": "span"}}}}},
            "questions: q: class `c`: has nothing in it: no intermediate of the grid is such",
        ),
        (
            {"compare": {"a": {"intermediate": ["none", "mnli"]}, "b": {"intermediate": "squad"}}},
            "compare: a: intermediate: `none` is what gains are over, so it has none itself",
        ),
        (
            {"over": {"mnli": "squad"}, "where": {"intermediate": "both"}},
            "where: intermediate: `both` is not among the rows of `over`",
        ),
        (
            {"compare": {"a": {"intermediate": "mnli"}, "b": {"target": "xquad"}}},
            "questions: q: classes `a` and `b` overlap: base / mnli / xquad in de is in both, and ",
        ),
        ({"by": "targte"}, "questions: q: by: there is no thing `targte`; did you mean `target`?"),
        ({"by": []}, "questions: q: by: is empty; say a thing, such as `intermediate`, or a trait"),
        ({"by": [["target"]]}, "questions: q: by: there is no thing `['target']`"),
        ({"by": ["target", "target"]}, "questions: q: by: `target: name` is there twice"),
        ({"by": {"target": "kind"}}, "questions: q: by: target: no target has a trait `kind` (the"),
        ({"along": {"intermediate": "row"}}, "intermediate has a trait `row`; did you mean `rows`"),
        ({"along": {"intermediates": "rows"}}, "along: there is no thing `intermediates`; did you"),
        ({"along": {"intermediate": "rows", "scale": "log"}}, "no scale `log`; did you mean `log1"),
        ({"along": "rows"}, "along: must be a mapping such as {model: parameters, scale: log10}, "),
        ({"along": {"scale": "rank"}}, "along: must have one thing and its trait: a mapping such "),
        ({"along": {"model": "layers", "target": "format"}}, "along: must have one thing and its "),
        (
            {"along": {"intermediate": "format"}},
            "along: `format` is not a number: of intermediate `mnli` it is `classification`",
        ),
        ({"along": {"language": "seen"}}, "along: `seen` is true or false, not a number; tell"),
        ({"along": {"model": "headroom"}}, "along: model: no model has a trait `headroom`"),
        (
            {"along": {"intermediate": "n_tasks"}},
            "along: the question has 2 different values of `intermediate: n_tasks` (1, 2); a slope",
        ),
        (
            {"along": {"target": "headroom"}},
            "has 2 different values of `target: headroom` (xnli, xquad); a slope needs 3",
        ),
        (
            {"along": {"language": "distance", "scale": "log10"}},
            "along: `distance` of language `en` is 0, which has no logarithm; leave it out by `whe",
        ),
        ({"scales": ["point"]}, "q: scales: there is no scale `point`; did you mean `points`?"),
        ({"scales": []}, "q: scales: must be a list of any of points, share, log-odds, not []"),
        ({"scales": ["share", "share"]}, "questions: q: scales: names a scale twice"),
        ({"scales": ["share"], "value": "score"}, "scales: `share` is that of the errors which a "),
        ({"where": None}, "questions: q: where: must be a mapping of model, intermediate, target,"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_in_one_line(entry, line):
    with pytest.raises(UserError, match=re.escape(line)) as error:
        asking.resolve("q", entry, SCOPE)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            {"q": {"comapre": TWO}},
            "config: questions: q: there is no key `comapre`; did you mean `compare`?",
        ),
        ({"q": None}, "config: questions: q: must be a mapping, not nothing"),
        ({"q": {"scales": "points"}}, "config: questions: q: scales: must be a list, not 'points'"),
        ({"a/b": {}}, "config: questions: `a/b` is no name: letters and digits"),
        ({1: {}}, 'questions: `1` is not text: quote it, "1"'),
        ({"a.points": {}}, "questions: a.points: must not end in .points: so do files of other"),
        (
            {"Size": {}, "size": {}},
            "questions: `Size` and `size` would be one file where case does not count; give one",
        ),
    ],
)
def test_a_config_with_such_questions_is_refused(given, line):
    with pytest.raises(UserError, match=re.escape(line)) as error:
        load({**BASE, "questions": given})
    assert "\n" not in str(error.value)


def test_a_class_is_whole_or_refused():
    over = {"exclude": [{"intermediate": "squad", "target": "xquad"}], "seeds": [1, 2]}
    line = "questions: q: the question: squad / xquad is excluded from the grid; narrow the class"
    with pytest.raises(UserError, match=line):
        ask({}, **over)
    two = {"compare": {"a": {"target": "xnli"}, "b": {"target": "xquad"}}}
    line = "questions: q: class `b`: squad / xquad is excluded from the grid; narrow the class"
    with pytest.raises(UserError, match=line):
        ask(two, **over)
    assert len(ask({**two, "where": {"intermediate": "mnli"}}, **over).classes) == 2
    one_seed = {"exclude": [{"intermediate": "squad", "seed": 2}], "seeds": [1, 2]}
    with pytest.raises(UserError, match=r"squad / xnli \(and 1 more\) is excluded from the grid"):
        ask({}, **one_seed)
    models = {"models": {"large": {"from": "o/l"}}}
    with pytest.raises(UserError, match="question: large / squad / xquad is excluded"):
        ask({}, **models, exclude=[{"model": "large", "intermediate": "squad", "target": "xquad"}])


def test_what_a_gain_is_over_has_to_be_there_too():
    none = {"exclude": [{"intermediate": "none", "target": "xquad"}]}
    with pytest.raises(UserError, match="the question: none / xquad is excluded"):
        ask({}, **none)
    assert ask({"over": "mnli"}, **none) and ask({"where": {"target": "xnli"}}, **none)
    with pytest.raises(
        UserError, match="questions: q: over: the row `none` is excluded from the grid"
    ):
        ask({}, exclude=[{"intermediate": "none"}])


def test_a_cell_that_no_seed_can_change_is_whole():
    found = ask(
        {"where": {"target": "tatoeba"}}, targets=["tatoeba"], languages=["de"], seeds=[1, 2, 3]
    )
    assert rows(found) == {"all": ["mnli", "squad", "both"]}


@pytest.mark.parametrize("scale", ["share", "log-odds"])
def test_a_correlation_has_no_errors_to_share(scale):
    sts = {
        "format": "regression", "hub": "o/sts", "languages": ["en"], "metric": "pearson",
        "splits": {"train": "train", "dev": "validation"},
    }  # fmt: skip
    over = {"tasks": {"sts": sts}, "targets": ["xnli", "sts"]}
    line = (
        f"q: scales: `{scale}` is of errors, and target `sts` has none: its metric is a correlation"
    )
    for entry in ({"scales": ["points", scale]}, {"scales": [scale], "by": "target"}):
        with pytest.raises(UserError, match=line):
            ask(entry, **over)
    assert ask({"scales": [scale], "where": {"target": "xnli"}}, **over).scales == (scale,)
    assert ask({"scales": ["points"]}, **over)


def test_a_trait_that_is_not_known_is_asked_for():
    models = {"models": {name: {"from": f"o/{name}"} for name in ("a", "b", "c")}}
    line = (
        "questions: q: along: `parameters` of model `a` is not known; say it in"
        " `models: a: traits: {parameters: ...}`"
    )
    with pytest.raises(UserError, match=re.escape(line)):
        ask({"along": {"model": "parameters"}, "where": {"model": {"not": "base"}}}, **models)
    with pytest.raises(UserError, match="q: by: `parameters` of model `a` is not known; say it"):
        ask({"by": {"model": "parameters"}}, **models)
    size = {"models": {name: {"traits": {"parameters": 10**i}} for i, name in enumerate("abc", 3)}}
    found = ask({"along": {"model": "parameters", "scale": "log10"}}, **merge(models, size))
    assert axis(found)["all"][:3] == [(1e3, "a"), (1e4, "b"), (1e5, "c")]


def test_all_mistakes_of_all_questions_are_told_together():
    wrong = {
        "one": {"value": "gian", "over": "mnil", "scales": []},
        "two": {"compare": {"a": {"target": "xnil"}, "b": {"language": {"famly": "x"}}}},
        "three": {},
    }
    with pytest.raises(UserError) as error:
        load({**BASE, "questions": wrong})
    assert [line.split(";")[0].split(" (")[0] for line in str(error.value).splitlines()] == [
        "questions: one: value: there is no value `gian`",
        "questions: one: over: there is no row `mnil`",
        "questions: one: scales: must be a list of any of points, share, log-odds, not []",
        "questions: two: compare: a: target: there is no target `xnil`",
        "questions: two: compare: b: language: no language has a trait `famly`",
    ]


def test_a_key_that_is_there_twice_is_refused(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("questions:\n  size: {by: model}\n  kind: {}\n  size: {by: target}\n")
    line = f"{file}: line 4: the key `size` is there already, in line 2; leave one out"
    with pytest.raises(UserError, match=re.escape(line)):
        config_files.read([file])
    file.write_text("a: {b: 1, b: 2}\n")
    with pytest.raises(UserError, match="line 1: the key `b` is there already, in line 1"):
        config_files.read([file])
    file.write_text("base: &base {a: 1, b: 2}\nx:\n  <<: *base\n  a: 3\ny: {<<: *base, b: 1}\n")
    assert config_files.read([file])["x"] == {"a": 3, "b": 2}, "what is merged may be overridden"


ENTRIES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3),
        st.sampled_from(
            ["mnli", "squad", "none", "xnli", "xquad", "de", "en", "family", "rows", "n_tasks",
             "seen", "headroom", "format", "gain", "score", "points", "share", "rank", "Germanic"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(
                st.sampled_from(
                    ["model", "intermediate", "target", "language", "example", "not", "from",
                     "below", "scale", "a", "b", "rows", "family", "seen", "name", "mnli"]
                ),
                st.booleans(),
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from([*asking.KEYS, "others"]), ENTRIES, max_size=4))
def test_whatever_is_asked_is_a_question_or_a_users_mistake(entry):
    try:
        found = asking.resolve("q", entry, SCOPE)
    except UserError as error:
        assert all(line.startswith("questions: q: ") for line in str(error).split("\n"))
        return
    assert found.classes and all(point.cells for one in found.classes for point in one.points)


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
        "questions: poor: the question: has nothing in it: no target is scored in such a language;"
        " the toy world is not asked this",
        "questions: swahili: where: language: there is no language `sw`; the toy world is not asked"
        " this",
    )
    wrong = {**real, "source": "toy", "questions": {"q": {"where": {"language": {"famly": "x"}}}}}
    with pytest.raises(UserError, match="no language has a trait `famly`; did you mean `family`"):
        load(wrong)
