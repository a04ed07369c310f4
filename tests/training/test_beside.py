"""Training with the batches made ahead and the states written by a thread, as on a GPU."""
# ruff: noqa: F811 (fixtures of another module are imported)

import contextlib
import hashlib
import math
import multiprocessing
import random
import shutil
import threading
import time

import pytest
from tests import helpers
from tests.training.test_host import no_thread_is_left
from tests.training.test_loop import (  # noqa: F401
    classification_rows,
    folder,
    make_task,
    mixed,
    node,
    tokenizer,
)
from tests.training.test_resume import (  # noqa: F401
    attempts,
    crash,
    handlers,
    interrupt,
    recipe_of,
    same,
    terminate,
)

from xstilts import formats
from xstilts.models.execution import Execution
from xstilts.running.errors import UserError
from xstilts.running.files import canonical
from xstilts.training import host, loop, mixture, prefetch, storage
from xstilts.training.saver import StateSaver
from xstilts.training.state import TrainingState

RECIPE = recipe_of(max_steps=30, eval_every=7)
OF_THE_RUN = {
    "seconds", "joules", "evaluating", "resumed_at", "fingerprint", "step", "sha256"
}  # fmt: skip


@pytest.fixture
def beside(monkeypatch):
    """From whether to: the CPU does as a GPU does."""
    return lambda yes=True: monkeypatch.setattr(host, "is_beside", lambda device: yes)


def fingerprint(record, tensors):
    """The digest of a saved state, without what is different of every run."""
    text = canonical({k: v for k, v in record.items() if k not in OF_THE_RUN})
    made = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        made.update(name.encode() + tensors[name].numpy().tobytes())
    return made.hexdigest()


@pytest.fixture
def saves(monkeypatch):
    """Step -> fingerprint of what was saved; a state takes 20 ms to write."""
    found, real, writing = {}, storage.save, []

    def save(folder, spec, step, record, tensors):
        writing.append(step)
        time.sleep(0.02)  # in which training goes on, where it can
        assert writing == [step], "one at a time"
        found[step] = fingerprint(record, tensors)
        real(folder, spec, step, record, tensors)
        writing.remove(step)

    monkeypatch.setattr(storage, "save", save)
    return found


# --- Batches made ahead ---------------------------------------------------------------------------


def test_steps_are_what_the_streams_give_and_count_nothing(tokenizer):
    rows = [classification_rows(size, size) for size in (10, 7)]
    data = [helpers.encode(tokenizer, "classification", r, ("cat", "dog", "big")) for r in rows]
    tasks = [make_task("classification", None, one, batch_size=4) for one in data]
    schedule = [0, 1, 1, 0, 0, 1, 0, 1]

    def streams():
        return mixture.make_streams(tasks, None, 5, "none")

    reference, counts = streams(), [0, 0]
    expected = []
    for index in schedule:
        expected.append((index, reference[index].batch(counts[index]).tolist()))
        counts[index] += 1
    state = TrainingState(None, tasks, None, streams(), 60)
    found = []
    for step in prefetch.steps(state, schedule, 9, Execution()):
        index = state.streams.index(step.stream)
        found.append((index, step.examples.tolist()))
        assert step.seed == (9, step.number) and step.share.max_tokens == state.max_tokens
        state.max_tokens = 60 if step.number < 3 else 20  # as after an out of memory
    assert found == expected
    assert [stream.drawn["batches"] for stream in state.streams] == [0, 0]
    # A training that goes on in the middle of an epoch.
    state = TrainingState(None, tasks, None, streams(), 60, step=3)
    for stream, drawn in zip(state.streams, (1, 2), strict=True):
        stream.drawn["batches"] = drawn
    left = [
        (state.streams.index(step.stream), step.examples.tolist())
        for step in prefetch.steps(state, schedule, 9, Execution())
    ]
    assert left == expected[3:]


def test_an_error_of_the_thread_keeps_its_kind(folder, node, tmp_path, beside, monkeypatch):
    beside()
    page, calls = formats.page("classification"), []
    real = page.collate

    def collate(*arguments):
        if threading.current_thread() is not threading.main_thread():
            calls.append(arguments)
            if len(calls) == 3:
                raise UserError("a row that is no good")
        return real(*arguments)

    monkeypatch.setattr(page, "collate", collate)
    with pytest.raises(UserError, match="a row that is no good"):
        node.run(folder, tmp_path / "out")
    assert len(calls) == 3, "made by a thread"
    assert no_thread_is_left()


# --- States written beside the training -----------------------------------------------------------


@pytest.mark.parametrize("grouping", ["length", "none"])
def test_what_is_written_beside_the_training_is_the_state_of_one_step(
    folder, mixed, tmp_path, beside, saves, grouping
):
    recipe = RECIPE | {"grouping": grouping}
    whole = mixed(folder, tmp_path / "whole", save_every=0, recipe=recipe)
    waited, _ = dict(saves), saves.clear()
    beside()
    out = mixed(folder, tmp_path / "out", save_every=0, recipe=recipe)
    same(whole, out)
    assert waited.keys() == set(range(30))
    assert 1 < len(saves) < 30 and saves.items() <= waited.items()
    assert {path.name for path in (tmp_path / "out.state").iterdir()} == {"lock", "finished"}
    assert no_thread_is_left()


@pytest.mark.parametrize("what", [crash, terminate])
def test_an_interrupted_training_ends_with_the_same_bytes(
    folder, mixed, tmp_path, interrupt, beside, what
):
    recipe = RECIPE | {"grouping": "none"}
    whole = mixed(folder, tmp_path / "whole", recipe=recipe)
    steps = sorted(random.Random(3).sample(range(2, 30), 4))
    interrupt(steps, what)
    beside()
    lines = attempts(lambda: mixed(folder, tmp_path / "out", save_every=0, recipe=recipe))
    record = same(whole, tmp_path / "out")
    assert len(lines) == 4 and record["attempts"] == 5
    after = [step + (what is terminate) for step in steps]
    if what is terminate:  # it waits for what is being written, and for the last
        assert record["resumed_at"] == after
        assert lines[0].endswith(f"after step {after[0]}; the next attempt goes on after step"
                                 f" {after[0]}")  # fmt: skip
    assert all(now <= step for now, step in zip(record["resumed_at"], after, strict=True))
    assert no_thread_is_left()


def test_what_ends_a_training_is_not_hidden_by_what_ends_the_writing(tmp_path, capsys):
    def saver():
        made = StateSaver(tmp_path, "f", 600)
        made.writing = 3, {}, made.thread.submit(int, "no number")
        return made

    with pytest.raises(UserError, match="the loss"), contextlib.ExitStack() as threads:
        threads.push(saver().close)
        raise UserError("the loss is nan")
    assert capsys.readouterr().out.startswith("nor is the last state saved: invalid literal")
    with pytest.raises(ValueError, match="no number"), contextlib.ExitStack() as threads:
        threads.push(saver().close)


def test_a_full_disk_costs_the_state_and_any_other_error_ends_the_training(
    folder, node, tmp_path, monkeypatch, capsys, beside
):
    beside()
    whole = node.run(folder, tmp_path / "whole")
    for error in (OSError(28, "No space left on device"), ValueError("a mistake of ours")):

        def failing(*_, error=error):
            raise error

        monkeypatch.setattr(storage, "save", failing)
        if isinstance(error, OSError):
            same(whole, node.run(folder, tmp_path / "out", save_every=0))
            assert (
                "the state of step 0 is not saved: [Errno 28] No space" in capsys.readouterr().out
            )
        else:
            with pytest.raises(ValueError, match="a mistake of ours"):
                node.run(folder, tmp_path / "other", save_every=0)
        assert no_thread_is_left()


def test_a_process_killed_while_it_writes_leaves_a_whole_state(
    folder, mixed, tmp_path, beside, saves, monkeypatch
):
    """SIGKILL at random moments of the writing: what is on the disk is the state of one step."""
    recipe, out = recipe_of(max_steps=60, eval_every=9), tmp_path / "out"
    whole = mixed(folder, tmp_path / "whole", save_every=0, recipe=recipe)
    waited = dict(saves)
    monkeypatch.undo()
    beside()
    draw, read, killed = random.Random(1), set(), 0
    state = tmp_path / "out.state"

    def run():
        mixed(folder, out, save_every=0, recipe=recipe)

    def written():
        return {path.name for path in state.glob("*") if path.name not in ("lock", "finished")}

    for _ in range(8):
        before = written()
        process = multiprocessing.get_context("fork").Process(target=run)
        process.start()
        while process.is_alive() and written() <= before:
            time.sleep(0.0005)
        time.sleep(draw.uniform(0, 0.05))
        process.kill()
        process.join()
        killed += process.exitcode == -9
        copy = shutil.copytree(state, tmp_path / "copy", dirs_exist_ok=False)
        for record in sorted(copy.glob("0*.json")):
            step = int(record.stem)
            found, tensors = storage.read(copy, step)
            assert storage.load(copy, found["fingerprint"]), "whole"
            found.pop("digest")
            assert fingerprint(found, tensors) == waited[step]
            read.add(step)
        shutil.rmtree(copy)
    assert killed >= 3 and len(read) >= 3
    run()
    assert same(whole, out)["attempts"] > 1


# --- The finite check -----------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [None, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("at", range(3))
def test_one_weight_that_is_not_finite_is_found_wherever_it_is(wrong, at):
    import torch

    weights = [torch.full((2, 3), 3e38), torch.zeros(0), torch.tensor(1.0), torch.ones(4)]
    parameters = [torch.nn.Parameter(weight) for weight in weights]
    with torch.no_grad():
        if wrong is not None:
            [p for p in parameters if p.numel()][at].view(-1)[-1] = wrong
    assert loop.are_finite(parameters) == (wrong is None)
