"""Captured passes: with a stand-in for the GPU's graphs, which does the work again at each replay,
gradients and losses are those of passes that are launched one by one."""

import numpy as np
import pytest
from tests.gpu import graphs
from tests.helpers import VOCABULARY, make_encoder

from xstilts.models import checkpointing, execution
from xstilts.models.execution import Execution, hidden_states, tensors


class StandIn:
    """Does on a CPU what is recorded each time that it is replayed, into the same tensors."""

    def __init__(self, device):
        self.recorded = 0

    def warm_up(self, work):
        import torch

        with torch.random.fork_rng([]):
            work()

    def record(self, work):
        import torch

        with torch.random.fork_rng([]):
            made = work()  # on a GPU it is not done yet
        self.recorded += 1
        for gradient in self.gradients():
            gradient.zero_()

        def replay():
            with torch.enable_grad():
                again = work()
            if made is not None:
                made.copy_(again)

        return made, replay


@pytest.fixture
def captured(monkeypatch):
    monkeypatch.setattr(graphs, "Recorder", StandIn)
    monkeypatch.setattr(execution, "packed_states", execution.packed_states)  # set back at the end

    def make(encoder):
        packed = Execution.prepare(encoder)
        graphs.enable(encoder)
        own = graphs._of[encoder]
        own.recorder.gradients = own.gradients.values
        return packed, own

    return make


def encoder_of(seed=0):
    import torch

    torch.manual_seed(seed)
    return make_encoder(hidden_dropout_prob=0.2, attention_probs_dropout_prob=0.1).train()


def batch_of(execution, lengths, seed):
    mask = np.arange(max(lengths)) < np.array(lengths)[:, None]
    ids = np.random.default_rng(seed).integers(3, len(VOCABULARY), mask.shape) * mask + (1 - mask)
    return tensors(execution.arrange({"ids": ids, "mask": mask}), "cpu"), mask


def trained(encoder, execution, batches=((9, 4, 6), (3, 8), (9, 4, 6)), micro=1):
    """Return the losses of some steps of SGD, each of some micro-batches, and the weights."""
    import torch

    optimizer = torch.optim.SGD(encoder.parameters(), lr=0.05)
    torch.manual_seed(5)
    losses = []
    for seed, lengths in enumerate(batches):
        for part in range(micro):
            batch, mask = batch_of(execution, lengths, 10 * seed + part)
            states = hidden_states(encoder, batch) * torch.from_numpy(mask).unsqueeze(-1)
            loss = states.pow(3).mean()
            loss.backward()
            losses.append(loss.item())
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return losses, [p.detach().clone() for p in encoder.parameters()]


@pytest.mark.parametrize("micro", [1, 3])
def test_losses_and_weights_are_those_without_dropout_too(captured, micro):
    import torch

    plain = encoder_of()
    expected, weights = trained(plain, Execution.prepare(plain), micro=micro)
    encoder = encoder_of()
    execution, own = captured(encoder)
    losses, found = trained(encoder, execution, micro=micro)
    assert losses == expected and len(own.passes) == 2
    assert own.recorder.recorded == 4, "a forward and a backward pass of each shape, once"
    for one, other in zip(found, weights, strict=True):
        assert torch.equal(one, other)


def test_a_gradient_that_is_there_is_added_to(captured):
    import torch

    encoder = encoder_of()
    execution, _ = captured(encoder)
    batch, _ = batch_of(execution, (5, 2), 0)
    for value in (None, 1.0):
        for p in encoder.parameters():
            p.grad = None if value is None else torch.full_like(p, value)
        torch.manual_seed(1)
        hidden_states(encoder, batch).pow(2).sum().backward()
        if value is None:
            alone = [p.grad.clone() for p in encoder.parameters()]
    for p, gradient in zip(encoder.parameters(), alone, strict=True):
        assert (p.grad - gradient - 1).abs().max() < 1e-5


def test_not_in_evaluation_nor_with_checkpointing_nor_beyond_the_most(captured, monkeypatch):
    import torch

    encoder = encoder_of()
    execution, own = captured(encoder)
    batch, _ = batch_of(execution, (5, 2), 0)
    with torch.no_grad():
        hidden_states(encoder, batch)
    hidden_states(encoder.eval(), batch)
    monkeypatch.setattr(graphs, "MOST", 0)
    hidden_states(encoder.train(), batch)
    monkeypatch.undo()
    checkpointing.enable(encoder)
    hidden_states(encoder, batch)
    assert not own.passes


def test_what_cannot_be_captured_is_run_with_a_line(captured, capsys):
    encoder = encoder_of()
    execution, own = captured(encoder)

    def fail(work):
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nmore")

    own.recorder.record = fail
    plain = encoder_of()
    assert trained(encoder, execution)[0] == trained(plain, Execution.prepare(plain))[0]
    line = (
        "passes are not captured, but launched one by one: CUDA error: operation not permitted when"
        " stream is capturing\n"
    )
    assert capsys.readouterr().out == line
