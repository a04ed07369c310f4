"""Pins of folders, the lock file, looked up anew, and taken from another experiment."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from xstilts.data import pin
from xstilts.running.errors import UserError
from xstilts.running.files import write_json
from xstilts.steps import pin as pin_step
from xstilts.steps import process


@pytest.fixture
def world(tmp_path):
    """A mirror with one data set, o/n, of two files."""
    folder = tmp_path / "mirror/datasets/o/n"
    (folder / "a").mkdir(parents=True)
    (folder / "README.md").write_text("x")
    (folder / "a/train.parquet").write_text("y")
    (folder / ".cache").mkdir()
    (folder / ".cache/z").write_text("never looked at")
    return tmp_path


def locked(world, revision="main", source="mirror", lock="lock.yaml"):
    root = world / "mirror"
    where = str(root) if source == "mirror" else source
    return pin.locked("datasets", where, str(root), "o/n", revision, world / lock)


def test_a_folder_is_pinned_by_its_files(world):
    root = str(world / "mirror")
    found = pin.resolve("datasets", root, root, "o/n", "main")
    assert found["source"] == "folder"
    assert list(found["files"]) == ["README.md", "a/train.parquet"]
    assert len(found["revision"]) == 64
    own = str(world / "mirror/datasets/o/n")
    assert pin.resolve("datasets", "hub", "", own, "main") == found, (
        "a path is a folder, not a name"
    )


def test_of_a_model_only_what_is_needed_is_hashed(tmp_path):
    for name in ("config.json", "model.safetensors", "README.md", "pytorch_model.bin"):
        (tmp_path / name).write_text(name)
    (tmp_path / "training_args.bin").write_text("never")
    assert list(pin.listing(tmp_path, "models")) == ["config.json", "model.safetensors"]
    (tmp_path / "model.safetensors").unlink()
    assert list(pin.listing(tmp_path, "models")) == ["config.json", "pytorch_model.bin"]
    (tmp_path / "pytorch_model.bin").rename(tmp_path / "pytorch_model-00001-of-00001.bin")
    assert list(pin.listing(tmp_path, "models"))[1] == "pytorch_model-00001-of-00001.bin"


def test_the_lock_is_written_once_and_then_used(world):
    first = locked(world)
    text = (world / "lock.yaml").read_text()
    assert text.startswith("# Written by xstilts")
    entry = yaml.safe_load(text)["datasets"]["o/n"]
    assert entry == {"requested": "main", **first}
    assert locked(world) == first
    assert (world / "lock.yaml").read_text() == text
    assert sorted(p.name for p in world.iterdir()) == ["lock.yaml", "mirror"], "nothing beside it"


@pytest.mark.parametrize(
    ("name", "text", "how"),
    [
        ("a/train.parquet", "z", "a/train.parquet has changed"),
        ("a/new.parquet", "z", "a/new.parquet is new"),
        ("README.md", None, "README.md is gone"),
    ],
)
def test_a_locked_folder_that_changed_is_refused(world, name, text, how):
    locked(world)
    path = world / "mirror/datasets/o/n" / name
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(UserError, match=how) as raised:
        locked(world)
    lock = world / "lock.yaml"
    assert f"use what is there now: xstilts pin {world / 'lock.yaml'} o/n" in str(raised.value)
    before = pin.read_lock(lock)["datasets"]["o/n"]
    assert pin.update(lock, ["o/n"], str(world / "mirror")) == {"o/n": True}
    entry = pin.read_lock(lock)["datasets"]["o/n"]
    assert entry == {"requested": "main", **locked(world)} and entry != before


def test_another_source_or_revision_than_locked_is_refused(world):
    locked(world)
    anew = "delete its entry in .* to have it pinned anew"  # `--update` looks up what was asked for
    with pytest.raises(UserError, match=rf"has it from a folder, not a hub; {anew}"):
        locked(world, source="hub")
    entry = {"requested": "main", "source": "hub", "revision": "0" * 40}
    (world / "hub.yaml").write_text(yaml.safe_dump({"datasets": {"o/n": entry}}))
    assert locked(world, source="hub", lock="hub.yaml")["revision"] == "0" * 40
    with pytest.raises(UserError, match=rf"asks for revision `v2`, .* made for `main`; {anew}"):
        locked(world, "v2", source="hub", lock="hub.yaml")


def test_update_looks_up_what_is_named_or_all(world):
    """And an entry is never out of the lock, so that a run beside it has what it had."""
    locked(world)
    lock, root = world / "lock.yaml", str(world / "mirror")
    own = world / "own"
    own.mkdir()
    (own / "train.parquet").write_text("y")
    pin.locked("datasets", root, root, str(own), "main", lock)
    before = pin.read_lock(lock)
    assert pin.update(lock, [], root) == {"o/n": False, str(own): False}
    assert pin.read_lock(lock) == before, "as before"
    (own / "train.parquet").write_text("z")
    assert pin.update(lock, [str(own)]) == {str(own): True}, "a path needs no mirror"
    after = pin.read_lock(lock)["datasets"]
    assert after["o/n"] == before["datasets"]["o/n"]
    assert after[str(own)]["revision"] != before["datasets"][str(own)]["revision"]


def test_what_cannot_be_looked_up_changes_nothing(world):
    locked(world)
    lock, root = world / "lock.yaml", str(world / "mirror")
    text = lock.read_text()
    with pytest.raises(UserError, match=r"o/m: not in .*did you mean `o/n`\?"):
        pin.update(lock, ["o/n", "o/m"], root)
    with pytest.raises(UserError, match=r"o/n: is in a mirror; name its folder with --root DIR"):
        pin.update(lock, [])
    with pytest.raises(UserError, match="elsewhere: there is no such folder"):
        pin.update(lock, [], str(world / "elsewhere"))
    assert lock.read_text() == text


def test_the_branch_that_was_asked_for_is_looked_up(world, monkeypatch):
    entry = {"requested": "v2", "source": "hub", "revision": "0" * 40}
    lock = world / "lock.yaml"
    lock.write_text(yaml.safe_dump({"datasets": {"o/n": entry}, "models": {"o/m": entry}}))
    asked = []

    def look_up(kind, name, revision, obtain):
        asked.append((kind, name, revision))
        return SimpleNamespace(sha={"o/n": "1", "o/m": "0"}[name] * 40)

    monkeypatch.setattr(pin.sources, "hub_info", look_up)
    assert pin.update(lock, []) == {"o/n": True, "o/m": False}
    assert asked == [("datasets", "o/n", "v2"), ("models", "o/m", "v2")]
    found = pin.read_lock(lock)
    assert found == {
        "datasets": {"o/n": entry | {"revision": "1" * 40}},
        "models": {"o/m": entry},
    }


@pytest.mark.parametrize(
    "text",
    [
        "datasets: [",
        "- a",
        "datasets: {o/n: main}",
        "datasets: [o/n]",
        "datasets: {o/n: {source: folder, revision: r, files: 3}}",
        "datasets: {o/n: {source: folder, revision: 3}}",
        "datasets: {3: {source: folder, revision: r}}",
        "models: {o/n: {source: [hub], revision: r}}",
    ],
)
def test_a_file_that_is_no_lock(tmp_path, text):
    (tmp_path / "lock.yaml").write_text(text)
    with pytest.raises(UserError, match=r"lock\.yaml: is not"):
        pin.read_lock(tmp_path / "lock.yaml")


def test_a_folder_in_the_place_of_the_lock(tmp_path):
    with pytest.raises(UserError, match=r"cannot be read as a lock file: Is a directory$"):
        pin.read_lock(tmp_path)


def test_a_pin_file_says_by_what_spec_it_is_made(world):
    root, file = str(world / "mirror"), world / "results/pins/datasets/o/n.json"
    args = ["--kind", "datasets", "--name", "o/n", "--source", root, "--root", root]
    args += ["--lock", str(world / "lock.yaml"), "--out", str(file), "--spec", '{"kind": "pin"}']
    pin_step.main(pin_step.parser().parse_args(args))
    entry = pin.read_lock(world / "lock.yaml")["datasets"]["o/n"]
    about = {"spec": {"kind": "pin"}, "kind": "datasets", "name": "o/n"}
    assert json.loads(file.read_text()) == about | entry


def test_what_another_experiment_has_pinned_is_taken_over(world):
    """Where the lock has nothing: files that are made stay as they are."""
    lock, pins = world / "lock.yaml", world / "results/pins"
    entry = {"requested": "main", "source": "hub", "revision": "1" * 40}
    files = {"a": ("datasets", "o/a"), "b": ("datasets", "o/b"), "m": ("models", "o/m")}
    for name, (kind, of) in files.items():
        write_json(pins / f"{name}.json", {"spec": {}, "kind": kind, "name": of, **entry})
    wanted = {str(pins / f"{name}.json"): {} for name in (*files, "absent")}
    wanted |= {str(pins / "m2.json"): {"source": "hub"}}  # of another spec than is asked for
    write_json(pins / "m2.json", {"spec": {}, "kind": "models", "name": "o/m2", **entry})
    other = entry | {"revision": "2" * 40}
    lock.write_text(yaml.safe_dump({"datasets": {"o/b": other}}))
    pin.adopt(lock, wanted)
    assert pin.read_lock(lock) == {
        "datasets": {"o/a": entry, "o/b": other},
        "models": {"o/m": entry},
    }
    before = lock.stat()
    pin.adopt(lock, wanted)
    after = lock.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino), "left alone"


def test_a_missing_argument_is_one_line(capfd):
    with pytest.raises(SystemExit) as exit:
        process.run(pin_step.main, pin_step.parser(), ["--kind", "datasets"])
    assert exit.value.code == 1
    assert capfd.readouterr().err == "error: --name is missing\n"


def test_the_steps_start_without_the_heavy_libraries():
    code = "import json, sys, xstilts.data.pin, xstilts.data.prepare, xstilts.models.fetch\n"
    code += "print(json.dumps(list(sys.modules)))"
    out = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(Path(pin.__file__).parents[2])},
        capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    loaded = set(json.loads(out))
    assert not loaded & {"datasets", "huggingface_hub", "torch", "transformers", "pandas"}


def test_what_the_config_has_no_more_leaves_the_lock(tmp_path):
    (tmp_path / "en.csv").write_text("text,label\na,b\n")
    lock, entry = tmp_path / "my.lock", {"source": "folder", "revision": "r", "files": {}}
    old = {"files/mine/de.dev": dict(entry), "files/gone": dict(entry)}
    lock.write_text(yaml.safe_dump({"datasets": old, "models": {}}))
    own = {"files/mine/en.dev": (str(tmp_path), ["en.csv"])}
    assert pin.update(lock, (), own=own) == {"files/mine/en.dev": True}
    assert list(pin.read_lock(lock)["datasets"]) == ["files/mine/en.dev"]
    assert pin.update(lock, ["mine"], own=own) == {"files/mine/en.dev": False}


def test_locked_files_that_are_gone_are_as_they_were_pinned(tmp_path):
    (tmp_path / "en.csv").write_text("text,label\na,b\n")
    where = ("datasets", "own", str(tmp_path), "files/mine/en.dev", "main", tmp_path / "my.lock")
    first = pin.locked(*where, files=["en.csv"])
    (tmp_path / "en.csv").unlink()
    assert pin.locked(*where, files=["en.csv"]) == first
