"""docs/tasks-and-formats.md names the formats, columns and metrics that there are."""

import re

from tests.workflow.running import ROOT

from xstilts import metrics
from xstilts.data.prepare import SCHEMAS
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
