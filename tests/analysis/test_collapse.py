"""Which cells a training collapsed for, and what tables, status and page say of it."""

import json
import shutil

import pandas as pd
import pytest
from tests import results
from tests.analysis.test_cost import record
from tests.analysis.test_tables import as_rows

from xstilts.analysis import collapse, cost
from xstilts.experiment import graph
from xstilts.experiment.cells import CELL, Cell
from xstilts.monitoring import collapsed, status
from xstilts.monitoring.cell_states import CellState, read_config
from xstilts.report import contents, training
from xstilts.running.files import digest, write_json
from xstilts.steps import status as status_step
from xstilts.steps import tables as tables_step

MARK = {
    "task": "mnli", "metric": "accuracy", "score": 0.34, "low": 0.30, "high": 0.38,
    "guessing": 0.35, "guess": "always neutral", "rows": 500, "evaluations": 3,
}  # fmt: skip
MODEL = {"kind": "model"}
FIRST = {"parent": digest(MODEL), "task": "mnli"}
CHAINED = {"parent": digest(FIRST), "after": "mnli", "task": "squad"}  # as `Grid.encoder_spec`
TUNED = {"parent": digest(CHAINED), "task": "xnli"}
ENCODER = {"parent": digest(MODEL), "task": "hellaswag"}


def score(intermediate, seed, target, spec):
    names = dict(zip(CELL, ("m", intermediate, seed, target), strict=True))
    return {**names, "spec": {"model": digest(spec)}}


@pytest.fixture
def records(tmp_path):
    """A chain `deep` after `mnli` with its tuning, whose first stage collapsed; and another row."""
    write_json(tmp_path / "encoders/m/mnli/seed1/node.json", record(FIRST, 1.0, collapsed=MARK))
    write_json(tmp_path / "encoders/m/deep/seed1/node.json", record(CHAINED, 1.0))
    write_json(tmp_path / "tuned/m/deep/seed1/xnli/node.json", record(TUNED, 1.0))
    write_json(tmp_path / "encoders/m/deep/seed2/node.json", record(CHAINED, 1.0))
    write_json(tmp_path / "encoders/m/other/seed1/node.json", record(ENCODER, 1.0))
    return cost.training_records(tmp_path)[0]


FILES = {
    "a/de": score("deep", "seed1", "xnli", TUNED),
    "a/en": score("deep", "seed1", "xnli", TUNED),
    "b": score("mnli", "seed1", "tatoeba", FIRST),
    "c": score("deep", "seed2", "tatoeba", CHAINED),
    "d": score("other", "seed1", "tatoeba", ENCODER),
    "e": score("none", "noseed", "tatoeba", MODEL),
}


def test_a_cell_collapsed_if_any_stage_before_it_did(records):
    """Of seed 2 the first stage is not there, so nothing is known of it."""
    found = collapse.runs(FILES, collapse.of_scores(FILES, records), records)
    assert set(found) == {("m", "deep", "seed1", "xnli"), ("m", "mnli", "seed1", "tatoeba")}
    lineages = collapse.of_scores(FILES, records)
    names = {
        path: [collapse.folder(records[key]) for key in keys] for path, keys in lineages.items()
    }
    assert names == {
        "a/de": ["tuned/m/deep/seed1/xnli", "encoders/m/deep/seed1", "encoders/m/mnli/seed1"],
        "a/en": ["tuned/m/deep/seed1/xnli", "encoders/m/deep/seed1", "encoders/m/mnli/seed1"],
        "b": ["encoders/m/mnli/seed1"],
        "c": ["encoders/m/deep/seed2"],
        "d": ["encoders/m/other/seed1"],
        "e": [],
    }


CELLS = pd.DataFrame(
    [
        ("m", "none", "seed1", "xnli", 40.0),
        ("m", "mnli", "seed1", "xnli", 60.0),
        ("m", "mnli", "seed2", "xnli", 33.0),
        ("m", "mnli", "seed3", "xnli", 62.0),
        ("m", "squad", "seed1", "xnli", 34.0),
    ],
    columns=[*CELL, "value"],
)
KEYS = {name: ("m", name, seed, name) for name, seed in {"mnli": "seed2", "squad": "seed1"}.items()}
RECORDS = {
    key: {
        "stage": "intermediate", "model": "m", "intermediate": name, "seed": key[2], "task": "",
        "collapsed": MARK,
    }
    for name, key in KEYS.items()
}  # fmt: skip
RUNS = {("m", name, key[2], "xnli"): [key] for name, key in KEYS.items()}


def test_the_table_in_full():
    found = collapse.table(CELLS, RUNS, RECORDS)
    assert list(found) == collapse.COLUMNS
    about = ["mnli", "accuracy", 34.0, 35.0, 500]
    first, second = (f"encoders/m/{name}" for name in ("mnli/seed2", "squad/seed1"))
    assert as_rows(found) == [
        ["m", "mnli", "seed2", "xnli", first, *about, 33.0, 60.0, 61.0, 51.666667, 61.0, 2],
        ["m", "squad", "seed1", "xnli", second, *about, 34.0, 34.0, None, 34.0, None, 0],
    ]
    assert collapse.table(CELLS, {}, {}).empty
    assert len(collapse.without(CELLS, RUNS)) == 3


def test_the_notes_say_the_medians_without_them():
    table = collapse.table(CELLS, RUNS, RECORDS)
    records = {**RECORDS, ("fine",): {**RECORDS[KEYS["mnli"]], "seed": "seed9"}}
    del records["fine",]["collapsed"]
    lineages = [[KEYS["mnli"]], [KEYS["mnli"], KEYS["squad"]], [("fine",)]]
    assert collapse.notes(table, lineages, records) == [
        "2 of 3 trainings ended at what guessing gives (collapsed.csv): encoders/m/mnli/seed2,"
        " encoders/m/squad/seed1.",
        "Medians without them: m/mnli on xnli 61.0 (with them 60.0).",
        "Medians of which no other seed is left: 1.",
    ]
    assert collapse.notes(table[:0], [[("fine",)]], records) == []


def test_many_are_counted_not_listed():
    keys = {f"i{n}": ("m", f"i{n}", "seed1", "s") for n in range(40)}
    records = {key: {**RECORDS[KEYS["mnli"]], "intermediate": name} for name, key in keys.items()}
    values = [("m", name, seed, "t", 50.0) for name in keys for seed in ("seed1", "seed2")]
    marked = {("m", name, "seed1", "t"): [key] for name, key in keys.items()}
    table = collapse.table(pd.DataFrame(values, columns=[*CELL, "value"]), marked, records)
    notes = collapse.notes(table, [[key] for key in keys.values()], records)
    assert notes == [
        "40 of 40 trainings ended at what guessing gives (collapsed.csv): encoders/m/i0/seed2,"
        " encoders/m/i1/seed2, encoders/m/i2/seed2, encoders/m/i3/seed2 and 36 more.",
        "The 40 medians without them are in collapsed.csv.",
    ]


STREAMS = [
    {"stream": 1, "score": 0.34, "seconds": 1800.0, "tokens": 900.0, "collapsed": MARK},
    {"stream": 2, "score": 0.7, "seconds": 7200.0, "tokens": 3600.0},
]


def test_what_was_made_again_is_noted_and_its_cost_is_counted(tmp_path):
    more = {"stream": 2, "streams": STREAMS, "tokens": 3600.0}
    write_json(tmp_path / "encoders/m/other/seed1/node.json", record(ENCODER, 7200.0, **more))
    records, _ = cost.training_records(tmp_path)
    files = {"d": FILES["d"] | {"device": "H100", "seconds": 1.0, "tokens_per_second": 1.0}}
    lineages = collapse.of_scores(files, records)
    assert not collapse.runs(files, collapse.of_scores(files, records), records)
    assert collapse.notes(collapse.table(CELLS, {}, {}), lineages.values(), records) == [
        "1 of 1 trainings collapsed and were made again with another seed stream (on_collapse:"
        " retry): encoders/m/other/seed1."
    ]
    row = cost.table(files, records).iloc[0]
    assert row["hours"] == 2.5 and row["tokens per second"] == 0.5


# --- Of a finished run ----------------------------------------------------------------------------

STAGE_1 = "results/encoders/m/mnli/seed2/node.json"
STAGE_2 = "results/tuned/m/none/seed1/mnli/node.json"


@pytest.fixture
def run(tmp_path, monkeypatch):
    results.write(tmp_path, seeds=[1, 2, 3])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def mark(root, *names):
    for name in names:
        results.change(root / name, collapsed=MARK)


def tables(root):
    home = root / results.HOME
    given = ["--grid", str(home / "grid.csv"), "--out", str(home / "tables")]
    tables_step.main(tables_step.parser().parse_args(given))
    return home / "tables"


def test_the_tables_say_it_with_and_without(run, capsys):
    mark(run, STAGE_1, STAGE_2)
    out = tables(run)
    found = pd.read_csv(out / "collapsed.csv")
    shown = found[["intermediate", "seed", "target", "training", "median", "median without"]]
    assert as_rows(shown) == [
        ["none", "seed1", "xnli", "tuned/m/none/seed1/mnli", 45.0, 46.0],
        ["mnli", "seed2", "xnli", "encoders/m/mnli/seed2", 55.0, 55.0],
        ["mnli", "seed2", "tatoeba", "encoders/m/mnli/seed2", 40.0, 40.0],
    ]
    said = (
        "2 of 9 trainings ended at what guessing gives (collapsed.csv): tuned/m/none/seed1/mnli,"
        " encoders/m/mnli/seed2. Medians without them: m/none on xnli 46.0 (with them 45.0);"
        " m/mnli on xnli 55.0 (with them 55.0); m/mnli on tatoeba 40.0 (with them 40.0)."
    )
    for name in ("main", "seeds"):
        assert said in (out / f"{name}.md").read_text()
    assert said in capsys.readouterr().out


def test_questions_are_answered_with_and_without_them(tmp_path, monkeypatch):
    results.write(tmp_path, seeds=[1, 2, 3], questions={"helps": {"where": {"target": "xnli"}}})
    monkeypatch.chdir(tmp_path)
    mark(tmp_path, STAGE_1)
    out = tables(tmp_path) / "questions"
    answers = pd.read_csv(out / "helps.csv", keep_default_na=False)
    assert answers["without"].tolist() == ["", "collapsed"]
    said = "Collapsed: m/mnli/seed2/xnli. The answer is given with and without them."
    assert said in json.loads((out / "helps.json").read_text())["notes"]


def test_where_all_is_well_nothing_is_said(run):
    out = tables(run)
    assert "guessing" not in (out / "main.md").read_text()
    assert len((out / "collapsed.csv").read_text().splitlines()) == 1


def look(root):
    nodes = graph.build(read_config(root / results.HOME / "config.yaml"))
    marks = collapsed.trainings(nodes, root)
    return nodes, marks, collapsed.cells(nodes, marks)


def test_the_graph_says_for_which_cells_it_was(run):
    mark(run, STAGE_1)
    nodes, marks, cells = look(run)
    assert marks == {STAGE_1: MARK}
    assert cells == {Cell("m", "mnli", "seed2", target) for target in ("xnli", "tatoeba")}
    line = "1 of 9 trainings ended at what guessing gives: m/mnli/seed2"
    assert collapsed.line(nodes, marks, run) == line
    results.change(run / STAGE_1, spec={})
    assert look(run)[1:] == ({}, set()), "of another spec than is asked for"
    (run / STAGE_1).write_text('{"collapsed"')
    assert look(run)[1:] == ({}, set()), "damaged"


def test_what_a_stream_before_was_is_no_mark(run):
    results.change(run / STAGE_1, streams=STREAMS, stream=2)
    assert look(run)[1] == {}


def test_the_matrix_counts_the_seeds():
    cells = [Cell("m", "mnli", f"seed{n}", "xnli") for n in range(3)]
    states = dict.fromkeys(cells, CellState("done", 2, 2))
    assert status.matrix(states, cells[1:]) == [
        ["model", "intermediate", "xnli"],
        ["m", "mnli", "done x3, 2 collapsed"],
    ]
    said = status.overview(states.values(), cells[1:])
    assert said == "3 cells: 3 done; 2 collapsed: m/mnli/seed1/xnli, m/mnli/seed2/xnli"


def test_the_status_says_it(run, capsys):
    mark(run, STAGE_1, STAGE_2)
    (run / "e.yaml").write_text(json.dumps(results.CONFIG | {"seeds": [1, 2, 3]}))
    status_step.main(
        status_step.parser().parse_args([str(run / "e.yaml"), "--directory", str(run)])
    )
    said = capsys.readouterr().out
    assert "done x3, 1 collapsed" in said
    names = ("mnli/seed2/tatoeba", "mnli/seed2/xnli", "none/seed1/xnli")
    assert f"; 3 collapsed: {', '.join(f'm/{name}' for name in names)}\n" in said
    line = "2 of 9 trainings ended at what guessing gives: m/none/seed1/mnli, m/mnli/seed2"
    assert line in said.splitlines()


def test_what_is_not_there_is_not_counted_as_collapsed(run, capsys):
    mark(run, STAGE_1)
    for gone in ("scores/m/mnli/seed2/xnli", "tuned/m/mnli/seed3/mnli"):
        shutil.rmtree(run / "results" / gone)
    (run / "e.yaml").write_text(json.dumps(results.CONFIG | {"seeds": [1, 2, 3]}))
    status_step.main(
        status_step.parser().parse_args([str(run / "e.yaml"), "--directory", str(run)])
    )
    said = capsys.readouterr().out
    assert "; 1 collapsed: m/mnli/seed2/tatoeba\n" in said
    assert "1 of 8 trainings ended at what guessing gives: m/mnli/seed2" in said


def test_the_page_marks_training_and_cell(run):
    mark(run, STAGE_1)
    found = contents.read(run / results.HOME / "grid.csv")
    assert "1 of 9 trainings ended at what guessing gives: m/mnli/seed2." in found["notes"]
    marked = [cell for cell in found["cells"] if "collapsed" in cell]
    assert [(cell["row"], cell["seed"]) for cell in marked] == [(1, "seed2")] * 2
    [index] = [i for i, one in enumerate(found["trainings"]) if one["warnings"]]
    assert found["trainings"][index]["folder"] == "results/encoders/m/mnli/seed2"
    assert all(index in cell["trainings"] for cell in marked)
    assert found["trainings"][index]["warnings"] == [
        "Collapsed: its dev score, 34.0 (95%: 30.0 to 38.0), is not above what guessing gives, 35.0"
        " (always neutral)."
    ]


def test_what_else_the_page_says_of_a_training():
    found = training.warnings({"at_guessing": [MARK], "streams": STREAMS, "stream": 2})
    assert found == [
        "Not learnt in this mix: mnli, its dev score, 34.0 (95%: 30.0 to 38.0), is not above what"
        " guessing gives, 35.0 (always neutral).",
        "Trained 2 times, because it collapsed (best dev scores 34.0, 70.0); stream 2 was taken.",
    ]
