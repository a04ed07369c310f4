"""Attention of packed sequences: what each sequence has alone, by every way to compute it."""

import numpy as np
import pytest

from xstilts.models import attention

LENGTHS = (5, 1, 16, 3)
SCALE = 0.3
DRAWS = 100


@pytest.fixture
def parts():
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    return [torch.randn(sum(LENGTHS), 2, 8, requires_grad=True) for _ in range(3)]


def offsets():
    import torch

    return torch.from_numpy(np.cumsum([0, *LENGTHS], dtype=np.int32))


def masked(parts, dropout=0.0):
    return attention.attend(*parts, offsets(), max(LENGTHS), dropout, SCALE)


def jagged(parts, dropout=0.0):
    return attention.jagged(*parts, offsets(), max(LENGTHS), dropout, SCALE)


def alone(parts):
    """Each sequence by itself, by the formula."""
    import torch

    contexts = []
    for query, key, value in zip(*(part.split(LENGTHS) for part in parts), strict=True):
        weights = torch.einsum("qhd,khd->hqk", query, key).mul(SCALE).softmax(-1)
        contexts.append(torch.einsum("hqk,khd->qhd", weights, value))
    return torch.cat(contexts)


WAYS = pytest.mark.parametrize("way", [masked, jagged])


@WAYS
def test_a_token_attends_within_its_sequence(parts, way):
    import torch

    weights = torch.randn(sum(LENGTHS), 2, 8)
    found, expected = (
        [made, *torch.autograd.grad((made * weights).sum(), parts)]
        for made in (way(parts), alone(parts))
    )
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours - theirs).abs().max() < 1e-5


@WAYS
def test_attention_weights_are_dropped_out(parts, way):
    """Each draw differs, and their mean is what no dropout gives, within 5 of its standard
    errors."""
    import torch

    with torch.no_grad():
        draws = torch.stack([way(parts, dropout=0.3) for _ in range(DRAWS)])
        expected = alone(parts)
    deviation = draws.std(0)
    assert (deviation > 0.05).float().mean() > 0.95
    assert ((draws.mean(0) - expected).abs() < 5 * deviation / DRAWS**0.5 + 1e-5).all()
    first = np.cumsum((0, *LENGTHS))[1]  # a sequence of one token: kept, and scaled, or dropped
    kept = draws[:, first, 0, 0] / expected[first, 0, 0]
    assert set(np.round(kept.tolist(), 3)) == {0.0, round(1 / 0.7, 3)}


def test_the_kernel_of_gpus_is_called_as_torch_has_it():
    """Shapes and gradients on a device without values: what the call is like, not what it gives."""
    import torch

    parts = [
        torch.empty(sum(LENGTHS), 2, 8, device="meta", dtype=torch.bfloat16, requires_grad=True)
        for _ in range(3)
    ]
    context = attention.attend(*parts, offsets().to("meta"), 16, 0.1, SCALE)
    assert context.shape == parts[0].shape and "FlashAttention" in type(context.grad_fn).__name__
    context.sum().backward()
    assert all(part.grad.shape == part.shape for part in parts)


def test_padded_sequences_are_what_they_were():
    import torch
    import transformers

    torch.manual_seed(0)
    size = {"vocab_size": 60, "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}
    config = transformers.XLMRobertaConfig(**size, num_hidden_layers=2, initializer_range=0.2)
    encoder = transformers.XLMRobertaModel(config, add_pooling_layer=False).eval()
    ids = torch.randint(3, 60, (3, 9))
    mask = torch.arange(9) < torch.tensor([9, 4, 1])[:, None]
    with torch.no_grad():
        before = [encoder(ids, attention_mask=m).last_hidden_state for m in (mask, None)]
        attention.install(encoder)
        after = [encoder(ids, attention_mask=m).last_hidden_state for m in (mask, None)]
    assert encoder.config._attn_implementation == attention.NAME
    assert all(torch.equal(*pair) for pair in zip(before, after, strict=True))
