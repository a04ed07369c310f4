"""Several experiments in one folder of results."""

import hashlib
import shutil
from pathlib import Path

import pytest
import yaml
from tests.workflow.running import ROOT, Experiment, tiny

from xstilts.monitoring import claims

FASTER = tiny(recipes={"mnli": {"learning_rate": 2.0e-3}})


def state(folder: Path):
    """Name, size, time and content of everything in the results."""
    return {
        path: (path.stat().st_mtime_ns, path.stat().st_size, _digest(path))
        for path in sorted((folder / "results").rglob("*"))
    }


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


@pytest.fixture(scope="module")
def two(finished, tmp_path_factory):
    """The finished experiment, and a second one that shares most of it."""
    experiment = finished.copy(tmp_path_factory.mktemp("two") / "done")
    other = experiment.write(tiny(targets=["xnli", "udpos"], seeds=[1, 2]), "second.yaml")
    experiment.second = experiment.snakemake(config=other).ok()
    return experiment


def test_experiments_share_nodes_and_have_tables_of_their_own(two):
    scored = {"evaluate_xnli": 2, "evaluate_udpos": 2}
    shown = {"plan": 1, "tables": 1, "figures": 1, "report": 1, "all": 1}
    assert two.second.jobs == {"intermediate": 1, "tune": 4, **scored, **shown}
    for name, targets in (("config", 3), ("second", 2)):
        head = two.read(f"experiments/{name}/tables/main.csv").splitlines()[0].split(",")
        assert len(head) == 2 + 2 * (targets + 1)
    # One after the other, and back: nothing is made again.
    assert two.snakemake().nothing
    assert two.snakemake(config=two.folder / "second.yaml").nothing


LOOKS = {
    "-n": ["-n"],
    "--lint": ["--lint"],
    "--dag": ["--dag"],
    "--list": ["--list"],
    "--summary": ["--summary"],
    "status": ["status"],
    "estimate": ["estimate"],
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_nothing_that_only_looks_changes_anything(two, look, tmp_path):
    """Each with another experiment, of another source, with a lock that pins something else."""
    other = Experiment(tmp_path)
    pin = {"requested": "main", "source": "folder", "revision": "0" * 64, "files": {}}
    lock = {"datasets": {"facebook/xnli": pin}, "models": {"toy/xlmr": pin}}
    (tmp_path / "mirror/datasets").mkdir(parents=True)
    config = {k: v for k, v in FASTER.items() if k not in ("source", "toy")}
    path = other.write({"source": str(tmp_path / "mirror"), **config}, "other.yaml")
    (tmp_path / "other.lock").write_text(yaml.safe_dump(lock))
    before = state(two.folder)
    two.snakemake(*look, config=path)
    two.snakemake(*look)
    assert state(two.folder) == before
    assert two.snakemake().nothing


def test_a_refused_config_and_a_forgotten_one_change_nothing(two, tmp_path):
    before = state(two.folder)
    wrong = Experiment(tmp_path).write(tiny(targets=["xnil"]), "wrong.yaml")
    two.snakemake(config=wrong).failed("there is no task `xnil`", "did you mean `xnli`?")
    assert two.snakemake(config=tmp_path / "gone.yaml").code != 0
    # Without --configfile it is the default experiment, of another toy world.
    two.snakemake("-n", config=ROOT / "config.yaml").failed("made for the experiment `config`")
    assert state(two.folder) == before
    assert two.snakemake().nothing


def test_what_another_experiment_asks_for_is_not_replaced_without_a_word(two, tmp_path):
    other = two.copy(tmp_path / "other")
    path = other.write(FASTER, "faster.yaml")
    before = {k: v for k, v in state(other.folder).items() if "encoders" in str(k)}
    for args in ([], ["-n"]):
        run = other.snakemake(*args, config=path).failed(
            "error: results/encoders/xlmr/mnli/seed1/node.json: made for the experiment `config`",
            "`recipe.learning_rate` is 0.001; here it is 0.002",
            "--config replace=true",
        )
        assert "Traceback" not in run.out
    assert {k: v for k, v in state(other.folder).items() if "encoders" in str(k)} == before
    # The first way out: a name of one's own.
    renamed = FASTER | {"intermediates": {"mnli-fast": {"tasks": ["mnli"]}}}
    renamed["recipes"] = tiny()["recipes"] | {"mnli-fast": {"learning_rate": 2.0e-3}}
    jobs = other.planned(config=other.write(renamed, "renamed.yaml"))
    assert jobs["intermediate"] == 1 and jobs["tune"] == 2
    # The second: to replace it. Then the first experiment is told the same.
    jobs = other.planned("--config", "replace=true", config=path)
    assert jobs["intermediate"] == 1 and jobs["tune"] == 2
    # An experiment that is no more asks for nothing.
    for name in ("config", "second"):
        shutil.rmtree(other.path(f"experiments/{name}"))
    assert other.planned(config=path)["intermediate"] == 1


def test_two_locks_that_pin_one_data_set_differently(finished, tmp_path):
    """The second is told in one line whose the rows are."""
    experiment, mirror = Experiment(tmp_path), tmp_path / "mirror"
    for kind in ("models", "datasets"):
        shutil.copytree(finished.path(f"toy/{kind}"), mirror / kind)
    config = {
        "source": str(mirror),
        "models": {"xlmr": {"from": "toy/xlmr"}},
        "intermediates": {},
        "targets": ["tatoeba"],
        "languages": ["de"],
        "recipes": {"tatoeba": {"max_length": 64}},
    }
    one = experiment.write(config, "one.yaml")
    experiment.snakemake(config=one).ok()
    two = experiment.write(config, "two.yaml")
    assert set(experiment.planned(config=two)) == {"plan", "tables", "figures", "report", "all"}
    experiment.snakemake(config=two).ok()
    locks = [yaml.safe_load((tmp_path / f"{n}.lock").read_text()) for n in ("one", "two")]
    assert locks[0] == locks[1], "what is pinned here already is taken over"
    # The mirror changes, and one of the two takes the new version.
    file = mirror / "datasets/google/xtreme/tatoeba.deu/validation-00000-of-00001.parquet"
    shutil.copyfile(mirror / "datasets/google/xtreme/tatoeba.rus" / file.name, file)
    experiment.step("pin", "--update", "google/xtreme", "--lock", "two.lock", "--root", mirror).ok()
    experiment.snakemake(config=two).failed(
        "made for the experiment `one`", "the pin of datasets/google/xtreme is"
    )
    assert experiment.snakemake(config=one).nothing
    experiment.snakemake("--config", "replace=true", config=two).ok()
    assert experiment.snakemake(config=two).nothing


def test_what_nobody_asks_for_is_listed_and_deleted(two, tmp_path):
    other = two.copy(tmp_path / "other")
    listed = other.step("unused").ok().out
    assert "0.0 MB  in all" in listed
    tuned = [p for p in other.path("tuned/xlmr/mnli").iterdir()]
    assert {p.name for p in tuned} == {"seed1", "seed2"}
    shutil.rmtree(other.path("experiments/second"))
    listed = other.step("unused").ok().out
    assert "results/encoders/xlmr/mnli/seed2" in listed
    assert "results/scores/xlmr/none/seed2/xnli/de.json" in listed
    assert "seed1" not in listed
    other.step("unused", "--delete").ok()
    assert not list(other.path("tuned").rglob("seed2"))
    assert "0.0 MB  in all" in other.step("unused").ok().out
    assert other.snakemake().nothing
    known = claims.known(other.folder)
    assert not any("seed2" in path for path in known)


def test_results_of_an_earlier_version_are_named(done):
    done.path("grid.csv").write_text("model\n")
    done.write(tiny(targets=["tatoeba"], languages=["de"]))
    run = done.snakemake().ok()
    assert "results/grid.csv: made by xstilts 0.1.0" in run.out and "rm -r" in run.out
