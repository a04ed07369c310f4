"""What filters measure of synthetic rows, as numbers of an intermediate."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.experiment.test_grid import BASE, make

from xstilts.analysis import quality
from xstilts.experiment import graph
from xstilts.experiment.config import load
from xstilts.experiment.config_files import merge
from xstilts.running.errors import UserError

GIVEN = {"by": "cat", "languages": ["de", "ru"], "filter": "strict"}
SETTINGS = {
    "translators": {"cat": {"engine": "command", "run": "cat {lang}"}},
    "intermediates": {
        "made": {"tasks": ["mnli"], "translated": GIVEN},
        "noisy": {"tasks": ["mnli"], "translated": {**GIVEN, "noise": 0.1}},
    },
    "targets": ["xnli"], "languages": ["de"], "tasks": {},
}  # fmt: skip
MEASURED = {
    "de": {"language": [0.5, 0.7, 0.1], "numbers": [None, 1.0, 0.0], "kept": [True, True, False]},
    "ru": {"language": [0.9], "numbers": [None], "kept": [True]},
}


def write(root):
    for lang, columns in MEASURED.items():
        path = root / f"results/synthetic/cat.strict/mnli/{lang}.train.measures.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        ids = {"id": [str(at) for at in range(len(columns["kept"]))]}
        types = {name: pa.array(values, None if name == "kept" else pa.float32())
                 for name, values in columns.items()}  # fmt: skip
        pq.write_table(pa.table(ids | types), path)


def test_means_are_of_the_rows_that_pass(tmp_path):
    grid = make(**SETTINGS)
    nodes = graph.build(grid)
    write(tmp_path)
    found = quality.means(grid, nodes, tmp_path, lambda key: True)
    assert found["language"] == {("m", "made"): pytest.approx((0.5 + 0.7 + 0.9) / 3)}
    assert found["numbers"] == {("m", "made"): 1.0}, "of the rows of which it is known"
    assert "similarity" not in found
    assert not quality.means(grid, nodes, tmp_path, lambda key: False)


def test_a_question_along_what_nothing_measures_is_refused():
    asked = {"q": {"along": {"intermediate": "similarity"}}}
    with pytest.raises(UserError) as error:
        load(merge(BASE, SETTINGS | {"questions": asked}))
    assert (
        "questions: q: along: intermediate: `similarity` will not be known of any row: no filter of"
        " synthetic rows has it; say it in one of `filters`, as in `{similarity: {min: 0}}`"
    ) in str(error.value)
    load(merge(BASE, SETTINGS | {"questions": {"q": {"along": {"intermediate": "language"}}}}))
