"""How an encoder is run: padded on a CPU; packed only where that comes to the same."""

from pathlib import Path

import numpy as np
import pytest
from tests import helpers
from tests.encoding.test_packing import padded

from xstilts.models import attention, checkpoint
from xstilts.models import execution as executions
from xstilts.models.execution import Execution, hidden_states, tensors


def cpu():
    import torch

    torch.set_num_threads(1)
    return torch.device("cpu")


def make(kind="xlm-roberta", **changes):
    return helpers.make_encoder(kind, **changes).eval()


@pytest.mark.parametrize("kind", attention.AFTER_PADDING)
def test_kinds_of_encoders_that_can_be_packed(kind):
    """Up to the last position that there is, and with more tokens than there are positions."""
    import torch

    encoder = make(kind)
    execution, reason = Execution.tried(encoder, cpu())
    assert execution.packed and reason == ""
    room = 70 - execution.first_position
    batch = padded([1, room, 7, 30, 2, 1])
    batch["ids"] = np.where(batch["ids"] >= 100, 3 + batch["ids"] % 50, batch["ids"])
    with torch.no_grad():
        theirs, ours = (
            hidden_states(encoder, tensors(each, cpu()))
            for each in (batch, execution.arrange(batch))
        )
    assert (ours - theirs)[torch.from_numpy(batch["mask"])].abs().max() < 1e-5


@pytest.mark.parametrize("lengths", [[1], [16], [1, 1, 1], [9, 9], [33, 1, 32, 64], [8] * 4])
def test_batches_of_every_kind(lengths):
    import torch

    encoder = make()
    execution = Execution.prepare(encoder)
    batch = padded(lengths)
    batch["ids"] = np.where(batch["ids"] >= 100, 3 + batch["ids"] % 50, batch["ids"])
    with torch.no_grad():
        theirs, ours = (
            hidden_states(encoder, tensors(each, cpu()))
            for each in (batch, execution.arrange(batch))
        )
    mask = slice(None) if batch["mask"] is None else torch.from_numpy(batch["mask"])
    assert (ours - theirs)[mask].abs().max() < 1e-5 and ours.isfinite().all()


def test_on_a_cpu_nothing_changes(capsys):
    encoder = make()
    assert Execution.choose(encoder, cpu()) == Execution(packed=False, compiled=False)
    assert encoder.config._attn_implementation == "sdpa" and capsys.readouterr().out == ""
    batch = padded([3, 1])
    assert Execution().arrange(batch) is batch
    Execution.choose(make(), cpu(), compiled=True)
    line = "sequences are padded, not packed or compiled: that is for GPUs, and this is a CPU\n"
    assert capsys.readouterr().out == line


class Gpu:
    """Stands in for a device that is no CPU."""

    type = "cuda"


def chosen_on_a_gpu(encoder, monkeypatch, **options):
    """What is chosen on a GPU, with everything computed on the CPU."""
    real = Execution.tried
    monkeypatch.setattr(Execution, "tried", lambda encoder, _, *rest: real(encoder, cpu(), *rest))
    return Execution.choose(encoder, Gpu(), **options)


def test_on_a_gpu_it_is_packed_and_chosen_once(monkeypatch, capsys):
    encoder = make().train()
    found = chosen_on_a_gpu(encoder, monkeypatch)
    assert found == Execution(packed=True, compiled=False, first_position=2)
    assert encoder.training and capsys.readouterr().out == ""
    monkeypatch.setattr(Execution, "tried", None)
    assert Execution.choose(encoder, Gpu()) is found


def test_layers_are_compiled_if_asked_for_and_not_of_a_sharded_model(monkeypatch):
    def layers_compiled(encoder):
        return [layer._compiled_call_impl is not None for layer in encoder.encoder.layer]

    monkeypatch.setattr(executions, "_step", lambda *_: "")  # a minute; tested below
    one, two, three = make(), make(), make("deberta-v2")
    assert chosen_on_a_gpu(one, monkeypatch, compiled=True) == Execution(True, True, 2)
    assert all(layers_compiled(one)) and len(layers_compiled(one)) == 2
    assert chosen_on_a_gpu(three, monkeypatch, compiled=True) == Execution()
    assert not any(layers_compiled(three))
    monkeypatch.setattr(executions.shards, "sharded", lambda: True)
    assert chosen_on_a_gpu(two, monkeypatch, compiled=True) == Execution(True, False, 2)
    assert not any(layers_compiled(two))


def broken(*_):
    raise RuntimeError("Failed to find C compiler")


@pytest.mark.parametrize("backend", ["eager", broken])
def test_where_nothing_can_be_compiled_layers_run_as_they_are(backend, monkeypatch, capsys):
    """A GPU node without a C compiler, say."""
    real = Execution.prepare

    def prepare(encoder, compiled=False):
        return real(encoder, compiled, **({"backend": backend} if compiled else {}))

    monkeypatch.setattr(Execution, "prepare", prepare)
    encoder = make().train()
    found = chosen_on_a_gpu(encoder, monkeypatch, compiled=True)
    said = capsys.readouterr().out
    assert found == Execution(packed=True, compiled=backend == "eager", first_position=2)
    assert encoder.training and all(p.grad is None for p in encoder.parameters())
    if backend == "eager":
        assert said == ""
        return
    assert said.startswith("layers are not compiled: ") and "Failed to find C compiler" in said
    assert said.count("\n") == 1
    assert not any(layer._compiled_call_impl for layer in encoder.encoder.layer)


def test_the_trial_draws_no_random_numbers():
    import torch

    encoder = make()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    Execution.tried(encoder, cpu())
    assert torch.equal(torch.rand(3), expected)


def test_an_encoder_without_such_attention_stays_padded(monkeypatch, capsys):
    encoder = make("deberta-v2", relative_attention=True, pos_att_type=["p2c", "c2p"])
    assert chosen_on_a_gpu(encoder, monkeypatch) == Execution()
    line = "sequences are padded, not packed: deberta-v2 has no attention for it\n"
    assert capsys.readouterr().out == line


def everything(query, key, value, offsets, longest, dropout=0.0, scaling=None):
    """Attention that does not keep sequences apart."""
    import torch

    ends = offsets.new_tensor([0, len(query)])
    return REAL(query, key, value, ends, len(query), dropout, scaling) + 0 * torch.ones(())


REAL = attention.attend


@pytest.mark.parametrize("wrong", ["neighbours", "positions", "error", "not finite", "gradients"])
def test_what_comes_to_something_else_stays_padded_in_one_line(wrong, monkeypatch, capsys):
    import torch

    def fails(*_, **__):
        raise RuntimeError("no kernel image is available\nand more")

    def nan_gradients(query, *rest, **more):
        return REAL(query, *rest, **more) + (query * 0).abs().sqrt()

    patches = {
        "neighbours": (attention, "attend", everything),
        "positions": (attention, "first_position", lambda config: 0),
        "error": (attention, "attend", fails),
        "not finite": (attention, "attend", lambda *a, **b: REAL(*a, **b) + torch.nan),
        "gradients": (attention, "attend", nan_gradients),
    }
    lines = {
        "error": "RuntimeError: no kernel image is available",
        "gradients": "its gradients are not finite",
        "not finite": "their hidden states differ by nan of their size",
    }
    monkeypatch.setattr(*patches[wrong])
    encoder = make()
    assert chosen_on_a_gpu(encoder, monkeypatch) == Execution()
    assert encoder.config._attn_implementation == "sdpa"
    out = capsys.readouterr().out
    assert out.startswith("sequences are padded, not packed: ") and out.count("\n") == 1
    assert lines.get(wrong, "their hidden states differ by 0.") in out


@pytest.mark.parametrize("wrong", ["neighbours", "positions"])
def test_the_tolerance_of_a_gpu_is_passed_by_what_is_wrong_and_not_by_rounding(wrong, monkeypatch):
    """In bf16, at twelve layers."""
    import torch

    from xstilts.running import device as devices

    monkeypatch.setattr(devices, "autocast", lambda _: torch.autocast("cpu", torch.bfloat16))
    monkeypatch.setitem(executions.TOLERANCE, "cpu", executions.TOLERANCE["cuda"])
    encoder = make(num_hidden_layers=12, hidden_size=64, initializer_range=0.05)
    assert Execution.tried(encoder, cpu()) == (Execution(True, False, 2), "")
    if wrong == "neighbours":
        monkeypatch.setattr(attention, "attend", everything)
    else:
        monkeypatch.setattr(attention, "first_position", lambda config: 0)
    assert not Execution.tried(encoder, cpu())[0].packed


def test_out_of_memory_is_not_taken_for_an_answer(monkeypatch):
    import torch

    def fails(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(attention, "attend", fails)
    with pytest.raises(torch.OutOfMemoryError):
        chosen_on_a_gpu(make(), monkeypatch)


def test_dropout_of_attention_is_on_in_training_alone():
    import torch

    encoder = make(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.3)
    batch = tensors(Execution.prepare(encoder).arrange(padded([7, 3, 12])), cpu())
    batch["ids"] = 3 + batch["ids"] % 50
    with torch.no_grad():
        trained, evaluated = (
            [hidden_states(encoder.train(mode), batch) for _ in range(2)] for mode in (True, False)
        )
    assert (trained[0] - trained[1]).abs().max() > 0.01
    assert torch.equal(*evaluated)


# --- The real encoder -----------------------------------------------------------------------------

REAL_ENCODER = (
    Path(__file__).resolve().parents[2] / "../shared/data/models/local/me5-small-xlmr-32k-6l"
)
SENTENCES = [
    "The cat sat on the mat, and nobody sees why it should not.",
    "Kein Mensch weiß, wo der Hund heute Nacht geschlafen hat, und niemand fragt danach.",
    "Ни одна собака не лает без причины.",
    "猫在垫子上睡着了。",
    "कुत्ता बिल्ली को देखता है।",
    "القطة تنام على السجادة كل يوم بعد الغداء.",
    "แมวนอนอยู่บนพรม",
    "Ja.",
]


@pytest.mark.skipif(not REAL_ENCODER.is_dir(), reason="needs ../shared/data/models")
def test_the_real_encoder_has_the_same_hidden_states_in_every_script():
    import torch

    from xstilts.encoding.tokenizer import load_tokenizer

    tokenizer = load_tokenizer(REAL_ENCODER / "tokenizer.json")
    encoder = checkpoint.load_encoder(REAL_ENCODER).eval()
    data = helpers.encode(tokenizer, "retrieval", [{"text": text} | PLAIN for text in SENTENCES])
    assert len(set(data.sequence_lengths())) > 4
    batch = helpers.formats.page("retrieval").collate(data, np.arange(len(data)))
    execution = Execution.prepare(encoder)
    with torch.no_grad():
        theirs, ours = (
            hidden_states(encoder, tensors(each, cpu()))
            for each in (batch, execution.arrange(batch))
        )
    difference = (ours - theirs)[torch.from_numpy(batch["mask"])]
    assert difference.abs().max() < 1e-4
    assert Execution.tried(encoder, cpu()) == (execution, "")


PLAIN = {"id": "1", "side": "source", "gold": None}
