"""Sharded models: loaded straight into shards, saved in pieces, read by any number of ranks."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests import helpers
from tests.running.test_ranks import LAUNCH, ended
from tests.training.states import make_state, train

from xstilts.models import shard_loading, shards
from xstilts.running.files import read_json, sha256, write_json
from xstilts.training import adamw8bit, storage
from xstilts.training.optimizer import moments

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("adamw", "adamw8bit")


@pytest.fixture(scope="module")
def launched(tmp_path_factory):
    """The folder in which two ranks have done what `sharded.py` says."""
    pytest.importorskip("bitsandbytes")

    folder = tmp_path_factory.mktemp("launched")
    # Half of a matrix is large enough for moments of 8 bits.
    helpers.write_model(folder / "model", hidden=96, layers=2)
    path = folder / "model/model.safetensors"
    half = {name: value.half() for name, value in load_file(path).items()}
    save_file(half, path, metadata={"format": "pt"})
    for kind in KINDS:
        state = make_state(folder / "model", kind)
        train(state, steps=2)
        record, tensors = state.to_saved(beside=False)
        storage.save(folder / f"whole {kind}", "f", 2, record, tensors)
    torch.manual_seed(0)
    path = os.pathsep.join([f"{ROOT}/workflow", str(ROOT), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [*LAUNCH, str(ROOT / "tests/running/sharded.py"), str(folder), *KINDS],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    ended(process)
    return folder


def values(optimizer):
    """The moments of an optimizer, those of 8 bits as what they stand for."""
    found = moments(optimizer)
    for name in [name for name, value in found.items() if value.dtype == torch.uint8]:
        codes = optimizer.name2qmap[adamw8bit.CODES[int(name[-1])]]
        found[name] = adamw8bit._values(found[name], found[name.replace("state", "absmax")], codes)
    assert optimizer.defaults["lr"] == 1e-3 and (
        adamw8bit.made(optimizer) == ("0 absmax1" in found)
    )
    return found


def test_shards_have_the_weights_loss_and_gradients_of_the_whole(launched):
    found = json.loads((launched / "found.json").read_text())
    assert all(found["weights"].values()) and len(found["weights"]) > 20
    assert found["buffers"] and found["rows"]
    for key, on in (("sharded", False), ("checkpointed", True)):
        assert found[f"{key} is"] == on
        assert found[key] < 1e-6 and found[f"{key} loss"] < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_of_one_process_goes_on_in_two_ranks_and_one_of_two_in_one(launched, kind):

    found = json.loads((launched / "found.json").read_text())
    assert found[kind], "one to two, and two to two, by the same numbers"
    folder = launched / f"pieces {kind}"
    names = ["000000003.0.safetensors", "000000003.1.safetensors", "000000003.json"]
    assert sorted(path.name for path in folder.iterdir()) == names
    state = make_state(launched / "model", kind)
    record, tensors = storage.load(folder, "f")
    state.restore(record, tensors)
    full = load_file(launched / f"full {kind}.safetensors")
    for name, parameter in state.encoder.named_parameters():
        assert torch.equal(parameter, full[name]), name
        assert torch.equal(state.best_weights["encoder"][name], full[name]), name
    # One process from the beginning comes to the same, and goes on as this one does.
    whole = make_state(launched / "model", kind)
    train(whole, steps=3)
    close = {"adamw": 1e-4, "adamw8bit": 4e-4}[kind]
    for further in (0, 1):
        train(whole, further)
        train(state, further)
        ours, theirs = state.encoder.state_dict(), whole.encoder.state_dict()
        assert max((ours[n] - theirs[n]).abs().max() for n in ours) < close
    ours, theirs = (values(one.optimizer) for one in (state, whole))
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        off = (ours[name] - value).abs().max() / (value.abs().max() + 1e-6)
        assert off < {"adamw": 1e-2, "adamw8bit": 0.1}[kind], name


def test_a_checkpoint_that_ranks_write_together_is_one_file(launched):

    full = load_file(launched / "full adamw.safetensors")
    together = load_file(launched / "expected adamw.safetensors")
    assert len(together) == len(full)
    assert all(torch.equal(together[f"now encoder {name}"], full[name]) for name in full)


@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 64])
def test_pieces_of_two_are_read_by_any_number_of_ranks(launched, monkeypatch, ranks):

    _, tensors = storage.load(launched / "pieces adamw", "f")
    full = tensors["now encoder embeddings.word_embeddings.weight"]
    assert len(full) % 2, "pieces are of unequal size"
    read = []
    monkeypatch.setenv("WORLD_SIZE", str(ranks))
    for rank in range(ranks):
        monkeypatch.setenv("RANK", str(rank))
        rows = shards.rows(full)
        read.append(tensors.rows("now encoder embeddings.word_embeddings.weight", *rows))
        assert len(read[-1]) == rows[1] - rows[0]
        assert torch.equal(read[-1], torch.cat([full, full[:0]])[slice(*rows)])
    assert torch.equal(torch.cat(read), full)


def test_a_piece_that_is_damaged_is_that_of_the_whole_state(launched, tmp_path, capsys):
    folder = shutil.copytree(launched / "pieces adamw", tmp_path / "copy")
    record = read_json(folder / "000000003.json")
    assert record["sha256"] == [sha256(folder / f"000000003.{n}.safetensors") for n in (0, 1)]
    (folder / "000000003.1.safetensors").write_bytes(b"")
    assert storage.load(folder, "f") is None
    assert "000000003: this saved state is damaged" in capsys.readouterr().out
    assert not list(folder.iterdir())
    write_json(folder / "000000003.json", record)
    assert storage.load(folder, "f") is None, "its pieces are missing"


def test_pieces_of_another_spec_are_set_aside(launched, tmp_path):
    folder = shutil.copytree(launched / "pieces adamw", tmp_path / "copy")
    assert storage.load(folder, "g") is None
    names = ["aside.0.safetensors", "aside.1.safetensors", "aside.json"]
    assert sorted(path.name for path in folder.iterdir()) == names
    storage.clear(folder)
    assert not list(folder.iterdir())


def test_weights_of_other_names_are_loaded_whole_and_it_is_said_why(tmp_path):
    folder = helpers.write_model(tmp_path)
    encoder, names = shard_loading._empty(folder, 0.1)
    assert all(own.is_meta for own in encoder.parameters())
    assert not any(own.is_meta for own in encoder.buffers())
    assert names.keys() == dict(encoder.named_parameters()).keys()
    assert encoder.config.hidden_dropout_prob == 0.1
    weights = load_file(folder / "model.safetensors")
    weights["roberta.embeddings"] = weights.pop("embeddings.word_embeddings.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    reason = "embeddings.word_embeddings.weight is not among them"
    assert shard_loading._empty(folder, 0.1) == (None, reason)


def test_a_weight_of_several_names_may_be_there_by_one_of_them(tmp_path, monkeypatch):
    import transformers

    config = transformers.MT5Config(
        vocab_size=61, d_model=32, d_kv=16, d_ff=64, num_layers=1, num_heads=2
    )
    transformers.MT5EncoderModel(config).save_pretrained(tmp_path)
    mapping = {transformers.MT5Config: transformers.MT5EncoderModel}
    monkeypatch.setattr(transformers.AutoModel, "_model_mapping", mapping)
    encoder, names = shard_loading._empty(tmp_path, None)
    assert encoder.shared.weight is encoder.encoder.embed_tokens.weight
    assert set(names.values()) == load_file(tmp_path / "model.safetensors").keys()
