"""Pins of folders, the lock file, and what is stale."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from xstilts.data import pin
from xstilts.running import step
from xstilts.running.errors import UserError
from xstilts.steps import pin as pin_step


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
    assert list(pin.listing(tmp_path, "models")) == ["config.json", "model.safetensors"]


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
    assert f"python -m xstilts.steps.pin --update o/n --lock {lock}" in str(raised.value)
    pin.update(lock, ["o/n"])
    assert locked(world)["files"].keys() == pin.read_lock(lock)["datasets"]["o/n"]["files"].keys()


def test_another_source_or_revision_than_locked_is_refused(world):
    locked(world)
    with pytest.raises(UserError, match=r"has it from a folder, not a hub; .*--update o/n"):
        locked(world, source="hub")
    entry = {"requested": "main", "source": "hub", "revision": "0" * 40}
    (world / "hub.yaml").write_text(yaml.safe_dump({"datasets": {"o/n": entry}}))
    assert locked(world, source="hub", lock="hub.yaml")["revision"] == "0" * 40
    with pytest.raises(UserError, match=r"asks for revision `v2`, .* made for `main`; .*--update"):
        locked(world, "v2", source="hub", lock="hub.yaml")


def test_update_takes_out_what_is_named_or_all(world):
    locked(world)
    with pytest.raises(UserError, match=r"o/m: not in .*did you mean `o/n`\?"):
        pin.update(world / "lock.yaml", ["o/m"])
    assert pin.update(world / "lock.yaml", []) == ["o/n"]
    assert pin.read_lock(world / "lock.yaml") == {"datasets": {}, "models": {}}


@pytest.mark.parametrize("text", ["datasets: [", "- a", "datasets: {o/n: main}", "datasets: [o/n]"])
def test_a_file_that_is_no_lock(tmp_path, text):
    (tmp_path / "lock.yaml").write_text(text)
    with pytest.raises(UserError, match=r"lock\.yaml: is not"):
        pin.read_lock(tmp_path / "lock.yaml")


def test_stale_pins_are_those_that_the_lock_contradicts(world):
    root, pins = world / "mirror", world / "results/pins"
    args = ["--kind", "datasets", "--name", "o/n", "--source", str(root), "--root", str(root)]
    file = pins / "datasets/o/n.json"

    def run(lock):
        pin_step.main(pin_step.parser().parse_args([*args, "--lock", lock, "--out", str(file)]))

    lock, other = str(world / "lock.yaml"), str(world / "other.yaml")
    run(lock)
    assert pin.stale(lock, pins) == []
    assert pin.stale(other, pins) == [], "another experiment's pin stands"
    assert pin.stale("", pins) == [file], "not the toy world's"
    pin.adopt(other, [str(file), str(pins / "datasets/o/absent.json")])
    assert pin.read_lock(other) == pin.read_lock(lock)
    pin.update(lock, ["o/n"])
    assert pin.stale(lock, pins) == [file], "taken out by --update"
    text = Path(other).read_text()
    Path(other).write_text(text.replace(pin.read_lock(other)["datasets"]["o/n"]["revision"], "x"))
    assert pin.stale(other, pins) == [file]
    run("")
    assert pin.stale("", pins) == []
    assert pin.stale(lock, pins) == [file], "the toy world's"
    assert pin.stale(lock, world / "nowhere") == []


def test_a_missing_argument_is_one_line(capfd):
    with pytest.raises(SystemExit) as exit:
        step.run(pin_step.main, pin_step.parser(), ["--kind", "datasets"])
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
