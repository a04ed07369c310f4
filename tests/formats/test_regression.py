"""Regression: rows to sequences and numbers, and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import helpers

from xstilts.encoding.encoded import Encoded
from xstilts.formats import regression
from xstilts.models import checkpoint

ROWS = [
    {"id": "a", "text": "the cat sat", "text_pair": "猫", "label": 4.0},
    {"id": "b", "text": "a dog", "text_pair": None, "label": 0.0},
]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    tokenizer = helpers.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    return helpers.encode(tokenizer, "regression", ROWS, length=7)


def test_rows_become_sequences_and_numbers(data):
    assert helpers.shown(data) == ["<s> ▁the ▁cat </s> </s> ▁ </s>", "<s> ▁a ▁dog </s>"]
    assert data.arrays["labels"].tolist() == [4.0, 0.0]
    assert data.arrays["labels"].dtype == np.float32
    assert data.arrays.keys() == {"tokens", "starts", "groups", "labels"}
    assert data.meta["cut"] == 1


def test_outputs_become_text_and_text_becomes_correlations(data):
    import torch

    batch = regression.collate(data, np.array([1, 0]))
    assert (batch["labels"].tolist(), batch["weight"]) == ([0.0, 4.0], 2)
    outputs = torch.tensor([0.1, -3.0]), torch.tensor(2.0)
    labels = {"labels": torch.from_numpy(batch["labels"])}
    assert regression.loss(outputs, labels).item() == pytest.approx((0.1**2 + 7**2) / 2**2)
    texts = regression.decode(regression.reduce(outputs, batch), data, ROWS)
    assert texts == ["0.1", "-3.0"]
    metrics, values = regression.score(ROWS, ["3.0", "1.5"], "pearson", "en")
    assert metrics == {"pearson": pytest.approx(1.0), "spearman": pytest.approx(1.0)}
    assert values == [0.75, 0.625]


def test_closeness_is_the_error_over_the_span_of_the_gold_numbers():
    assert regression.closeness([1.0, 2.0, 3.0], [2.0, 2.0, 9.0]) == [0.5, 1.0, 0.0]
    assert regression.closeness([2.0, 2.0], [2.0, 2.5]) == [1.0, 0.0]


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_number_is_the_same_after_it_was_text(number):
    (text,) = regression.decode([np.float32(number)], None, [None])
    assert np.float32(float(text)) == np.float32(number)


def test_a_new_head_is_scaled_to_the_numbers_that_it_is_trained_on(data, tmp_path):
    import torch

    encoder = checkpoint.load_encoder(helpers.write_model(tmp_path))
    head = regression.head(encoder, [], [data, data]).eval()
    assert (head.mean.item(), head.sd.item()) == (2.0, 2.0)
    hidden = torch.randn(3, 5, 32)
    numbers, sd = head(hidden, None)
    assert numbers.shape == (3,) and sd == 2.0
    # What a head of scores alone gives, which is how transformers has it.
    plain = super(type(head), head).forward(hidden, None).squeeze(-1)
    assert torch.equal(numbers, plain * 2 + 2)
    # Saved with the weights: an evaluation does not know the train rows.
    loaded = regression.head(encoder, []).eval()
    assert (loaded.mean.item(), loaded.sd.item()) == (0.0, 1.0)
    loaded.load_state_dict(head.state_dict())
    assert torch.equal(loaded(hidden, None)[0], numbers)


def test_numbers_that_are_all_the_same_have_no_scale(data, tmp_path):
    encoder = checkpoint.load_encoder(helpers.write_model(tmp_path))
    same = Encoded(data.arrays | {"labels": np.full(2, 3.0, dtype=np.float32)}, data.meta)
    head = regression.head(encoder, [], [same])
    assert (head.mean.item(), head.sd.item()) == (3.0, 1.0)
