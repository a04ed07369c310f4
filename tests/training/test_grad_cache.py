"""The loss of a batch as a whole: the same gradients with and without GradCache."""

import numpy as np
import pytest
from tests import helpers
from tests.training.test_loop import cpu, dual_rows, make_task

from xstilts.formats import dual
from xstilts.models.execution import Execution
from xstilts.running import device as devices
from xstilts.training import grad_cache, gradients


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    import torch

    tokenizer = helpers.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    data = helpers.encode(tokenizer, "dual", dual_rows(12, 1), length=24)
    encoder = helpers.make_encoder(hidden_dropout_prob=0.2)
    torch.manual_seed(1)
    return encoder, make_task("dual", dual.head(encoder, []), data), data


def gradients_of(encoder, task, own, seed=3):
    """Loss and all gradients of a share, and the random number that comes next."""
    import torch

    for module in (encoder, task.head):
        module.train().zero_grad()
    torch.manual_seed(seed)
    loss = grad_cache.accumulate(encoder, task, own, own.weight, cpu())
    named = [*encoder.named_parameters(), *task.head.named_parameters()]
    return {"loss": loss, **{n: p.grad.clone() for n, p in named}}, torch.rand(1)


@pytest.mark.parametrize("cast", [False, True])
def test_embedding_twice_is_embedding_once_with_its_gradients(task, monkeypatch, cast):
    """With dropout, which draws the same again; and in bf16, of which weights stay cast."""
    import torch

    if cast:
        in_bf16 = lambda device: torch.autocast("cpu", torch.bfloat16)  # noqa: E731
        monkeypatch.setattr(devices, "autocast", in_bf16)
    encoder, task, data = task
    own = gradients.share(task, data, np.arange(12), (), 60, Execution())
    assert len(own.micro_batches) == own.counted > 3
    once, after_once = gradients_of(encoder, task, own._replace(max_tokens=10**6))
    calls = []
    monkeypatch.setattr(
        grad_cache, "_drawing",
        lambda *given, real=grad_cache._drawing: calls.append(1) or real(*given),
    )  # fmt: skip
    twice, after_twice = gradients_of(encoder, task, own)
    assert len(calls) == len(own.micro_batches), "each was embedded twice"
    assert after_once == after_twice, "what is drawn next is the same"
    for name, value in once.items():
        assert value.abs().max() > 0 or "position" in name or name == "loss", name
        most = (0.05 if cast else 1e-5) * max(1e-3, float(value.abs().max()))
        assert (twice[name] - value).abs().max() < most, name
    other, _ = gradients_of(encoder, task, own, seed=4)
    assert not np.isclose(other["loss"], once["loss"]), "dropout matters"


def test_a_share_has_queries_and_passages_apart_where_there_is_padding(task):
    _, task, data = task
    padded = gradients.share(task, data, np.array([5, 2]), (), 10**6, Execution())
    assert [sorted(b["sequences"]) for b in padded.micro_batches] == [[4, 10], [5, 11]]
    assert [b["weight"] for b in padded.micro_batches] == [2, 0]
    assert (padded.weight, padded.tokens) == (2, int(data.tokens[[2, 5]].sum()))
    data_apart, pieces = grad_cache.pieces(data, np.array([5, 2]), packed=True)
    assert [piece.tolist() for piece in pieces] == [[10, 4, 11, 5]]
    assert len(data_apart) == 24


def test_a_rank_may_have_nothing_that_counts(task, monkeypatch):
    _, task, data = task
    shares = []
    for rank in (0, 1):
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", "2")
        shares.append(gradients.share(task, data, np.array([3]), (), 10**6, Execution()))
    assert [(share.counted, share.weight) for share in shares] == [(2, 1), (0, 0)]
    assert [len(share.micro_batches) for share in shares] == [2, 2]
