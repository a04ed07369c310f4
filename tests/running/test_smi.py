"""What nvidia-smi says, by a stand-in that prints what real ones have printed."""

import os

import pytest

from xstilts.running import gpus, smi
from xstilts.running.errors import Broken

GIB = 2**30
LOST = "Unable to determine the device handle for GPU0000:08:00.0: Unknown Error"


@pytest.fixture
def says(tmp_path, monkeypatch):
    """Have nvidia-smi print lines and end with a code."""
    fake = tmp_path / "bin/nvidia-smi"
    fake.parent.mkdir()
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def write(*lines, code=0):
        said = "".join(f"echo '{line}'\n" for line in lines)
        fake.write_text(f"#!/bin/sh\n{said}exit {code}\n")
        fake.chmod(0o755)

    return write


@pytest.mark.parametrize(
    ("lines", "code", "index", "memory", "trouble"),
    [
        (["GPU-a, 0, 81559", "GPU-b, 1, 15360"], 0, "01", {"0": 81559, "1": 15360}, ""),
        (["GPU-a, 0, [N/A]"], 0, "0", {}, ""),
        (["GPU-a, 0"], 0, "0", {}, ""),
        (["No devices were found"], 6, "", {}, ""),
        (["NVIDIA-SMI has failed because it couldn't communicate"[:20]], 9, "", {}, ""),
        ([LOST], 255, "", {}, f"nvidia-smi: {LOST}"),
        (["GPU-b, 1, 8", LOST], 15, "1", {"1": 8}, f"nvidia-smi: {LOST}"),
        ([], 15, "", {}, "nvidia-smi ended with 15"),
    ],
)
def test_gpus_their_memory_and_what_it_complains_of(says, lines, code, index, memory, trouble):
    says(*lines, code=code)
    said = smi.ask()
    assert ("".join(said.index.values()), said.trouble) == (index, trouble)
    assert said.memory == {gpu: size * 2**20 for gpu, size in memory.items()}


def test_a_gpu_that_is_gone_is_no_reason_to_compute_on_the_cpu(says):
    says(LOST, code=255)
    assert gpus.none_here() == f"nvidia-smi: {LOST}"
    with pytest.raises(
        Broken, match=r"Unable to determine .*; to compute on the CPU, set CUDA_VIS"
    ):
        gpus.claim(lambda: 0, {})
    assert gpus.claim(lambda: 0, {"CUDA_VISIBLE_DEVICES": ""}) is None


def test_without_nvidia_smi_nothing_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert smi.ask() == smi.Said()
