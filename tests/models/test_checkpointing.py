"""Gradient checkpointing: the same loss and gradients, dropout and packing included; `auto` goes on
with it where one example does not fit."""

import pytest
from tests.helpers import VOCABULARY, make_encoder
from tests.models.test_memory import fitted, limited, made  # noqa: F401
from tests.training.test_loop import cpu

from xstilts.models import checkpointing
from xstilts.models.execution import Execution, hidden_states, tensors
from xstilts.running.errors import DoesNotFit

WHAT = "goes on with gradient checkpointing (`checkpointing: yes` in the model's entry begins"


def gradients(encoder, execution):
    import numpy as np
    import torch

    mask = np.arange(9) < np.array([[9], [4], [6]])
    ids = np.random.default_rng(0).integers(3, len(VOCABULARY), mask.shape) * mask + (1 - mask)
    batch = tensors(execution.arrange({"ids": ids, "mask": mask}), cpu())
    torch.manual_seed(3)
    encoder.train()
    states = hidden_states(encoder, batch)
    loss = (states * torch.from_numpy(mask).unsqueeze(-1)).float().pow(3).sum()
    loss.backward()
    found = {name: p.grad.clone() for name, p in encoder.named_parameters() if p.grad is not None}
    encoder.zero_grad()
    return loss.item(), found


@pytest.mark.parametrize("kind", ["xlm-roberta", "bert", "xlm-roberta-xl", "deberta-v2"])
@pytest.mark.parametrize("packed", [False, True])
def test_gradients_are_those_without_it_dropout_too(kind, packed):
    import torch

    if packed and kind == "deberta-v2":  # which has no packed attention
        return
    encoder = make_encoder(kind, hidden_dropout_prob=0.2, attention_probs_dropout_prob=0.1)
    execution = Execution.prepare(encoder) if packed else Execution()
    loss, plain = gradients(encoder, execution)
    calls = []
    encoder.encoder.layer[0].attention.register_forward_hook(lambda *_: calls.append(1))
    assert checkpointing.enable(encoder)
    again, own = gradients(encoder, execution)
    assert len(calls) == 2, "computed again for the backward pass"
    assert again == loss
    assert own.keys() == plain.keys()
    for name, value in own.items():
        assert (value - plain[name]).abs().max() <= 1e-6 * plain[name].abs().max(), name
    assert not checkpointing.enable(encoder), "it is on"
    encoder.eval()
    with torch.no_grad():
        encoder(torch.tensor([[0, 5, 2]]))
    assert len(calls) == 3, "not in evaluation"


def test_transformers_5_17_has_other_names_for_it():
    class Older:
        supports_gradient_checkpointing, is_gradient_checkpointing, told = True, False, None

        def gradient_checkpointing_enable(self, how):
            self.told, self.is_gradient_checkpointing = how, True

        def disable_input_require_grads(self):
            pass

        def modules(self):
            return []

    encoder = Older()
    assert not checkpointing.is_on(encoder) and checkpointing.enable(encoder)
    assert encoder.told == {"use_reentrant": False, "preserve_rng_state": True}
    assert checkpointing.is_on(encoder) and not checkpointing.enable(encoder)


def test_what_does_not_fit_alone_goes_on_with_it(made, limited, capsys, monkeypatch):  # noqa: F811
    """In a fake memory that takes four tokens without it, and sixty with it."""
    limited(10**9)
    expected, record = fitted(made, 80)
    assert "checkpointing" not in record
    enabled, real = [], checkpointing.enable

    def enable(encoder):
        enabled.append(encoder)
        limited(60)
        return real(encoder)

    monkeypatch.setattr(checkpointing, "enable", enable)
    limited(4)
    weights, record = fitted(made, 80)
    said = capsys.readouterr().out
    assert said.count(WHAT) == 1 and len(enabled) == 1
    assert record["checkpointing"] is True
    assert record["micro_batch_tokens"] == 40, "the budget is tried again, then its half"
    for kind, state in expected.items():
        for name, value in state.items():
            assert (value - weights[kind][name]).abs().max() < 1e-5, name


def test_what_does_not_fit_with_it_either_ends_in_one_line(made, limited, monkeypatch):  # noqa: F811
    limited(3)
    with pytest.raises(DoesNotFit, match="one example alone does not fit the GPU's memory"):
        fitted(made, 80)


def test_an_encoder_that_has_none_is_left_alone_with_a_line(monkeypatch, capsys):
    encoder = make_encoder()
    monkeypatch.setattr(type(encoder), "supports_gradient_checkpointing", False)
    assert not checkpointing.enable(encoder) and not checkpointing.instead(encoder, 80)
    checkpointing.begin(encoder)
    line = "checkpointing: XLMRobertaModel has no gradient checkpointing: it is trained without\n"
    assert capsys.readouterr().out == line


def test_what_begins_with_it_says_nothing(capsys):
    encoder = make_encoder()
    checkpointing.begin(encoder)
    assert encoder.is_activation_checkpointing and not capsys.readouterr().out
