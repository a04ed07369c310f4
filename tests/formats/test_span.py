"""Span: windows over a context, answers found in them, and the best span as text of the context."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import helpers

from xstilts.formats import span


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return helpers.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def row(question, context, answer=None, start=None):
    if answer is None:
        return {"id": "q", "question": question, "context": context, "answers": NONE}
    start = context.index(answer) if start is None else start
    answers = {"text": [answer], "start": [start]}
    return {"id": "q", "question": question, "context": context, "answers": answers}


NONE = {"text": [], "start": []}


def test_a_row_that_fits_is_one_window(tokenizer):
    rows = [row("who sat", "the cat sat", "cat"), row("what", "猫看见狗", "狗")]
    data = helpers.encode(tokenizer, "span", rows)
    assert helpers.shown(data) == [
        "<s> ▁who ▁sat </s> </s> ▁the ▁cat ▁sat </s>",
        "<s> ▁what </s> </s> ▁ 猫 看见 狗 </s>",
    ]
    outside = [-1, -1]
    assert data.arrays["offsets"].tolist() == [
        *[outside] * 5, [0, 3], [3, 7], [7, 11], outside,
        *[outside] * 4, [0, 1], [0, 1], [1, 3], [3, 4], outside,
    ]  # fmt: skip
    assert data.arrays["answer"].tolist() == [[6, 6], [7, 7]]
    assert data.arrays["row"].tolist() == [0, 1]
    assert data.arrays.keys() == {"tokens", "starts", "groups", "offsets", "row", "answer"}
    assert data.meta["cut"] == 0


def test_a_long_context_becomes_windows_that_overlap_by_a_third(tokenizer):
    context = "the cat sat on the mat a dog sees a big red mat"
    data = helpers.encode(tokenizer, "span", [row("who", context, "mat a dog")], length=16)
    assert helpers.shown(data) == [
        "<s> ▁who </s> </s> ▁the ▁cat ▁sat ▁on ▁the ▁mat ▁a ▁dog ▁sees ▁a ▁big </s>",
        "<s> ▁who </s> </s> ▁sees ▁a ▁big ▁red ▁mat </s>",
    ]
    assert data.arrays["row"].tolist() == [0, 0]
    assert data.arrays["answer"].tolist() == [[9, 11], [0, 0]], "not in the second window"
    assert data.meta["cut"] == 0, "no text is lost"
    # An answer in the overlap is found in both windows; one across the border in neither.
    both = helpers.encode(tokenizer, "span", [row("who", context, "big")], length=16)
    assert both.arrays["answer"].tolist() == [[14, 14], [6, 6]]
    across = [row("who", context, "dog sees a big red")]
    neither = helpers.encode(tokenizer, "span", across, length=16)
    assert neither.arrays["answer"].tolist() == [[0, 0], [0, 0]]


def test_windows_of_a_short_question_overlap_by_exactly_a_third(tokenizer):
    context = "the cat sat on a red mat " * 20
    data = helpers.encode(tokenizer, "span", [row("who", context)], length=66)
    starts, offsets = data.arrays["starts"], data.arrays["offsets"]
    windows = [offsets[a:b] for a, b in pairwise(starts)]
    windows = [{(a, b) for a, b in window.tolist() if a >= 0} for window in windows]
    assert len(windows) > 2
    assert {len(a & b) for a, b in pairwise(windows)} == {22}


def test_the_offset_says_which_occurrence_is_the_answer(tokenizer):
    second = row("who", "cat a cat", "cat", start=6)
    assert helpers.encode(tokenizer, "span", [second]).arrays["answer"].tolist() == [[6, 6]]


def test_a_question_without_answer_points_at_the_first_token(tokenizer):
    data = helpers.encode(tokenizer, "span", [row("who", "the cat")])
    assert data.arrays["answer"].tolist() == [[0, 0]]


def test_a_long_question_is_cut_on_the_right_and_counted(tokenizer):
    rows = [row("who sat on the mat is the cat big", "a dog", "dog"), row("who", "a dog", "dog")]
    data = helpers.encode(tokenizer, "span", rows, length=20)
    assert helpers.shown(data) == [
        "<s> ▁who ▁sat ▁on ▁the ▁mat ▁is ▁the ▁cat </s> </s> ▁a ▁dog </s>",
        "<s> ▁who </s> </s> ▁a ▁dog </s>",
    ]
    assert data.meta["cut"] == 1


def test_special_tokens_in_a_context_stay_text(tokenizer):
    data = helpers.encode(tokenizer, "span", [row("who", "a <mask> </s>", "<mask>")])
    assert helpers.shown(data) == ["<s> ▁who </s> </s> ▁a ▁ < m a s k > ▁ < / s > </s>"]
    assert data.arrays["answer"].tolist() == [[6, 11]]


WORD = st.sampled_from([*helpers.WORDS, *helpers.UNSPACED, "catdog", "<mask>", "é", "x", "\u200b"])


@given(st.lists(WORD, min_size=1, max_size=60), st.data())
def test_the_gold_tokens_of_any_answer_are_text_that_holds_it(tokenizer, words, data):
    context = data.draw(st.sampled_from(["", " ", "  "])) + " ".join(words)
    start = data.draw(st.integers(0, len(context) - 1))
    end = data.draw(st.integers(start + 1, min(len(context), start + 40)))
    answer = context[start:end].strip(" \u200b")
    if not answer:
        return
    start = context.index(answer, start)
    encoded = helpers.encode(tokenizer, "span", [row("who", context, answer, start)], length=32)
    starts, offsets = encoded.arrays["starts"], encoded.arrays["offsets"]
    covered = set()
    for window, (first, last) in enumerate(encoded.arrays["answer"]):
        inside = offsets[starts[window] : starts[window + 1]]
        covered |= {i for a, b in inside[inside[:, 0] >= 0] for i in range(a, b)}
        if (first, last) == (0, 0):
            continue
        begin, stop = inside[first][0], inside[last][1]
        assert begin <= start and start + len(answer) <= stop
        (text,) = span.decode(
            [(0.0, 1.0, first, last)], only(encoded, window), [{"context": context}]
        )
        assert answer in text and text in context
        real = encoded.sequence(window) != helpers.VOCABULARY.index("▁")  # it claims a character
        borders = inside[real & (inside[:, 0] >= 0)].tolist()
        begins = {a + (context[a] == " ") for a, _ in borders}
        if start in begins and start + len(answer) in {b for _, b in borders}:
            assert text == answer
    if len(encoded) == 1 and covered >= set(range(start, start + len(answer))):
        assert encoded.arrays["answer"][0].any(), "an answer that a window holds is found"
    assert all(c in " \u200b" for i, c in enumerate(context) if i not in covered), "nothing is lost"


def only(data, window):
    """The encoded data with one window alone."""
    starts = data.arrays["starts"]
    tokens = slice(starts[window], starts[window + 1])
    arrays = {
        "tokens": data.arrays["tokens"][tokens],
        "starts": starts[window : window + 2] - starts[window],
        "groups": np.array([0, 1]),
        "offsets": data.arrays["offsets"][tokens],
        "row": np.array([0]),
    }
    return type(data)(arrays, data.meta)


def test_the_best_span_is_within_the_context_in_order_and_not_too_long(tokenizer):
    import torch

    rows = [row("who cat", "the cat sat on the mat", "cat")]
    data = helpers.encode(tokenizer, "span", rows)
    batch = span.collate(data, np.array([0]))
    assert batch["inside"].tolist() == [[False] * 5 + [True] * 6 + [False]]
    assert (batch["answer"].tolist(), batch["weight"]) == ([[6, 6]], 1)
    batch |= {key: torch.from_numpy(batch[key]) for key in ("inside", "nothing")}
    scores = torch.zeros(1, 12, 2)
    scores[0, 1, :] = 99.0  # in the question
    scores[0, 10, 0], scores[0, 6, 1] = 9.0, 8.0  # an end before its start
    scores[0, 7, 0], scores[0, 8, 1] = 5.0, 6.0
    scores[0, 0, 0] = 4.0
    ((none, best, first, last),) = span.reduce(scores, batch)
    assert (none, best, first, last) == (4.0, 11.0, 7, 8)
    assert span.decode([(none, best, first, last)], data, rows) == ["sat on"]


def test_an_answer_has_at_most_thirty_tokens(tokenizer):
    import torch

    data = helpers.encode(tokenizer, "span", [row("who", "cat " * 40, "cat")])
    batch = span.collate(data, np.array([0]))
    batch |= {key: torch.from_numpy(batch[key]) for key in ("inside", "nothing")}
    scores = torch.zeros(1, batch["ids"].shape[1], 2)
    scores[0, 4, 0], scores[0, 34, 1], scores[0, 33, 1] = 9.0, 9.0, 5.0
    ((_, best, first, last),) = span.reduce(scores, batch)
    assert (best, first, last) == (14.0, 4, 33)


def test_the_best_window_answers_and_no_answer_needs_every_window(tokenizer):
    context = "the cat sat on the mat a dog sees a big red mat"
    rows = [row("who", context, "cat"), row("who", "a dog", "dog")]
    data = helpers.encode(tokenizer, "span", rows, length=16)
    reduced = [(9.0, 2.0, 5, 5), (1.0, 3.0, 4, 5), (4.0, 3.0, 5, 5)]
    assert span.decode(reduced, data, rows) == ["sees a", "dog"]
    allowed = helpers.encode(tokenizer, "span", rows, length=16, no_answer=True)
    # The first row's lowest score of no answer is 1, below its best span; the second's is above.
    assert span.decode(reduced, allowed, rows) == ["sees a", ""]
    # Nor does it matter in which of the windows it is the lowest.
    turned = [(1.0, 2.0, 5, 5), (9.0, 3.0, 4, 5), (4.0, 3.0, 5, 5)]
    assert span.decode(turned, allowed, rows) == ["sees a", ""]


def test_the_first_token_is_trained_to_mean_no_answer(tokenizer):
    import torch

    data = helpers.encode(tokenizer, "span", [row("who", "the cat"), row("who", "the cat", "cat")])
    batch = span.collate(data, np.array([0, 1]))
    batch = {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in batch.items()}
    # Three tokens are allowed (the first, two of the context), all alike: log 3 for start and end.
    loss = span.loss(torch.zeros(2, 7, 2), batch)
    assert loss.item() == pytest.approx(2 * np.log(3), abs=1e-6)


def test_predictions_are_scored_by_f1_and_exact_match():
    rows = [row("q", "the big cat", "big cat"), row("q", "x y", "x")]
    metrics, values = span.score(rows, ["cat", "x"], "squad", "en")
    assert metrics == {"f1": pytest.approx(5 / 6), "exact_match": 0.5}
    assert values == [pytest.approx(1 / 3), 1.0]
