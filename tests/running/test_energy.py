"""Energy, by a driver that is not there."""

import pynvml
import pytest

from xstilts.running import energy, gpus
from xstilts.running.energy import Meter


@pytest.fixture
def counters(monkeypatch):
    """GPU -> its counter in millijoules."""
    found = {"GPU-a": 5_000, "GPU-b": 100_000}
    monkeypatch.setattr(energy, "_names", lambda: tuple(found))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByUUID", lambda name: name)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetTotalEnergyConsumption", found.__getitem__)
    return found


def test_what_all_gpus_have_taken_since(counters):
    meter = Meter()
    counters["GPU-a"] += 2_000
    counters["GPU-b"] += 500
    assert meter.joules == 2.5
    assert meter.record() == {"energy_joules": 2.5}
    assert Meter(before=10.0).joules == 10.0
    assert Meter(before=None).record() == {}, "an earlier attempt did not know"


@pytest.mark.parametrize(
    ("variable", "value", "shares", "told"),
    [
        (gpus.SHARE, "1", {}, True),
        (gpus.SHARE, "2", {"0": 2}, False),
        (gpus.SHARE, "auto", {"0": 1}, True),
        (gpus.SHARE, "auto", {"0": 3}, False),
        (gpus.PARTS[0], "50", {}, False),
    ],
)
def test_where_jobs_share_a_gpu_nothing_is_told(
    counters, monkeypatch, variable, value, shares, told
):
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(gpus, "_shares", shares)
    assert (Meter().record() != {}) == told


def test_a_gpu_that_does_not_count(counters, monkeypatch):
    def unknown(handle):
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    meter = Meter()
    monkeypatch.setattr(pynvml, "nvmlDeviceGetTotalEnergyConsumption", unknown)
    assert meter.record() == {}


def test_without_a_gpu(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    energy._names.cache_clear()
    assert Meter().record() == {}
    energy._names.cache_clear()
