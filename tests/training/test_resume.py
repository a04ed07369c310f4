"""A training that is interrupted, wherever, ends as one that is not, byte by byte."""
# ruff: noqa: F811 (fixtures of another module are imported)

import dataclasses
import math
import os
import random
import signal

import pytest
from safetensors import SafetensorError
from safetensors.torch import load_file
from tests import helpers
from tests.training.test_loop import (  # noqa: F401
    Node,
    classification_rows,
    folder,
    mixed,
    node,
    tokenizer,
)

from xstilts.experiment.recipe import Recipe
from xstilts.running import stop
from xstilts.running.errors import NotFinite
from xstilts.running.files import read_json
from xstilts.training import loop, saver, storage

FILES = ("model.safetensors", "head.safetensors")
# Besides what is different of every run.
SAME = ("steps", "best", "history", "drawn", "tokens", "spec", "weights", "heads", "examples")


def recipe_of(**changes):
    return dataclasses.asdict(Recipe(learning_rate=1e-3, **changes))


class Crash(BaseException):
    """Stands for SIGKILL: nothing after it runs, the state of the steps before is on the disk."""


@pytest.fixture
def interrupt(monkeypatch):
    """From steps to interruptions at them, each once, by what it is given."""
    real = loop.accumulate_gradients

    def plan(steps, what):
        left = set(steps)

        def accumulate_gradients(encoder, task, data, examples, seed, *rest):
            if seed[1] in left:
                left.remove(seed[1])
                what()
            return real(encoder, task, data, examples, seed, *rest)

        monkeypatch.setattr(loop, "accumulate_gradients", accumulate_gradients)

    return plan


def crash():
    raise Crash


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


def warn():
    os.kill(os.getpid(), signal.SIGUSR1)


@pytest.fixture(autouse=True)
def handlers():
    before = {number: signal.getsignal(number) for number in stop.SIGNALS}
    yield
    stop.listen()  # forgets what came
    for number, handler in before.items():
        signal.signal(number, handler)


def attempts(run, limit=20):
    """Run until it ends by itself; return the lines of those that did not."""
    messages = []
    for _ in range(limit):
        stop.listen()
        try:
            run()
            return messages
        except (Crash, stop.Stopped) as error:
            messages.append(str(error))
    raise AssertionError(f"not done after {limit} attempts")


def same(whole, resumed):
    for name in FILES:
        assert (whole / name).read_bytes() == (resumed / name).read_bytes(), name
    one, other = (read_json(folder / "node.json") for folder in (whole, resumed))
    assert {k: one[k] for k in SAME} == {k: other[k] for k in SAME}
    return other


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("what", [crash, terminate, warn])
@pytest.mark.parametrize("eval_every", [7, 100])  # 100: the weights that are kept are the last
def test_a_mixture_that_is_interrupted_ends_with_the_same_bytes(
    folder, mixed, tmp_path, interrupt, what, seed, eval_every
):
    """With dropout, several streams, several epochs of one of them; killed at random steps."""
    recipe = recipe_of(max_steps=30, eval_every=eval_every)
    whole = mixed(folder, tmp_path / "whole", recipe=recipe)
    steps = random.Random(seed).sample(range(30), 4)
    interrupt(steps, what)
    out = tmp_path / "out"
    messages = attempts(
        lambda: mixed(folder, out, save_every=0 if what is crash else 600, recipe=recipe)
    )
    record = same(whole, out)
    assert len(messages) == 4
    # A signal ends the training after the step in which it came; a crash loses that step.
    after = [step + (what is not crash) for step in sorted(steps)]
    assert record["resumed_at"] == after and record["attempts"] == 5
    left = {path.name for path in tmp_path.glob("out.state/*")}
    assert left == {"lock", "finished"}, "no state is left when the node is done"


@pytest.mark.parametrize(("what", "budget"), [(crash, 2000), (terminate, 60)])
def test_a_dual_encoder_that_is_interrupted_ends_with_the_same_bytes(
    tmp_path, tokenizer, interrupt, what, budget
):
    """Its learned scale included; with dropout, and where parts of a batch are embedded twice."""
    recipe = {"batch_size": 8, "eval_every": 4, "dropout": 0.1}
    dual = Node(tmp_path, tokenizer, labels=(), format="dual", **recipe)
    init = helpers.write_model(tmp_path / "init")
    whole = dual.run(init, tmp_path / "whole", budget=budget)
    interrupt([2, 4], what)
    every = 0 if what is crash else 600
    attempts(lambda: dual.run(init, tmp_path / "out", save_every=every, budget=budget))
    record = same(whole, tmp_path / "out")
    assert record["steps"] == 6
    assert record["resumed_at"] == ([2, 4] if what is crash else [3, 5])
    scale = float(load_file(whole / "head.safetensors")["log_scale"])
    assert scale != pytest.approx(math.log(100), abs=1e-6), "it was trained"


def test_moments_of_8_bits_outlive_an_interruption(node, tmp_path, interrupt, monkeypatch):
    pytest.importorskip("bitsandbytes")
    wide = helpers.write_model(tmp_path / "wide", hidden=96)
    recipe = node.spec["recipe"] | {"optimizer": "adamw8bit", "learning_rate": 1e-3}
    whole = node.run(wide, tmp_path / "whole", recipe=recipe)
    interrupt([2], crash)
    seen, real = [], storage.save_tensors

    def save_tensors(folder, step, tensors, *rank):
        seen.append({v.dtype for name, v in tensors.items() if name.startswith("optimizer")})
        return real(folder, step, tensors, *rank)

    monkeypatch.setattr(storage, "save_tensors", save_tensors)
    attempts(lambda: node.run(wide, tmp_path / "out", save_every=0, recipe=recipe))
    assert same(whole, tmp_path / "out")["resumed_at"] == [2]
    assert any(str(dtype) == "torch.uint8" for dtype in seen[-1])
    plain = node.run(wide, tmp_path / "plain", recipe=recipe | {"optimizer": "adamw"})
    losses = [read_json(out / "node.json")["history"][-1]["loss"] for out in (whole, plain)]
    assert losses[0] != losses[1] and abs(losses[0] - losses[1]) < 0.01


def test_state_is_saved_by_time(folder, mixed, tmp_path, interrupt, monkeypatch):
    """The clock advances a minute a step; with ten minutes between states, step 9 is the last."""
    recipe = recipe_of(max_steps=30, eval_every=7)
    whole = mixed(folder, tmp_path / "whole", recipe=recipe)
    interrupt([18], crash)
    clock = iter(range(0, 10**6, 60))

    class Time:
        @staticmethod
        def monotonic():
            return next(clock)

    monkeypatch.setattr(saver, "time", Time)
    out = tmp_path / "out"
    attempts(lambda: mixed(folder, out, recipe=recipe))
    assert same(whole, out)["resumed_at"] == [9]


def test_the_line_of_a_stopped_training_says_where_it_goes_on(folder, mixed, tmp_path, interrupt):
    interrupt([3], warn)
    [line] = attempts(lambda: mixed(folder, tmp_path / "out"))
    assert line == "ended by SIGUSR1 after step 4; the next attempt goes on after step 4"


def test_early_stopping_and_the_best_weights_outlive_an_interruption(
    folder, node, tmp_path, interrupt
):
    recipe = node.spec["recipe"] | {"epochs": 20, "eval_every": 2, "patience": 3}
    whole = node.run(folder, tmp_path / "whole", recipe=recipe)
    steps = read_json(whole / "node.json")["steps"]
    assert 6 < steps < 60, "stopped early"
    interrupt([steps - 3, steps - 1], terminate)
    attempts(lambda: node.run(folder, tmp_path / "out", recipe=recipe))
    record = same(whole, tmp_path / "out")
    assert record["best"]["step"] < record["resumed_at"][0]


def test_state_of_another_spec_is_not_gone_on_from(folder, node, tmp_path, interrupt, capsys):
    interrupt([1], terminate)
    stop.listen()
    with pytest.raises(stop.Stopped):
        node.run(folder, tmp_path / "out", seed=2)
    stop.listen()
    out = node.run(folder, tmp_path / "out")
    assert "saved for another spec or other rows; set aside" in capsys.readouterr().out
    assert same(node.run(folder, tmp_path / "whole"), out)["attempts"] == 1


def test_state_of_other_rows_is_not_gone_on_from(folder, node, tmp_path, interrupt, capsys):
    interrupt([1], terminate)
    stop.listen()
    with pytest.raises(stop.Stopped):
        node.run(folder, tmp_path / "out")
    # The same spec, as after `pin --update`.
    rows = classification_rows(48, 3, node.labels)
    data = helpers.encode(node.tokenizer, "classification", rows, node.labels)
    data.meta["spec"]["split"] = "train"
    helpers.write_encoded(tmp_path / "train.safetensors", data)
    stop.listen()
    out = node.run(folder, tmp_path / "out")
    assert "saved for another spec or other rows; set aside" in capsys.readouterr().out
    assert same(node.run(folder, tmp_path / "whole"), out)["attempts"] == 1


def test_a_loss_that_is_not_finite_leaves_no_state_to_go_on_from(folder, node, tmp_path):
    recipe = node.spec["recipe"] | {"learning_rate": float("inf")}
    with pytest.raises(NotFinite):
        node.run(folder, tmp_path / "out", save_every=0, recipe=recipe)
    assert [path.name for path in (tmp_path / "out.state").iterdir()] == ["lock"]


def test_a_state_that_cannot_be_saved_does_not_end_the_training(
    folder, node, tmp_path, monkeypatch, capsys
):
    def full(*_):
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(storage, "save", full)
    out = node.run(folder, tmp_path / "out", save_every=0)
    assert "the state of step 1 is not saved: I/O error: No space left" in capsys.readouterr().out
    monkeypatch.undo()
    same(node.run(folder, tmp_path / "whole"), out)
