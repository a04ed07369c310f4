"""Checkpoints: what is loaded, what is written, what is refused."""

import shutil
from types import SimpleNamespace

import pytest
from tests import helpers

from xstilts.models import checkpoint
from xstilts.running.errors import UserError
from xstilts.running.files import read_json, write_json


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return helpers.write_model(tmp_path_factory.mktemp("model"), layers=3)


def test_dropout_is_the_models_own_unless_it_is_asked_for(folder):
    own, none = (checkpoint.load_encoder(folder, dropout=d).config for d in (None, 0.0))
    assert (own.hidden_dropout_prob, own.attention_probs_dropout_prob) == (0.1, 0.1)
    assert (none.hidden_dropout_prob, none.attention_probs_dropout_prob) == (0.0, 0.0)


def test_half_precision_is_loaded_as_fp32_and_saved_so(folder, tmp_path):
    import torch
    from safetensors.torch import load_file, save_file

    half = shutil.copytree(folder, tmp_path / "half")
    weights = {k: v.half() for k, v in load_file(folder / "model.safetensors").items()}
    save_file(weights, half / "model.safetensors", metadata={"format": "pt"})
    write_json(half / "config.json", read_json(half / "config.json") | {"dtype": "float16"})
    encoder = checkpoint.load_encoder(half)
    assert encoder.dtype == torch.float32
    state = {"encoder": encoder.state_dict(), "head": {"out.bias": torch.zeros(2)}}
    checkpoint.save(state, half, tmp_path / "out")
    assert read_json(tmp_path / "out/config.json")["dtype"] == "float32"
    again = checkpoint.load_encoder(tmp_path / "out")
    assert all(torch.equal(v, encoder.state_dict()[k]) for k, v in again.state_dict().items())
    assert (tmp_path / "out/tokenizer.json").read_bytes() == (half / "tokenizer.json").read_bytes()


def test_the_layer_for_retrieval():
    def layer(depth, asked=None):
        return checkpoint.retrieval_layer(SimpleNamespace(num_hidden_layers=depth), asked)

    assert [layer(depth) for depth in (24, 12, 6, 3, 1)] == [14, 7, 4, 2, 1]
    assert layer(12, 5) == 5
    with pytest.raises(UserError, match="retrieval_layer: 13 is above the 12 layers"):
        layer(12, 13)


def test_folders_that_cannot_be_loaded_are_named(folder, tmp_path):
    import torch
    from safetensors.torch import save_file

    other = shutil.copytree(folder, tmp_path / "other")
    (other / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(UserError, match=r"other: cannot be loaded as a model"):
        checkpoint.load_encoder(other)
    save_file({"x": torch.zeros(1)}, other / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"other: cannot be loaded as a model .it lacks "):
        checkpoint.load_encoder(other)
    (other / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"other: a checkpoint without model\.safetensors; delete"):
        checkpoint.load_encoder(other)


def test_a_head_of_another_shape_is_refused(folder, tmp_path):
    import torch
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(2, 4), "bias": torch.zeros(2)}, tmp_path / "head.safetensors")
    checkpoint.load_head(torch.nn.Linear(4, 2), tmp_path)
    with pytest.raises(UserError, match=r"head\.safetensors: cannot be loaded"):
        checkpoint.load_head(torch.nn.Linear(4, 3), tmp_path)
    (tmp_path / "head.safetensors").write_bytes(b"")
    with pytest.raises(UserError, match=r"head\.safetensors: cannot be loaded"):
        checkpoint.load_head(torch.nn.Linear(4, 2), tmp_path)
