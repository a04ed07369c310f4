"""results.csv: what is in a row, and that the main table follows from it, as the docs say."""

import re

import pandas as pd
import pytest
from tests.analysis.test_tables import THREE, VALUES, experiment, write
from tests.conftest import ROOT

from xstilts.analysis import results
from xstilts.experiment.cells import NOSEED
from xstilts.monitoring import products
from xstilts.steps import tables as tables_step

FIGURES = ["seed", "target", "language", "metric", "headline", "value", "n"]
DOCS = "results/experiments/default/tables"
PAGE = (ROOT / "docs/scoring.md").read_text(encoding="utf-8")


def as_text(table):
    return [[str(x) for x in line] for line in table.astype(object).to_numpy().tolist()]


def test_a_row_a_score_in_full():
    grid, files = experiment({("mnli", "seed2", "xquad", "de"): 0.3})
    grid = grid.assign(learning_rate="1e-05", other="x", stage1_epochs="", **{"from": "o/m"})
    table = results.table(grid, files)
    columns = ["model", "intermediate", "seed", "target", "language", "split", "metric"]
    columns += ["headline", "value", "n", "from", "learning_rate", "stage1_epochs"]
    assert list(table) == columns
    cell = ["m", "mnli", "2", "xquad", "de", "dev"]
    about = ["10", "o/m", "1e-05", ""]
    assert as_text(table) == [
        [*cell, "f1+exact_match", "True", "30.0", *about],
        [*cell, "f1", "False", "40.0", *about],
        [*cell, "exact_match", "False", "20.0", *about],
    ]


def test_a_missing_score_has_a_row_and_a_cell_without_training_no_seed():
    grid, files = experiment(THREE)
    del files["scores/m/mnli/seed2/tatoeba/de.json"]
    assert as_text(results.table(grid, files)[FIGURES]) == [
        ["<NA>", "tatoeba", "de", "accuracy", "True", "40.0", "10"],
        ["1", "tatoeba", "de", "accuracy", "True", "50.0", "10"],
        ["2", "tatoeba", "de", "accuracy", "True", "nan", "<NA>"],
        ["3", "tatoeba", "de", "accuracy", "True", "70.0", "10"],
    ]


def test_a_correlation_may_be_below_zero():
    grid, files = experiment({("none", "seed1", "xnli", "de"): -0.25})
    assert results.table(grid, files)["value"].tolist() == [-25.0]


# Both targets of a grid, three seeds, numbers that no float is equal to; one cell needs no seed.
SEEDS = {
    **{(*key[:1], f"seed{k}", *key[2:]): value + 0.0137 * k * (-1) ** k
       for key, value in VALUES.items() for k in (1, 2, 3)},
    ("none", NOSEED, "tatoeba", "de"): 1 / 3,
    **{("mnli", f"seed{k}", "tatoeba", "de"): k / 7 for k in (1, 2, 3)},
}  # fmt: skip


@pytest.mark.parametrize("missing", [(), ("m/mnli/seed2/xquad/de",), ("m/none/noseed/tatoeba/de",)])
def test_the_main_table_follows_by_the_code_in_the_docs(tmp_path, monkeypatch, missing):
    """Was not to be had from per_language.csv: no row of what is averaged, fractions, seed1."""
    grid, files = experiment(SEEDS)
    for name in missing:
        del files[f"scores/{name}.json"]
    args = write(tmp_path, grid, files)
    args.out = str(tmp_path / DOCS)
    tables_step.main(args)
    monkeypatch.chdir(tmp_path)
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    found: dict = {}
    exec(code, found)
    _, reading = code.split("\n\n")
    assert len(reading.splitlines()) == 1 + 5, "a groupby of five lines"
    made = pd.read_csv(f"{DOCS}/main.csv", index_col=["model", "intermediate"])
    kept = [name for name in made if not name.endswith(" delta")]
    assert made[kept].isna().to_numpy().any() == bool(missing)
    pd.testing.assert_frame_equal(
        found["main"].round(4), made[kept], check_names=False, rtol=0, atol=1.01e-4
    )


def test_the_page_names_the_tables_that_there_are():
    listed = re.findall(r"^\| `([\w/{}]+)` \|", PAGE[: PAGE.index("## Every score")], re.M)
    assert set(listed) == {*products.TABLES, "languages/{target}", "questions/{question}"}
    assert all(f"`{name}`" in PAGE for name in products.DATA)
    columns = {name for cell in re.findall(r"^\| (`.*?) \|", PAGE, re.M)
               for name in re.findall(r"`(\w+)`", cell)}  # fmt: skip
    assert set(results.COLUMNS) | {"from", "learning_rate", "stage1_learning_rate"} <= columns
