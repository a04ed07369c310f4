"""A user's own folder of data and models, with a task of their own, and its lock file."""

import shutil

import pyarrow.parquet as pq
import pytest
import yaml
from tests.workflow.running import OWN, Experiment

PAIRS = {
    "format": "retrieval", "hub": "acme/pairs", "config": "{lang}-en", "rows": "tatoeba",
    "splits": {"dev": "validation"}, "languages": ["de", "ru"], "metric": "retrieval", "version": 1,
}  # fmt: skip
CONFIG = {
    "models": {"small": {"from": "toy/xlmr"}},
    "intermediates": {},
    "targets": ["pairs"],
    "languages": ["de"],
    "recipes": {"pairs": {"max_length": 64}},
    "tasks": {"pairs": PAIRS},
}
README = """---
configs:
- config_name: de-en
  data_files: [{split: validation, path: de.parquet}]
- config_name: ru-en
  data_files: [{split: validation, path: ru.parquet}]
---
"""


@pytest.fixture(scope="module")
def pinned(finished, tmp_path_factory):
    """A finished run on a mirror: the toy model, and a data set of parallel sentences."""
    folder = tmp_path_factory.mktemp("mirror")
    shutil.copytree(finished.path("toy/models"), folder / "mirror/models")
    data = folder / "mirror/datasets/acme/pairs"
    data.mkdir(parents=True)
    toy = finished.path("toy/datasets/google/xtreme")
    for lang, code in (("de", "deu"), ("ru", "rus")):
        [file] = (toy / f"tatoeba.{code}").glob("*.parquet")
        shutil.copyfile(file, data / f"{lang}.parquet")
    (data / "README.md").write_text(README)
    experiment = Experiment(folder)
    experiment.write({"source": str(folder / "mirror"), **CONFIG})
    experiment.snakemake().ok()
    return experiment


def test_it_runs_is_locked_beside_the_config_and_is_done(pinned):
    assert "small,none," in pinned.read(f"{OWN}/tables/main.csv")
    lock = yaml.safe_load((pinned.folder / "config.lock").read_text())
    assert list(lock["models"]) == ["toy/xlmr"]
    files = lock["datasets"]["acme/pairs"]["files"]
    assert list(files) == ["README.md", "de.parquet", "ru.parquet"]
    assert sorted(p.name for p in pinned.folder.iterdir() if p.name[0] != ".") == [
        "config.lock", "config.yaml", "mirror", "results",
    ]  # fmt: skip
    assert pinned.snakemake().nothing


@pytest.fixture
def changed(pinned):
    """The mirror with a sentence less of German, after which everything is put back."""
    path = pinned.folder / "mirror/datasets/acme/pairs/de.parquet"
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)
    return pinned


def test_a_changed_mirror_is_refused_until_its_lock_is_updated(changed):
    experiment, lock = changed, changed.folder / "config.lock"
    before = lock.read_text()
    # A new language meets the mirror again: what is there is not what was pinned.
    config = yaml.safe_load((experiment.folder / "config.yaml").read_text())
    new = experiment.write(config | {"languages": ["de", "ru"]})
    experiment.path("pins/datasets/acme/pairs.json").unlink()
    update = f"xstilts pin {experiment.folder / 'config.yaml'} acme/pairs"
    experiment.snakemake().failed("de.parquet has changed", update)
    assert lock.read_text() == before
    assert "small,none," in experiment.read(f"{OWN}/tables/main.csv"), "of the finished scores"
    assert experiment.path("scores/small/none/noseed/pairs/de.json").is_file()
    # What the line says to do:
    experiment.step("pin", "--update", "acme/pairs", "--lock", lock).failed("with --root DIR")
    experiment.step("pin", "--update", "acme/pairs", "--config", new).ok()
    assert lock.read_text() != before
    again = experiment.snakemake(config=new).ok()
    jobs = {"pin_data": 1, "prepare": 2, "encode": 2, "manifest": 1, "evaluate_pairs": 1}
    shown = {"tables": 1, "figures": 1, "report": 1, "all": 1}
    assert again.jobs == {**jobs, **shown}, "the model stays"
    assert pq.read_table(experiment.path("data/pairs/de.dev.parquet")).num_rows == 2 * 11
    assert "already computed" not in experiment.read("logs/evaluate/small/none/noseed/pairs.log")
    assert experiment.snakemake().nothing


def test_an_entry_that_is_taken_out_by_hand_is_that_of_the_results(pinned):
    """They were made from it; `--update` is how to have another."""
    lock = pinned.folder / "config.lock"
    entries = yaml.safe_load(lock.read_text())
    before = dict(entries["models"])
    del entries["models"]["toy/xlmr"]
    lock.write_text(yaml.safe_dump(entries))
    again = pinned.snakemake().ok()
    assert "pin_model" not in again.jobs and again.jobs["plan"] == 1
    assert yaml.safe_load(lock.read_text())["models"] == before
    assert pinned.snakemake().nothing


def test_a_model_that_is_not_in_the_mirror_is_named_with_the_nearest(pinned, tmp_path):
    experiment = Experiment(tmp_path)
    config = yaml.safe_load((pinned.folder / "config.yaml").read_text())
    experiment.write(config | {"models": {"small": {"from": "toy/xlmrr"}}})
    experiment.snakemake("results/models/small/node.json").failed(
        "toy/xlmrr: not among the models of the mirror", "did you mean `toy/xlmr`?"
    )
