"""The encode step: what it refuses, and what it writes down."""

import argparse
import json

import pytest
from tests import helpers

from xstilts import encode, encoded
from xstilts.errors import UserError
from xstilts.files import digest, write_json

LABELS = ["neutral", "contradiction"]
ROWS = [{"id": "0", "text": "the dog", "text_pair": "cat sees", "label": "neutral"}]


@pytest.fixture
def step(tmp_path):
    """Run the step on one row, with changes of its spec."""
    helpers.pieces(tmp_path / "model")
    helpers.write_rows(tmp_path / "rows.parquet", "classification", ROWS)

    def run(**changes):
        spec = {
            "format": "classification", "labels": LABELS, "max_length": 64,
            "data": digest({"hub": "o/data"}), **changes,
        }  # fmt: skip
        encode.main(
            argparse.Namespace(
                spec=json.dumps(spec),
                rows=str(tmp_path / "rows.parquet"),
                tokenizer=str(tmp_path / "model/tokenizer.json"),
                out=str(tmp_path / "out.safetensors"),
            )
        )
        return encoded.load(tmp_path / "out.safetensors")

    return run


def test_encoded_rows_say_what_they_are_of(step):
    meta = step().meta
    assert (meta["rows"], meta["cut"], meta["spec"]["max_length"]) == (1, 0, 64)
    assert meta["pins"] == {"datasets/o/data": "r2"}


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
