"""The parameters of a checkpoint, by its header."""

import json

import pytest

from xstilts.running import weights


def write(path, header: bytes):
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    return path


def test_a_checkpoint_is_loaded_in_fp32_however_it_is_stored(tmp_path):
    """Two bf16 tensors, of 6 and 4 values."""
    tensors = {
        "__metadata__": {"format": "pt"},
        "a": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]},
        "b": {"dtype": "BF16", "shape": [4], "data_offsets": [12, 20]},
    }
    path = write(tmp_path / "model.safetensors", json.dumps(tensors).encode())
    assert (weights.parameters(path), weights.loaded(path)) == (10, 40)


@pytest.mark.parametrize("header", [b"", b"[]", b"{", b'{"a": 1}', b'{"a": {"shape": null}}'])
def test_a_file_that_tells_nothing_counts_with_its_size(tmp_path, header):
    path = write(tmp_path / "model.safetensors", header)
    assert (weights.parameters(path), weights.loaded(path)) == (0, 8 + len(header))


def test_a_file_that_is_not_made_yet_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        weights.loaded(tmp_path / "model.safetensors")


def test_a_decoder_may_be_in_several_files(tmp_path):
    for name, size in (("model-00001-of-00002.safetensors", 30), ("model-00002.safetensors", 12)):
        (tmp_path / name).write_bytes(b"0" * size)
    (tmp_path / "node.json").write_text("{}")
    assert weights.decoder([tmp_path / "node.json"]) == 42 and weights.decoder([]) == 0
    with pytest.raises(FileNotFoundError):
        weights.decoder([tmp_path / "none/node.json"])
