"""The steps of subsets: from rows and what is recorded of each to those that are trained on."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests import helpers

from xstilts.data import prepare, subset
from xstilts.encoding.encoded import Encoded
from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json, write_json
from xstilts.steps import bag_of_words
from xstilts.steps import subset as subset_step
from xstilts.training import sample

LABELS = [("no", "x") if n % 3 else ("yes", "y") for n in range(9)]
ROWS = [
    {"id": f"r{n}", "text": "a", "text_pair": word, "label": label}
    for n, (label, word) in enumerate(LABELS)
]
RECORD = {"spec": {"kind": "difficulty"}, "pins": {"models/o/m": "r1"}}


@pytest.fixture
def picked(tmp_path):
    """From changes of a spec to the record of the subset that is written."""
    path = helpers.write_rows(tmp_path / "rows.parquet", "classification", ROWS)
    table = pa.table({"id": [row["id"] for row in ROWS], "loss": [float(n) for n in range(9)]})
    pq.write_table(table, tmp_path / "recorded.parquet")
    write_json(tmp_path / "recorded.json", RECORD)

    def run(**changes):
        spec = {
            "data": digest(prepare.metadata(path)["spec"]), "keep": "highest", "rows": 4,
            "balance": True, "by": "loss", "measured": digest(RECORD["spec"]), **changes,
        }  # fmt: skip
        out, record = tmp_path / "subset.parquet", tmp_path / "subset.json"
        args = subset_step.parser().parse_args([
            "--spec", json.dumps(spec), "--rows", str(path), "--intermediate", "hard",
            "--measured", str(tmp_path / "recorded.parquet"), "--out", str(out),
            "--recorded", str(tmp_path / "recorded.json"), "--record", str(record),
        ])  # fmt: skip
        subset_step.main(args)
        return record

    return run


def test_the_record_has_what_it_follows_from(picked):
    path = picked()
    record = read_json(path)
    assert subset.read(path.with_suffix(".parquet")) == (pytest.approx([3, 6, 7, 8]), [
        "r3", "r6", "r7", "r8",
    ])  # fmt: skip
    assert record["rows"] == 4 and record["spec"]["by"] == "loss"
    assert record["pins"] == {"datasets/o/data": "r2", "models/o/m": "r1"}


def test_a_class_with_too_few_rows_is_said_with_the_name_of_the_intermediate(picked):
    with pytest.raises(
        UserError, match=r"^intermediates: hard: subset: rows: 8, equal shares of 2"
    ):
        picked(rows=8)
    assert read_json(picked(rows=8, balance=False))["rows"] == 8


def test_what_is_recorded_by_another_spec_is_refused(picked):
    with pytest.raises(UserError, match=r"recorded\.json: made by another spec than the config"):
        picked(measured="0" * 16)


def test_a_training_reads_the_rows_of_the_subset_that_it_follows_from(picked):
    path = picked()
    arrays = {"groups": list(range(10)), "starts": list(range(10))}
    data, spec = {"en": Encoded(arrays, {"rows": 9})}, digest(read_json(path)["spec"])
    found = sample.picked(data, {"en": "train.safetensors"}, str(path), spec)
    assert found["en"].chosen.tolist() == [3, 6, 7, 8] and found["en"].rows == 4
    with pytest.raises(UserError, match=r"subset\.json: made by another spec"):
        sample.picked(data, {"en": "train.safetensors"}, str(path), "0" * 16)


def test_what_words_tell_is_written_by_row(tmp_path):
    rows = helpers.write_rows(tmp_path / "rows.parquet", "classification", ROWS)
    spec = {"format": "classification", "data": digest(prepare.metadata(rows)["spec"])}
    out, record = tmp_path / "mnli.parquet", tmp_path / "mnli.json"
    args = ["--spec", json.dumps(spec), "--rows", str(rows), "--out", str(out)]
    bag_of_words.main(bag_of_words.parser().parse_args([*args, "--record", str(record)]))
    assert pq.read_table(out)["id"].to_pylist() == [row["id"] for row in ROWS]
    assert read_json(record)["correct"] == 1.0 and read_json(record)["rows"] == 9
