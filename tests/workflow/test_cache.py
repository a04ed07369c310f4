"""Checkpoints that a group shares, by Snakemake's cache between workflows."""

import pytest
from tests.workflow import running
from tests.workflow.running import tiny


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    folder.mkdir()
    plain = running.environment()
    monkeypatch.setattr(
        running, "environment", lambda: plain | {"SNAKEMAKE_OUTPUT_CACHE": str(folder)}
    )
    return folder


def test_what_one_has_trained_another_takes_from_the_cache(finished, tmp_path, cache):
    """`finished` has the data; what follows is trained once in the first of two folders."""
    config = tiny(targets=["udpos"], seeds=[7])
    weights = "tuned/xlmr/mnli/seed7/udpos_en/model.safetensors"
    for name, trained in (("one", 3), ("two", 0)):
        one = finished.copy(tmp_path / name)
        one.write(config)
        run = one.snakemake("--cache", "tune", "intermediate").ok()
        assert run.jobs["tune"] == 2 and run.jobs["intermediate"] == 1
        logs = [*one.path("logs/tune").rglob("*.log"), *one.path("logs/intermediate").rglob("*")]
        logs = [log for log in logs if "seed7" in str(log) and log.is_file()]
        assert sum("best dev at step" in log.read_text() for log in logs) == trained, name
        assert one.path(weights).resolve().parent == cache
        assert one.snakemake("--cache", "tune", "intermediate").nothing
        assert one.snakemake().nothing, "and without the cache"
        assert one.path("scores/xlmr/mnli/seed7/udpos/de.json").is_file()
