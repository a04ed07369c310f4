"""The command `xstilts` on real results, and what plain Snakemake is told on its command line."""

import re
import sys

import pytest
from tests.workflow.running import OWN, ROOT, SNAKEFILE, Experiment, run, tiny, xstilts

PACKAGES = ROOT / "workflow"


def test_run_makes_what_is_missing_and_prints_the_table(done):
    done.path(f"{OWN}/.made/tables.json").unlink()
    said = xstilts(done.folder, "run", "config.yaml", "--cores", "2").ok()
    assert said.jobs.keys() >= {"tables", "report"} and "tune" not in said.jobs
    assert said.out.endswith(done.read(f"{OWN}/tables/main.md")), "its last lines"
    again = xstilts(done.folder, "run", "config.yaml")
    assert again.nothing and again.out.endswith(done.read(f"{OWN}/tables/main.md"))
    counted = xstilts(done.folder, "check", "config.yaml").ok().out
    assert counted == "6 cells, 0 jobs to run, nothing wrong\n"


@pytest.mark.parametrize("changes", [{"seeds": [1, 2]}, {"test": True}, {"languages": ["ru"]}])
def test_check_counts_what_a_dry_run_plans(done, changes):
    done.write(tiny(**changes))
    jobs = done.planned()
    said = xstilts(done.folder, "check", "config.yaml").ok().out
    assert f" {sum(jobs.values()) - jobs['all']} jobs to run, nothing wrong" in said


def test_check_counts_a_new_grid_too(tmp_path):
    experiment = Experiment(tmp_path)
    experiment.write(tiny())
    total = sum(experiment.planned().values()) - 1
    said = xstilts(tmp_path, "check", "config.yaml").ok().out
    assert said == f"6 cells, {total} jobs to run, nothing wrong\n"


def test_check_and_a_dry_run_refuse_the_same_and_check_says_all(done):
    done.write(tiny(targets=["xnil"], languages=["de", "en"], models={}))
    assert xstilts(done.folder, "check", "config.yaml").code == 1
    replaced = tiny(name="other", recipes={"mnli": {"epochs": 5, "max_steps": 4}})
    done.write(replaced, "other.yaml")
    line = "made for the experiment `config`, where `recipe."
    xstilts(done.folder, "check", "other.yaml").failed("error: results/encoders/xlmr/mnli", line)
    done.snakemake("-n", config=done.folder / "other.yaml").failed(line)


def test_after_the_dashes_is_snakemake_s(done):
    said = xstilts(done.folder, "run", "config.yaml", "-n", "--", "-R", "tables")
    assert said.ok().jobs == {"tables": 1, "all": 1}


def test_a_rehearsal_is_planned_in_its_own_folder(done):
    done.write(tiny(source="hub", seeds=[1, 2, 3]))
    said = xstilts(done.folder, "rehearse", "config.yaml", "-n", "--cores", "2").ok()
    assert said.jobs["toy_world"] and not done.path("rehearsal/results/experiments").exists()


def test_text_of_the_command_line_is_read_as_the_key_wants_it(finished, tmp_path):
    """`--config`, by Snakemake and by the steps, as a file would give it."""
    changes = {"test": True, "keep_tuned": False, "seeds": [1, 2], "languages": ["de"]}
    changes["recipes"] = {"udpos": {"epochs": 1.5}}
    text = ["test=true", "keep_tuned=no", "seeds=[1,2]", "languages=[de]"]
    text.append("recipes={udpos: {epochs: 1.5}}")
    given = Experiment(tmp_path).write(tiny(**changes))
    assert finished.planned("--config", *text) == finished.planned(config=given)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["status"],
            "error: --configfile takes every word after it for a config file, `status` too;"
            " a target goes before it: snakemake status --configfile config.yaml",
        ),
        (["results/models/xlmr/node.json"], "snakemake results/models/xlmr/node.json --configfile"),
        (["results"], "`results` too; a target goes before it"),
        (["ovre.yaml"], "error: --configfile: ovre.yaml: there is no such config file"),
    ],
)
def test_a_target_after_configfile_is_named_as_what_it_is(finished, words, line):
    args = ["-m", "snakemake", "--snakefile", SNAKEFILE, "--configfile", "config.yaml", *words]
    run([sys.executable, *args], finished.folder, packages=PACKAGES).failed(line)


def test_a_result_after_configfile_is_named_where_xstilts_is_not_installed(finished):
    file = "results/models/xlmr/node.json"
    args = ["-m", "snakemake", "--snakefile", SNAKEFILE, "--configfile", "config.yaml", file]
    run([sys.executable, *args], finished.folder).failed(f"snakemake {file} --configfile")


def test_a_command_that_fails_in_front_of_a_pipe_has_failed(done):
    folder = done.folder / ".snakemake/xstilts/estimate-config.csv"
    folder.mkdir(parents=True)
    assert done.snakemake("estimate").code != 0


def test_every_rule_says_what_it_makes(tmp_path):
    args = ["-m", "snakemake", "--snakefile", SNAKEFILE, "--directory", tmp_path, "--list"]
    lines = run([sys.executable, *args], ROOT).ok().out.splitlines()[1:]
    assert len(lines) > 20
    assert all(re.fullmatch(r"\w+ \(\w.+\w\)", line) for line in lines), lines
