"""The values of examples: read, missing, damaged."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xstilts.running.errors import UserError
from xstilts.scoring import examples


def write(path, values, ids=("a", "b"), **classes):
    path.parent.mkdir(parents=True, exist_ok=True)
    more = {f"stratum:{name}": pa.array(of, pa.string()) for name, of in classes.items()}
    columns = {"id": list(ids), "prediction": list(ids), "value": values, **more}
    pq.write_table(pa.table(columns), path)
    return str(path.with_suffix(".json"))


def test_values_and_ids_of_a_score_file(tmp_path):
    score = write(tmp_path / "de.parquet", [1.0, 0.5])
    values, refused = examples.read_all([(score, 2)])
    assert values[score].tolist() == [1.0, 0.5] and values[score].dtype == np.float32
    assert refused == []
    files = {score: {"target": "xnli", "language": "de"}}
    assert examples.ids(files, values) == {("xnli", "de"): ["a", "b"]}


def test_without_predictions_there_are_no_values(tmp_path):
    assert examples.read_all([(str(tmp_path / "de.json"), 2)]) == ({}, [])


@pytest.mark.parametrize(
    ("values", "n"), [([1.0, 0.5], 3), ([1.0, float("nan")], 2), ([1.0, None], 2), (["x", "y"], 2)]
)
def test_values_that_are_not_those_of_the_score_are_refused_by_name(tmp_path, values, n):
    score = write(tmp_path / "de.parquet", values)
    found, [line] = examples.read_all([(score, n)])
    assert found == {}
    assert line == f"{tmp_path}/de.parquet: not the {n} values of its score; delete both, run again"


@pytest.mark.parametrize("content", [b"", b"PAR1 half", None])
def test_a_damaged_file_is_refused_by_name(tmp_path, content):
    path = tmp_path / "de.parquet"
    if content is None:
        pq.write_table(pa.table({"id": ["a"]}), path)
    else:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"de\.parquet: not a predictions file \(.*run again"):
        examples.read_values(str(tmp_path / "de.json"), 2)


def test_files_keep_their_order_among_readers(tmp_path):
    files = [(write(tmp_path / f"{i}.parquet", [float(i), 0.0]), 2) for i in range(7)]
    values, _ = examples.read_all(files)
    assert [table[0] for table in values.values()] == list(range(7))


def score_of(lang, *strata):
    spec = {"strata": {name: name for name in strata}} if strata else {}
    return {"target": "xnli", "language": lang, "spec": spec}


def test_classes_are_those_of_one_file_of_each_target_and_language(tmp_path):
    first = write(tmp_path / "a/de.parquet", [1.0, 0.0], genre=["news", None], kind=["x", "y"])
    second = write(tmp_path / "b/de.parquet", [1.0, 0.0])
    plain = write(tmp_path / "a/en.parquet", [1.0, 0.0])
    values, _ = examples.read_all([(path, 2) for path in (first, second, plain)])
    of = score_of("de", "genre", "kind")
    assert examples.strata({first: of, second: of, plain: score_of("en")}, values) == (
        {("xnli", "de"): {"genre": ["news", None], "kind": ["x", "y"]}},
        [],
    )


def test_predictions_without_their_classes_are_refused_by_name(tmp_path):
    old = write(tmp_path / "de.parquet", [1.0, 0.0])
    other = write(tmp_path / "en.parquet", [1.0, 0.0], kind=["x", "y"])
    whole = write(tmp_path / "ru.parquet", [1.0, 0.0], genre=["a", "b"], kind=["x", "y"])
    values, _ = examples.read_all([(old, 2), (other, 2), (whole, 2)])
    files = {old: score_of("de", "genre"), other: score_of("en", "genre", "kind")}
    files[whole] = score_of("ru", "genre", "kind")
    found, refused = examples.strata(files, values)
    kinds = {"kind": ["x", "y"]}
    assert found == {("xnli", "en"): kinds, ("xnli", "ru"): kinds}, "genre is in no language"
    line = (
        "{}/{}.parquet: has no classes of the stratum `genre`; delete it and the score beside it,"
        " run again"
    )
    assert refused == [line.format(tmp_path, lang) for lang in ("de", "en")]


def test_classes_that_are_numbers_are_none(tmp_path):
    score = write(tmp_path / "de.parquet", [1.0, 0.0])
    table = pa.table({"id": ["a", "b"], "value": [1.0, 0.0], "stratum:genre": [1, 2]})
    pq.write_table(table, tmp_path / "de.parquet")
    values, _ = examples.read_all([(score, 2)])
    found, refused = examples.strata({score: score_of("de", "genre")}, values)
    assert found == {} and len(refused) == 1 and "no classes of the stratum `genre`" in refused[0]
