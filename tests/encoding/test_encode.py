"""The encode step: what it refuses and writes down, and where the labels of a head come from."""

import json

import pytest
from tests import helpers

from xstilts.data import prepare
from xstilts.encoding import encode, encoded
from xstilts.running.errors import UserError
from xstilts.running.files import digest, write_json
from xstilts.steps import encode as encode_step

TRAIN = [{"id": "0", "tokens": ["the", "cat"], "tags": ["NP/N", "N"]}]
DEV = [{"id": "0", "tokens": ["cat", "sat"], "tags": ["N", "S\\NP"]}]
LABELS = ["neutral", "contradiction"]
ROWS = [{"id": "0", "text": "the dog", "text_pair": "cat sees", "label": "neutral"}]


@pytest.fixture
def step(tmp_path):
    """Run the step on one row, with changes of its spec."""
    helpers.make_tokenizer(tmp_path / "model")
    write_json(tmp_path / "model/node.json", {"pins": {"models/o/tiny": "r1"}})
    helpers.write_rows(tmp_path / "rows.parquet", "classification", ROWS)

    def run(**changes):
        spec = {
            "format": "classification", "labels": LABELS, "max_length": 64,
            "data": digest({"hub": "o/data"}), **changes,
        }  # fmt: skip
        arguments = [
            "--spec", json.dumps(spec), "--rows", str(tmp_path / "rows.parquet"),
            "--tokenizer", str(tmp_path / "model/tokenizer.json"),
            "--model", str(tmp_path / "model/node.json"),
            "--out", str(tmp_path / "out.safetensors"),
        ]  # fmt: skip
        encode_step.main(encode_step.parser().parse_args(arguments))
        return encoded.load(tmp_path / "out.safetensors")

    return run


def test_encoded_rows_say_what_they_are_of(step):
    meta = step().meta
    assert (meta["rows"], meta["cut"], meta["spec"]["max_length"]) == (1, 0, 64)
    assert meta["pins"] == {"models/o/tiny": "r1", "datasets/o/data": "r2"}


def test_rows_of_another_spec_are_refused(step, tmp_path):
    with pytest.raises(UserError, match=r"rows\.parquet: made by another spec"):
        step(data=digest({"hub": "o/data", "max_rows": 5}))
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize(("kind", "room"), [("xlm-roberta", 62), ("bert", 64)])
def test_a_length_that_the_model_has_no_positions_for_is_refused(step, tmp_path, kind, room):
    config = {"pad_token_id": 1, "model_type": kind, "max_position_embeddings": 64}
    write_json(tmp_path / "model/config.json", config)
    with pytest.raises(UserError, match=f"max_length {room + 1} is .* at most {room}"):
        step(max_length=room + 1)
    assert step(max_length=room).meta["rows"] == 1


@pytest.fixture
def run(tmp_path):
    helpers.make_tokenizer(tmp_path / "model")

    def call(labels, labels_of):
        spec = {"format": "tagging", "labels": labels, "no_answer": False, "max_length": 16}
        spec["data"] = digest({"hub": "o/data"})
        paths = {
            name: str(helpers.write_rows(tmp_path / f"{name}.parquet", "tagging", rows))
            for name, rows in (("train", TRAIN), ("dev", DEV))
        }
        arguments = [
            "--spec", json.dumps(spec), "--rows", paths["dev"],
            f"--labels-of={paths.get(labels_of, '')}",
            "--tokenizer", str(tmp_path / "model/tokenizer.json"),
            "--out", str(tmp_path / "out.safetensors"),
        ]  # fmt: skip
        encode_step.main(encode_step.parser().parse_args(arguments))
        return encoded.load(tmp_path / "out.safetensors")

    return call


def test_the_labels_of_a_task(run):
    data = run(["S\\NP", "N"], "")
    assert data.labels == ["S\\NP", "N"]
    assert data.arrays["tags"].tolist() == [1, 0]
    assert "labels" not in data.meta


def test_the_labels_of_an_open_set_are_those_of_the_training_rows(run):
    data = run([], "train")
    assert data.labels == ["N", "NP/N"]
    assert data.arrays["tags"].tolist() == [0, -100], "no training row has the second"
    assert data.meta["spec"]["labels"] == [], "the spec stays what was planned"


def test_labels_of_classification_are_those_of_its_rows_too():
    assert encode.labels_of([{"label": "pos"}, {"label": "NA"}, {"label": "pos"}]) == ["NA", "pos"]


def test_labels_that_are_those_of_other_rows_come_with_the_pin_of_these(tmp_path):
    """Else an edited train file would leave the dev rows with the numbers of its old labels."""
    helpers.make_tokenizer(tmp_path / "model")
    helpers.write_rows(tmp_path / "dev.parquet", "tagging", DEV)
    other = {"spec": {"hub": "files/mine/en.train"}, "pin": {"source": "folder", "revision": "t1"}}
    prepare.write(tmp_path / "train.parquet", TRAIN, "tagging", other)
    spec = {"format": "tagging", "labels": [], "no_answer": False, "max_length": 16}
    spec["data"] = digest({"hub": "o/data"})
    arguments = [
        "--spec", json.dumps(spec), "--rows", str(tmp_path / "dev.parquet"),
        "--labels-of", str(tmp_path / "train.parquet"),
        "--tokenizer", str(tmp_path / "model/tokenizer.json"),
        "--out", str(tmp_path / "out.safetensors"),
    ]  # fmt: skip
    encode_step.main(encode_step.parser().parse_args(arguments))
    pins = encoded.load(tmp_path / "out.safetensors").meta["pins"]
    assert pins == {"datasets/o/data": "r2", "datasets/files/mine/en.train": "t1"}
