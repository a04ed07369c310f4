"""What is recorded of a gold answer: by hand for each format, ranks against what decoding picks."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import helpers

from xstilts import formats
from xstilts.formats import span


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return helpers.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def logits(*probabilities):
    import torch

    return torch.tensor(np.log(probabilities), dtype=torch.float32)


def batch(**arrays):
    import torch

    return {name: torch.as_tensor(np.array(value)) for name, value in arrays.items()}


def test_classification_by_hand():
    page = formats.page("classification")
    outputs = logits([0.2, 0.5, 0.3], [0.2, 0.5, 0.3], [0.25, 0.25, 0.5])
    recorded = page.gold(outputs, batch(labels=[1, 0, 1])).numpy()
    assert recorded[:, 0] == pytest.approx([0.5, 0.2, 0.25])
    assert recorded[:, 1].tolist() == [1, 3, 3], "of equal scores the first in order is first"
    assert recorded[:, 2] == pytest.approx(-np.log([0.5, 0.2, 0.25]))
    assert recorded[:, 3].tolist() == [1, 0, 0]
    assert page.by_row([*recorded], None).tolist() == recorded.tolist()


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=2, max_size=5), st.data())
@settings(max_examples=40, deadline=None)
def test_rank_1_is_what_is_decoded(scores, draw):
    import torch

    answer = draw.draw(st.integers(0, len(scores) - 1))
    page = formats.page("classification")
    [recorded] = page.gold(torch.tensor([scores]), batch(labels=[answer])).numpy()
    assert bool(recorded[3]) == (recorded[1] == 1) == (int(np.argmax(scores)) == answer)


def test_a_choice_is_among_those_of_its_row():
    """Two rows of two and three choices, one score a sequence."""
    at, present = [[0, 1, 0], [2, 3, 4]], [[True, True, False], [True, True, True]]
    outputs = logits([0.3], [0.7], [0.2], [0.7], [0.1])
    page = formats.page("choice")
    recorded = page.gold(outputs, batch(at=at, present=present, labels=[0, 1])).numpy()
    assert recorded[:, 0] == pytest.approx([0.3, 0.7])
    assert recorded[:, 1].tolist() == [2, 1] and np.isfinite(recorded).all()


def test_a_tag_is_averaged_over_words_and_windows(tokenizer):
    """The second word has no tag of the head's; the windows of a long row are read once a word."""
    rows = [
        {"id": "0", "tokens": ["the", "big", "cat"], "tags": ["DET", "ADJ", "NOUN"]},
        {"id": "1", "tokens": ["cat"] * 8, "tags": ["NOUN"] * 8},
        {"id": "2", "tokens": ["big"], "tags": ["ADJ"]},
    ]
    page, labels = formats.page("tagging"), ("DET", "NOUN")
    data = helpers.encode(tokenizer, "tagging", rows, labels, length=7)
    sizes = np.diff(data.arrays["spans"])
    assert len(data) > len(rows) and sizes.sum() > 12, "windows that overlap"
    recorded = []
    for example, size in enumerate(sizes):  # rows as wide as the widest of a batch
        values = np.zeros((size + 2, 4), dtype=np.float32)
        values[:size] = [0.5, 1, 0.7, 1]
        if example == 0:
            values[2] = [0.1, 2, 2.3, 0]
        recorded.append(values)
    found = page.by_row(recorded, data)
    assert found[0] == pytest.approx([0.3, 2, 1.5, 0.5])
    assert found[1] == pytest.approx([0.5, 1, 0.7, 1])
    assert found[2].tolist() == [1, 1, 0, 1], "there is nothing that could be wrong"


def test_tagging_scores_are_read_at_the_words():
    import torch

    outputs = torch.zeros(1, 4, 2)
    outputs[0, 2] = logits([0.9, 0.1])[0]
    recorded = formats.page("tagging").gold(outputs, batch(at=[[1, 2]], tags=[[1, 0]])).numpy()
    assert recorded[0, :, 0] == pytest.approx([0.5, 0.9])
    assert recorded[0, :, 1].tolist() == [2, 1]


def spans_above(start, end, inside, gold):
    """Every span that decoding may pick, one after another."""
    own = start[gold[0]] + end[gold[1]]
    pairs = itertools.combinations_with_replacement(np.flatnonzero(inside), 2)
    found = [start[i] + end[j] for i, j in pairs if j - i < span.MAX_ANSWER]
    return 1 + sum(score > own for score in [*found, start[0] + end[0]])


@given(st.integers(0, 10**6), st.integers(4, 45), st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_rank_of_a_span_is_among_all_that_could_be_picked(seed, width, answered):
    import torch

    draw = np.random.default_rng(seed)
    outputs = torch.tensor(draw.integers(0, 9, (1, width, 2)), dtype=torch.float32)
    inside = np.arange(width) >= 2
    first, last = sorted(draw.integers(2, width, 2)) if answered else (0, 0)
    of = batch(inside=[inside], answer=[[first, last]], nothing=[0])
    [recorded] = span.gold(outputs, of).numpy()
    start, end = outputs[0].numpy().T
    assert recorded[1] == spans_above(start, end, inside, (first, last))
    allowed = inside | (np.arange(width) == 0)
    mass = [np.exp(scores)[allowed].sum() for scores in (start, end)]
    expected = np.exp(start[first]) / mass[0] * np.exp(end[last]) / mass[1]
    assert recorded[0] == pytest.approx(expected, rel=1e-4)
    assert recorded[2] == pytest.approx(-np.log(expected), abs=1e-4)


def test_a_row_is_the_window_that_decides(tokenizer):
    """An answer in two windows: where it is most probable; none at all: where that is least."""
    context = "the cat sat on the mat a dog sees a big red mat"
    big = {"text": ["big"], "start": [context.index("big")]}
    rows = [
        {"id": "0", "question": "who", "context": context, "answers": big},
        {"id": "1", "question": "who", "context": context, "answers": {"text": [], "start": []}},
    ]
    data = helpers.encode(tokenizer, "span", rows, length=16)
    assert data.arrays["row"].tolist() == [0, 0, 1, 1]
    recorded = [np.array([np.exp(-loss), 1, loss, 1]) for loss in (2.0, 0.5, 1.0, 3.0)]
    assert span.by_row(recorded, data)[:, 2].tolist() == [0.5, 3.0]
    # An answer that only the first of them holds is of that one, however probable the other is.
    mat = {"text": ["mat a"], "start": [context.index("mat a")]}
    data = helpers.encode(tokenizer, "span", [rows[0] | {"answers": mat}], length=16)
    assert span.by_row(recorded[:2], data)[:, 2].tolist() == [2.0]


def test_empty_rows_keep_what_could_be_answered():
    row = {"id": "0", "text": "a", "text_pair": "b", "label": "x"}
    page = formats.page("classification")
    assert page.empty(row) == {"id": "0", "text": "", "text_pair": "", "label": "x"}
    assert page.empty(row | {"text_pair": None})["text_pair"] is None
    row = {"id": "0", "context": "a", "choices": ["b", "c"], "label": 1}
    assert formats.page("choice").empty(row) == row | {"context": ""}
