"""Saved states: the last two, damage falls back, another spec is set aside, nothing is left."""

import pytest

from xstilts.training import storage


def write(folder, step, spec="s", value=None):
    import torch

    tensors = {"x": torch.full((3,), float(step if value is None else value))}
    storage.save(folder, spec, step, {"history": [step]}, tensors)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_was_saved_is_read_again(tmp_path):
    write(tmp_path / "new/folder", 7)
    record, tensors = storage.load(tmp_path / "new/folder", "s")
    assert (record["step"], record["history"], tensors["x"].tolist()) == (7, [7], [7.0] * 3)
    assert storage.load(tmp_path / "none", "s") is None


def test_two_saved_states_are_kept_and_never_more_while_one_is_written(tmp_path, monkeypatch):
    seen = []
    flush = storage._flush
    monkeypatch.setattr(
        storage, "_flush", lambda path: seen.append(len(names(tmp_path))) or flush(path)
    )
    for step in (9, 10, 11, 100):
        write(tmp_path, step)
    kept = [f"{step:09}.{kind}" for step in (11, 100) for kind in ("json", "safetensors")]
    assert names(tmp_path) == kept
    assert max(seen) == 3, "one saved state of two files, and what is being written"


def cut(path):
    path.write_bytes(path.read_bytes()[:-5])


def flip(path):
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("harm", [cut, flip, lambda path: path.unlink()])
@pytest.mark.parametrize("kind", ["json", "safetensors"])
def test_a_damaged_state_falls_back_to_the_one_before(tmp_path, harm, kind):
    for step in (1, 2):
        write(tmp_path, step)
    harm(tmp_path / f"000000002.{kind}")
    record, _ = storage.load(tmp_path, "s")
    assert record["step"] == 1
    harm(tmp_path / f"000000001.{kind}")
    assert storage.load(tmp_path, "s") is None
    write(tmp_path, 3)
    assert storage.load(tmp_path, "s")[0]["step"] == 3


def test_a_changed_record_is_damage_too(tmp_path, capsys):
    for step in (1, 2):
        write(tmp_path, step)
    path = tmp_path / "000000002.json"
    path.write_text(path.read_text().replace('"step": 2', '"step": 5'))
    assert storage.load(tmp_path, "s")[0]["step"] == 1
    assert capsys.readouterr().out.startswith("000000002: this saved state is damaged")


def test_state_of_another_spec_is_set_aside(tmp_path, capsys):
    for step in (1, 2):
        write(tmp_path, step, spec="old")
    assert storage.load(tmp_path, "new") is None
    assert "saved for another spec or other rows; set aside" in capsys.readouterr().out
    assert names(tmp_path) == ["aside.json", "aside.safetensors"]
    write(tmp_path, 1, spec="new")
    assert storage.load(tmp_path, "new")[0]["fingerprint"] == "new"
    storage.clear(tmp_path)
    assert names(tmp_path) == []


def test_a_full_disk_leaves_the_state_before(tmp_path, monkeypatch):
    def full(path):
        raise OSError(28, "No space left on device")

    for step in (1, 2):
        write(tmp_path, step)
    monkeypatch.setattr(storage, "_flush", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path, 3)
    assert names(tmp_path) == ["000000002.json", "000000002.safetensors"]


def test_what_a_killed_process_was_writing_is_swept_away(tmp_path):
    (tmp_path / ".000000001.safetensors.77.part").write_bytes(b"half")
    write(tmp_path, 2)
    assert names(tmp_path) == ["000000002.json", "000000002.safetensors"]
