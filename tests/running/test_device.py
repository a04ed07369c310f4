"""The device: a GPU that was given and cannot be used is no reason to compute on the CPU."""

import pytest

from xstilts.running import device
from xstilts.running.errors import Broken


@pytest.fixture
def cuda(monkeypatch):
    """A torch that is built for GPUs and finds none."""
    import torch

    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setenv("SLURM_JOB_ID", "7")


def test_a_gpu_that_is_given_and_broken_is_one_line(cuda, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    with pytest.raises(Broken, match=r"GPU 2 of .* cannot be used") as raised:
        device.choose()
    assert raised.value.kind == "device"


@pytest.mark.parametrize("given", ["", "-1", "NoDevFiles", None])
def test_without_a_gpu_it_is_the_cpu(cuda, monkeypatch, given):
    if given is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert device.choose().type == "cpu"
