"""Packed training and evaluation: the same loss, gradients and predictions as with padding."""

import contextlib

import numpy as np
import pytest
from tests import helpers
from tests.training.test_loop import TEXT, TOYS, choice_rows, cpu, make_task, text_rows

from xstilts import formats
from xstilts.models.execution import Execution
from xstilts.running import device as devices
from xstilts.running import ranks
from xstilts.scoring import predict
from xstilts.training import gradients

FORMATS = TOYS | TEXT
KINDS = ("xlm-roberta", "bert")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return helpers.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def encoded(tokenizer, format, size=12):
    """Rows of a toy task, encoded; of choice with two to four sequences an example."""
    rows, labels, _ = FORMATS[format]
    return helpers.encode(tokenizer, format, rows(size, 1), labels, length=24)


def make_head(format, encoder, data):
    import torch

    torch.manual_seed(1)
    train = [data] if format == "regression" else []
    return formats.page(format).head(encoder, FORMATS[format][1], train)


def of_a_batch(encoder, task, data, max_tokens, execution, examples=None):
    """Loss, tokens and all gradients of a batch."""
    modules = {"encoder": encoder, "head": task.head}
    for module in modules.values():
        module.train().zero_grad()
    chosen = np.arange(len(data)) if examples is None else examples
    loss, tokens = gradients.accumulate_gradients(
        encoder, task, data, chosen, (1, 0), cpu(), max_tokens, execution=execution
    )
    found = {
        f"{part} {name}": parameter.grad.clone()
        for part, module in modules.items()
        for name, parameter in module.named_parameters()
    }
    return {"loss": loss, **found}, tokens


def assert_equal(ours, theirs, most=1e-5):
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert (ours[name] - value).abs().max() < most * max(1, value.abs().max()), name
    assert max(value.abs().max() for value in theirs.values()) > 1e-2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("format", FORMATS)
def test_loss_and_gradients_are_those_of_the_padded_batch(tokenizer, format, kind):
    encoder, data = helpers.make_encoder(kind), encoded(tokenizer, format)
    task = make_task(format, make_head(format, encoder, data), data)
    theirs, their_tokens = of_a_batch(encoder, task, data, 10**6, Execution())
    execution = Execution.prepare(encoder)
    for max_tokens in (1, 100, 10**6):
        ours, tokens = of_a_batch(encoder, task, data, max_tokens, execution)
        assert_equal(ours, theirs)
        assert tokens == their_tokens == len(data.arrays["tokens"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("format", [*TOYS, "retrieval"])
def test_what_is_reduced_and_predicted_is_that_of_padded_batches(tokenizer, format, kind):
    if format == "retrieval":
        rows = [row | {"side": "source", "gold": None} for row in text_rows(20, 3)]
        data, labels = helpers.encode(tokenizer, format, rows), ()
    else:
        make_rows, labels, _ = TOYS[format]
        rows = make_rows(20, 3)
        data = helpers.encode(tokenizer, format, rows, labels, length=24)
    encoder, page = helpers.make_encoder(kind), formats.page(format)
    head = page.head(encoder, list(labels))
    given = (page, encoder, head, data, cpu(), 150)
    theirs = predict.reduced(*given, execution=Execution())
    ours = predict.reduced(*given, execution=Execution.prepare(encoder))
    if format != "tagging":  # whose rows are filled up to the longest of a batch
        np.testing.assert_allclose(np.stack(ours), np.stack(theirs), atol=1e-5)
    if format not in ("retrieval", "regression"):  # the text of a number has its last digit
        assert page.decode(ours, data, rows) == page.decode(theirs, data, rows)


def test_filler_has_no_gradient(tokenizer):
    """Neither its tokens nor their places: those of the embeddings are of what is in the batch."""
    encoder, data = helpers.make_encoder(), encoded(tokenizer, "tagging", 5)
    task = make_task("tagging", make_head("tagging", encoder, data), data)
    execution = Execution.prepare(encoder)
    shared = gradients.share(task, data, np.arange(len(data)), (), 10**6, execution)
    (batch,) = shared.micro_batches
    filler = batch["ids"].shape[1] - shared.tokens
    assert filler > 0
    found, _ = of_a_batch(encoder, task, data, 10**6, execution)
    rows = found["encoder embeddings.word_embeddings.weight"].abs().sum(1) > 0
    assert set(np.flatnonzero(rows)) <= set(data.arrays["tokens"].tolist()) - {1}


def test_packed_micro_batches_are_fewer_and_one_example_may_exceed(tokenizer):
    data = helpers.encode(tokenizer, "choice", choice_rows(30, 1), length=24)
    task, examples = make_task("choice", None, data), np.arange(30)
    packed = Execution(packed=True, first_position=2)
    sizes = {
        execution.packed: [
            batch["ids"].size
            for batch in gradients.share(task, data, examples, (), 128, execution).micro_batches
        ]
        for execution in (Execution(), packed)
    }
    assert len(sizes[True]) < len(sizes[False]) and max(sizes[True]) <= 128
    alone = gradients.share(task, data, examples, (), 1, packed).micro_batches
    assert len(alone) == 30


# --- Ranks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["choice", "mlm"])
def test_the_shares_of_two_ranks_add_up(tokenizer, format, monkeypatch):
    encoder, data = helpers.make_encoder(), encoded(tokenizer, format)
    task = make_task(format, make_head(format, encoder, data), data)
    execution = Execution.prepare(encoder)
    expected, tokens = of_a_batch(encoder, task, data, 60, execution)
    monkeypatch.setattr(ranks, "size", lambda: 2)
    found = []
    for rank in (0, 1):
        monkeypatch.setattr(ranks, "rank", lambda rank=rank: rank)
        own = gradients.share(task, data, np.arange(len(data)), (1, 0), 60, execution)
        found.append((len(own.micro_batches), own.weight, own.tokens))
    assert found[0][0] == found[1][0] > 1
    assert sum(part[2] for part in found) == tokens
    totals = [sum(part[1] for part in found), tokens]
    monkeypatch.setattr(ranks, "total", lambda *_: totals)
    shares = []
    for rank in (0, 1):
        monkeypatch.setattr(ranks, "rank", lambda rank=rank: rank)
        shares.append(of_a_batch(encoder, task, data, 60, execution)[0])
    assert_equal({name: shares[0][name] + shares[1][name] for name in expected}, expected)


# --- Precision ------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["classification", "mlm"])
def test_weights_are_cast_once_a_step_with_the_gradients_of_casting_anew(
    tokenizer, format, monkeypatch
):
    """In bf16 on the CPU, over several backward passes; mlm has a product in its loss, in fp32."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    class Casts(TorchDispatchMode):
        """Counts how often a weight is cast."""

        def __init__(self, weights):
            super().__init__()
            self.weights, self.count = {weight.data_ptr() for weight in weights}, 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            if function is torch.ops.aten._to_copy.default and (kwargs or {}).get("dtype"):
                to = kwargs["dtype"]
                self.count += to is torch.bfloat16 and args[0].data_ptr() in self.weights
            return function(*args, **(kwargs or {}))

    encoder, data = helpers.make_encoder(), encoded(tokenizer, format)
    task = make_task(format, make_head(format, encoder, data), data)
    linear = [m.weight for m in encoder.modules() if isinstance(m, torch.nn.Linear)]
    monkeypatch.setattr(devices, "autocast", lambda _: torch.autocast("cpu", torch.bfloat16))
    found, counts = [], []
    for anew in (False, True):
        if anew:  # as for a sharded model
            monkeypatch.setattr(gradients.shards, "sharded", lambda: True)
        with Casts(linear) as casts:
            found.append(of_a_batch(encoder, task, data, 60, Execution())[0])
        counts.append(casts.count)
    assert counts[0] == len(linear) and counts[1] >= 3 * len(linear)
    for name, value in found[1].items():
        assert torch.equal(found[0][name], value), name


# --- Waiting for the device -----------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_a_step_never_waits_for_the_device(tokenizer, format, monkeypatch):
    """On a device without values whatever needs one (item, tolist, boolean indexing, a copy to the
    host) is an error."""
    import torch

    meta = torch.device("meta")
    encoder = helpers.make_encoder(hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1)
    data = encoded(tokenizer, format)
    task = make_task(format, make_head(format, encoder, data), data)
    execution = Execution.prepare(encoder)
    for module in (encoder, task.head):
        module.to(meta, torch.bfloat16).train()
    if format == "mlm":
        task.head.tied_embeddings = (encoder.get_input_embeddings(),)
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())
    monkeypatch.setattr(torch.Tensor, "float", lambda tensor: tensor)  # of weights in bf16 there
    loss, _ = gradients.accumulate_gradients(
        encoder, task, data, np.arange(len(data)), (1, 0), meta, 100, execution=execution
    )
    assert loss.device == meta
    assert all(p.grad is not None for m in (encoder, task.head) for p in m.parameters())


@pytest.mark.parametrize(
    "wait",
    [
        lambda t: t.tolist(),
        lambda t: t.max().item(),
        lambda t: bool(t.all()),
        lambda t: t[t > 0],
        lambda t: t.nonzero(),
        lambda t: t.cpu(),
    ],
)
def test_what_waits_is_found_so(wait):
    import torch

    with pytest.raises((RuntimeError, NotImplementedError)):
        wait(torch.empty(3, device="meta"))
