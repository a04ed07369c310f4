"""Selectors: what a condition matches, and one line for each that is none."""

import datetime
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.experiment import selectors
from xstilts.experiment.selectors import Condition, Pick, condition, number, parse, pick, text
from xstilts.running.errors import UserError


@pytest.mark.parametrize(
    ("given", "matched", "not_matched"),
    [
        ("span", ["span", ("choice", "span")], ["choice", (), None]),
        (["span", "choice"], ["span", "choice"], ["spa", None]),
        ({"not": "span"}, ["choice", (), ("choice",)], ["span", ("choice", "span"), None]),
        ({"not": ["a", "b"]}, ["c"], ["a", "b", None]),
        ({"from": 1000, "below": 30000}, [1000, 29999.5, "2000"], [999, 30000, "many", True, None]),
        ({"from": 2, "not": 3}, [2, 4], [1, 3]),
        ({"below": 0}, [-1], [0, ()]),
        (2, [2, 2.0, "2", (1, 2)], [3, True, "2.0"]),
        # YAML reads yes without quotes as true, and a class of examples may be called so.
        (True, [True, "true", "yes", "True"], [False, 1, "no", "y"]),
        (False, [False, "false", "no"], [True, 0, "yes", "none"]),
        ({"not": False}, [True, "yes"], [False, "no"]),
        ("yes", ["yes"], ["true", "no"]),
        ("1000", [1000], [1000.5]),
    ],
)
def test_what_a_condition_matches(given, matched, not_matched):
    found = condition("k", given)
    assert [value for value in matched if not found.matches(value)] == []
    assert [value for value in not_matched if found.matches(value)] == []


def test_a_condition_that_says_nothing_is_that_the_value_is_known():
    assert Condition().matches("x") and Condition().matches(()) and not Condition().matches(None)


def test_a_selector_in_full():
    found = parse(
        "where",
        {
            "intermediate": {"rows": {"from": 1000, "not": 3000}, "not": "squad"},
            "target": ["xnli", "xquad"],
            "language": {"script": "Latin", "not": {"family": ["Uralic"]}},
            "example": {"type": "bridge"},
        },
    )
    assert found == {
        "intermediate": Pick(
            {"name": Condition(None, ("squad",)), "rows": Condition(None, ("3000",), 1000.0)}
        ),
        "target": Pick({"name": Condition(("xnli", "xquad"))}),
        "language": Pick(
            {"script": Condition(("Latin",))}, Pick({"family": Condition(("Uralic",))})
        ),
        "example": Pick({"type": Condition(("bridge",))}),
    }
    traits = {"name": "fi", "script": "Latin", "family": ("Uralic",)}
    assert not found["language"].matches(traits.get)
    assert found["language"].matches({**traits, "family": ("Turkic",)}.get)
    assert found["language"].matches({"script": "Latin"}.get), "what has no family is no Uralic one"
    assert not found["language"].matches({**traits, "script": "Cyrillic", "family": ()}.get)
    assert list(found["language"].conditions()) == [
        ("script", Condition(("Latin",))), ("family", Condition(("Uralic",))),
    ]  # fmt: skip


def test_a_name_that_is_and_one_that_is_not_are_one_condition():
    assert pick("k", {"name": ["a", "b"], "not": "b"}) == Pick(
        {"name": Condition(("a", "b"), ("b",))}
    )
    assert pick("k", {"rows": 3, "name": "a", "not": "b"}).traits.keys() == {"name", "rows"}


@pytest.mark.parametrize(
    ("one", "two", "apart"),
    [
        ("a", "b", True),
        (["a", "b"], ["b", "c"], False),
        ("a", {"not": "a"}, True),
        (["a", "b"], {"not": "a"}, False),
        ({"not": "a"}, {"not": "b"}, False),
        ({"from": 3}, {"below": 3}, True),
        ({"from": 3}, {"from": 5}, False),
        (2, {"from": 3}, True),
        (["2", "4"], {"from": 3}, False),
    ],
)
def test_which_conditions_no_value_fulfils_both(one, two, apart):
    one, two = condition("k", one), condition("k", two)
    assert (one.disjoint(two), two.disjoint(one)) == (apart, apart)


VALUES = st.one_of(
    st.sampled_from(["a", "b", "c", "2", "3"]), st.integers(0, 5), st.floats(0, 5), st.booleans()
)
CONDITIONS = st.one_of(
    VALUES,
    st.lists(VALUES, min_size=1, max_size=3),
    st.fixed_dictionaries(
        {}, optional={"not": VALUES, "from": st.integers(0, 2), "below": st.integers(3, 5)}
    ).filter(bool),
)


@given(CONDITIONS, CONDITIONS, VALUES)
def test_conditions_that_are_disjoint_or_both_meant_agree_with_what_they_match(one, two, value):
    one, two = condition("k", one), condition("k", two)
    both = one.matches(value) and two.matches(value)
    assert one.also(two).matches(value) == both
    assert not (both and one.disjoint(two))


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            {"langauge": "de"},
            "where: there is no `langauge` to ask by; did you mean `language`? (valid: model,",
        ),
        (
            ["xnli"],
            "where: must be a mapping of model, intermediate, target, language or example to",
        ),
        (None, "where: must be a mapping of model, intermediate, target, language or example to a"),
        (
            {"language": [False]},
            "where: language: YAML reads no, on, yes and off as booleans: quote",
        ),
        ({"language": {"not": [True]}}, "where: language: not: YAML reads no, on, yes and off"),
        ({"language": {False: "x"}}, "where: language: `False` is no trait: YAML reads no, on,"),
        ({"model": {1: "x"}}, 'where: model: `1` is no trait: quote it, "1"'),
        ({"target": []}, "where: target: the list is empty; name at least one"),
        ({"target": {}}, "where: target: is empty; say a name, a list of names, or traits"),
        (
            {"target": None},
            "where: target: must be text or a number, or a list of such, not nothing",
        ),
        ({"target": {"format": {}}}, "where: target: format: is empty; say a value, a list of"),
        ({"target": {"format": []}}, "where: target: format: the list is empty; name at least one"),
        (
            {"target": {"rows": {"form": 3}}},
            "where: target: rows: there is no `form`; did you mean `from`? (valid: not, from, belo",
        ),
        ({"target": {"rows": {"from": "x"}}}, "where: target: rows: from: must be a number, not x"),
        (
            {"target": {"rows": {"from": True}}},
            "where: target: rows: from: must be a number, not T",
        ),
        ({"target": {"rows": {"from": math.inf}}}, "rows: from: must be a number, not inf"),
        (
            {"target": {"rows": math.nan}},
            "rows: must be text or a number, or a list of such, not nan",
        ),
        (
            {"target": {"rows": {"from": 3, "below": 3}}},
            "where: target: rows: no number is from 3 on and below 3",
        ),
        (
            {"target": {"made": datetime.date(2020, 1, 2)}},
            'where: target: made: YAML reads 2020-01-02 as a date: quote it, "2020-01-02"',
        ),
        (
            {"example": "bridge"},
            "where: example: must be a mapping of a stratum to its classes, such as {type: bridge}",
        ),
        (
            {"example": {"not": "bridge"}},
            "where: example: `not` is of a stratum, such as {type: {not",
        ),
        (
            {"example": {"name": "bridge"}},
            "where: example: `name` is of a stratum, such as {type: {",
        ),
    ],
)
def test_what_is_no_selector_is_said_in_one_line(given, line):
    with pytest.raises(UserError, match=re.escape(line)) as error:
        parse("where", given)
    assert "\n" not in str(error.value)


def test_all_that_is_wrong_is_said():
    with pytest.raises(UserError) as error:
        parse("w", {"modle": "a", "target": []})
    assert [line.split(";")[0] for line in str(error.value).splitlines()] == [
        "w: there is no `modle` to ask by", "w: target: the list is empty",
    ]  # fmt: skip


def test_only_some_things_may_be_allowed():
    line = "exclude: there is no `language` to ask by (valid: model, target)"
    with pytest.raises(UserError, match=re.escape(line)):
        parse("exclude", {"language": "de"}, ("model", "target"))


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.dates(),
    st.sampled_from([*selectors.THINGS, *selectors.OF_A_VALUE, "name", "rows"]),
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(SCALARS, inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.one_of(ANYTHING, st.dictionaries(st.sampled_from(selectors.THINGS), ANYTHING)))
def test_whatever_yaml_holds_is_a_selector_or_a_users_mistake(given):
    try:
        found = parse("where", given)
    except UserError as error:
        assert all(line.startswith("where: ") for line in str(error).split("\n"))
        return
    for one in found.values():
        assert one.matches({"name": "x", "rows": 3}.get) in (True, False)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans()))
def test_a_number_is_finite_and_its_text_reads_as_itself(value):
    found = number(value)
    assert found is None or math.isfinite(found)
    if isinstance(value, int | float) and found is not None:
        assert number(text(value)) == found
