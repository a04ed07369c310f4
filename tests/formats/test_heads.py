"""What a head reads of the hidden states."""

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from xstilts.formats.heads import PooledHead, TokenHead, pool  # noqa: E402

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


def test_last_is_the_last_that_is_no_padding():
    hidden, mask = torch.randn(2, 3, 4), torch.tensor([[1, 1, 0], [1, 1, 1]]).bool()
    assert torch.equal(pool(hidden, mask, "last"), torch.stack([hidden[0, 1], hidden[1, 2]]))
    assert torch.equal(pool(hidden, None, "last"), hidden[:, 2])


@pytest.mark.parametrize("kind", ["encoder", "encoder-decoder", "decoder"])
@pytest.mark.parametrize("head", [PooledHead, TokenHead])
def test_the_scale_of_hidden_states_counts_in_encoders_alone(head, kind):
    made = head(SimpleNamespace(**CONFIG, xstilts={"kind": kind}), 3)
    hidden = torch.randn(2, 3, 4)
    equal = torch.allclose(made(hidden, None), made(100 * hidden, None), atol=1e-5)
    assert equal is (kind != "encoder")


def test_new_weights_are_as_wide_as_the_config_says_by_whichever_name():
    for names in ({"init_std": 0.3}, {"initializer_factor": 3.0}):
        config = SimpleNamespace(hidden_size=100, **names)
        assert TokenHead(config, 400).out.weight.std().item() == pytest.approx(0.3, rel=0.02)
