"""The status of real results, and that it knows what Snakemake would do."""

import re
import shutil
import zipfile
from collections import Counter

import pyarrow.parquet as pq
import pytest
from tests.workflow.running import OWN, Experiment, tiny

from xstilts.experiment.nodes import MAKERS, RECORDED, RULES, TRIALS
from xstilts.monitoring.records import next_run
from xstilts.monitoring.workspace import Workspace


def counted(experiment):
    """Rule -> number of jobs: by the status, and by Snakemake's dry run."""
    here = Workspace.of([str(experiment.folder / "config.yaml")], directory=experiment.folder)
    ours = Counter(here.nodes[key].rule for key in next_run(here.nodes, here.records))
    theirs = Counter()
    for rule, jobs in experiment.planned().items():
        theirs[re.sub("^evaluate_.*", "evaluate", rule)] += jobs
    return dict(ours), {rule: theirs[rule] for rule in RULES if theirs[rule]}


def test_everything_is_to_be_done_in_an_empty_folder(tmp_path):
    """With all that an experiment can have but synthetic rows: every rule has something to do."""
    experiment = Experiment(tmp_path)
    rates = {"tune_on_dev": {"learning_rate": [1e-3, 1e-4]}}
    hard = {"tasks": ["mnli"], "subset": {"by": "pvi", "keep": "lowest", "rows": 9}}
    experiment.write(
        tiny(
            recipes={"mnli": rates, "xnli": rates},
            alignment={"tatoeba": {}},
            overlap=True,
            intermediates=tiny()["intermediates"] | {"hard": hard, "vqa": {"tasks": ["vqa"]}},
            vision={"dinov2": {"from": "facebook/dinov2-base"}},
        )
    )
    ours, theirs = counted(experiment)
    assert ours == theirs and set(ours) == set(RULES) - {"toy_backbone", *MAKERS}
    experiment.write(tiny())
    ours, theirs = counted(experiment)
    others = {"toy_backbone", "choose", "align", "overlap", "subset", "bag_of_words"}
    others |= {"toy_vision", "pin_vision", "vision", "features"}
    others |= {*TRIALS, *RECORDED, *MAKERS}
    assert ours == theirs and set(ours) == set(RULES) - others


def deleted(*names):
    def change(experiment):
        for name in names:
            path = experiment.path(name)
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return change


def configured(**changes):
    return lambda experiment: experiment.write(tiny(**changes))


SCORE = "scores/xlmr/mnli/seed1/xnli/de.json"


@pytest.mark.parametrize(
    ("change", "jobs"),
    [
        (deleted(), {}),
        (deleted("tuned", "encoded", "data", "encoders", "models", "toy", "manifests"), {}),
        (deleted(SCORE), {"evaluate": 1}),
        (deleted(SCORE, "tuned/xlmr/mnli/seed1/mnli"), {"tune": 1, "evaluate": 1}),
        (
            deleted(SCORE, "encoded/xlmr/xnli/de.dev.64.safetensors"),
            {"encode": 1, "manifest": 1, "evaluate": 1},
        ),
        (
            deleted(SCORE, "tuned/xlmr/mnli/seed1/mnli", "encoders/xlmr/mnli/seed1"),
            {"intermediate": 1, "tune": 1, "evaluate": 1},
        ),
        (
            configured(recipes={"mnli": {"learning_rate": 2.0e-3}}),
            {"intermediate": 1, "tune": 2, "evaluate": 3},
        ),
        (
            configured(languages=["de", "en", "ru"]),
            {"prepare": 3, "encode": 3, "manifest": 3, "evaluate": 6},
        ),
    ],
    ids=["none", "data", "score", "tuned", "encoded", "encoder", "recipe", "language"],
)
def test_the_status_counts_the_jobs_of_the_next_run(done, change, jobs):
    change(done)
    ours, theirs = counted(done)
    assert ours == jobs
    assert theirs == jobs


def test_the_status_is_a_target_that_prints(finished, tmp_path):
    done = finished.copy(tmp_path / "done")
    run = done.snakemake("status").ok()
    assert run.jobs == {"status": 1}
    # A few steps on a few rows teach next to nothing, and the status says so.
    text = (
        "model  intermediate  xnli               udpos              tatoeba\n"
        "xlmr   none          done, 1 collapsed  done               done\n"
        "xlmr   mnli          done, 1 collapsed  done, 1 collapsed  done, 1 collapsed\n"
        "\n6 cells: 6 done; 4 collapsed: xlmr/mnli/seed1/tatoeba, xlmr/mnli/seed1/udpos,"
        " xlmr/mnli/seed1/xnli, xlmr/none/seed1/xnli\n"
        "\n3 of 5 trainings ended at what guessing gives: xlmr/none/seed1/mnli, xlmr/mnli/seed1,"
        " xlmr/mnli/seed1/mnli\n"
        "\nnext run: no score is to be computed\n"
    )
    assert text in run.out
    assert done.snakemake("status").ok().jobs == {"status": 1}, "each time it is asked for"
    assert done.step("status", "config.yaml").ok().out == text, "and without Snakemake"


def test_the_status_tells_what_failed_and_where_it_is_said(done):
    rows = done.path("data/xnli/de.dev.parquet")
    table = pq.read_table(rows)
    pq.write_table(table.slice(0, 3).replace_schema_metadata(table.schema.metadata), rows)
    done.path(SCORE).unlink()
    failed = done.snakemake().failed("xlmr/mnli/seed1/xnli: de: ")
    [line] = set(re.findall(r"error: xlmr/mnli.*(?= \(log: )", failed.out))
    lines = done.snakemake("status").ok().out.splitlines()
    at = lines.index("failed: xlmr/mnli/seed1/xnli")
    assert lines[at + 1].strip() == line
    assert lines[at + 2].strip() == "results/logs/evaluate/xlmr/mnli/seed1/xnli.log"
    page = done.read(f"{OWN}/report.html")
    assert '"state":"failed"' in page, "made anew after the run that failed"


def test_a_config_that_is_not_there_is_one_line(tmp_path):
    Experiment(tmp_path).step("status", "my.yaml").failed(
        "error: my.yaml: there is no such config file"
    )


def test_snakemake_reports_tables_and_page_with_captions(finished, tmp_path):
    done = finished.copy(tmp_path / "done")
    done.snakemake("--report", "report.zip").ok()
    with zipfile.ZipFile(done.folder / "report.zip") as file:
        names = [name for name in file.namelist() if name.startswith("report/data/raw/")]
        start = file.read("report/report.html").decode()
    files = {name.rsplit("/", 1)[1] for name in names}
    tables = {"main.csv", "seeds.csv", "traits.csv", "results.csv"}
    assert tables | {"report.html"} <= files
    assert "Overview" in start and "A row per intermediate task" in start


def test_the_estimate_is_a_target_and_is_held_against_what_happened(finished, tmp_path):
    empty = Experiment(tmp_path)
    empty.write(tiny())
    run = empty.snakemake("estimate").ok()
    assert run.jobs == {"estimate": 1}
    assert re.search(r"^tune +4 +4 .*counted in FLOP$", run.out, re.M), run.out
    done = finished.copy(tmp_path / "done")
    kept = ".snakemake/xstilts/estimate-config.csv"
    (done.folder / kept).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(empty.folder / kept, done.folder / kept)
    again = done.snakemake("estimate").ok()
    assert "tune: 4 finished, forecast" in again.out and again.jobs == {"estimate": 1}
    done.step("estimate", "config.yaml", "--devices", "4", "--device", "h100", "--out", kept).ok()
    grid = f"results/{OWN}/grid.csv"
    done.step("report", "--grid", grid, "--out", "report.html").ok()
