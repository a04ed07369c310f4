"""The GPU memory of a job, by formula, and as records of the like have measured it."""

import json

import pytest
from tests import helpers
from tests.bench import footprints, tiny

from xstilts.experiment import reference
from xstilts.models import footprint
from xstilts.models.footprint import Footprint
from xstilts.models.gpu_memory import GpuMemory, adapter_share, of_adapter
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
    count, products = parameters(len(helpers.VOCABULARY)), 4 * 32 * 32 + 2 * 32 * 64
    assert of().parameters == count
    assert of().least == 16 * count and of(trained=False).least == 4 * count
    assert of(trained=False, searched=True).least == 0, "a part of the layers"
    # Of matrix products there is a copy in bf16. A token has 34 h and 8 of the width of the
    # feed-forward network in each layer (of which there is one), a mask of attention and, beside
    # them, 4 of that width and 16 h.
    mask = 4 * 512
    kept = 1000 * (34 * 32 + 8 * 64 + mask + 4 * 64 + 16 * 32)
    assert of().likely() == 16 * count + 2 * products + kept + gpus.CONTEXT
    # Of an evaluation 8 of that width and 12 h, in one layer.
    kept = 1000 * (8 * 64 + 12 * 32)
    assert of(trained=False).likely() == 4 * count + 2 * products + kept + gpus.CONTEXT
    assert of(trained=False, searched=True).likely() is None


def test_what_takes_less(of):
    """Moments in 8 bits of matrix products alone; two GPUs; an adapter of rank 2 on a model
    whose matrix products are in bf16, of 64 and 96 values a rank for each of its matrices."""
    count, products = parameters(len(helpers.VOCABULARY)), 4 * 32 * 32 + 2 * 32 * 64
    small = of(optimizer="adamw8bit")
    assert small.least == round(16 * (count - products) + 10.03125 * products)
    assert of(shards=2).least == 8 * count and of(shards=8).least == 2 * count
    assert of(rank=2).least == (4 * (count - products) + 2 * products + 16 * 2 * (4 * 64 + 2 * 96))


def test_a_batch_that_is_smaller_than_a_micro_batch_takes_less(of):
    less = of().likely() - of(largest=lambda: 900).likely()
    assert less == 100 * (34 * 32 + 8 * 64 + 4 * 512 + 4 * 64 + 16 * 32)


def test_a_model_that_says_nothing_has_a_gpu_for_itself(tmp_path):
    empty = Footprint(str(tmp_path), OUT, 1000)
    assert (empty.least, empty.likely()) == (0, None)


def test_a_model_without_a_known_shape_takes_its_parameters(tmp_path, monkeypatch):
    monkeypatch.setattr(Footprint, "parameters", 1000)
    write_json(tmp_path / "config.json", {"model_type": "new"})

    def least(**more):
        return Footprint(str(tmp_path), OUT, 1000, **more).least

    assert (least(), least(trained=False), least(shards=4), least(rank=2)) == (
        16_000, 4_000, 4_000, 2_000,
    )  # fmt: skip
    assert least(optimizer="adamw8bit") == 10_031 and least(trained=False, searched=True) == 0
    said = Footprint(str(tmp_path), OUT, 1000).too_small("GPU", 10)
    assert said.endswith(
        "has 0.0: a smaller model or a larger GPU (on SLURM `gpu_model`) is needed"
    )


def test_a_gpu_without_bf16_holds_frozen_weights_in_fp32(of, monkeypatch):
    products, half, need = 4 * 32 * 32 + 2 * 32 * 64, of(rank=2).least, of(rank=2)
    assert need.least == half, "before a GPU is chosen"
    monkeypatch.setattr(footprint.devices, "precision", lambda: "fp32")
    assert need.least == half + 2 * products


def test_the_share_of_an_adapter_goes_with_its_rank(model, tmp_path):
    file = str(model / "model.safetensors")
    count = parameters(len(helpers.VOCABULARY))
    assert adapter_share(file, 2) == 2 * (4 * 64 + 2 * 96) / count
    with pytest.raises(FileNotFoundError):
        adapter_share(str(tmp_path / "model.safetensors"), 2)


def test_records_of_trials_and_of_the_same_way_count(of, tmp_path):
    def record(path, **about):
        about = {"device": "H100", "peak_memory": 2e9, "micro_batch_tokens": 1000} | about
        write_json(tmp_path / "results" / path / "node.json", about)

    record("tuned/tiny/none/seed1/mnli", checkpointing=True)
    record("tuned/tiny/none/seed2/mnli", spec={"recipe": {"optimizer": "adamw8bit"}})
    assert of().measured() is None
    eight, again = of(optimizer="adamw8bit"), of(checkpointing=True)
    assert eight.measured() == again.measured() == round(1.15 * 2e9) + gpus.CONTEXT
    record("trials/tiny/mnli/seed1/epochs=2", peak_memory=3e9)
    assert of().measured() == round(1.15 * 3e9) + gpus.CONTEXT
    record("trials/tiny/none/seed1/mnli/epochs=2", peak_memory=4e9, chosen={"epochs": 2})
    assert of().measured() == round(1.15 * 4e9) + gpus.CONTEXT


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


def test_a_gpu_that_is_too_small_says_what_would_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(Footprint, "parameters", 3_475_929_600)
    write_json(tmp_path / "config.json", {
        "model_type": "xlm-roberta-xl", "num_hidden_layers": 36, "hidden_size": 2560,
        "intermediate_size": 10240, "num_attention_heads": 32, "vocab_size": 250880,
    })  # fmt: skip
    folder = str(tmp_path)
    need = Footprint(folder, "results/tuned/xlmr-xl/none/seed1/mnli", 1000)
    assert need.too_small("NVIDIA A100", 42_000_000_000) == (
        "xlmr-xl: weights, gradients and moments take 55.6 GB (3,476 M parameters), and NVIDIA A100"
        " has 42.0: `gpus: 2`, `sharding: fsdp`, a smaller model or a larger GPU (on SLURM"
        " `gpu_model`) is needed"
    )
    t4 = need.too_small("Tesla T4", 15_800_000_000)
    assert "15.8: `gpus: 8`, `sharding: fsdp` and `checkpointing: yes`, a smaller" in t4
    p100 = need.too_small("Tesla P100", 13_000_000_000)
    assert "13.0: `adapter: {rank: 16}`, a smaller" in p100
    scored = Footprint(folder, "results/scores/xlmr-xl/none/seed1/mnli", 1000, trained=False)
    assert scored.too_small("Quadro", 8_000_000_000) == (
        "xlmr-xl: the weights take 13.9 GB (3,476 M parameters), and Quadro has 8.0: a smaller"
        " model or a larger GPU (on SLURM `gpu_model`) is needed"
    )


def test_room_is_the_most_tokens_that_fit():
    memory = GpuMemory(reference.encoder("FacebookAI/xlm-roberta-large"))
    room = memory.room(24e9, 512, 16384)
    usable = gpus.USABLE * 24e9 - gpus.CONTEXT
    assert memory.peak(room, 512) <= usable < memory.peak(room + 1, 512)
    assert memory.room(80e9, 512, 16384) == 16384 and memory.room(8e9, 512, 16384) == 0


def test_the_parameters_of_an_adapter_are_those_that_peft_makes():
    shape = tiny.shape("qwen3", 2, 48, 80, 4, 2, 16)
    encoder = tiny.encoder(shape)
    tiny.attach(encoder, rank=4)
    made = sum(p.numel() for p in encoder.parameters() if p.requires_grad)
    assert of_adapter(shape, 4) == made


@pytest.mark.parametrize("architecture", ["xlm-roberta", "umt5", "qwen3"])
@pytest.mark.parametrize("kind", ["whole", "both"])
def test_the_formula_is_near_what_is_measured(architecture, kind):
    """`tests/bench/footprints.py` does so for all architectures, and for more options."""
    shape = tiny.shape(architecture, 3, 64, 192, 4, 2, 24)
    assert footprints.expected(shape, kind) == pytest.approx(
        footprints.measured(shape, kind), rel=0.15
    )
