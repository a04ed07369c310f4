"""Which paragraphs a question shows, in which order, and where its answer stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.data import passages
from xstilts.running.errors import UserError


def paragraph(title, text, gold=False, facts=()):
    return {"title": title, "text": text, "gold": gold, "facts": list(facts)}


AUSTEN = paragraph("Austen", "She left in 1801. She was born in Steventon.", True, [(18, 44)])
ROW = {
    "id": "q1",
    "question": "Where?",
    "answers": ["Steventon"],
    "paragraphs": [
        paragraph("Bath", "Bath is a city."),
        AUSTEN,
        paragraph("Emma", "A novel by Austen.", True, [(0, 18)]),
        paragraph("York", "York is a city."),
    ],
    "strata": {"hops": "2"},
}


def test_the_gold_paragraphs_in_full():
    assert passages.assemble(ROW, "gold") == {
        "id": "q1",
        "question": "Where?",
        "context": "yes no Austen: She left in 1801. She was born in Steventon."
        " Emma: A novel by Austen.",
        "answers": {"text": ["Steventon"], "start": [49]},
        "strata": {"hops": "2"},
    }


@pytest.mark.parametrize(
    "context, titles",
    [
        ("all", {"Bath", "Austen", "Emma", "York"}),
        ("gold", {"Austen", "Emma"}),
        ("answer", {"Austen"}),
        (0, {"Austen", "Emma"}),
        (1, {"Austen", "Emma", "Bath"}),
        (9, {"Bath", "Austen", "Emma", "York"}),
    ],
)
def test_each_view_shows_its_paragraphs_and_has_the_answer_at_its_place(context, titles):
    row = passages.assemble(ROW, context)
    shown = {
        p["title"] for p in ROW["paragraphs"] if f"{p['title']}: {p['text']}" in row["context"]
    }
    assert shown == titles
    [start] = row["answers"]["start"]
    assert row["context"][start:].startswith("Steventon")


@pytest.mark.parametrize("answer, start", [("yes", 0), ("Yes", 0), ("no", 4)])
def test_yes_and_no_are_words_of_every_text_and_in_no_one_paragraph(answer, start):
    row = ROW | {"answers": [answer]}
    assert passages.assemble(row, "gold")["answers"] == {"text": [answer.lower()], "start": [start]}
    assert passages.assemble(row, "answer") == passages.IN_NONE


def test_a_supporting_sentence_goes_before_another_place():
    text = "Steventon is small. She was born in Steventon."
    row = ROW | {"paragraphs": [paragraph("A", text, True, [(20, 46)])]}
    assert passages.assemble(row, "all")["answers"]["start"] == [len("yes no A: ") + 36]
    row = ROW | {"paragraphs": [paragraph("A", text, True)]}
    assert passages.assemble(row, "all")["answers"]["start"] == [len("yes no A: ")]


def test_whole_words_go_before_parts_of_others_and_parts_do_where_there_is_no_other():
    row = ROW | {"answers": ["19"], "paragraphs": [paragraph("A", "In 1987, aged 19.", True)]}
    assert passages.assemble(row, "all")["answers"]["start"] == [len("yes no A: In 1987, aged ")]
    row = ROW | {"answers": ["東北"], "paragraphs": [paragraph("A", "地方は東北地方である", True)]}
    assert passages.assemble(row, "all")["answers"]["start"] == [len("yes no A: 地方は")]


def test_aliases_are_further_answers_where_they_stand():
    row = ROW | {"answers": ["Steventon", "1801", "Hampshire"]}
    found = passages.assemble(row, "gold")
    assert found["answers"]["text"] == ["Steventon", "1801"]
    for text, start in zip(*found["answers"].values(), strict=True):
        assert found["context"][start : start + len(text)] == text
    for context in ("gold", "answer"):  # one is enough
        found = passages.assemble(ROW | {"answers": ["Hampshire", "Steventon"]}, context)
        assert found["answers"]["text"] == ["Steventon"]


def test_why_there_is_no_row():
    twice = [AUSTEN, paragraph("Village", "Steventon is a village.", True)]
    assert passages.assemble(ROW | {"answers": ["Bath"]}, "gold") == passages.NOWHERE
    assert passages.assemble(ROW | {"answers": ["Bath"]}, "answer") == passages.NOWHERE
    assert passages.assemble(ROW | {"answers": [""]}, "all") == passages.NOWHERE
    assert passages.assemble(ROW | {"answers": ["Bath", "York"]}, "all") == passages.NOWHERE
    assert passages.assemble(ROW | {"paragraphs": twice}, "answer") == passages.SEVERAL
    none = ROW | {"paragraphs": [paragraph("Bath", "Bath is a city.")], "answers": ["yes"]}
    assert passages.assemble(none, "all") == passages.ABSENT
    assert passages.assemble(ROW | {"absent": 1}, "all") == passages.ABSENT


def test_more_than_a_fifth_without_its_answer_is_refused():
    first = {passages.NOWHERE: "q7", passages.ABSENT: "q9", passages.IN_NONE: "q1"}
    few = {passages.NOWHERE: 1, passages.ABSENT: 1, passages.IN_NONE: 8}
    passages.check_answers("task x: f", few, 10, first)
    with pytest.raises(UserError) as error:
        passages.check_answers("task x: f", few | {passages.NOWHERE: 2}, 10, first)
    assert str(error.value) == (
        "task x: f: 3 of its 10 rows cannot be used: answer is in no supporting paragraph: 2"
        " (first: q7), a supporting paragraph is not there: 1 (first: q9); a translation has to"
        " copy the answer from its own paragraphs, letter by letter, to have the same titles in"
        " `supporting_facts` and `context`, and to leave yes and no in English"
    )


@given(
    st.text(min_size=1, max_size=5),
    st.lists(st.booleans(), min_size=1, max_size=8),
    st.sampled_from(["all", "gold", 0, 1, 3]),
)
def test_a_row_shows_the_same_paragraphs_in_the_same_order_in_every_language(id, gold, context):
    """The texts tell their place in the raw row; two languages have other words and titles."""

    def order(language, answer):
        rows = [
            paragraph(f"{language}{i}", f"{answer} <{i}>", is_gold)
            for i, is_gold in enumerate(gold)
        ]
        row = {"id": id, "question": "?", "answers": [answer], "paragraphs": rows, "strata": {}}
        found = passages.assemble(row, context)
        if isinstance(found, str):
            return found
        return [part[0] for part in found["context"].split("<")[1:]]

    there = order("en", "home")
    assert there == order("ru-", "дома")
    assert (there == passages.ABSENT) == (not any(gold))
