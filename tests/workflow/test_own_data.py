"""A user's own CSV in three languages: three lines of config; a changed file, a missing one."""

import csv
import random

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from tests.workflow.running import OWN, Experiment, tiny

from xstilts.encoding.header import read_header

FILES = {"train": "my data/en/train.csv", "dev": "my data/{lang}/dev.csv"}
MINE = {
    "format": "classification", "files": FILES, "languages": ["en", "de", "fi"],
    "strata": {"kind": "Film kind", "gold": "Label"},
}  # fmt: skip
CONFIG = tiny(
    intermediates={"mine": {"tasks": ["mine"]}},
    targets=["mine", "tatoeba"],
    tasks={"mine": MINE},
    languages=["en", "de", "fi"],
    keep_tuned=False,
    threads=1,
)
WORDS = {"pos": ["good", "gut", "hyvä"], "neg": ["bad", "schlecht", "huono"]}


def write_csv(path, rows, seed):
    draw = random.Random(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        dev = path.stem == "dev"  # train rows are not scored, so they need no stratum
        writer.writerow(["Sentence", "Label", *(["Film kind"] if dev else [])])
        for number in range(rows):
            label = draw.choice(["pos", "neg"])
            text = [
                draw.choice(["the", "film", "NA", 'a "quoted" word,']),
                draw.choice(WORDS[label]),
            ]
            kind = ["drama" if number % 2 else ""] if dev else []
            writer.writerow([" ".join(text), label, *kind])


@pytest.fixture(scope="module")
def mine(finished, tmp_path_factory):
    """A finished run, on the toy encoder of the tiny experiment."""
    experiment = finished.copy(tmp_path_factory.mktemp("own") / "a b")
    for seed, name in enumerate(("en/train", "en/dev", "de/dev")):
        write_csv(experiment.folder / f"my data/{name}.csv", 40, seed)
    config = experiment.write(CONFIG, "mine.yaml")
    run = experiment.snakemake(config=config).ok()
    assert "note: task mine (fi): my data/fi/dev.csv: there is no such file in" in run.out
    assert "fi is left out" in run.out
    return experiment


def config_of(mine):
    return mine.folder / "mine.yaml"


def test_it_is_a_target_and_an_intermediate_and_is_done(mine):
    table = mine.read("experiments/mine/tables/main.csv")
    assert {line.split(",")[1] for line in table.splitlines()[1:]} == {"none", "mine"}
    assert "mine" in table.splitlines()[0]
    assert sorted(p.name for p in mine.path("scores/xlmr/none/seed1/mine").glob("*.json")) == [
        "cell.json",
        "de.json",
        "en.json",
    ]
    lock = yaml.safe_load((mine.folder / "mine.lock").read_text())
    assert sorted(lock["datasets"]) == [
        "files/mine/de.dev",
        "files/mine/en.dev",
        "files/mine/en.train",
    ]
    assert lock["models"] == {}, "what is generated is not locked"
    assert mine.snakemake(config=config_of(mine)).nothing


def test_its_strata_are_in_predictions_and_in_a_table(mine):
    table = pq.read_table(mine.path("scores/xlmr/mine/seed1/mine/de.parquet"))
    assert table["stratum:kind"].to_pylist() == [None, "drama"] * 20
    assert set(table["stratum:gold"].to_pylist()) == {"pos", "neg"}
    with open(mine.path("experiments/mine/tables/strata.csv"), newline="") as file:
        rows = {(r["target"], r["stratum"], r["class"]): r for r in csv.DictReader(file)}
    row = rows["mine", "kind", "drama"]
    assert (row["languages"], row["examples"]) == ("2", "20")
    scores = [
        100 * np.mean([value for value, kind in zip(of["value"], of["kind"], strict=True) if kind])
        for of in (
            {"value": found["value"].to_pylist(), "kind": found["stratum:kind"].to_pylist()}
            for lang in ("de", "en")
            for found in [pq.read_table(mine.path(f"scores/xlmr/none/seed1/mine/{lang}.parquet"))]
        )
    ]
    assert float(row["none"]) == pytest.approx(np.mean(scores), abs=1e-4)
    assert ("tatoeba", "sentence", "plain") not in rows, "12 rows are too few to be shown"


def test_a_language_more_costs_its_evaluation(mine):
    write_csv(mine.folder / "my data/fi/dev.csv", 40, 9)
    run = mine.snakemake(config=config_of(mine)).ok()
    jobs = {k: n for k, n in run.jobs.items() if k not in ("all", "tables", "figures", "report")}
    # The tuned models were dropped after their evaluation; the encoder was not.
    assert jobs == {
        "pin_data": 1,
        "prepare": 1,
        "encode": 1,
        "manifest": 1,
        "tune": 2,
        "evaluate_mine": 2,
    }
    assert "de: already computed" in mine.read("logs/evaluate/xlmr/none/seed1/mine.log")
    assert ",fi," in (mine.path("experiments/mine/grid.csv")).read_text()
    assert mine.snakemake(config=config_of(mine)).nothing


def test_an_edited_file_is_refused_until_it_is_accepted(mine):
    path = mine.folder / "my data/de/dev.csv"
    write_csv(path, 44, 5)
    lock = (mine.folder / "mine.lock").read_text()
    for options in ([], ["-n"]):
        mine.snakemake(*options, config=config_of(mine)).failed(
            "my data/de/dev.csv has changed in",
            "since",
            "mine.lock was written; to use what is",
            f"there now: xstilts pin '{config_of(mine)}' mine",
        )
    assert (mine.folder / "mine.lock").read_text() == lock
    done = mine.step("pin", "--update", "mine", "--config", config_of(mine)).ok()
    assert "files/mine/de.dev: another version than before" in done.out
    run = mine.snakemake(config=config_of(mine)).ok()
    assert {k: run.jobs[k] for k in ("pin_data", "prepare", "tune", "evaluate_mine")} == {
        "pin_data": 1,
        "prepare": 1,
        "tune": 2,
        "evaluate_mine": 2,
    }
    assert "intermediate" not in run.jobs
    assert mine.snakemake(config=config_of(mine)).nothing


def test_labels_follow_the_train_rows(mine):
    """`neg` becomes `zzz`: with the dev rows left as they were, 0 and 1 would change places."""
    for name in ("en/train", "en/dev", "de/dev", "fi/dev"):
        path = mine.folder / f"my data/{name}.csv"
        path.write_text(path.read_text().replace(",neg", ",zzz"))
    mine.step("pin", "--update", "mine", "--config", config_of(mine)).ok()
    mine.snakemake(config=config_of(mine)).ok()
    for path in mine.path("encoded/xlmr/mine").glob("*.safetensors"):
        assert read_header(path)[1]["labels"] == ["pos", "zzz"], path
    assert mine.snakemake(config=config_of(mine)).nothing


def test_all_mistakes_of_all_tasks_are_said_before_anything_runs(mine, tmp_path):
    experiment = Experiment(tmp_path)
    for name, text in {
        "a/train.csv": "",
        "a/dev.csv": "text,label\nx,y\n",
        "b/train.csv": "body,title,label\n1,2,3\n",
        "b/dev.csv": "body,title,label\n1,2,3\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    entry = {"format": "classification", "languages": ["en"]}
    experiment.write(
        tiny(
            targets=["a", "b"],
            languages=["en"],
            intermediates={},
            tasks={name: {**entry, "files": name} for name in ("a", "b")},
        )
    )
    for options in ([], ["-n"]):
        run = experiment.snakemake(*options).failed("error: task a (en): ", "a/train.csv")
        run.failed("error: task b", "b/train.csv: which column is the text", "body, title")
        assert not (tmp_path / "results").exists()
    experiment.write(
        CONFIG
        | {"source": "/not/there", "targets": ["xnli"], "intermediates": {}, "languages": ["en"]}
    )
    for options in ([], ["-n"]):
        experiment.snakemake(*options).failed("source: /not/there: there is no such folder")


def test_paths_hold_under_another_directory(mine, tmp_path):
    run = Experiment(tmp_path).snakemake("-n", config=config_of(mine))
    assert "prepare" in run.ok().jobs
    assert OWN not in run.out


def test_status_and_estimate_answer(mine):
    assert "mine" in mine.step("status", config_of(mine)).ok().out
