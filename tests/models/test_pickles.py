"""Weights that are pickles: converted bit by bit, and what a pickle would run is not run."""

import json
import os
import pickle
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.models.test_fetch import step

from xstilts.models import fetch, pickles
from xstilts.running.errors import UserError
from xstilts.running.files import sha256
from xstilts.toy import backbones


class Runs:
    """What unpickles by calling a function."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.fixture
def folder(tmp_path):
    """A model of a mirror with its language modelling head, its weights a pickle."""
    folder = tmp_path / "mirror/models/acme/xl"
    backbones.write("xlm-roberta-xl", folder, head=True)
    weights = load_file(folder / "model.safetensors")
    weights["lm_head.decoder.weight"] = weights["roberta.embeddings.word_embeddings.weight"]
    torch.save(weights, folder / "pytorch_model.bin")
    (folder / "model.safetensors").rename(tmp_path / "model.safetensors")
    return folder


def test_a_model_of_pickles_is_that_of_its_safetensors(folder, tmp_path, capfd):
    digest = sha256(folder / "pytorch_model.bin")
    a = step(tmp_path / "mirror", "acme/xl", tmp_path / "a")
    assert "acme/xl: its pickles became safetensors in a process" in capfd.readouterr().out
    node = json.loads((a / "node.json").read_text())
    assert node["converted"] == {"pytorch_model.bin": digest}
    assert list(json.loads((tmp_path / "a/pin.json").read_text())["files"]) == [
        "config.json", "pytorch_model.bin", "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip
    shutil.copy(tmp_path / "model.safetensors", folder / "model.safetensors")
    b = step(tmp_path / "mirror", "acme/xl", tmp_path / "b")
    assert "converted" not in json.loads((b / "node.json").read_text()), "safetensors come first"
    assert {p.name for p in a.iterdir()} == {p.name for p in b.iterdir()}
    assert sha256(a / "model.safetensors") == sha256(b / "model.safetensors")


@pytest.mark.parametrize("model_type", ["mt5", "xglm"])
def test_tied_weights_with_all_their_names(model_type, tmp_path):
    import transformers

    folder, bare = tmp_path / model_type, tmp_path / "bare"
    backbones.write(model_type, folder, head=True)
    shutil.copytree(folder, bare, ignore=lambda *_: ["model.safetensors"])
    kind = json.loads((folder / "config.json").read_text())["architectures"][0]
    weights = getattr(transformers, kind).from_pretrained(folder).state_dict()
    assert len(weights) > len(load_file(folder / "model.safetensors")), "some have several names"
    torch.save(weights, tmp_path / "pytorch_model.bin")
    pickles.convert(tmp_path, bare, "acme/m")
    one, other = (fetch.load(each, "acme/m")[0].state_dict() for each in (folder, bare))
    assert one.keys() == other.keys()
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


@pytest.mark.parametrize("archive", [True, False])  # False: as torch wrote before 1.6
def test_names_types_and_shared_memory(archive, folder, tmp_path):
    whole = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    weights = {
        "a": whole, "tied": whole, "turned": whole.T, "row": whole[1],
        "half": torch.ones(2, dtype=torch.bfloat16), "count": torch.tensor(7),
        "parameter": torch.nn.Parameter(torch.ones(1)),
    }  # fmt: skip
    torch.save(weights, folder / "pytorch_model.bin", _use_new_zipfile_serialization=archive)
    pickles.convert(folder, tmp_path, "acme/xl")
    found = load_file(tmp_path / "model.safetensors")
    assert found.keys() == weights.keys()
    for name, tensor in weights.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor.detach())


def test_an_xlmr_xl_whose_config_calls_it_xlmr(folder, tmp_path, monkeypatch):
    """As XXL's did; converted in this process, which costs less."""
    config = json.loads((folder / "config.json").read_text())
    wrong = json.dumps({**config, "model_type": "xlm-roberta", "architectures": None})
    (folder / "config.json").write_text(wrong)
    monkeypatch.setattr(pickles, "_apart", pickles.convert)
    out = step(tmp_path / "mirror", "acme/xl", tmp_path / "out")
    made = json.loads((out / "config.json").read_text())
    assert (made["model_type"], made["architectures"]) == ("xlm-roberta-xl", ["XLMRobertaXLModel"])
    assert (folder / "config.json").read_text() == wrong, "what was fetched stays"


def test_shards_stay_shards(folder, tmp_path):
    (folder / "pytorch_model.bin").unlink()
    shards = [f"pytorch_model-0000{i}-of-00002.bin" for i in (1, 2)]
    torch.save({"a": torch.ones(2), "b": torch.ones(3)}, folder / shards[0])
    torch.save({"c": torch.zeros(4)}, folder / shards[1])
    index = folder / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"weight_map": {"a": shards[0], "b": shards[0], "c": shards[1]}}))
    assert pickles.shards(folder, "acme/xl") == shards
    pickles.convert(folder, tmp_path, "acme/xl")
    made = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert made["metadata"] == {"total_size": 4 * (2 + 3 + 4)}
    assert made["weight_map"]["b"] == "model-00001-of-00002.safetensors"
    assert load_file(tmp_path / made["weight_map"]["c"])["c"].tolist() == [0.0] * 4
    (folder / shards[1]).unlink()
    with pytest.raises(UserError, match=f"acme/xl: {shards[1]} is missing, though"):
        pickles.shards(folder, "acme/xl")
    index.write_text(json.dumps({"weight_map": {"a": "../elsewhere.bin"}}))
    with pytest.raises(UserError, match="is not an index of weights"):
        pickles.shards(folder, "acme/xl")


def test_code_in_a_pickle_does_not_run(folder, tmp_path):
    mark, path = tmp_path / "ran", folder / "pytorch_model.bin"
    evil = Runs(os.system, f"touch {mark}")
    pickle.loads(pickle.dumps(evil))
    assert mark.exists(), "a plain load would run it"
    mark.unlink()
    line = r"^model acme/xl: .*pytorch_model\.bin holds more than weights \(posix\.system\)[^\n]*$"
    weights = {"a": torch.ones(1), "b": evil}
    torch.save(weights, path, _use_new_zipfile_serialization=False)  # as torch wrote before 1.6
    with pytest.raises(UserError, match=line):
        pickles.read(path, "acme/xl")
    torch.save(weights, path)
    with pytest.raises(UserError, match=line):
        step(tmp_path / "mirror", "acme/xl", tmp_path / "out")
    assert not mark.exists()
    assert not list((tmp_path / "out/model").iterdir())


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ({"a": torch.ones(1), "b": 3}, r"holds more than weights \(b: int\)"),
        ([torch.ones(1)], r"holds more than weights \(list\)"),
        (b"", "is damaged"),
        (b"PK\x03\x04 and nothing more", "is damaged"),
        (b"no pickle at all", "is damaged"),
    ],
)
def test_what_is_no_file_of_weights(content, line, folder):
    path = folder / "pytorch_model.bin"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    with pytest.raises(UserError, match=line) as raised:
        pickles.read(path, "acme/xl")
    assert "\n" not in str(raised.value)


def test_a_pickle_that_was_cut_off(folder):
    path = folder / "pytorch_model.bin"
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(UserError, match=r"pytorch_model\.bin is damaged"):
        pickles.read(path, "acme/xl")


CONNECT = """
import socket, sys
from xstilts.models import pickles
port, namespace, hook = (int(arg) for arg in sys.argv[1:])
print(pickles.no_network(bool(namespace)))
if hook:
    pickles.forbid()
socket.create_connection(("127.0.0.1", port), timeout=5).sendall(b"out")
"""


def connect(port, namespace, hook):
    """Try to reach a server from a process as the one that reads pickles."""
    args = [sys.executable, "-c", CONNECT, str(port), str(int(namespace)), str(int(hook))]
    path = str(Path(pickles.__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(args, capture_output=True, text=True, env=env, check=False)


@pytest.mark.parametrize(("namespace", "hook"), [(False, False), (True, False), (False, True)])
def test_the_network_is_away(namespace, hook):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(1)
        done = connect(server.getsockname()[1], namespace, hook)
        if namespace and "audit hook" in done.stdout:
            pytest.skip("this system lets nobody make namespaces")
        if not (namespace or hook):  # else this test could not fail
            assert server.accept()[0].recv(3) == b"out"
            return
        assert done.returncode == 1
        assert ("Network is unreachable" if namespace else "is not for a process") in done.stderr
        with pytest.raises(TimeoutError):
            server.accept()


PROCESSES = """
import ctypes, os, subprocess
from xstilts.models import pickles
pickles.forbid()
tries = (
    lambda: os.system("true"), lambda: subprocess.run(["true"]), os.fork,
    lambda: os.execv("/bin/true", ["true"]), lambda: ctypes.CDLL("libc.so.6"),
)
for each in tries:
    try:
        each()
    except PermissionError:
        print("refused", flush=True)
"""


def test_no_new_process_once_forbidden():
    env = {**os.environ, "PYTHONPATH": str(Path(pickles.__file__).parents[2])}
    args = [sys.executable, "-c", PROCESSES]
    done = subprocess.run(args, capture_output=True, text=True, env=env, check=False)
    assert done.stdout.split() == ["refused"] * 5, done.stderr
