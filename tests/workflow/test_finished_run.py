"""What a finished run leaves behind."""

import csv
import json

import yaml
from tests.workflow.running import OWN


def table(experiment, name):
    return list(csv.DictReader(experiment.read(name).splitlines()))


def test_the_main_table_has_a_row_an_intermediate_and_a_column_a_target(finished):
    rows = table(finished, f"{OWN}/tables/main.csv")
    figures = [f"{t}{d}" for t in ("xnli", "udpos", "tatoeba", "average") for d in ("", " delta")]
    assert list(rows[0]) == ["model", "intermediate", *figures]
    assert [(row["model"], row["intermediate"]) for row in rows] == [
        ("xlmr", "none"),
        ("xlmr", "mnli"),
    ]
    none, mnli = rows
    assert all(none[name] == "" for name in figures if name.endswith("delta"))
    for name in figures[::2]:
        assert 0 <= float(none[name]) <= 100
        delta = float(mnli[name]) - float(none[name])
        assert abs(float(mnli[f"{name} delta"]) - delta) < 1e-3
    text = finished.read(f"{OWN}/tables/main.md")
    assert "| xlmr    | none " in text and "| xlmr    | mnli " in text and "–" not in text


def test_the_tidy_table_has_a_row_a_score_and_what_it_was_made_by(finished):
    rows = table(finished, f"{OWN}/tables/results.csv")
    columns = ["model", "intermediate", "seed", "target", "language", "split", "metric", "headline"]
    assert list(rows[0])[:12] == [*columns, "value", "n", "from", "learning_rate"]
    cells = {tuple(row[c] for c in columns) for row in rows}
    tagged = [
        ("udpos", lang, "dev", metric, str(metric == "f1"))
        for lang in ("de", "en")
        for metric in ("accuracy", "f1")
    ]
    classified = [("xnli", lang, "dev", "accuracy", "True") for lang in ("de", "en")]
    retrieved = ("tatoeba", "de", "dev", "accuracy", "True")
    assert cells == {
        ("xlmr", intermediate, seed, *rest)
        for intermediate in ("none", "mnli")
        for rest in (*tagged, *classified, retrieved)
        for seed in ([""] if (intermediate, rest) == ("none", retrieved) else ["1"])
    }
    assert len(rows) == len(cells) == 14
    assert {row["n"] for row in rows} == {"12"} and all(
        0 <= float(row["value"]) <= 100 for row in rows
    )
    made_by = {(row["learning_rate"], row["stage1_learning_rate"]) for row in rows}
    assert made_by == {("0.001", ""), ("0.001", "0.001"), ("", ""), ("", "0.001")}
    assert {row["from"] for row in rows} == {"toy/xlmr"}


def test_the_plan_names_every_score_and_the_whole_config(finished):
    rows = table(finished, f"{OWN}/grid.csv")
    assert len(rows) == 10
    assert all((finished.folder / row["score"]).is_file() for row in rows)
    resolved = yaml.safe_load(finished.read(f"{OWN}/config.yaml"))
    assert resolved["micro_batch_tokens"] == 16384, "a default"
    assert resolved["recipes"]["all"]["max_steps"] == 3 and resolved["toy"]["seed"] == 1


def test_a_checkpoint_is_a_hugging_face_folder_with_its_record(finished):
    import torch
    from transformers import AutoModel

    folder = finished.path("encoders/xlmr/mnli/seed1")
    encoder = AutoModel.from_pretrained(folder, add_pooling_layer=False)
    assert encoder.config.num_hidden_layers == 2
    start = AutoModel.from_pretrained(finished.path("models/xlmr"), add_pooling_layer=False)
    pairs = zip(encoder.parameters(), start.parameters(), strict=True)
    assert any(not torch.equal(a, b) for a, b in pairs), "trained"
    node = json.loads(finished.read("encoders/xlmr/mnli/seed1/node.json"))
    assert node["spec"]["task"] == "mnli" and node["spec"]["recipe"]["learning_rate"] == 1e-3
    assert node["steps"] == 3 and node["rows"] == {"train": 48, "dev": 12}
    assert node["best"]["dev"].keys() == {"accuracy"} and node["rows_cut"] == {"train": 0, "dev": 0}
    assert set(node["pins"]) == {"models/toy/xlmr", "datasets/nyu-mll/glue"}
    assert {"seconds", "tokens_per_second", "peak_memory", "device", "versions"} <= node.keys()


def test_a_score_names_its_ancestry(finished):
    score = json.loads(finished.read("scores/xlmr/mnli/seed1/xnli/de.json"))
    tuned = json.loads(finished.read("tuned/xlmr/mnli/seed1/mnli/node.json"))
    assert score["checkpoint"] == tuned["spec"] and score["weights"] == tuned["weights"]
    pins = {"models/toy/xlmr", "datasets/nyu-mll/glue", "datasets/facebook/xnli"}
    assert set(score["pins"]) == pins
    shared = ("model", "intermediate", "seed", "target", "language", "metric", "n")
    assert [score[key] for key in shared] == ["xlmr", "mnli", "seed1", "xnli", "de", "accuracy", 12]
