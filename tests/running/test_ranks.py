"""Two processes train as one does: torchrun, gloo, on the CPU.

Sums are in another order, so results are close, not equal: the loss to 1e-5, a weight to 1e-4 after
steps of a learning rate of up to 5e-3 (AdamW's first steps are of the size of the rate, whatever
the size of the gradient).
"""
# ruff: noqa: F811 (fixtures of another module are imported)

import dataclasses
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file
from tests.training.test_loop import Node, folder, mixed, node, tokenizer  # noqa: F401

from xstilts.encoding import batches
from xstilts.experiment.recipe import Recipe
from xstilts.running.files import read_json
from xstilts.steps import train as train_step

pytestmark = pytest.mark.timeout(1800)  # processes of two ranks, on a machine that may be busy
WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
PACKED = Path(__file__).resolve().parents[1] / "training/packed_train.py"
LAUNCH = [
    sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
    "--signals-to-handle", "SIGTERM,SIGINT,SIGUSR1",
]  # fmt: skip
RECIPE = dataclasses.asdict(Recipe(max_steps=12, learning_rate=1e-3, dropout=0.0, eval_every=5))


@pytest.fixture
def two(monkeypatch):
    """From a call of the step in this process to a process group of two that does the same."""

    def start(call, out, program=("-m", "xstilts.steps.train"), **more):
        arguments = {}
        with monkeypatch.context() as patch:
            patch.setattr(train_step, "main", lambda args: arguments.update(vars(args)))
            call(out)
        args = []
        for name, value in (arguments | {"out": str(out)} | more).items():
            values = value if isinstance(value, list) else [value]
            args += [f"--{name.replace('_', '-')}", *map(str, values)]
        return subprocess.Popen(
            [*LAUNCH, *program, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=os.environ | {"PYTHONPATH": str(WORKFLOW), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    return start


def ended(process, code=0):
    output, _ = process.communicate(timeout=900)
    assert process.returncode == code, output
    return output


def assert_close(one, other, weights="model.safetensors"):
    for name in (weights, "head.safetensors"):
        ours, theirs = load_file(one / name), load_file(other / name)
        assert ours.keys() == theirs.keys()
        for key, value in ours.items():
            assert (value - theirs[key]).abs().max() < 1e-4, key
    first, second = (read_json(path / "node.json") for path in (one, other))
    for ours, theirs in zip(first["history"], second["history"], strict=True):
        assert abs(ours["loss"] - theirs["loss"]) < 1e-5
    for key in ("steps", "tokens", "drawn", "heads"):
        assert first[key] == second[key], key
    assert (first["ranks"], second["ranks"]) == (1, 2)


@pytest.mark.parametrize("sharding", ["none", "fsdp"])
def test_two_ranks_train_as_one_process(folder, node, tmp_path, two, sharding):
    def call(out):
        return node.run(folder, out)

    output = ended(two(call, tmp_path / "two", sharding=sharding, compiled="yes", budget=60))
    assert_close(call(tmp_path / "one"), tmp_path / "two")
    assert output.count("best dev at step 3") == 1, "one of them speaks"
    assert output.count("not packed or compiled: that is for GPUs, and this is a CPU") == 1
    assert {p.name for p in (tmp_path / "two.state").iterdir()} == {"lock", "finished"}


def test_two_ranks_train_an_adapter_as_one_process(folder, node, tmp_path, two):
    adapter = {"rank": 4, "alpha": 8, "dropout": 0.0, "on": "all-linear"}

    def call(out):
        return node.run(folder, out, adapter=adapter)

    ended(two(call, tmp_path / "two", budget=60))
    assert_close(call(tmp_path / "one"), tmp_path / "two", "adapter_model.safetensors")


@pytest.mark.parametrize(
    ("sharding", "budget"),
    [
        ("fsdp", 60),
        pytest.param("none", 60, marks=pytest.mark.slow),
        pytest.param("none", 2000, marks=pytest.mark.slow),
    ],
)
def test_two_ranks_train_a_dual_encoder_as_one_process(
    folder, tokenizer, tmp_path, two, sharding, budget
):
    """A query is compared with the passages of both, cut in any way; the scale is learned."""
    node = Node(tmp_path, tokenizer, labels=(), format="dual", batch_size=9, learning_rate=5e-4)

    def call(out):
        return node.run(folder, out)

    ended(two(call, tmp_path / "two", sharding=sharding, budget=budget))
    assert_close(call(tmp_path / "one"), tmp_path / "two")
    scale = load_file(tmp_path / "two/head.safetensors")["log_scale"]
    assert 1e-6 < abs(float(scale) - math.log(100)) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("sharding", ["none", "fsdp"])
def test_two_ranks_train_packed_as_one_process_padded(folder, mixed, tmp_path, two, sharding):
    def call(out):
        return mixed(folder, out, recipe=RECIPE)

    program = [str(PACKED)]
    output = ended(two(call, tmp_path / "two", program, sharding=sharding, budget=100))
    assert output.count("runs packed") == 2  # two write into one file: lines may run together
    assert_close(call(tmp_path / "one"), tmp_path / "two")


@pytest.mark.parametrize("sharding", ["none", "fsdp"])
def test_two_ranks_train_a_mixture_as_one_process(folder, mixed, tmp_path, two, sharding):
    """Heads that a step does not use, and one that is tied to the embeddings."""

    def call(out):
        return mixed(folder, out, recipe=RECIPE)

    ended(two(call, tmp_path / "two", sharding=sharding))
    assert_close(call(tmp_path / "one"), tmp_path / "two")


@pytest.mark.parametrize("sharding", ["none", "fsdp"])
def test_two_ranks_that_are_warned_go_on_where_they_were(folder, mixed, tmp_path, two, sharding):
    """With dropout, which each rank draws by a generator of its own: the same bytes."""
    recipe = RECIPE | {"max_steps": 60, "dropout": 0.1}

    def call(out):
        return mixed(folder, out, recipe=recipe)

    ended(two(call, tmp_path / "whole", sharding=sharding))
    process = two(call, tmp_path / "out", sharding=sharding, save_every=0)
    deadline = time.monotonic() + 900
    while len(list(tmp_path.glob("out.state/0*.json"))) < 2:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGUSR1)
    assert "stopped: ended by SIGUSR1 after step" in ended(process, 1)
    assert "goes on after step" in ended(two(call, tmp_path / "out", sharding=sharding))
    node = read_json(tmp_path / "out/node.json")
    assert 0 < node["resumed_at"][0] < 60 and node["attempts"] == 2
    for name in ("model.safetensors", "head.safetensors"):
        whole, resumed = (tmp_path / run / name for run in ("whole", "out"))
        assert whole.read_bytes() == resumed.read_bytes()


def test_two_ranks_that_collapse_train_the_other_streams_too(folder, node, tmp_path, two):
    recipe = node.spec["recipe"] | {"learning_rate": 1e-12}

    def call(out):
        return node.run(folder, out, recipe=recipe, on_collapse="retry")

    output = ended(two(call, tmp_path / "two", sharding="fsdp", save_every=0))
    assert [output.count(f"trained again: stream {n} of 3") for n in (2, 3)] == [1, 1]
    assert_close(call(tmp_path / "one"), tmp_path / "two")
    one, other = (read_json(tmp_path / name / "node.json") for name in ("one", "two"))
    assert [s["seed"] for s in one["streams"]] == [s["seed"] for s in other["streams"]]
    assert one["collapsed"] == other["collapsed"]
    assert {p.name for p in (tmp_path / "two.state").iterdir()} == {"lock", "finished"}


@pytest.mark.parametrize("ranks", [1, 2, 3, 8])
@pytest.mark.parametrize("max_tokens", [1, 40, 1000])
@pytest.mark.parametrize("size", [1, 2, 31])
def test_examples_are_dealt_once_and_in_rounds_of_equal_number(ranks, max_tokens, size):
    lengths = np.random.default_rng(size).integers(1, 30, 64)
    counts, examples = np.ones(64, dtype=int), np.arange(size) * 2
    shares = [
        batches.share_of_rank(examples, lengths, counts, max_tokens, r, ranks) for r in range(ranks)
    ]
    dealt = [e for cut, real in shares for batch in cut[:real] for e in batch]
    assert sorted(dealt) == sorted(examples)
    assert len({len(cut) for cut, _ in shares}) == 1 and all(len(cut) for cut, _ in shares)
    for cut, real in shares:
        assert all(len(batch) == 1 for batch in cut[real:])
        assert all(len(b) == 1 or len(b) * lengths[b].max() <= max_tokens for b in cut)


def test_one_rank_has_the_micro_batches_that_it_always_had():
    lengths, counts = np.array([5, 9, 5, 1, 7]), np.array([1, 2, 1, 1, 1])
    examples = np.array([4, 2, 0, 1, 3])
    cut, real = batches.share_of_rank(examples, lengths, counts, 20, 0, 1)
    expected = batches.micro_batches(examples, lengths, counts, 20)
    assert real == len(cut) == len(expected)
    assert all(np.array_equal(a, b) for a, b in zip(cut, expected, strict=True))
