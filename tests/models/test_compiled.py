"""Compiled layers: whole, once a bucket, with the same gradients."""

import numpy as np
import pytest
from tests import helpers
from tests.training.test_loop import classification_rows, cpu, make_task
from tests.training.test_packed import TOYS, assert_equal, make_head, of_a_batch

from xstilts.encoding import batches
from xstilts.models.execution import Execution
from xstilts.scoring import predict
from xstilts.training import gradients


@pytest.fixture
def fresh():
    """Nothing compiled, before and after, and the limits of compilations as they were."""
    import torch
    import torch._inductor.config

    torch._dynamo.reset()
    # Compiled in this process, where its own workers would take longer to start.
    with (
        torch._dynamo.config.patch(recompile_limit=8),
        torch._inductor.config.patch(compile_threads=1),
    ):
        yield
    torch._dynamo.reset()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    tokenizer = helpers.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    rows = classification_rows(96, 1)
    return helpers.encode(tokenizer, "classification", rows, TOYS["classification"][1], length=24)


@pytest.mark.slow
def test_layers_are_compiled_whole_and_once_for_each_shape(data, fresh):
    """`fullgraph` makes every break of a graph an error. The two layers are the same code."""
    from torch._dynamo.testing import CompileCounterWithBackend

    counter = CompileCounterWithBackend("aot_eager")
    encoder = helpers.make_encoder()
    task = make_task("classification", make_head("classification", encoder, data), data)
    cut = batches.epoch_batches(data.shapes()[0], 8, 1, 0)[:2]
    plain = Execution.prepare(encoder)
    expected = [of_a_batch(encoder, task, data, 10**6, plain, batch)[0] for batch in cut]
    execution = Execution.prepare(encoder, compiled=True, backend=counter, fullgraph=True)
    assert execution.packed and execution.compiled
    shapes = set()
    for batch, theirs in zip(cut * 2, expected * 2, strict=True):
        (packed,) = gradients.share(task, data, batch, (), 10**6, execution).micro_batches
        shapes.add((packed["ids"].shape, packed["offsets"].shape, packed["longest"]))
        found, _ = of_a_batch(encoder, task, data, 10**6, execution, batch)
        assert_equal(found, theirs)
    assert counter.frame_count == len(shapes) == 2
    given = (task.page, encoder, task.head, data, cpu(), 500)
    ours = predict.reduced(*given, execution=execution)
    assert counter.frame_count == 2, "evaluation has its own shapes and compiles none"
    theirs = predict.reduced(*given, execution=plain)
    assert np.abs(np.array(ours) - np.array(theirs)).max() < 1e-5


def test_the_way_of_a_gpu_is_compiled_whole(data, fresh):
    """Its kernel for attention, with dropout, on a device without values."""
    import torch
    from torch._dynamo.testing import CompileCounterWithBackend

    counter = CompileCounterWithBackend("aot_eager")
    encoder = helpers.make_encoder(hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1)
    execution = Execution.prepare(encoder, compiled=True, backend=counter, fullgraph=True)
    encoder.to("meta", torch.bfloat16).train()
    arrays = execution.arrange(helpers.formats.page("retrieval").collate(data, np.arange(8)))
    hidden = predict.hidden_states(encoder, predict.tensors(arrays, torch.device("meta")))
    hidden.sum().backward()
    assert counter.frame_count == 1
    assert all(p.grad is not None for p in encoder.encoder.layer.parameters())


@pytest.mark.slow
def test_the_compiler_of_this_machine_gives_the_same_gradients(data, fresh):
    import shutil

    if not shutil.which("g++") and not shutil.which("clang++"):
        pytest.skip("needs a C++ compiler")
    encoder = helpers.make_encoder(num_hidden_layers=1)
    task = make_task("classification", make_head("classification", encoder, data), data)
    given = (encoder, task, data, 10**6)
    batch = np.arange(6)
    expected, _ = of_a_batch(*given, Execution.prepare(encoder), batch)
    execution = Execution.prepare(encoder, compiled=True, fullgraph=True)
    assert_equal(of_a_batch(*given, execution, batch)[0], expected)
