"""The workflow on a few real rows with the real encoder, in about a minute."""

import csv
import shutil

import pyarrow.parquet as pq
import pytest
import yaml
from tests.workflow.running import ROOT, Experiment, command, run

DATA = ROOT.parent / "shared/data"
pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real rows are not in ../shared/data"),
]
OVERLAY = {
    "targets": ["xnli", "udpos"],
    "languages": ["en", "hi"],
    "exclude": [{"intermediate": i} for i in ("squad", "hellaswag")]
    + [{"intermediate": "none", "target": "udpos"}],
    "limits": {name: {"train": 16, "dev": 16} for name in ("all", "mnli", "udpos_en")},
    "recipes": {"all": {"max_steps": 2, "batch_size": 4, "max_length": 64, "eval_rows": 8}},
}


def test_real_rows_go_through_the_whole_workflow(tmp_path):
    experiment = Experiment(tmp_path)
    # A copy, so that the lock is written beside it and not into tests/real.
    shutil.copyfile(ROOT / "tests/real/config.yaml", tmp_path / "real.yaml")
    configs = [tmp_path / "real.yaml", experiment.write(OVERLAY)]
    run([*command(tmp_path, configs), "--config", f"source={DATA}"], tmp_path).ok()
    none, mnli = csv.DictReader(experiment.read("experiments/real/tables/main.csv").splitlines())
    assert none["xnli"] and mnli["xnli delta"] and none["udpos"] == "" and mnli["udpos"]
    assert "not complete" not in experiment.read("experiments/real/tables/main.md")
    lock = yaml.safe_load((tmp_path / "config.lock").read_text())
    assert set(lock["datasets"]) == {"facebook/xnli", "google/xtreme", "nyu-mll/glue"}
    committed = yaml.safe_load((ROOT / "tests/real/config.lock").read_text())
    for kind, entries in lock.items():
        for name, entry in entries.items():
            assert entry == committed[kind][name], "the locked mirror"
    said = run([*command(tmp_path, configs), "--config", f"source={DATA}"], tmp_path)
    assert said.nothing


def test_real_pictures_are_prepared_and_seen(tmp_path):
    """1,704 emoji, by a random vision encoder: their features, and the rows that name them."""
    from xstilts.encoding import features
    from xstilts.toy import vision

    experiment = Experiment(tmp_path)
    vision.write(tmp_path / "vit", seed=1)
    config = yaml.safe_load((ROOT / "tests/real/pictures.yaml").read_text())
    config["vision"]["vit"]["from"] = "./vit"
    config["source"] = str(DATA)
    experiment.write(config)
    wanted = ["features/vit/emoji/train.json", "features/vit/emoji/dev.json"]
    wanted += ["data/emoji_captions/ru.dev.parquet", "data/emoji_names/en.train.parquet"]
    experiment.snakemake(*(f"results/{name}" for name in wanted)).ok()
    for split, pictures in (("train", 1447), ("dev", 257)):
        seen = features.load(tmp_path / f"results/features/vit/emoji/{split}.safetensors")
        assert seen.shape == (pictures, 16, 96)
        values = seen.rows(range(pictures))
        assert values.any((1, 2)).all() and values.std(0).mean() > 0.1, "other pictures, others"
    assert pq.read_metadata(experiment.path("data/emoji_captions/ru.dev.parquet")).num_rows == 257
    assert pq.read_metadata(experiment.path("data/emoji_names/en.train.parquet")).num_rows == 500
