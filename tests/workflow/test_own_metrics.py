"""Own data scored by what is no share: numbers by their correlations, labels by macro F1."""

import csv
import json

import pyarrow.parquet as pq
import pytest
from safetensors import safe_open
from tests.workflow.running import OWN, TINY, tiny

from xstilts.metrics import correlation

STS = {
    "format": "regression",
    "files": {"train": "own data/sts.en.train.csv", "dev": "own data/sts.{lang}.dev.csv"},
    "languages": ["en", "de"],
}
RARE = {
    "format": "classification",
    "files": {"train": "own data/rare.train.tsv", "dev": "own data/rare.dev.tsv"},
    "languages": ["en"],
    "metric": "macro_f1",
}
CONFIG = {
    "intermediates": {"both": {"tasks": ["sts", "rare"]}},
    "targets": ["sts"],
    "recipes": {"all": {**TINY["recipes"]["all"], "max_steps": 12, "max_length": 32}},
    "tasks": {"sts": STS, "rare": RARE},
}
WORDS = ["one", "two", "three", "four", "five"]


def write_data(folder):
    """Numbers of 100 to 500, in English and German; and a label that one row in eight has."""
    folder.mkdir()
    for name, size in (("en.train", 64), ("en.dev", 20), ("de.dev", 20)):
        lines = [f"{WORDS[i % 5]} a,so it is,{100 * (1 + i % 5)}" for i in range(size)]
        (folder / f"sts.{name}.csv").write_text("\n".join(["Sentence1,Sentence2,Score", *lines]))
    for name, size in (("train", 64), ("dev", 20)):
        lines = [f"{WORDS[i % 5]} a\t{'no' if i % 8 else 'yes'}" for i in range(size)]
        (folder / f"rare.{name}.tsv").write_text("\n".join(["text\tlabel", *lines]))


@pytest.fixture(scope="module")
def own(finished, tmp_path_factory):
    """A finished run on own data and the toy model."""
    experiment = finished.copy(tmp_path_factory.mktemp("own") / "copy")
    write_data(experiment.folder / "own data")
    experiment.write(tiny(**CONFIG))
    experiment.snakemake().ok()
    return experiment


def test_a_target_of_numbers_is_a_column_by_its_correlation(own):
    assert "| sts (Pearson) " in own.read(f"{OWN}/tables/main.md")
    rows = list(csv.DictReader(own.read(f"{OWN}/tables/results.csv").splitlines()))
    assert {(row["language"], row["metric"], row["headline"]) for row in rows} == {
        (lang, *metric)
        for lang in ("de", "en")
        for metric in (("pearson", "True"), ("spearman", "False"))
    }
    deltas = list(csv.DictReader(own.read(f"{OWN}/tables/deltas.csv").splitlines()))
    assert {row["statistic"] for row in deltas} == {"value of examples"}
    assert "sts: the delta is of the mean value of the examples" in own.read(
        f"{OWN}/tables/seeds.md"
    )


def test_predictions_are_numbers_on_the_scale_of_the_data(own):
    folder = own.path("scores/xlmr/both/seed1/sts")
    score = json.loads((folder / "de.json").read_text())
    predictions = pq.read_table(folder / "de.parquet").to_pylist()
    rows = pq.read_table(own.path("data/sts/de.dev.parquet")).to_pylist()
    assert [row["label"] for row in rows[:6]] == [100.0, 200.0, 300.0, 400.0, 500.0, 100.0]
    assert [row["id"] for row in rows] == [row["id"] for row in predictions]
    numbers = [float(row["prediction"]) for row in predictions]
    assert all(0 < number < 600 for number in numbers)
    found = correlation.correlations([row["label"] for row in rows], numbers)
    assert score["metrics"] == {key: pytest.approx(value) for key, value in found.items()}
    assert score["score"] == score["metrics"]["pearson"]
    assert '"error":"' in own.read(f"{OWN}/report.html").replace('": "', '":"')


def test_a_mix_of_both_is_chosen_by_the_metric_of_each(own):
    node = json.loads(own.read("encoders/xlmr/both/seed1/node.json"))
    dev = node["best"]["dev"]
    assert dev.keys() == {"sts pearson", "sts spearman", "rare accuracy", "rare macro_f1"}
    assert node["best"]["score"] == pytest.approx((dev["sts pearson"] + dev["rare macro_f1"]) / 2)
    with safe_open(own.path("encoders/xlmr/both/seed1/head.safetensors"), "numpy") as heads:
        assert heads.get_tensor("sts.mean") == pytest.approx(296.875)
