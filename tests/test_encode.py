"""The encode step: where the labels of a head come from."""

import argparse
import json

import pytest
from tests import helpers

from xstilts import encode, encoded

TRAIN = [{"id": "0", "tokens": ["the", "cat"], "tags": ["NP/N", "N"]}]
DEV = [{"id": "0", "tokens": ["cat", "sat"], "tags": ["N", "S\\NP"]}]


@pytest.fixture
def run(tmp_path):
    helpers.pieces(tmp_path)

    def call(labels, labels_of):
        spec = {"format": "tagging", "labels": labels, "no_answer": False, "max_length": 16}
        paths = {
            name: str(helpers.write_rows(tmp_path / f"{name}.parquet", "tagging", rows))
            for name, rows in (("train", TRAIN), ("dev", DEV))
        }
        encode.main(
            argparse.Namespace(
                spec=json.dumps(spec), rows=paths["dev"], labels_of=paths.get(labels_of, ""),
                tokenizer=str(tmp_path / "tokenizer.json"), out=tmp_path / "out.safetensors",
            )
        )  # fmt: skip
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
