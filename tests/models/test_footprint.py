"""The GPU memory of a job, by formula, and as records of the like have measured it."""

import json

import pytest
from tests import helpers

from xstilts.models import footprint
from xstilts.models.footprint import Footprint
from xstilts.running import gpus, ledger
from xstilts.running.files import write_json

OUT = "results/tuned/tiny/none/seed1/mnli"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """One layer, 32 wide, 64 in its feed-forward network."""
    return helpers.write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def of(model, tmp_path):
    """A footprint of the model, in results of its own."""

    def made(out=OUT, budget=1000, **more):
        return Footprint(str(model), str(tmp_path / out), budget, **more)

    return made


def parameters(vocabulary, positions=130, h=32, inner=64):
    layer = 4 * (h * h + h) + h * inner + inner + inner * h + h + 2 * 2 * h
    return (vocabulary + positions + 2) * h + 2 * h + layer


def test_what_it_takes_by_formula(of):
    count = parameters(len(helpers.VOCABULARY))
    assert of().parameters == count
    assert of().least == 16 * count and of(trained=False).least == 4 * count
    assert of(trained=False, searched=True).least == 0, "a part of the layers"
    assert of(shards=2).least == 8 * count and of(shards=8).least == 4 * count
    # 34 h and 8 of the width of the feed-forward network, a token: in training of every layer (of
    # which there is one), in its evaluations, of four times the tokens, of one.
    each = 34 * 32 + 8 * 64
    assert of().likely() == 18 * count + 4 * 1000 * each + gpus.CONTEXT
    assert of(trained=False).likely() == 6 * count + 1000 * each + gpus.CONTEXT
    assert of(trained=False, searched=True).likely() is None


def test_the_activations_of_xlmr_large():
    """24 layers, 1,024 wide: 66 h a token and layer, of a micro-batch of 16,384 tokens."""
    assert footprint.activations(24, 1024, 4096, 16384, True) == 24 * 16384 * 66 * 1024
    assert footprint.activations(24, 1024, 4096, 16384, False) == 16384 * 66 * 1024


def test_a_batch_that_is_smaller_than_a_micro_batch_takes_less(of, monkeypatch):
    seen = []
    monkeypatch.setattr(footprint, "activations", lambda *args: seen.append(args[-2:]) or 0)
    of(largest=lambda: 300).likely()
    assert seen == [(300, True), (4000, False)]


def test_a_model_that_says_nothing_has_a_gpu_for_itself(tmp_path):
    empty = Footprint(str(tmp_path), OUT, 1000)
    assert (empty.least, empty.likely()) == (0, None)


def test_what_was_measured_counts_more(of, tmp_path):
    def record(path, **about):
        about = {"device": "H100", "peak_memory": 5e9, "micro_batch_tokens": 1000} | about
        write_json(tmp_path / "results" / path, about)

    record("tuned/other/none/seed1/mnli/node.json")
    record("tuned/tiny/none/seed1/qqp/node.json", device="cpu")
    record("tuned/tiny/none/seed1/paws/node.json", ranks=2)
    record("scores/tiny/none/seed1/xnli/de.json")
    assert of().measured() is None, "another model, a CPU, several GPUs, an evaluation"
    record("encoders/tiny/mnli/seed1/node.json", peak_memory=2e9)
    record("tuned/tiny/mnli/seed1/qqp/node.json", peak_memory=3e9)
    assert of().likely() == round(1.15 * 3e9) + gpus.CONTEXT
    of_weights = of().least
    record("tuned/tiny/mnli/seed2/qqp/node.json", peak_memory=3e9, micro_batch_tokens=500)
    assert of().likely() == round(1.15 * (2 * 3e9 - of_weights)) + gpus.CONTEXT, "halved, it fitted"
    other = of("results/scores/tiny/mnli/seed1/xnli", trained=False)
    assert other.likely() == round(1.15 * 5e9) + gpus.CONTEXT
    assert of("results/scores/tiny/mnli/seed1/udpos", trained=False).measured() is None


def test_a_job_that_ran_out_of_memory_has_a_gpu_for_itself_until_it_is_done(of, tmp_path):
    path, about = tmp_path / "results/ledger.jsonl", {"attempt": 1, "log": ""}
    need = of()
    ledger.append(path, event="failed", node=need.out, kind="oom", line="", **about)
    assert need.likely() is None
    assert of("results/tuned/tiny/none/seed2/mnli").likely() is not None
    ledger.append(path, event="done", node=need.out, **about)
    assert need.likely() is not None


def test_a_gpu_that_has_failed_is_avoided_for_an_hour(of, tmp_path, monkeypatch):
    path, about = tmp_path / "results/ledger.jsonl", {"attempt": 1, "log": "", "line": ""}
    ledger.append(path, event="failed", node="x", kind="device", gpu="3", **about)
    assert of().avoided() == {"3"}
    event = json.loads(path.read_text())
    monkeypatch.setattr(footprint.time, "time", lambda: ledger.seconds(event) + 3601)
    assert of().avoided() == set()


def test_a_gpu_that_is_too_small_says_what_would_fit(monkeypatch):
    need = Footprint("m", "results/tuned/xlmr-xl/none/seed1/mnli", 1000)
    monkeypatch.setattr(Footprint, "parameters", 3_500_000_000)
    assert need.too_small("Tesla T4", 15_800_000_000) == (
        "xlmr-xl: weights, gradients and Adam's moments take 56.0 GB (3,500 M parameters of 16"
        " bytes), and Tesla T4 has 15.8, room for 988 M: `gpus: 5` and `sharding: fsdp` in its"
        " entry, a smaller model or a larger GPU (on SLURM `gpu_model`) is needed"
    )
    scored = Footprint("m", "results/scores/xlmr-xl/none/seed1/mnli", 1000, trained=False)
    assert scored.too_small("Quadro", 8_000_000_000) == (
        "xlmr-xl: the weights take 14.0 GB (3,500 M parameters of 4 bytes), and Quadro has 8.0,"
        " room for 2,000 M: a smaller model or a larger GPU (on SLURM `gpu_model`) is needed"
    )
