"""The jobs of `overlap`, and when they are made again."""

from collections import Counter

from tests.analysis.test_overlap import grid, written

from xstilts.experiment import graph
from xstilts.experiment.graph import overlap_file
from xstilts.monitoring.records import Pins, Records, next_run
from xstilts.running.files import digest, write_json


def test_a_job_a_task_of_stage_1_with_a_file_a_target():
    of = grid()
    nodes = graph.build(of)
    assert [key for key, node in nodes.items() if node.rule == "overlap"] == [
        "results/overlap/mnli.json", "results/overlap/squad.json",
    ]  # fmt: skip
    node = nodes["results/overlap/squad.json"]
    assert node.inputs == {
        "train": ("results/data/squad/en.train.parquet",),
        "rows": ("results/data/xnli/en.dev.parquet", "results/data/xquad/en.dev.parquet"),
    }
    specs = of.overlap_specs("squad")
    assert specs["xquad"] == {
        "kind": "overlap", "task": "squad", "target": "xquad",
        "train": digest(of.data_spec("squad", "en", "train")),
        "rows": digest(of.data_spec("xquad", "en", "dev")), "version": 1,
    }  # fmt: skip
    assert node.outputs == {overlap_file("squad", name): digest(specs[name]) for name in specs}


def test_none_without_the_key_and_none_of_what_is_not_in_english():
    assert grid(overlap=False).overlapping() == {}
    assert grid(languages=["de"]).overlapping() == {}
    german = {"german": {"tasks": ["mnli_translated"], "languages": ["de"]}}
    assert grid(intermediates=german, exclude=[{"intermediate": "mnli"}]).overlapping() == {}
    nodes = graph.build(grid(overlap=False))
    assert Counter(node.rule for node in nodes.values())["overlap"] == 0
    asked = {key: node for key, node in graph.build(grid()).items() if node.rule != "overlap"}
    assert asked == nodes, "it needs no rows that were not there"


def test_a_further_target_is_looked_at_and_the_others_stay(tmp_path):
    of = grid()
    pins = {"datasets/nyu-mll/glue": "r1", "datasets/facebook/xnli": "r2"}
    nodes, key = graph.build(of), "results/overlap/mnli.json"

    def current(nodes):
        return Records(nodes, Pins("", tmp_path), tmp_path).current(key)

    assert not current(nodes)
    write_json(tmp_path / key, {"spec": {"kind": "overlap of a task"}, "pins": pins})
    for target in of.overlap_specs("mnli"):
        written(tmp_path, of, "mnli", target)
    assert current(nodes) and key not in next_run(
        nodes, Records(nodes, Pins("", tmp_path), tmp_path)
    )
    assert current(graph.build(grid(targets=["xnli"])))
    more = graph.build(grid(targets=["xnli", "xquad", "pawsx"]))
    assert not current(more)
    assert key in next_run(more, Records(more, Pins("", tmp_path), tmp_path))


def test_a_file_follows_from_its_own_two_data_sets_alone(tmp_path):
    """The task's job reads those of all targets; one of them that moves leaves the others."""
    of = grid()
    nodes = graph.build(of)
    node = nodes["results/overlap/mnli.json"]
    pins = Pins("", tmp_path)
    pins.adopted = {name: "r1" for name in node.pins}
    records = Records(nodes, pins, tmp_path)
    own = {"datasets/nyu-mll/glue": "r1", "datasets/facebook/xnli": "r1"}
    assert own.keys() < node.pins
    assert records.pinned(node, {"pins": own})
    assert not records.pinned(node, {"pins": own | {"datasets/facebook/xnli": "r0"}})
