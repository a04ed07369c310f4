"""Choice: a sequence a choice, any number of choices, the context cut on the left."""

import numpy as np
import pytest
from tests import helpers

from xstilts.formats import choice
from xstilts.scoring import predict

ROWS = [
    {"id": "a", "context": "the cat", "choices": ["sat", "sees a dog"], "label": 1},
    {"id": "b", "context": "狗", "choices": ["yes", "no", "</s>"], "label": 0},
]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return helpers.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def test_each_choice_is_a_sequence_with_the_context(tokenizer):
    data = helpers.encode(tokenizer, "choice", ROWS)
    assert helpers.shown(data) == [
        "<s> ▁the ▁cat </s> </s> ▁sat </s>",
        "<s> ▁the ▁cat </s> </s> ▁sees ▁a ▁dog </s>",
        "<s> ▁ 狗 </s> </s> ▁yes </s>",
        "<s> ▁ 狗 </s> </s> ▁no </s>",
        "<s> ▁ 狗 </s> </s> ▁ < / s > </s>",
    ]
    assert data.arrays["groups"].tolist() == [0, 2, 5]
    assert data.arrays["labels"].tolist() == [1, 0]
    assert data.arrays.keys() == {"tokens", "starts", "groups", "labels"}
    assert (len(data), data.meta["cut"]) == (2, 0)


def test_the_context_is_cut_on_the_left_and_a_choice_stays_whole(tokenizer):
    rows = [
        {"context": "the cat sat on the mat", "choices": ["yes", "a dog sees"], "label": 0},
        {"context": "the cat", "choices": ["no"], "label": 0},
    ]
    data = helpers.encode(tokenizer, "choice", rows, length=10)
    assert helpers.shown(data) == [
        "<s> ▁cat ▁sat ▁on ▁the ▁mat </s> </s> ▁yes </s>",
        "<s> ▁on ▁the ▁mat </s> </s> ▁a ▁dog ▁sees </s>",
        "<s> ▁the ▁cat </s> </s> ▁no </s>",
    ]
    assert data.meta["cut"] == 1, "a row counts once, however many of its choices were cut"


def test_only_where_a_choice_alone_is_too_long_both_are_cut(tokenizer):
    rows = [{"context": "the cat sat", "choices": ["a dog sees a big dog on the mat"], "label": 0}]
    data = helpers.encode(tokenizer, "choice", rows, length=10)
    assert helpers.shown(data) == ["<s> ▁the ▁cat ▁sat </s> </s> ▁on ▁the ▁mat </s>"]


def test_the_loss_is_over_the_choices_of_each_row_alone(tokenizer):
    import torch

    data = helpers.encode(tokenizer, "choice", ROWS)
    batch = choice.collate(data, np.array([0, 1]))
    assert batch["present"].tolist() == [[True, True, False], [True, True, True]]
    batch = predict.tensors(batch, torch.device("cpu"))
    outputs = torch.tensor([[0.0], [2.0], [1.0], [0.0], [-1.0]])
    expected = -np.log(np.exp(2) / (1 + np.exp(2))) - np.log(np.e / (np.e + 1 + np.exp(-1)))
    assert choice.loss(outputs, batch).item() == pytest.approx(expected, abs=1e-6)
    reduced = choice.reduce(outputs, batch).numpy()
    assert choice.decode(reduced, data, ROWS) == ["1", "0"]
    assert choice.score(ROWS, ["1", "2"], "accuracy", "en") == ({"accuracy": 0.5}, [1.0, 0.0])


def test_a_row_with_fewer_choices_never_gets_one_that_it_has_not(tokenizer):
    import torch

    data = helpers.encode(tokenizer, "choice", ROWS)
    batch = choice.collate(data, np.array([0, 1]))
    batch = predict.tensors(batch, torch.device("cpu"))
    reduced = choice.reduce(torch.full((5, 1), -1e30), batch).numpy()
    assert reduced[0].tolist() == [np.float32(-1e30), np.float32(-1e30), -np.inf]
    assert choice.decode(reduced, data, ROWS) == ["0", "0"]


def test_confidence_is_the_probability_of_what_is_chosen():
    scores = [np.array([0.0, 2.0], np.float32), np.array([1.0], np.float32)]
    assert choice.confidence(scores) == pytest.approx([np.exp(2) / (1 + np.exp(2)), 1.0])
