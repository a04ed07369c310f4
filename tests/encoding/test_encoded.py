"""Encoded rows: packing, padding, and the file they live in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.encoding import encoded
from xstilts.encoding.encoded import Encoded
from xstilts.running.errors import UserError

META = {"pad": 1, "spec": {"kind": "encoded"}}


def small():
    """Two examples: one of two sequences, one of one."""
    return Encoded(encoded.pack([[0, 5, 2], [0, 2], [0, 6, 7, 2]], [2, 1]), META)


def test_sequences_are_packed_without_padding():
    arrays = small().arrays
    assert {k: (v.tolist(), v.dtype.name) for k, v in arrays.items()} == {
        "tokens": ([0, 5, 2, 0, 2, 0, 6, 7, 2], "int32"),
        "starts": ([0, 3, 5, 9], "int64"),
        "groups": ([0, 2, 3], "int64"),
    }
    assert len(small()) == 2
    assert small().sequence(2).tolist() == [0, 6, 7, 2]
    assert [array.tolist() for array in small().shapes()] == [[3, 4], [2, 1]]


def test_some_examples_become_one_rectangle():
    batch = encoded.pad(small(), np.array([1, 0]))
    assert batch["ids"].tolist() == [[0, 6, 7, 2], [0, 5, 2, 1], [0, 2, 1, 1]]
    assert batch["mask"].tolist() == [[True] * 4, [True] * 3 + [False], [True] * 2 + [False] * 2]
    assert batch["sequences"].tolist() == [2, 0, 1]
    assert encoded.pad(small(), np.array([1]))["mask"] is None, "nothing is padding"


def test_the_first_rows_keep_all_their_windows():
    arrays = encoded.pack([[0, 2]] * 5) | {"row": np.array([0, 0, 1, 2, 2])}
    data = Encoded(arrays, META)
    assert [len(data.first_rows(n)) for n in (1, 2, 3, 9)] == [2, 3, 5, 5]
    assert data.first_rows(None) is data
    assert len(small().first_rows(1)) == 1


@given(st.lists(st.lists(st.integers(0, 99), min_size=1, max_size=9), min_size=1, max_size=9))
def test_what_is_packed_and_padded_can_be_read_back(sequences):
    data = Encoded(encoded.pack(sequences), META)
    batch = encoded.pad(data, np.arange(len(sequences)))
    mask = np.ones(batch["ids"].shape, bool) if batch["mask"] is None else batch["mask"]
    assert [row[m].tolist() for row, m in zip(batch["ids"], mask, strict=True)] == sequences
    assert (batch["ids"][~mask] == 1).all()


def test_a_file_is_read_back_equal(tmp_path):
    small().save(tmp_path / "x.safetensors")
    again = encoded.load(tmp_path / "x.safetensors")
    assert again.meta == META
    assert again.arrays.keys() == small().arrays.keys()
    for key, value in small().arrays.items():
        assert np.array_equal(again.arrays[key], value)
        assert again.arrays[key].dtype == value.dtype


@pytest.mark.parametrize(
    "content", [None, b"", b"not safetensors", b"\x08" + b"\0" * 7 + b"{}      "]
)
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "x.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"x\.safetensors: damaged; delete it"):
        encoded.load(path)
