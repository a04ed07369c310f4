"""How `run` and `rehearse` call Snakemake."""

import pytest

import xstilts
from xstilts.cli import command, rehearse, run
from xstilts.running.errors import UserError

SNAKEFILE = str(xstilts.WORKFLOW.parent / "Snakefile")


@pytest.mark.parametrize(
    ("words", "called"),
    [
        (["a.yaml"], ["--configfile", "a.yaml", "--snakefile", SNAKEFILE]),
        (
            ["a.yaml", "b.yaml", "--cores", "2", "-n", "--", "tables", "-R", "tune"],
            [
                "--configfile", "a.yaml", "b.yaml", "--snakefile", SNAKEFILE, "--cores", "2",
                "--dry-run", "tables", "-R", "tune",
            ],
        ),
        (
            ["a.yaml", "--profile", "slurm", "--directory", "d d"],
            [
                "--configfile", "a.yaml", "--snakefile", SNAKEFILE, "--workflow-profile", "slurm",
                "--directory", "d d",
            ],
        ),
    ],
)  # fmt: skip
def test_the_words_after_snakemake(monkeypatch, tmp_path, words, called):
    monkeypatch.chdir(tmp_path)
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("seeds: [1]\n")
    given = []
    monkeypatch.setattr(run, "check_profile", lambda profile: None)
    monkeypatch.setattr(run, "_snakemake", lambda words: given.append(words) or 3)
    with pytest.raises(SystemExit) as ended:
        command.main(["run", *words])
    assert given == [called] and ended.value.code == 3, "it ends as Snakemake does"


def test_a_rehearsal_lies_over_the_config_and_has_a_folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text("seeds: [1]\n")
    given = []
    monkeypatch.setattr(run, "_snakemake", lambda words: given.append(words) or 0)
    with pytest.raises(SystemExit) as ended:
        command.main(["rehearse", "a.yaml"])
    assert ended.value.code == 0
    over = ["--configfile", "a.yaml", str(rehearse.REHEARSAL), "--snakefile", SNAKEFILE]
    assert given == [[*over, "--directory", "results/rehearsal"]]


def test_a_config_may_have_a_rehearsal_of_its_own(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rehearsals").mkdir()
    for file in ("a.yaml", "b.yaml", "rehearsals/a.yaml"):
        (tmp_path / file).write_text("seeds: [1]\n")
    given = []
    monkeypatch.setattr(run, "_snakemake", lambda words: given.append(words) or 0)
    with pytest.raises(SystemExit):
        command.main(["rehearse", "a.yaml", "b.yaml"])
    assert given[0][1:5] == ["a.yaml", "b.yaml", str(rehearse.REHEARSAL), "rehearsals/a.yaml"]


@pytest.mark.parametrize(("options", "shown"), [([], True), (["-n"], False), (["--", "x"], False)])
def test_the_main_table_is_printed_at_the_end(monkeypatch, tmp_path, capsys, options, shown):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text("seeds: [1]\n")
    table = tmp_path / "results/experiments/a/tables/main.md"
    table.parent.mkdir(parents=True)
    table.write_text("| model |\n")
    monkeypatch.setattr(run, "_snakemake", lambda words: 0)
    with pytest.raises(SystemExit):
        command.main(["run", "a.yaml", *options])
    assert capsys.readouterr().out == ("\n| model |\n" if shown else "")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["mi.yaml"], "error: mi.yaml: there is no such config file; did you mean `my.yaml`?"),
        (
            ["my.yaml", "status"],
            "error: status: there is no such config file; what is for Snakemake goes after --",
        ),
        (["bad.yaml"], "error: bad.yaml: holds no config"),
    ],
)
def test_a_config_that_is_not_there(monkeypatch, tmp_path, words, line):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.yaml").write_text("seeds: [1]\n")
    (tmp_path / "bad.yaml").write_text("a list\n")
    with pytest.raises(SystemExit) as ended:
        command.main(["run", *words])
    assert ended.value.code == line and len(list(tmp_path.iterdir())) == 2


def test_slurm_without_its_executor_is_one_line(monkeypatch):
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        UserError, match=r"^--profile slurm: the executor .*: pip install snakemake"
    ):
        run.check_profile("slurm")
    run.check_profile("mine")
    run.check_profile(None)
