"""The check for GPUs runs here, at toy size, in full, with the packages alone that it may need."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.gpu import alone, assets, figures, profiling, runner, sizes, trainer
from tests.gpu.figures import Figures

HERE = Path(__file__).parent


@pytest.mark.slow
def test_all_parts_run_on_a_cpu_with_few_packages(tmp_path):
    command = [sys.executable, str(HERE / "alone.py"), "--out", str(tmp_path)]
    environ = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "SLURM_JOB_ID")}
    environ |= {"CUDA_VISIBLE_DEVICES": "", "HF_HOME": str(tmp_path / "nothing")}
    run = subprocess.run(
        [*command, "--seconds", "400"], cwd=tmp_path, env=environ, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
    record = json.loads((tmp_path / "gpu-check.json").read_text())
    assert record["failed"] == [] and record["size"] == "toy, on a CPU"
    parts = {part["part"]: part["figures"] for part in record["parts"]}
    assert next(iter(parts)) == "0 assets"
    assert [name[0] for name in list(parts)[1:]] == list("1222333445677899223")
    assert all(parts[name] for name in list(parts)[1:])  # none is skipped without a word
    # What is shown here is shown, not said to need a GPU.
    shown = {row["name"] for rows in parts.values() for row in rows if row["value"] is not None}
    for name in (
        "matmul", "MNLI, batch 8, padded", "MNLI, batch 8", "one example too long",
        "checkpointing: losses, largest difference",
        "dual, in parts - at once: loss, largest difference",
        "ours, padded, fp32: loss, largest difference", "went on after step",
        "continued: weights, largest difference", "of one device: the second process waits",
        "span: rows", "hidden states alive at once", "mined pairs that are right",
        "2 at once against one after another", "recorded: losses, largest difference",
        "alignment: of states in fp32",
    ):  # fmt: skip
        assert name in shown
    needs = [row["name"] for rows in parts.values() for row in rows if row["note"] == figures.NEEDS]
    assert "launches a step" in needs and "a step, compiled" in needs and "energy" in needs
    assert "needs a GPU" in run.stdout


def test_only_what_is_needed_is_seen():
    hidden = alone.hidden()
    assert {"datasets", "snakemake", "jsonschema", "tabulate", "pynvml"} <= hidden
    assert not hidden & {"torch", "transformers", "pyarrow", "pandas", "numpy", "yaml"}


# --- The runner -----------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path):
    setting = runner.Setting(sizes.TOY, False, tmp_path, tmp_path)

    def run(part, limit=20):
        return runner.run_part(runner.Part("1 a part", part, limit), setting, limit), setting

    return run


def test_a_part_fails_alone_and_what_it_has_shown_stays(run):
    def part(setting, its):
        its.show("first", 1.5, "s", ok=True)
        with its.alone("second"):
            raise ValueError("of no use\nat all")
        raise KeyError("third")

    result, setting = run(part)
    assert [(row["name"], row["ok"], row["note"]) for row in result["figures"]] == [
        ("first", True, ""),
        ("second", False, "error: ValueError: of no use"),
        ("the part", False, "error: KeyError: 'third'"),
    ]
    assert setting.figure("1 a part", "first") == 1.5 and "Traceback" in result["log"]
    assert setting.figure("1 a part", "none") is setting.figure("2", "none") is None


def test_a_part_has_a_time_limit_which_ends_what_it_has_started(run, tmp_path):
    def part(setting, its):
        its.show("first", 1)
        child = subprocess.Popen(["sleep", "60"])
        (tmp_path / "child").write_text(str(child.pid))
        time.sleep(60)

    result, _ = run(part, limit=1.5)
    assert result["error"].startswith("ended at its time limit") and len(result["figures"]) == 1
    child = Path(f"/proc/{(tmp_path / 'child').read_text()}/stat")
    for _ in range(100):
        if not child.exists() or child.read_text().rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.05)
    else:
        raise AssertionError("what the part has started goes on")


def test_a_part_that_is_killed_says_so(run):
    result, _ = run(lambda setting, its: os.kill(os.getpid(), 9))
    assert result["error"] == "ended by SIGKILL"


def test_a_line_that_is_half_written_is_left_out(tmp_path):
    its = Figures(tmp_path / "figures")
    its.show("first", 1)
    with its.path.open("a") as file:
        file.write('{"name": "sec')
    assert [row["name"] for row in its.read()] == ["first"]


def test_the_table():
    rows = [
        {"name": "step", "value": 14.96, "unit": "ms", "ok": True, "note": ""},
        {"name": "tokens", "value": 123456.7, "unit": "a second", "ok": None, "note": ""},
        {"name": "pairs", "value": 1234, "unit": "", "ok": False, "note": "why"},
        {"name": "launches", "value": None, "unit": "", "ok": None, "note": figures.NEEDS},
    ]
    part = {"part": "1 a part", "seconds": 2.04, "error": "ended by SIGKILL", "figures": rows}
    assert [" ".join(line.split()) for line in figures.table([part]).splitlines()] == [
        "1 a part (2 s)",
        "step 15 ms ok",
        "tokens 123,457 a second",
        "pairs 1,234 FAILED why",
        "launches - needs a GPU",
        "FAILED ended by SIGKILL",
    ]


# --- What is measured -----------------------------------------------------------------------------


def test_the_large_shape_is_that_of_xlm_r_large():
    assert sizes.LARGE.shape.matmul_parameters == 301_989_888


def test_each_kernel_is_of_one_kind():
    def kind(name):
        return next(k for k, marks in profiling.KINDS.items() if any(m in name for m in marks))

    assert kind("void flash_fwd_kernel<...>") == "attention"
    assert kind("nvjet_hsh_128x256") == kind("ampere_bf16_s16816gemm") == "matrix products"
    assert kind("multi_tensor_apply_kernel<adamw>") == "optimizer"
    assert kind("vectorized_elementwise_kernel") == "the rest"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("assets")
    assets.make(folder, sizes.TOY)
    return folder


def test_rows_are_the_same_every_time_and_learnable(made, tmp_path):
    assets.make(tmp_path, sizes.TOY)
    for name, split in (("mnli", "train"), ("span", "dev"), ("tagging", "train")):
        path = f"{name}-{split}.safetensors"
        assert (made / path).read_bytes() == (tmp_path / path).read_bytes()
    data, rows = assets.read(made, "mnli", "train")
    assert len(data) == len(rows) == sizes.TOY.rows["mnli"][0]
    last = sizes.TOY.words - 1
    for row in rows:
        number = assets.LABELS["classification"].index(row["label"])
        assert f"w{last - number}" in row["text_pair"].split()
    data, rows = assets.read(made, "span", "train")
    for row in rows:
        [text], [start] = row["answers"]["text"], row["answers"]["start"]
        assert row["context"][start : start + len(text)] == text
    assert (data.arrays["answer"] > 0).any() and data.sequence_lengths().max() == sizes.TOY.length


def test_a_batch_is_padded_to_the_longest_a_row_may_be():
    batch = {
        "ids": np.array([[0, 7], [0, 2]]), "mask": None, "inside": np.array([[False, True]] * 2),
        "labels": np.array([1, 0]), "weight": 2,
    }  # fmt: skip
    wide = trainer.widened(batch, 4, pad=1)
    assert wide["ids"].tolist() == [[0, 7, 1, 1], [0, 2, 1, 1]]
    assert wide["mask"].tolist() == [[True, True, False, False]] * 2
    assert wide["inside"].tolist() == [[False, True, False, False]] * 2
    assert wide["labels"].tolist() == [1, 0] and wide["weight"] == 2
