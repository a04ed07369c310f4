"""Out of GPU memory: smaller micro-batches, the same result, one line if nothing is left to cut."""

import numpy as np
import pytest
from tests import helpers
from tests.training.test_loop import TOYS, classification_rows, cpu, make_task, spec, start

from xstilts.running.errors import DoesNotFit
from xstilts.scoring import predict
from xstilts.training import host, loop


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A model, and train and dev rows."""
    labels = TOYS["classification"][1]
    tokenizer = helpers.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    rows = classification_rows(8, 2)
    data = [
        helpers.encode(tokenizer, "classification", r, labels)
        for r in (classification_rows(64, 1), rows)
    ]
    return helpers.write_model(tmp_path_factory.mktemp("model")), data, rows


def fitted(made, max_tokens, **recipe):
    folder, (data, dev), rows = made
    encoder, head = start(folder, "classification")
    task = make_task("classification", head, data, dev, rows)
    return loop.fit(encoder, [task], spec("classification", epochs=1, **recipe), cpu(), max_tokens)


@pytest.fixture
def limited(monkeypatch):
    """A fake memory: more than `max_tokens` at once raises, as torch does; lists the sizes."""
    import torch

    real, sizes = predict.outputs, []

    def limit(max_tokens, at=None):
        sizes.clear()

        def outputs(encoder, head, batch):
            size = batch["ids"].numel()
            sizes.append(size)
            if size > max_tokens and (at is None or len(sizes) == at):
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3 GiB.\nMore")
            return real(encoder, head, batch)

        monkeypatch.setattr(predict, "outputs", outputs)
        return sizes

    return limit


@pytest.mark.parametrize("beside", [False, True])
def test_training_that_does_not_fit_goes_on_with_smaller_micro_batches(
    made, limited, capsys, monkeypatch, beside
):
    """Also where batches are made ahead, of which some were cut before."""
    import torch

    monkeypatch.setattr(host, "is_beside", lambda device: beside)
    limited(50)
    weights, record = fitted(made, 2000)
    smaller = record["micro_batch_tokens"]
    assert 12 < smaller < 100
    out = capsys.readouterr().out
    assert f"out of GPU memory: goes on with micro-batches of {smaller} tokens" in out
    assert out.count("out of GPU memory") == 6 - (smaller > 31), "not tried again at every batch"
    limited(10**9)
    expected, other = fitted(made, smaller)
    assert record["history"] == other["history"]
    for kind, state in expected.items():
        assert all(torch.equal(value, weights[kind][name]) for name, value in state.items())


def test_gradients_of_the_attempt_that_failed_are_taken_back(made, limited):
    """The second micro-batch fails, when the first has left its gradients."""
    limited(10**9)
    expected, _ = fitted(made, 80)
    limited(0, at=2)
    weights, record = fitted(made, 80)
    assert record["micro_batch_tokens"] == 40
    for kind, state in expected.items():
        for name, value in state.items():
            assert (value - weights[kind][name]).abs().max() < 1e-5, name


def test_one_example_that_does_not_fit_ends_in_one_line(made, limited):
    limited(3)
    with pytest.raises(
        DoesNotFit, match="one example alone does not fit the GPU's memory"
    ) as error:
        fitted(made, 2000)
    assert "Tried to allocate 3 GiB" in str(error.value) and "\n" not in str(error.value)


def test_evaluation_that_does_not_fit_is_cut_in_halves(made, limited):
    folder, (_, dev), _ = made
    encoder, head = start(folder, "classification")
    task = make_task("classification", head, dev)
    expected = predict.reduced(task.page, encoder, head, dev, cpu(), 2000)
    sizes = limited(40)
    found = predict.reduced(task.page, encoder, head, dev, cpu(), 2000)
    assert np.abs(np.array(found) - np.array(expected)).max() < 1e-5
    assert max(sizes) > 40 and sum(size <= 40 for size in sizes) > 1
    limited(3)
    with pytest.raises(DoesNotFit, match="one example alone"):
        predict.reduced(task.page, encoder, head, dev, cpu(), 2000)
