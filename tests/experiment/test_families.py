"""Several intermediates in one entry: what they become, by hand and for any lists; bad ones."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.experiment.test_grid import make

from xstilts.experiment import config_files
from xstilts.experiment.config import load
from xstilts.experiment.families import KEYS, LISTS, expand
from xstilts.running.errors import UserError

FAMILY = {"mnli-{rows}": {"tasks": ["mnli"], "rows": [10, 300], "traits": {"kind": "semantic"}}}


def intermediates(entries, **more):
    return expand({"intermediates": entries, **more})["intermediates"]


def test_a_family_is_an_intermediate_for_each_value_in_its_place():
    found = intermediates({"a": {"tasks": ["squad"]}, **FAMILY, "b": {"tasks": ["qqp"]}})
    assert list(found.items()) == [
        ("a", {"tasks": ["squad"]}),
        ("mnli-10", {"tasks": ["mnli"], "rows": 10, "traits": {"kind": "semantic"}}),
        ("mnli-300", {"tasks": ["mnli"], "rows": 300, "traits": {"kind": "semantic"}}),
        ("b", {"tasks": ["qqp"]}),
    ]


def test_several_keys_are_the_product_and_each_task_and_language_is_alone():
    entry = {"tasks": ["mnli", "squad"], "languages": ["de", "ru"], "cap": 9}
    assert intermediates({"{tasks}.{languages}": entry}) == {
        "mnli.de": {"tasks": ["mnli"], "languages": ["de"], "cap": 9},
        "mnli.ru": {"tasks": ["mnli"], "languages": ["ru"], "cap": 9},
        "squad.de": {"tasks": ["squad"], "languages": ["de"], "cap": 9},
        "squad.ru": {"tasks": ["squad"], "languages": ["ru"], "cap": 9},
    }


def test_what_a_family_follows_on_may_be_one_of_another_family():
    entry = {"tasks": ["squad"], "rows": [1, 2], "after": "mnli-{rows}"}
    found = intermediates({"squad-{rows}": entry})
    assert {name: one["after"] for name, one in found.items()} == {
        "squad-1": "mnli-1",
        "squad-2": "mnli-2",
    }
    assert list(intermediates({"a-{after}": {"after": ["x", "y"]}})) == ["a-x", "a-y"]


def test_a_recipe_of_a_family_is_for_all_and_lies_under_that_of_a_name():
    recipes = {
        "mnli-10": {"epochs": 1},
        "mnli-{rows}": {"epochs": 2, "warmup": 0.0},
        "qqp": {"epochs": 3},
    }
    assert expand({"intermediates": FAMILY, "recipes": recipes})["recipes"] == {
        "mnli-10": {"epochs": 1, "warmup": 0.0},
        "mnli-300": {"epochs": 2, "warmup": 0.0},
        "qqp": {"epochs": 3},
    }


def test_a_family_stands_for_its_members_in_patterns_and_questions():
    found = expand(
        {
            "intermediates": FAMILY,
            "exclude": [{"intermediate": "mnli-{rows}", "target": "xnli"}, {"target": "xquad"}],
            "include": [{"intermediate": {"not": ["squad", "mnli-{rows}"]}}],
            "questions": {
                "dose": {
                    "ask": "mnli-{rows}",
                    "compare": {"mnli": {"intermediate": "mnli-{rows}", "target": ["xnli"]}},
                }
            },
        }
    )
    members = ["mnli-10", "mnli-300"]
    assert found["exclude"] == [
        *({"intermediate": name, "target": "xnli"} for name in members),
        {"target": "xquad"},
    ]
    assert found["include"] == [{"intermediate": {"not": ["squad", *members]}}]
    assert found["questions"]["dose"] == {
        "ask": "mnli-{rows}",
        "compare": {"mnli": {"intermediate": members, "target": ["xnli"]}},
    }


def test_families_that_are_not_there_are_told_together():
    wrong = {
        "exclude": [{"intermediate": ["mnli-{row}"]}],
        "questions": {"q": {"where": {"intermediate": {"not": "mli-{rows}"}}}},
    }
    with pytest.raises(UserError) as error:
        expand({"intermediates": FAMILY, **wrong})
    near = "; did you mean `mnli-{rows}`?"
    assert str(error.value).splitlines() == [
        f"exclude: intermediate: there is no family of intermediates `mnli-{{row}}`{near}",
        "questions: q: where: intermediate: not: there is no family of intermediates"
        f" `mli-{{rows}}`{near}",
    ]


VALUES = {
    "rows": st.integers(1, 10**6), "steps": st.integers(1, 10**6), "cap": st.integers(1, 10**6),
    "after": st.from_regex("[a-z]{1,4}", fullmatch=True),
    "tasks": st.from_regex("[a-z]{1,4}", fullmatch=True),
    "languages": st.from_regex("[a-z]{2}", fullmatch=True),
    "translations": st.sampled_from(["all", "dealt"]),
}  # fmt: skip


@given(st.data(), st.lists(st.sampled_from(KEYS), min_size=1, unique=True))
def test_any_family_is_its_product_once_and_expanding_it_again_is_nothing(data, keys):
    entry = {
        key: data.draw(st.lists(VALUES[key], min_size=1, max_size=3, unique=True)) for key in keys
    }
    name = "x-" + "_".join(f"{{{key}}}" for key in keys)
    found = intermediates({name: {**entry, "other": [1]}})
    assert list(found) == [
        "x-" + "_".join(map(str, values)) for values in itertools.product(*entry.values())
    ]
    for values, own in zip(itertools.product(*entry.values()), found.values(), strict=True):
        chosen = zip(keys, values, strict=True)
        assert own == {"other": [1]} | {k: [v] if k in LISTS else v for k, v in chosen}
    assert intermediates(found) == found


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["a", "{rows}", "b-{tasks}", "rows", "tasks", "after"]), inner
            )
        ),
        max_leaves=9,
    )
)
def test_whatever_is_there_a_config_is_expanded_or_refused_in_lines(value):
    for raw in ({"intermediates": value}, {"intermediates": FAMILY, "recipes": value}):
        try:
            expand(raw)
        except UserError as error:
            assert all(
                line.startswith(("intermediates: ", "recipes: "))
                for line in str(error).splitlines()
            )


@pytest.mark.parametrize(
    ("entries", "line"),
    [
        (
            {"a-{row}": {"tasks": ["mnli"], "rows": [1]}},
            "intermediates: a-{row}: there is no `{row}` to name a family by; did you mean `rows`?"
            " (valid: rows, steps, cap, after, translations, tasks, languages, by, keep)",
        ),
        (
            {"a-{rows}": {"tasks": ["mnli"], "rows": 9}},
            "intermediates: a-{rows}: rows: must be a list, of a value for each intermediate of the"
            " family, not 9",
        ),
        (
            {"a-{rows}": {"tasks": ["mnli"]}},
            "intermediates: a-{rows}: rows: must be a list, of a value for each intermediate of the"
            " family",
        ),
        (
            {"a-{by}": {"tasks": ["mnli"], "translated": {"by": ["t", "u"], "languages": ["de"]}}},
            "intermediates: a-{by}: a family goes by keys of the entry and of `subset`, and `by` is"
            " one of `translated`; write an intermediate for each value",
        ),
        (
            {"a-{rows}": {"tasks": ["mnli"], "generated": {"rows": [100, 200]}}},
            "intermediates: a-{rows}: a family goes by keys of the entry and of `subset`, and"
            " `rows` is one of `generated`; write an intermediate for each value",
        ),
        (
            {"a-{filter}": {"tasks": ["mnli"], "translated": {"filter": ["basic", "strict"]}}},
            "intermediates: a-{filter}: a family goes by keys of the entry and of `subset`, and"
            " `filter` is one of `translated`; write an intermediate for each value",
        ),
        (
            {"a-{rows}": {"tasks": ["mnli"], "rows": []}},
            "intermediates: a-{rows}: rows: must be a list, of a value for each intermediate of the"
            " family, not []",
        ),
        (
            {"a-{rows}": {"tasks": ["mnli"], "rows": [1.5]}},
            "intermediates: a-{rows}: rows: 1.5 is no name or whole number, which the name of an"
            " intermediate is made of",
        ),
        (
            {"a": {"tasks": ["mnli"], "rows": [1, 2]}},
            "intermediates: a: rows: is a list; for an intermediate of each value name them after"
            ' it: "a-{rows}"',
        ),
        (
            {"a-{rows}": {"tasks": ["mnli"], "rows": [1, 1]}},
            "intermediates: a-{rows}: two intermediates of the family would be `a-1`",
        ),
        (
            {"a-{rows}": {"tasks": ["mnli"], "rows": [1]}, "a-1": {"tasks": ["squad"]}},
            "intermediates: a-1: `a-1` is there already, by `a-{rows}`; give one of them another"
            " name",
        ),
        (
            {"a-{rows}": {"tasks": ["mnli"], "rows": ["many"]}},
            "config: intermediates: a-many: rows: must be a whole number, not 'many'",
        ),
    ],
)
def test_a_family_that_is_none_is_one_line(entries, line):
    with pytest.raises(UserError) as error:
        make(intermediates=entries)
    assert str(error.value) == line


def test_all_that_is_wrong_is_said_together():
    with pytest.raises(UserError) as error:
        expand(
            {
                "intermediates": {"a-{x}": {}, "b-{rows}": {}, **FAMILY},
                "recipes": {"mnli-{row}": {}},
            }
        )
    assert len(str(error.value).splitlines()) == 3
    last = "recipes: there is no family of intermediates `mnli-{row}`; did you mean `mnli-{rows}`?"
    assert str(error.value).splitlines()[2] == last


def test_config_files_are_laid_over_each_other_before_families_are_written_out(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "models: {m: {from: o/m}}\n"
        "intermediates:\n"
        '  "{tasks}-{rows}": {tasks: [mnli, squad], rows: [1000, 3000]}\n'
        "targets: [xquad]\n"
        'recipes: {"{tasks}-{rows}": {epochs: 5}}\n'
    )
    (tmp_path / "b.yaml").write_text(
        'intermediates: {"{tasks}-{rows}": {rows: [10, 20]}, more: {tasks: [qqp]}}\n'
        "recipes: {squad-20: {epochs: 6}}\n"
    )
    found = load(config_files.read([tmp_path / "a.yaml", tmp_path / "b.yaml"]))
    names = ["mnli-10", "mnli-20", "squad-10", "squad-20"]
    assert list(found.settings["intermediates"]) == [*names, "more"]
    assert found.settings["recipes"] == {
        name: {"epochs": 6 if name == "squad-20" else 5} for name in names
    }
    assert load(found.settings).settings == found.settings, "as beside the grid"


def test_a_family_from_the_command_line_is_text():
    """Snakemake gives what is inside a list of `--config` as text."""
    raw = {
        "models": {"m": {"from": "o/m"}},
        "targets": ["xquad"],
        "intermediates": {"a-{rows}": {"tasks": ["mnli"], "rows": ["10", "20"]}},
    }
    found = load(raw).settings["intermediates"]
    assert {name: entry["rows"] for name, entry in found.items()} == {"a-10": 10, "a-20": 20}
