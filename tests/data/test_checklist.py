"""MultiCheckList: cases of templates, by the variants of a language; what is no templates."""

import json

import pytest
from tests.data.test_prepare import step

from xstilts.data import checklist
from xstilts.running.errors import Absent, UserError

COMP, ANIMAL, ANIMAL2 = (list(checklist.TESTS)[i] for i in (0, 4, 5))
TEMPLATES = f"""\
Field\ten\tru\tru-placeholders\tru\tru-placeholders
Name\t{COMP}\t\t\t\t
Capability\tVocabulary\t\t\t\t
Context\t{{male}} is {{adj[0]}} than {{male1}}.\t{{male}} {{adj[0]}}, чем {{male1}}.\t\t\t
Question\tWho is less {{adj[1]}}?\tКто менее {{adj[1]}}?\tnicer, nice\tКто {{adj[1]}}?\tolder
Answer\t{{first_name1}}\t{{first_name1}}\t\t\t
adj\tolder, old\tстарше, моложе\t\t\t

Name\t{ANIMAL}\t\t\t\t
Capability\tTaxonomy\t\t\t\t
Context\t{{first_name}} has {{animal}}.\tУ {{first_name}} есть {{animal}}.\t\t\t
Question\tWhat does {{first_name}} have?\tЧто есть у {{first_name}}?\t\t\t
Answer\t{{animal}}\t{{animal}}\t\t\t
animal\ta dog\tсобака\t{{first_name}} has {{animal}}.\tсобаку\t{{first_name}} bought {{animal}}.

Name\t{ANIMAL2}\t\t\t\t
Capability\tTaxonomy\t\t\t\t
Context\t{{first_name}} bought {{animal}}.\t{{first_name}} купил {{animal}}.\t\t\t
Question\tWhat was bought?\tЧто куплено?\t\t\t
Answer\t{{animal}}\t{{animal}}\t\t\t
"""
NAMES = "en\tTom\nen\tJohn\nen\tPaul\nru\tИван\nru\tПётр\nru\tОмар\n"


@pytest.fixture
def files(tmp_path):
    paths = (tmp_path / checklist.TEMPLATES, tmp_path / checklist.NAMES)
    for path, text in zip(paths, (TEMPLATES, NAMES), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


def test_a_case_is_the_same_in_all_languages(files):
    english, russian = (
        {row["id"]: row for row in checklist.rows(*files, lang)} for lang in ("en", "ru")
    )
    assert english.keys() == russian.keys() and len(english) == 3 * checklist.CASES
    names = dict(zip(("Tom", "John", "Paul"), ("Иван", "Пётр", "Омар"), strict=True))
    row, other = (of["comp-007-0-0"] for of in (english, russian))
    (who,), (start,) = row["answers"]["text"], row["answers"]["answer_start"]
    first = row["context"].split()[0]
    assert row == {
        "id": "comp-007-0-0", "context": f"{first} is older than {who}.",
        "question": "Who is less old?",
        "answers": {"text": [who], "answer_start": [start]}, "test": "comp",
    }  # fmt: skip
    assert row["context"][start : start + len(who)] == who != first
    assert other["context"] == f"{names[first]} старше, чем {names[who]}."
    assert other["question"] == "Кто моложе?", "the variant that names `older`"
    assert other["answers"]["text"] == [names[who]]


def test_a_word_may_be_another_in_another_context(files):
    found = {row["id"]: row for row in checklist.rows(*files, "ru")}
    assert found["animal_vehicle-000-0-0"]["answers"]["text"] == ["собака"]
    row = found["animal_vehicle_v2-000-0-0"]  # which has the first test's animals
    assert row["answers"]["text"] == ["собаку"] and row["context"].endswith(" купил собаку.")


def filler(given, drawn, english="What {p.p1} is it?", variants=()):
    """What is made of a cell for drawn words: slot -> (list, English word)."""
    cells = {slot: checklist.Cell(word, ()) for slot, (_, word) in drawn.items()}
    listed = {slot: frozenset(words) for slot, (words, _) in drawn.items()} | {"": frozenset()}
    case = checklist.Case(cells, listed, checklist.Draw("x"))
    made = checklist._Filler(case, checklist.Cell("", ()), ["A", "B", "C"], "ru")
    return made.variant(checklist.Cell(english, tuple(variants) or (("yes", given),)))


PROPERTY, THING = ["color", "age"], ["a sofa", "sofa", "a wall", "wall"]
DRAWN = {"p.p1": (PROPERTY, "age"), "p.p2": (PROPERTY, "color"), "obj": (THING, "a sofa")}


@pytest.mark.parametrize(
    ("given", "fits"),
    [
        ("", True),
        ("age", True),
        ("color", False),  # which the other question asks for
        ("age, a sofa, the sofa", True),
        ("age, wall", False),  # each list of which it names some must have the drawn word
        ("sofa", True),
        ("nothing that is known", True),
    ],
)
def test_for_which_words_a_variant_is(given, fits):
    assert filler(given, DRAWN) == ("yes" if fits else None)


def test_a_variant_that_asks_for_the_other_property_is_left_out():
    variants = [("{p.p2}?", "age"), ("{p.p1}?", "")]
    assert filler("", DRAWN, variants=variants) == "{p.p1}?"


def test_two_forms_are_parted_as_the_language_does():
    assert checklist._parts("更年长，年轻", "zh") == ["更年长", "年轻"]
    assert checklist._parts("แกกว่า แก่", "th") == ["แกกว่า", "แก่"]
    assert checklist._parts("plus âgé, âgé", "fr") == ["plus âgé", "âgé"]


def test_a_language_without_names_takes_the_english_ones(files):
    files[1].write_text(NAMES.replace("ru\tОмар\n", ""), encoding="utf-8")
    assert checklist.read_names(files[1], "ru") == ["Tom", "John", "Paul"]


@pytest.mark.parametrize(
    ("templates", "names", "error", "message"),
    [
        (TEMPLATES, "en\tTom\n", UserError, "names.tsv: needs three names in ru, or in en"),
        (TEMPLATES, "Tom\n", UserError, "line 1 is not `language TAB name`: Tom"),
        ("a\tb\n", NAMES, UserError, "its first line does not begin with Field, en"),
        (TEMPLATES.replace(COMP, "Comparison"), NAMES, UserError, "line 2: no test is called"),
        (TEMPLATES.replace(f"Name\t{COMP}", ""), NAMES, UserError, "`Context` comes before the na"),
        (TEMPLATES.replace("Answer", "Reply"), NAMES, UserError, "needs contexts, and an answer a"),
        (TEMPLATES.replace("ru", "de"), NAMES, Absent, "has no language ru"),
    ],
)
def test_bad_files_are_named(files, templates, names, error, message):
    files[0].write_text(templates, encoding="utf-8")
    files[1].write_text(names, encoding="utf-8")
    with pytest.raises(error, match=message):
        checklist.rows(*files, "ru")


SPEC = {
    "task": "multichecklist", "format": "span", "hub": "local/multichecklist", "config": "ru",
    "split": "test", "lang": "ru", "rows": "multichecklist", "strata": {"test": "test"},
}  # fmt: skip


def test_the_step_reads_templates_and_says_what_is_missing(tmp_path):
    folder = tmp_path / "m/datasets/local/multichecklist"
    folder.mkdir(parents=True)
    (folder / checklist.TEMPLATES).write_text(TEMPLATES, encoding="utf-8")
    with pytest.raises(UserError, match=r"multichecklist has no names\.tsv: write a line a name"):
        step(tmp_path / "m", SPEC, tmp_path)
    (folder / checklist.NAMES).write_text(NAMES, encoding="utf-8")
    rows, record = step(tmp_path / "m", {**SPEC, "max_rows": 30}, tmp_path)
    assert len(rows) == 30 and {"comp", "animal_vehicle"} < {row["strata"]["test"] for row in rows}
    assert json.dumps(record["dropped"]) == "{}"
