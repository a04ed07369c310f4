"""Own data scored by what is no share: numbers by their correlations, labels by macro F1."""

import csv
import json
import shutil

import pyarrow.parquet as pq
import pytest
from safetensors import safe_open
from tests.workflow.running import OWN, Experiment

from xstilts.metrics import correlation

STS = {
    "format": "regression", "hub": "acme/own", "config": "sts-{lang}",
    "splits": {"train": "train", "dev": "validation"},
    "columns": {"sentence1": "text", "sentence2": "text_pair", "score": "label"},
    "languages": ["en", "de"], "tuned_on": "sts", "metric": "pearson", "version": 1,
}  # fmt: skip
RARE = {
    "format": "classification", "hub": "acme/own", "config": "rare-{lang}",
    "splits": {"train": "train", "dev": "validation"}, "labels": ["no", "yes"],
    "languages": ["en"], "tuned_on": "rare", "metric": "macro_f1", "version": 1,
}  # fmt: skip
CONFIG = {
    "models": {"small": {"from": "toy/xlmr"}},
    "intermediates": {"both": {"tasks": ["sts", "rare"]}},
    "targets": ["sts"],
    "recipes": {
        "all": {"max_steps": 12, "learning_rate": 1.0e-3, "batch_size": 8, "max_length": 32}
    },
    "tasks": {"sts": STS, "rare": RARE},
}  # fmt: skip
WORDS = ["one", "two", "three", "four", "five"]


def write_data(folder):
    """Numbers of 100 to 500, in English and German; and a label that one row in eight has."""
    folder.mkdir(parents=True)
    configs = ["---", "configs:"]
    for name, languages, row in (
        ("sts", ("en", "de"), lambda i, w: (f"{w} and {w}", "so it is", 100 * (1 + i % 5))),
        ("rare", ("en",), lambda i, w: (f"{w} and {w}", "", "yes" if i % 8 == 0 else "no")),
    ):
        for lang in languages:
            configs += [f"- config_name: {name}-{lang}", "  data_files:"]
            for split, size in (("train", 64), ("validation", 20)):
                path = f"{name}-{lang}-{split}.csv"
                configs.append(f"  - {{split: {split}, path: {path}}}")
                columns = ("sentence1", "sentence2", "score")
                with (folder / path).open("w", newline="") as file:
                    writer = csv.writer(file)
                    writer.writerow(columns if name == "sts" else ("text", "text_pair", "label"))
                    writer.writerows(row(i, WORDS[i % 5]) for i in range(size))
    (folder / "README.md").write_text("\n".join([*configs, "---", ""]))


@pytest.fixture(scope="module")
def own(finished, tmp_path_factory):
    """A finished run on own data and the toy model."""
    experiment = Experiment(tmp_path_factory.mktemp("own"))
    shutil.copytree(finished.path("toy/models"), experiment.folder / "mirror/models")
    write_data(experiment.folder / "mirror/datasets/acme/own")
    experiment.write({"source": str(experiment.folder / "mirror"), **CONFIG})
    experiment.snakemake().ok()
    return experiment


def test_a_target_of_numbers_is_a_column_by_its_correlation(own):
    assert "| sts (Pearson) " in own.read(f"{OWN}/tables/main.md")
    rows = list(csv.DictReader(own.read(f"{OWN}/tables/per_language.csv").splitlines()))
    assert {(row["language"], row["metric"]) for row in rows} == {
        (lang, metric) for lang in ("de", "en") for metric in ("pearson", "spearman")
    }
    deltas = list(csv.DictReader(own.read(f"{OWN}/tables/deltas.csv").splitlines()))
    assert {row["statistic"] for row in deltas} == {"value of examples"}
    assert "sts: the delta is of the mean value of the examples" in own.read(
        f"{OWN}/tables/seeds.md"
    )


def test_predictions_are_numbers_on_the_scale_of_the_data(own):
    folder = own.path("scores/small/both/seed1/sts")
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
    node = json.loads(own.read("encoders/small/both/seed1/node.json"))
    dev = node["best"]["dev"]
    assert dev.keys() == {"sts pearson", "sts spearman", "rare accuracy", "rare macro_f1"}
    assert node["best"]["score"] == pytest.approx((dev["sts pearson"] + dev["rare macro_f1"]) / 2)
    with safe_open(own.path("encoders/small/both/seed1/head.safetensors"), "numpy") as heads:
        assert heads.get_tensor("sts.mean") == pytest.approx(296.875)
