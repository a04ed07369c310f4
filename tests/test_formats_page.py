"""docs/tasks-and-formats.md names the formats, columns and metrics that there are."""

import re

import yaml
from tests.data.test_prepare import step
from tests.test_docs import blocks
from tests.workflow.running import ROOT, tiny

from xstilts import metrics
from xstilts.data import files, prepare
from xstilts.data.prepare import SCHEMAS
from xstilts.experiment.config import load
from xstilts.experiment.grid import Grid
from xstilts.experiment.tasks import FORMATS

PAGE = (ROOT / "docs/tasks-and-formats.md").read_text(encoding="utf-8")


def table(heading):
    """The rows of the table that begins with a heading: first cell -> names in the others."""
    lines = PAGE[PAGE.index(f"\n| {heading} |") + 1 :].split("\n\n")[0].splitlines()[2:]
    rows = [[re.findall(r"`(\w+)`", cell) for cell in line.split("|")[1:-1]] for line in lines]
    return {row[0][0]: row[1:] for row in rows}


def test_the_formats_have_these_columns_and_metrics():
    rows = table("format")
    assert {name: tuple(cells[3]) for name, cells in rows.items()} == FORMATS
    columns = {name: set(schema.names) - {"id"} for name, schema in SCHEMAS.items()}
    assert {name: set(cells[0]) for name, cells in rows.items()} == columns


def test_the_metrics_have_these_figures():
    rows = table("metric")
    assert rows.keys() == metrics.METRICS.keys()
    for name, metric in metrics.METRICS.items():
        beside = set(metric.keys) - (set(metric.averaged) if len(metric.averaged) == 1 else set())
        assert set(rows[name][1]) == beside, name


def test_the_search_among_candidates_of_ones_own_runs(tmp_path, monkeypatch):
    """Its files are as they stand on the page; of its languages one is."""
    monkeypatch.chdir(tmp_path)
    for language in ("text", "csv"):
        for name, text in blocks("docs/tasks-and-formats.md", language):
            write(tmp_path / "datasets/local" / name, text)
    [example] = [part for _, part in blocks("docs/tasks-and-formats.md", "yaml") if "faq" in part]
    tasks = yaml.safe_load(example)["tasks"]
    for split in tasks["faq"]["files"].values():
        write(tmp_path / split, "question,answer\nWho pays?,You do.\nWhen?,Today.\n")
    assert tasks["faq_search"]["hub"] == "./faq"
    tasks["faq_search"]["hub"] = "local/faq"  # which a step finds where the test has it
    config = tiny(targets=["faq_search"], tasks=tasks, languages="all", source=str(tmp_path))
    grid = Grid(load(config))
    rows, _ = step(tmp_path, grid.data_spec("faq_search", "de", "dev"), tmp_path)
    assert [(row["side"], row["golds"], row["lang"]) for row in rows] == [("source", ["c1"], "de")]
    pool, _ = step(tmp_path, grid.data_spec("faq_search", "pool", "dev"), tmp_path)
    assert [(row["id"], row["side"], row["lang"]) for row in pool] == [
        ("c1", "target", "en"), ("c2", "target", "de"),
    ]  # fmt: skip
    spec = grid.data_spec("faq", "en", "train")
    pairs, _ = prepare.unify(files.head([tmp_path / "train.csv"], spec, None), {}, spec)
    assert [(row["text"], row["text_pair"]) for row in pairs] == [
        ("Who pays?", "You do."), ("When?", "Today."),
    ]  # fmt: skip


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
