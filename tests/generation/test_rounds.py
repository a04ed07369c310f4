"""How often is asked, and what becomes of a decoder that does not do as it is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.generation import rounds
from xstilts.generation.rounds import Answer, generate
from xstilts.running.errors import UserError

LABELS = ("yes", "no", "so")


def answering(decide):
    """An answer function by what `decide` says of a request: a reason, or None for a row."""
    asked = []

    def answer(block, requests):
        asked.append((block, [one.number for one in requests]))
        return [
            Answer(decide(one) or {"text": f"t{one.number}", "label": one.label}, "said")
            for one in requests
        ]

    return answer, asked


def test_as_many_of_each_label_and_no_more_answers_than_that():
    answer, asked = answering(lambda one: None)
    made = generate(8, LABELS, 1.5, answer)
    assert made.rows[0] == {"id": "g0", "text": "t0", "label": "yes"}
    assert [row["label"] for row in made.rows] == ["yes", "no", "so"] * 2 + ["yes", "no"]
    assert (made.asked, made.unused) == (8, {}) and asked == [(0, list(range(8)))]
    assert made.by_label == {"yes": {"kept": 3}, "no": {"kept": 3}, "so": {"kept": 2}}


def test_what_is_missing_is_asked_for_again():
    answer, asked = answering(lambda one: "not JSON" if one.number in (1, 4, 7) else None)
    made = generate(6, LABELS, 2, answer)
    assert [row["id"] for row in made.rows] == ["g0", "g2", "g3", "g5", "g6", "g8"]
    assert [row["label"] for row in made.rows].count("no") == 2
    assert asked == [(0, [0, 1, 2, 3, 4, 5]), (1, [6, 7]), (2, [8])]
    assert made.unused == {"not JSON": 3} and made.by_label["no"] == {"kept": 2, "not JSON": 3}


def test_there_is_an_end_to_asking():
    answer, _ = answering(lambda one: "cut off" if one.number > 2 else None)
    made = generate(30, LABELS, 1.5, answer)
    assert (made.asked, len(made.rows), made.unused) == (45, 3, {"cut off": 42})


def test_answers_are_asked_for_in_blocks(monkeypatch):
    monkeypatch.setattr(rounds, "BLOCK", 4)
    answer, asked = answering(lambda one: None)
    generate(10, LABELS, 1, answer)
    assert [(block, len(numbers)) for block, numbers in asked] == [(0, 4), (1, 4), (2, 2)]


def test_a_decoder_of_which_nothing_is_a_row_is_not_asked_on(monkeypatch):
    monkeypatch.setattr(rounds, "BLOCK", 4)
    answer, asked = answering(lambda one: "not JSON" if one.number % 2 else "cut off")
    with pytest.raises(UserError) as error:
        generate(1000, LABELS, 1.5, answer)
    assert str(error.value).startswith(
        "none of the first 4 answers is a row (cut off: 2, not JSON: 2); the first is `said`; is"
    )
    assert len(asked) == 1


def test_a_decoder_that_writes_one_label_alone_is_refused():
    answer, _ = answering(lambda one: None if one.label == "no" else "another label")
    with pytest.raises(UserError) as error:
        generate(30, LABELS, 1.5, answer)
    assert str(error.value).startswith(
        "it writes only `no`: of 18 answers to `yes` none is a row (another label: 18); say in"
    )


@given(
    st.integers(1, 60), st.integers(1, 4), st.floats(1, 3),
    st.lists(st.sampled_from(["not JSON", None, None]), min_size=200, max_size=200),
)  # fmt: skip
def test_never_more_than_asked_for_and_all_is_counted(rows, labels, tries, said):
    answer, _ = answering(lambda one: said[one.number])
    try:
        made = generate(rows, range(labels), tries, answer)
    except UserError:
        return
    assert made.asked <= max(rows, rows * tries)
    assert len(made.rows) + sum(made.unused.values()) == made.asked
    shares = [sum(row["label"] == label for row in made.rows) for label in range(labels)]
    assert all(share <= rows // labels + (at < rows % labels) for at, share in enumerate(shares))
