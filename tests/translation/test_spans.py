import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.translation import span_rows, spans
from xstilts.translation.links import Alignment
from xstilts.translation.rows import EMPTY
from xstilts.translation.words import words

CONTEXT = "Anna buys a red car. Tom sleeps."
ROW = {
    "id": "q1",
    "question": "What does Anna buy?",
    "context": CONTEXT,
    "answers": {"text": ["a red car"], "start": [10]},
}
# Anna buys a red car . Tom sleeps . -> Heute kauft Anna ein rotes Auto . Tom schläft .
GERMAN = "Heute kauft Anna ein rotes Auto. Tom schläft."
LINKS = ((0, 2), (1, 1), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (8, 9))


def align(source, target):
    return Alignment(LINKS, tuple(range(len(target))))


def test_an_answer_is_marked():
    assert spans.marked(CONTEXT, 10, 19) == "Anna buys [a red car]. Tom sleeps."
    assert spans.marked("[sic] Anna", 6, 10) == "[sic] {Anna}"
    every = "".join(mark for pair in spans.MARKS for mark in pair)
    assert spans.marked(every, 0, 1) == every


@pytest.mark.parametrize(
    ("translated", "expected"),
    [
        ("Kauft [ein Auto].", ("Kauft ein Auto.", "ein Auto", 6)),
        ("Kauft [ ein Auto ] heute.", ("Kauft ein Auto heute.", "ein Auto", 6)),
        ("Kauft[ ein Auto ]heute.", ("Kauft ein Auto heute.", "ein Auto", 6)),
        ("[Anna] kauft.", ("Anna kauft.", "Anna", 0)),
        ("安娜买[红色的汽车]。", ("安娜买红色的汽车。", "红色的汽车", 3)),
        ("Kauft ein Auto.", None),
        ("Kauft [ein Auto.", None),
        ("Kauft ]ein[ Auto.", None),
        ("Kauft [] Auto.", None),
        ("[Anna] [kauft].", None),
    ],
)
def test_what_stands_between_marks(translated, expected):
    assert spans.found(translated) == expected


plain = st.text(st.characters(exclude_characters="[]{}«»⟦⟧"), max_size=20)


@given(plain, plain.filter(lambda text: text.strip()), plain)
def test_an_answer_that_comes_back_marked_is_found_and_stands_there(before, answer, after):
    start = len(before)
    found = spans.found(spans.marked(before + answer + after, start, start + len(answer)))
    assert found.answer == answer.strip()
    assert found.context[found.start : found.start + len(found.answer)] == found.answer
    assert "[" not in found.context


def test_an_answer_whose_marks_are_lost_is_found_by_its_words():
    before, after = words(CONTEXT), words(GERMAN)
    found = spans.aligned(before, 10, 19, GERMAN, after, LINKS)
    assert found == (GERMAN, "ein rotes Auto", 17)
    assert spans.aligned(before, 10, 19, GERMAN, after, [(0, 2)]) is None
    far = [(2, 0), (4, 9)]
    long = GERMAN + " " + GERMAN
    assert spans.aligned(before, 12, 15, long, words(long), [(3, 0), (3, 15)]) is None
    assert spans.aligned(before, 10, 19, GERMAN, after, far) is None


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 9))),
    st.integers(0, 31),
    st.integers(1, 10),
)
def test_an_aligned_answer_stands_in_its_context(links, start, length):
    found = spans.aligned(words(CONTEXT), start, start + length, GERMAN, words(GERMAN), links)
    if found:
        assert found.answer
        assert GERMAN[found.start : found.start + len(found.answer)] == found.answer


def test_a_row_by_its_marks():
    assert span_rows.texts(ROW) == ["What does Anna buy?", "Anna buys [a red car]. Tom sleeps."]
    translated = ["Was kauft Anna?", "Anna kauft [ein rotes Auto]. Tom schläft."]
    assert span_rows.pairs(ROW, translated) == []
    assert span_rows.rebuilt(ROW, translated) == {
        "id": "q1",
        "question": "Was kauft Anna?",
        "context": "Anna kauft ein rotes Auto. Tom schläft.",
        "answers": {"text": ["ein rotes Auto"], "start": [11]},
    }


def test_a_row_by_its_words():
    translated = ["Was kauft Anna?", GERMAN.replace("Auto", "Auto]")]
    ((source, target),) = span_rows.pairs(ROW, translated)
    assert source == ["Anna", "buys", "a", "red", "car", ".", "Tom", "sleeps", "."]
    assert target[:3] == ["Heute", "kauft", "Anna"]
    made = span_rows.rebuilt(ROW, translated, align)
    assert made["context"] == GERMAN
    assert made["answers"] == {"text": ["ein rotes Auto"], "start": [17]}
    assert span_rows.rebuilt(ROW, translated) == span_rows.LOST


def test_a_row_without_an_answer_and_one_that_came_back_empty():
    row = {**ROW, "answers": {"text": [], "start": []}}
    assert span_rows.texts(row) == [ROW["question"], CONTEXT]
    made = span_rows.rebuilt(row, ["Was?", GERMAN])
    assert made["answers"] == {"text": [], "start": []}
    assert span_rows.rebuilt(ROW, ["Was?", " "]) == EMPTY
    assert span_rows.rebuilt(ROW, ["", "[x]"]) == EMPTY
