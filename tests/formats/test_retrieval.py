"""Retrieval: the nearest sentence by cosine of means over real tokens."""

import numpy as np
import pytest
from tests import helpers

from xstilts.formats import retrieval

ROWS = [
    {"id": "0.s", "side": "source", "text": "猫", "gold": "0.t"},
    {"id": "0.t", "side": "target", "text": "the cat", "gold": None},
    {"id": "1.s", "side": "source", "text": "der hund", "gold": "1.t"},
    {"id": "1.t", "side": "target", "text": "the dog sat on the mat", "gold": None},
]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return helpers.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def test_sentences_of_both_sides_are_sequences_in_the_order_of_the_rows(tokenizer):
    data = helpers.encode(tokenizer, "retrieval", ROWS, length=6)
    assert helpers.shown(data) == [
        "<s> ▁ 猫 </s>",
        "<s> ▁the ▁cat </s>",
        "<s> ▁der ▁hund </s>",
        "<s> ▁the ▁dog ▁sat ▁on </s>",
    ]
    assert data.arrays.keys() == {"tokens", "starts", "groups"}
    assert data.meta["cut"] == 1


def test_the_nearest_is_by_angle_not_by_length_or_distance():
    sources = [[1.0, 0.1], [0.1, 1.0]]
    targets = [[100.0, 0.0], [0.0, 0.001]]
    reduced = [np.float32(v) for pair in zip(sources, targets, strict=True) for v in pair]
    found = retrieval.decode(reduced, None, ROWS)
    assert found == ["0.t", "1.t"]
    assert retrieval.score(ROWS, found, "retrieval", "de") == ({"accuracy": 1.0}, [1.0, 1.0])
    assert retrieval.decode([reduced[i] for i in (2, 1, 0, 3)], None, ROWS) == ["1.t", "0.t"]
    assert retrieval.score(ROWS, ["1.t", "1.t"], "retrieval", "de") == (
        {"accuracy": 0.5},
        [0.0, 1.0],
    )


def test_every_source_has_its_nearest_target_and_not_the_other_way_round():
    rows = [*ROWS, {"id": "2.t", "side": "target", "text": "no", "gold": None}]
    sources, targets = [[1.0, 0.1], [1.0, 0.2]], [[0.0, 1.0], [1.0, 0.0], [-1.0, 0.0]]
    vectors = [sources[0], targets[0], sources[1], targets[1], targets[2]]
    assert retrieval.decode([np.float32(v) for v in vectors], None, rows) == ["1.t", "1.t"]


def test_pairs_are_mined_where_some_sentences_have_no_translation():
    rows = [
        {"id": "de-1", "side": "source", "text": "eins", "gold": "en-1"},
        {"id": "de-2", "side": "source", "text": "zwei", "gold": None},
        {"id": "de-3", "side": "source", "text": "drei", "gold": "en-3"},
        {"id": "de-4", "side": "source", "text": "drei", "gold": None},
        {"id": "en-1", "side": "target", "text": "one", "gold": None},
        {"id": "en-2", "side": "target", "text": "five", "gold": None},
        {"id": "en-3", "side": "target", "text": "three", "gold": None},
    ]
    vectors = [
        [1, 0, 0.1],
        [0.5, 0.5, 0.6],
        [0, 1, 0],
        [0, 1, 0],
        [1, 0, 0],
        [0.5, 0.5, -3],
        [0, 1, 0.1],
    ]
    found = retrieval.decode([np.float32(v) for v in vectors], None, rows)
    assert found == ["en-1", "", "", ""], "nobody can say which `drei` has the translation"
    values, each = retrieval.score(rows, found, "bucc", "de")
    assert values == {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3)}
    assert each == [1.0, 1.0, 0.0, 1.0]
    # The threshold of other rows: just above the margin of the one pair, and just below.
    _, best = retrieval.search([np.float32(v) for v in vectors], rows)
    stricter = retrieval.search([np.float32(v) for v in vectors], rows, best * 2)
    assert stricter == (["", "", "", ""], best * 2)
    assert retrieval.search([np.float32(v) for v in vectors], rows, best) == (found, best)


def test_padding_does_not_count_in_the_mean():
    import torch

    pool = retrieval.head(None, [])
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [99.0, 99.0]]])
    mask = torch.tensor([[True, True, False]])
    assert pool(hidden, mask).tolist() == [[2.0, 3.0]]
    assert pool(hidden[:, :2], None).tolist() == [[2.0, 3.0]]
