"""When a node is made: by what its record says, each rule by itself."""

import dataclasses
import json

import pytest
import yaml
from tests import results

from xstilts.data import prepare
from xstilts.encoding.encoded import Encoded, pack
from xstilts.monitoring import records
from xstilts.monitoring.records import Pins, Records
from xstilts.running.errors import UserError
from xstilts.running.files import digest, write_json

PIN = "results/pins/datasets/facebook/xnli.json"
ROWS = "results/data/xnli/de.dev.parquet"
ENCODED = "results/encoded/m/xnli/de.dev.256.safetensors"
MANIFEST = "results/manifests/m/xnli/dev.256.json"
MODEL = "results/models/m/node.json"
TUNED = "results/tuned/m/mnli/seed1/mnli/node.json"
FOLDER = "results/scores/m/mnli/seed1/xnli"
CELL, DE, RU = (f"{FOLDER}/{name}.json" for name in ("cell", "de", "ru"))
EACH = (PIN, ROWS, ENCODED, MANIFEST, MODEL, TUNED)  # a node of each kind, but for cells
LISTED = {ROWS: {MANIFEST}, ENCODED: {MANIFEST}}  # what is looked at through them


@pytest.fixture
def world(tmp_path):
    """A folder of results, and the keys of its nodes that are not current."""
    _, nodes = results.write(tmp_path, seeds=[1])

    def stale(lock="", nodes=nodes):
        found = Records(nodes, Pins(lock, tmp_path), tmp_path)
        return {key for key in nodes if not found.current(key)}

    return tmp_path, nodes, stale


def write_lock(path, **revisions):
    """A lock file of data sets (`facebook/xnli`) and the model `o/m`."""
    entry = {"requested": "main", "source": "hub"}
    kinds = {"models" if name == "o/m" else "datasets": {} for name in revisions}
    for name, revision in revisions.items():
        kinds["models" if name == "o/m" else "datasets"][name] = entry | {"revision": revision}
    path.write_text(yaml.safe_dump(kinds))
    return str(path)


# ---- what is current


def test_what_a_run_has_made_is_current(world, tmp_path):
    root, _, stale = world
    pinned = {"facebook/xnli": "r1", "nyu-mll/glue": "r1", "google/xtreme": "r1", "o/m": "r1"}
    assert stale() == stale(write_lock(root / "e.lock", **pinned)) == set()
    _, toy = results.write(tmp_path / "toy", seeds=[1], source="toy", targets=["xnli"])
    found = Records(toy, Pins("", tmp_path / "toy"), tmp_path / "toy")
    assert all(map(found.current, toy)) and {"toy_world", "toy_model"} <= {
        node.rule for node in toy.values()
    }


def test_each_record_is_read_once(world):
    root, nodes, _ = world
    found = Records(nodes, Pins("", root), root)
    assert found.current(MODEL)
    (root / MODEL).unlink()
    assert found.current(MODEL) and not Records(nodes, Pins("", root), root).current(MODEL)


DAMAGE = {
    "missing": None,
    "empty": b"",
    "garbage": b"\x00\xffgarbage\n" * 9,
    "list": b"[]",
    "null": b"null",
    "no spec": b"{}",
    "spec that is none": b'{"spec": "x"}',
}


@pytest.mark.parametrize("damage", [*DAMAGE, "cut off", "cut short"])
@pytest.mark.parametrize("name", [*EACH, RU])
def test_what_is_missing_or_damaged_is_not(world, name, damage):
    root, _, stale = world
    path = root / name
    cut = {"cut off": path.read_bytes()[:60], "cut short": path.read_bytes()[:-3]}
    content = (DAMAGE | cut)[damage]
    path.unlink() if content is None else path.write_bytes(content)
    assert stale() == ({CELL} if name == RU else {name} | LISTED.get(name, set()))


def test_pins_that_are_none_are_damage_too(world):
    root, _, stale = world
    for name in (MANIFEST, TUNED, RU):
        results.change(root / name, pins=[])
    assert stale() == {MANIFEST, TUNED, CELL}


def test_a_file_of_another_origin_has_no_record(world):
    root, _, stale = world
    prepare.write(root / ROWS, results.ROWS["xnli"][1], "classification", {})
    Encoded(pack([[0, 2]]), {}).save(root / ENCODED)
    assert records.read(root / ROWS) is records.read(root / ENCODED) is None
    assert records.read(root / "results/data") is None, "a folder"
    assert stale() == {ROWS, ENCODED, MANIFEST}


@pytest.mark.parametrize("key", EACH)
def test_what_is_made_by_another_spec_is_not(world, key):
    root, nodes, stale = world
    node = nodes[key]
    results.write_node(root, dataclasses.replace(node, spec={**node.spec, "kind": "another"}))
    assert stale() == {key} | LISTED.get(key, set())


def test_a_cell_without_its_record_is_not(world):
    """It is written last: all its languages are there, though of an evaluation that was killed."""
    root, _, stale = world
    (root / CELL).unlink()
    assert stale() == {CELL}


def test_a_missing_output_is_missing_however_right_the_record_is(world, tmp_path):
    root, _, stale = world
    for folder in ("results/models/m", "results/tuned/m/none/seed1/mnli"):
        (root / folder / "model.safetensors").unlink()
    assert stale() == {MODEL, "results/tuned/m/none/seed1/mnli/node.json"}
    _, toy = results.write(tmp_path / "toy", source="toy", targets=["xnli"])
    (tmp_path / "toy/results/toy/models/toy/xlmr/model.safetensors").unlink()
    found = Records(toy, Pins("", tmp_path / "toy"), tmp_path / "toy")
    assert [key for key in toy if not found.current(key)] == ["results/toy/models/toy/xlmr.json"]


def test_what_a_node_exists_by(world):
    root, nodes, _ = world
    found = Records(nodes, Pins("", root), root)
    assert found.exists(CELL) and found.exists(MODEL)
    (root / CELL).unlink()
    (root / MODEL).unlink()
    assert found.exists(CELL) and found.exists(MODEL), "scores, weights"
    for name in (DE, RU, "results/models/m/model.safetensors"):
        (root / name).unlink()
    assert not (found.exists(CELL) or found.exists(MODEL))


# ---- pins


def test_what_is_made_from_another_pin_is_not(world):
    root, nodes, stale = world
    found = stale(write_lock(root / "e.lock", **{"facebook/xnli": "r2"}))
    encoded = [f"results/encoded/m/xnli/{lang}.dev.256.safetensors" for lang in ("de", "ru")]
    rows = [f"results/data/xnli/{lang}.dev.parquet" for lang in ("de", "ru")]
    cells = [f"results/scores/m/{name}/seed1/xnli/cell.json" for name in ("none", "mnli")]
    assert found == {PIN, MANIFEST, *encoded, *rows, *cells}
    assert found - {PIN} == {k for k, n in nodes.items() if "datasets/facebook/xnli" in n.pins}


def test_another_version_of_the_model_is_in_all_that_reads_its_tokenizer(world):
    root, nodes, stale = world
    rules = ("pin_model", "model", "encode", "manifest", "intermediate", "tune", "evaluate")
    expected = {key for key, node in nodes.items() if node.rule in rules}
    assert stale(write_lock(root / "e.lock", **{"o/m": "r2"})) == expected


def test_a_record_without_the_pin_is_of_another_one(world):
    root, _, stale = world
    lock = write_lock(root / "e.lock", **{"o/m": "r1"})
    results.change(root / TUNED, pins={"datasets/nyu-mll/glue": "r1"})
    assert stale(lock) == {TUNED} and stale() == set()


def test_what_is_wanted_of_a_data_set(world):
    """That of the lock; else what is pinned here, for the same spec; of the toy world nothing."""
    root, nodes, _ = world
    results.change(root / "results/pins/datasets/google/xtreme.json", spec={"kind": "other"})
    pins = Pins(write_lock(root / "e.lock", **{"facebook/xnli": "r7"}), root)
    assert (pins.locked, pins.adopted) == ({"datasets/facebook/xnli": "r7"}, {})
    for node in nodes.values():
        if node.rule in ("pin_data", "pin_model"):
            pins.adopt(node)
    assert pins.adopted == {"datasets/nyu-mll/glue": "r1", "models/o/m": "r1"}
    wanted = [
        pins.wanted(name)
        for name in ("datasets/facebook/xnli", "models/o/m", "datasets/google/xtreme")
    ]
    assert wanted == ["r7", "r1", None]
    toy = Pins("", root)
    toy.adopt(nodes[PIN])
    assert (toy.locked, toy.adopted, toy.wanted("datasets/facebook/xnli")) == ({}, {}, None)
    with pytest.raises(UserError, match=r"bad\.lock: is not"):
        (root / "bad.lock").write_text("[")
        Pins(str(root / "bad.lock"), root)


def test_a_damaged_pin_is_not_taken_over(world):
    root, nodes, _ = world
    pins = Pins(str(root / "e.lock"), root)
    write_json(root / PIN, {"spec": dict(nodes[PIN].spec)})
    pins.adopt(nodes[PIN])
    assert pins.adopted == {} and not Records(nodes, pins, root).current(PIN)


def test_which_pin_differs(world):
    root, _, _ = world
    pins = Pins(write_lock(root / "e.lock", **{"facebook/xnli": "r1", "o/m": "r2"}), root)
    made, names = {"models/o/m": "r1", "datasets/facebook/xnli": "r1"}, ["models/o/m"]
    assert pins.differs(made, ["datasets/facebook/xnli", "datasets/unknown"]) is None
    assert pins.differs(made, [*names, "datasets/facebook/xnli"]) == "models/o/m"
    assert pins.differs({}, ["datasets/unknown", *names]) == "models/o/m"


def test_a_score_from_another_version_is_refused(world):
    root, _, _ = world
    path = str(root / DE)
    lock = write_lock(root / "e.lock", **{"facebook/xnli": "r1", "nyu-mll/glue": "r2"})
    assert Pins("", root).score(path) == json.loads((root / DE).read_text())
    assert Pins("", root).score(str(root / "gone.json")) is None
    line = rf"{path}: made from another version of datasets/nyu-mll/glue than .*e\.lock says"
    with pytest.raises(UserError, match=line):
        Pins(lock, root).score(path)
    results.change(root / DE, pins=None)
    assert Pins(lock, root).score(path)["pins"] is None, "its spec is looked at by who reads it"


# ---- cells and manifests


def fewer(nodes, *languages):
    """The nodes of an experiment that asks for fewer languages of one cell."""
    node = nodes[CELL]
    outputs = {path: node.outputs[path] for path in languages}
    return {**nodes, CELL: dataclasses.replace(node, outputs=outputs)}


def test_a_cell_with_more_languages_than_are_asked_is_current(world):
    _, nodes, stale = world
    assert stale(nodes=fewer(nodes, DE)) == set()


@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_a_cell_without_a_file_of_a_language_is_not(world, suffix):
    root, nodes, stale = world
    (root / FOLDER / f"ru.{suffix}").unlink()
    assert stale() == {CELL}
    assert stale(nodes=fewer(nodes, DE)) == set(), "nor is that asked for"


def test_a_language_that_the_record_lacks_counts_by_its_score(world):
    """The scores of two machines were copied together, and the record is that of one."""
    root, nodes, stale = world
    listed = dict(nodes[CELL].spec["scores"])
    del listed["ru"]
    results.change(root / CELL, spec={"kind": "cell", "scores": listed})
    assert stale() == set()
    for damage in ({"spec": {"kind": "other"}}, {"spec": None}):
        before = (root / RU).read_text()
        results.change(root / RU, **damage)
        assert stale() == {CELL}
        (root / RU).write_text(before)
    results.change(root / RU, pins={"datasets/facebook/xnli": "r0", "datasets/nyu-mll/glue": "r1"})
    lock = write_lock(root / "e.lock", **{"facebook/xnli": "r1"})
    assert stale(lock) == {CELL} and stale() == set()


def test_a_score_of_other_pins_than_its_record_counts_by_its_own(world):
    """The record of the second machine, and scores of the first."""
    root, nodes, stale = world
    pins = results.pins_of(nodes[CELL])
    results.change(root / CELL, pins=pins | {"datasets/facebook/xnli": "r0"})
    assert stale(write_lock(root / "e.lock", **{"facebook/xnli": "r1"})) == set()
    assert stale(write_lock(root / "e.lock", **{"facebook/xnli": "r0"})) >= {PIN, ROWS, ENCODED}


def test_a_listed_language_of_another_spec_is_not(world):
    root, nodes, stale = world
    listed = nodes[CELL].spec["scores"] | {"ru": digest("other")}
    results.change(root / CELL, spec={"kind": "cell", "scores": listed})
    results.change(root / RU, spec={"kind": "other"})
    assert stale() == {CELL} and stale(nodes=fewer(nodes, DE)) == set()


def test_a_manifest_is_current_with_what_it_lists(world):
    root, _, stale = world
    (root / "results/data/xnli/ru.dev.parquet").unlink()
    assert stale() == {"results/data/xnli/ru.dev.parquet", MANIFEST}


# ---- the next run


def test_what_the_next_run_would_do(world):
    """What is asked for and not current, and what that reads and is not; nothing else."""
    root, nodes, _ = world

    def run():
        return records.next_run(nodes, Records(nodes, Pins("", root), root))

    assert run() == set()
    (root / TUNED).unlink()
    (root / ROWS).unlink()
    assert run() == set(), "no score needs them"
    (root / RU).unlink()
    assert run() == {CELL, TUNED, MANIFEST, ROWS}
    (root / "results/encoders/m/mnli/seed1/node.json").unlink()
    assert run() == {CELL, TUNED, MANIFEST, ROWS, "results/encoders/m/mnli/seed1/node.json"}
    (root / PIN).unlink()
    other = "results/pins/datasets/google/xtreme.json"
    (root / other).unlink()
    assert run() == {
        CELL, TUNED, MANIFEST, ROWS, "results/encoders/m/mnli/seed1/node.json", PIN, other,
    }  # fmt: skip
