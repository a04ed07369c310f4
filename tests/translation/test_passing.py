import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from xstilts.data import prepare
from xstilts.experiment.filters import PRESETS
from xstilts.running.errors import UserError
from xstilts.translation import passing, values
from xstilts.translation.passing import Files, Rows

ROWS = Rows("classification", "de", "en")
ENGLISH = {
    "1": ("The dog sleeps in the garden.", "An animal sleeps."),
    "2": ("Anna buys bread in the market.", "Anna buys food."),
    "3": ("The dog sleeps in the garden.", "An animal sleeps."),
    "4": ("Peter reads a long book at home.", "Peter reads."),
    "5": ("The children play with a red ball.", "The children play."),
}
GERMAN = {
    "1": ("Der Hund schläft im Garten.", "Ein Tier schläft."),
    "2": ("Anna kauft Brot auf dem Markt.", "Anna kauft Essen."),
    "3": ("Der Hund schläft im Garten.", "Ein Tier schläft."),
    "5": ("The children play with a red ball.", "The children play."),
}


def write(path, rows, lang):
    unified = [
        {"id": name, "text": one, "text_pair": two, "label": "neutral"}
        for name, (one, two) in rows.items()
    ]
    about = {"spec": {"hub": "nli", "lang": lang}, "pin": {"revision": "1"}}
    prepare.write(path, unified, "classification", about)
    return str(path)


@pytest.fixture
def files(tmp_path):
    halves = [{k: v for k, v in GERMAN.items() if (k in "13") == first} for first in (True, False)]
    parts = [write(tmp_path / f"{at}.parquet", half, "de") for at, half in enumerate(halves)]
    return Files(write(tmp_path / "en.parquet", ENGLISH, "en"), parts, {})


def run(files, tmp_path, by):
    out, measured = tmp_path / "out.parquet", tmp_path / "measures.parquet"
    record = {"spec": {"kind": "synthetic"}, "dropped": {"empty translation": 1}}
    return passing.passed(files, ROWS, by, out, measured, record), out, measured


@pytest.mark.parametrize("block", [1, 2, 100])
def test_rows_of_shards_are_merged_filtered_and_measured(files, tmp_path, monkeypatch, block):
    monkeypatch.setattr(passing, "BLOCK", block)
    found, out, measured = run(files, tmp_path, PRESETS["basic"])
    assert found["rows_kept"] == 2
    assert found["dropped"] == {"empty translation": 1, "copy of the source": 1, "duplicate": 1}
    assert found["outside"]["language"] == 1
    rows = prepare.read(out).to_pylist()
    assert [(row["id"], row["text"]) for row in rows] == [(k, GERMAN[k][0]) for k in "12"]
    values = pq.read_table(measured).to_pylist()
    assert [row["id"] for row in values] == ["1", "2", "3", "5"]  # in the order of the English
    assert [row["kept"] for row in values] == [True, True, False, False]
    assert [row["duplicate"] for row in values] == [0, 0, 1, 0]
    assert values[3]["copied"] == 1
    about = prepare.metadata(out)
    assert about["rows_kept"] == 2 and about["dropped"] == found["dropped"]
    assert found["measures"]["duplicate"]["mean"] == 0.25


def test_what_is_written_does_not_depend_on_blocks(files, tmp_path, monkeypatch):
    tables = []
    for block in (1, 100):
        monkeypatch.setattr(passing, "BLOCK", block)
        _, out, measured = run(files, tmp_path, PRESETS["strict"])
        tables.append((prepare.read(out), pq.read_table(measured)))
    assert tables[0][0].equals(tables[1][0])
    assert json.dumps(tables[0][1].to_pylist()) == json.dumps(tables[1][1].to_pylist())


def test_rows_without_a_source_have_the_measures_that_need_none(files, tmp_path):
    found, _, _ = run(files._replace(english=""), tmp_path, PRESETS["strict"])
    assert found["measures"]["copied"]["rows"] == found["measures"]["length_ratio"]["rows"] == 0
    assert found["measures"]["language"]["rows"] == 4
    assert found["dropped"] == {"empty translation": 1, "language": 1, "duplicate": 1}


def test_a_measure_of_a_model_is_read_by_id(files, tmp_path):
    of = tmp_path / "similarity.parquet"
    blocks = [(["1", "2"], np.array([0.9, np.nan])), (["3", "5"], np.array([0.1, 0.8]))]
    about = {"spec": {}, "pins": {}}
    values.write(of, tmp_path / "similarity.json", blocks, about)
    files = files._replace(measured={"similarity": str(of)})
    found, out, _ = run(files, tmp_path, {"similarity": {"min": 0.5}})
    assert found["dropped"] == {"empty translation": 1, "similarity": 1}
    assert prepare.read(out)["id"].to_pylist() == ["1", "2", "5"]


def test_a_row_that_is_not_where_it_is_in_the_english_is_refused(files, tmp_path):
    turned = dict(reversed(GERMAN.items()))
    files = files._replace(parts=[write(tmp_path / "turned.parquet", turned, "de")])
    with pytest.raises(UserError, match="row `3` is not where it is"):
        run(files, tmp_path, {})
