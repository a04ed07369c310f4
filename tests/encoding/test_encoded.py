"""Encoded rows: packing, padding, and the file they live in."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from xstilts.encoding import encoded, header
from xstilts.encoding.encoded import Encoded
from xstilts.running.errors import UserError
from xstilts.running.files import sha256

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


def test_a_file_has_its_digest_which_is_that_of_a_file_without(tmp_path):
    """So what was made from a file of before, or is made anew, keeps its fingerprint."""
    data, path, before = small(), tmp_path / "x.safetensors", tmp_path / "before.safetensors"
    data.save(path)
    save_file(data.arrays, before, metadata={"xstilts": json.dumps(data.meta)})
    assert header.digest_of(path) == sha256(before) == header.digest_of(before)
    assert (
        encoded.load(path).meta == encoded.load(before).meta == META == header.read_header(path)[1]
    )
    encoded.load(path).save(path)
    assert header.digest_of(path) == sha256(before), "it is not of itself"
    Encoded(data.arrays | {"tokens": data.arrays["tokens"][::-1].copy()}, META).save(path)
    other = header.digest_of(path)
    Encoded(data.arrays, META | {"rows": 1}).save(path)
    assert len({header.digest_of(path), other, sha256(before)}) == 3


def test_a_file_that_is_replaced_stays_what_it_was_for_who_reads_it(tmp_path):
    path = tmp_path / "x.safetensors"
    small().save(path)
    read = encoded.load(path)
    Encoded(encoded.pack([[7]]), META).save(path)
    path.unlink()
    assert read.sequence(2).tolist() == [0, 6, 7, 2]
    assert not read.arrays["tokens"].flags.writeable


def test_a_file_without_rows_is_read(tmp_path):
    Encoded(encoded.pack([]), META).save(tmp_path / "x.safetensors")
    assert len(encoded.load(tmp_path / "x.safetensors")) == 0


@pytest.mark.parametrize("damage", ["cut", "longer", "zeros"])
def test_a_file_that_was_damaged_later_is_named(tmp_path, damage):
    path = tmp_path / "x.safetensors"
    small().save(path)
    content = path.read_bytes()
    end = int.from_bytes(content[:8], "little") + 8
    zeros = content[:end] + b"\0" * (len(content) - end)
    path.write_bytes({"cut": content[:-1], "longer": content + b"\0", "zeros": zeros}[damage])
    with pytest.raises(UserError, match=r"x\.safetensors: damaged; delete it"):
        encoded.load(path)
