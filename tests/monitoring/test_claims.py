"""Whose a node is: what experiments ask for, and what is not replaced without a word."""

import os

import pytest
import yaml
from tests import results

from xstilts.experiment import config, graph, grid, plan
from xstilts.experiment.nodes import Node
from xstilts.monitoring import claims
from xstilts.monitoring.records import Pins, Records, read
from xstilts.running.files import write_json

TUNED = "results/tuned/m/mnli/seed1/mnli/node.json"
ENCODER = "results/encoders/m/mnli/seed1/node.json"
ROWS = "results/data/xnli/de.dev.parquet"
CELL = "results/scores/m/mnli/seed1/xnli/cell.json"
DE = "results/scores/m/mnli/seed1/xnli/de.json"
RATE = {"recipes": {"mnli": {"learning_rate": 1e-4}}}


@pytest.fixture
def world(tmp_path):
    """A folder of the experiment `e`, and its nodes."""
    return tmp_path, results.write(tmp_path, seeds=[1])[1]


def nodes_of(**changes):
    """The nodes of another experiment."""
    asked = grid.Grid(config.load(results.CONFIG | {"seeds": [1]} | changes))
    return graph.build(asked)


def conflict(root, key, nodes, lock="", but="mine"):
    """What is said of a node of another experiment."""
    records = Records(nodes, Pins(lock, root), root)
    return claims.conflict(nodes[key], records, claims.experiments(root, but))


def write_lock(path, **revisions):
    entry = {"requested": "main", "source": "hub"}
    named = {name: entry | {"revision": revision} for name, revision in revisions.items()}
    path.write_text(yaml.safe_dump({"datasets": named}))
    return str(path)


# ---- what an experiment asks for


def test_the_content_in_full():
    """Of a cell its score files, by spec, and its record, which is of several experiments."""

    def node(rule, key, outputs):
        return Node(rule, "n", key, {"a": 1}, outputs, {}, (), frozenset(), "log")

    nodes = [
        node("model", "m/node.json", {"m/node.json": "d1", "m/model.safetensors": None}),
        node("evaluate", "c/cell.json", {"c/de.json": "d2", "c/ru.json": "d3"}),
    ]
    by_key = {node.key: node for node in nodes}
    assert claims.content("e", "e.lock", by_key, ["e.yaml"]) == {
        "experiment": "e",
        "lock": "e.lock",
        "configs": ["e.yaml"],
        "nodes": {
            "m/node.json": "d1",
            "m/model.safetensors": None,
            "c/de.json": "d2",
            "c/ru.json": "d3",
            "c/cell.json": None,
        },
    }


def test_what_an_experiment_asks_for_is_read_again(world):
    root, nodes = world
    [one] = claims.experiments(root)
    assert (one.name, one.folder, one.lock) == ("e", root / results.HOME, "")
    assert one.nodes == claims.content("e", "", nodes)["nodes"]
    assert claims.experiments(root, but="e") == []


def test_what_was_chosen_for_the_test_split_is_asked_for_too(world):
    root, nodes = world
    score = "results/test/m/mnli/seed1/xnli/de.json"
    plan.write([{"score": score, "spec": "d1"}], root / results.HOME / "test/grid.csv")
    [one] = claims.experiments(root)
    asked = {score: "d1", "results/test/m/mnli/seed1/xnli/cell.json": None}
    assert one.nodes == claims.content("e", "", nodes)["nodes"] | asked


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"nodes": {}}', '{"lock": "", "nodes": 1}', '{"lock": "", "nodes": "ab"}'],
)
def test_what_is_damaged_asks_for_nothing(world, text):
    root, _ = world
    (root / results.HOME / "nodes.json").write_text(text)
    [one] = claims.experiments(root)
    assert (one.name, one.lock, one.nodes) == ("e", "", {})
    assert conflict(root, TUNED, nodes_of(**RATE)) is None


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a,b\n1,2\n", b"score,spec\n"])
def test_a_damaged_test_grid_leaves_what_the_plan_says(world, content):
    root, nodes = world
    path = root / results.HOME / "test/grid.csv"
    path.parent.mkdir()
    path.write_bytes(content)
    [one] = claims.experiments(root)
    assert one.nodes == claims.content("e", "", nodes)["nodes"]


def test_what_is_wanted_is_wanted_by_spec_and_pins(world):
    root, _ = world
    [one] = claims.experiments(root)
    record = read(root / TUNED)
    assert record["pins"] == {"datasets/nyu-mll/glue": "r1", "models/o/m": "r1"}
    assert one.wants(TUNED, record)
    assert not one.wants(ENCODER, record)
    assert not one.wants("results/tuned/m/other/node.json", record)
    assert not one.wants(TUNED, {**record, "spec": {}})
    assert not one.wants(CELL, read(root / CELL)) and one.wants(DE, read(root / DE))
    one.lock = write_lock(root / "e.lock", **{"nyu-mll/glue": "r1", "facebook/xnli": "r9"})
    assert one.wants(TUNED, record), "the other data set is not in it"
    one.lock = write_lock(root / "e.lock", **{"nyu-mll/glue": "r2"})
    assert not one.wants(TUNED, record), "its own lock says another version by now"
    for lock in ("[", "gone"):
        (root / "e.lock").write_text(lock)
        one.lock = str(root / ("e.lock" if lock == "[" else lock))
        assert one.wants(TUNED, record), "a lock that says nothing"


def test_all_that_is_asked_for_here(world):
    root, nodes = world
    results.write_plan(root, config.load(results.CONFIG), [{"score": "s"}], {}, "empty")
    found = claims.known(root)
    paths = {path for node in nodes.values() for path in (node.key, *node.outputs)}
    folders = {path.rpartition("/")[0] for path in paths}
    assert found == paths | folders | {os.path.splitext(path)[0] for path in paths}
    assert {"results/scores/m/mnli/seed1/xnli", "results/tuned/m/mnli/seed1/mnli"} <= found
    assert claims.known(root / "elsewhere") == set()


# ---- what is refused


def test_the_line_names_node_experiment_key_and_values(world):
    root, _ = world
    assert conflict(root, CELL, nodes_of(**RATE)) == (
        f"{ENCODER}: made for the experiment `e`, where `recipe.learning_rate` is 1e-05; here it is"
        " 0.0001. Give yours another name, or replace theirs: --config replace=true;"
        " or take another folder: --directory DIR"
    )


def test_nothing_is_refused_of_what_is_ones_own_or_nobodys(world):
    root, _ = world
    assert conflict(root, CELL, nodes_of(**RATE), but="e") is None
    (root / results.HOME / "nodes.json").unlink()
    assert conflict(root, CELL, nodes_of(**RATE)) is None


def test_what_is_shared_is_no_conflict(world):
    root, nodes = world
    for path in (ENCODER, TUNED, CELL):
        (root / path).unlink()
    assert conflict(root, CELL, nodes) is None, "missing, for both"
    fewer = nodes_of(languages=["de"])
    assert not Records(fewer, Pins("", root), root).current("results/manifests/m/xnli/dev.256.json")
    assert conflict(root, CELL, fewer) is None, "a list of fewer languages costs nothing"


def test_the_first_node_on_the_way_is_named_and_not_what_follows_from_it(world):
    """Of rows, encoded rows, their list and the score the rows: there is the key that differs."""
    root, _ = world
    for key in (CELL, "results/manifests/m/xnli/dev.256.json", ROWS):
        assert conflict(root, key, nodes_of(limits={"xnli": {"dev": 9}})) == (
            f"{ROWS}: made for the experiment `e`, where `max_rows` is None; here it is 9. Give"
            " yours another name, or replace theirs: --config replace=true;"
            " or take another folder: --directory DIR"
        )


def test_a_node_in_between_that_is_gone_keeps_the_rest(world):
    """A tuned checkpoint is deleted after use; the scores that were made with it are there."""
    root, _ = world
    (root / TUNED).unlink()
    (root / ENCODER).unlink()
    line = conflict(root, CELL, nodes_of(**RATE))
    assert line == (
        f"{DE}: made for the experiment `e`, where what it is made from is another; here it is of"
        " another spec. Give yours another name, or replace theirs: --config replace=true;"
        " or take another folder: --directory DIR"
    )


def test_another_pin_is_named_with_both_versions(world):
    root, nodes = world
    lock = write_lock(root / "mine.lock", **{"facebook/xnli": "r2"})
    assert conflict(root, CELL, nodes, lock) == (
        f"{ROWS}: made for the experiment `e`, where the pin of datasets/facebook/xnli is r1; here"
        " it is r2. Give yours another name, or replace theirs: --config replace=true;"
        " or take another folder: --directory DIR"
    )


def test_who_has_changed_the_lock_asks_for_the_old_version_no_more(world):
    root, nodes = world
    path = root / results.HOME / "nodes.json"
    write_json(path, claims.content("e", str(root / "e.lock"), nodes))
    mine = write_lock(root / "mine.lock", **{"facebook/xnli": "r2"})
    write_lock(root / "e.lock", **{"facebook/xnli": "r1"})
    assert conflict(root, CELL, nodes, mine) is not None
    write_lock(root / "e.lock", **{"facebook/xnli": "r2"})
    assert conflict(root, CELL, nodes, mine) is None


def test_a_damaged_node_is_made_again(world):
    root, _ = world
    for path in (ENCODER, TUNED):
        (root / path).write_text("{")
    for path in (root / CELL).parent.iterdir():
        path.write_text("{")
    assert conflict(root, CELL, nodes_of(**RATE)) is None


# ---- what differs


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}}, ("`b.c`", "2", "3")),
        ({"a": 1}, {"a": 1, "b": "x"}, ("`b`", "not set", "x")),
        ({"a": 1, "b": "x"}, {"a": 1}, ("`b`", "x", "not set")),
        ({"d": "0" * 16, "z": [1]}, {"d": "1" * 16, "z": [2]}, ("`z`", "[1]", "[2]")),
        ({"d": "0" * 16}, {"d": "1" * 16}, ("`d`", "0" * 16, "1" * 16)),
    ],
    ids=["nested", "new", "gone", "not a digest, if there is another", "a digest"],
)
def test_the_first_key_that_differs(world, old, new, found):
    root, nodes = world
    records = Records(nodes, Pins("", root), root)
    assert claims.difference({"spec": old}, new, records, nodes[TUNED]) == found


def test_where_the_specs_are_the_same_it_is_the_pin(world):
    root, nodes = world
    lock = write_lock(root / "mine.lock", **{"nyu-mll/glue": "r2"})
    records = Records(nodes, Pins(lock, root), root)
    for node, record in ((nodes[TUNED], read(root / TUNED)), (nodes[CELL], read(root / DE))):
        found = claims.difference(record, node.spec, records, node)
        assert found == ("the pin of datasets/nyu-mll/glue", "r1", "r2")
        without = {**record, "pins": {}}
        found = claims.difference(without, node.spec, records, node)
        assert found == ("the pin of datasets/nyu-mll/glue", "None", "r2")
