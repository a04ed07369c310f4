"""What a head reads of the hidden states."""

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from xstilts.formats.heads import PooledHead  # noqa: E402

CONFIG = {"hidden_size": 4, "hidden_dropout_prob": 0.0, "initializer_range": 0.5}


@pytest.mark.parametrize("pooling", [None, "cls", "mean"])
def test_pooling_is_by_the_encoders_config(pooling):
    named = {"classifier_pooling": pooling} if pooling else {}
    head = PooledHead(SimpleNamespace(**CONFIG, **named), 3)
    hidden = torch.randn(2, 3, 4)
    mask = torch.tensor([[1, 1, 0], [1, 1, 1]])
    first, longer = hidden[0, :2].mean(0), hidden[1].mean(0)
    pooled = torch.stack([first, longer]) if pooling == "mean" else hidden[:, 0]
    expected = head.out(torch.tanh(head.dense(pooled)))
    assert torch.allclose(head(hidden, mask), expected, atol=1e-6)
