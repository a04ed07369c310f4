"""The estimate, by hand: workload, throughput, wall time, forecasts against measured times."""

import gzip
import json
import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests import results

from xstilts.data import hops
from xstilts.experiment import reference, tasks
from xstilts.experiment.config import load
from xstilts.experiment.graph import build
from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import Node
from xstilts.experiment.recipe import Member, Recipe
from xstilts.models.flop import training_flop
from xstilts.monitoring.cell_states import read_config
from xstilts.monitoring.estimate import data_sizes, forecast, model_sizes, text, workload
from xstilts.monitoring.estimate.data_sizes import DataSize, DataSizes
from xstilts.monitoring.estimate.disk import disk
from xstilts.monitoring.estimate.forecast import Forecast
from xstilts.monitoring.estimate.model_sizes import ModelSize
from xstilts.monitoring.estimate.throughput import FinishedJob, Throughput
from xstilts.monitoring.estimate.workload import Workload
from xstilts.running.errors import UserError
from xstilts.steps import estimate


class FixedSizes:
    """Sizes that are the same for every language of a task."""

    def __init__(self, **known):
        self.known = known

    def of(self, model, task, lang, split, length, variant=""):
        return self.known[task] if split == "train" else DataSize(40, 40, 400.0)


def test_the_workload_of_a_training_on_one_task():
    recipe = Recipe(batch_size=10, epochs=2, eval_every=6, eval_rows=20)
    members = [Member("mnli", ("en",), "en", recipe)]
    found = workload.training(
        "m", "mnli", members, recipe, None, FixedSizes(mnli=DataSize(95, 95, 950.0))
    )
    # 10 batches an epoch, 20 steps of 100 tokens; evaluated 4 times on 20 of 40 rows.
    assert found == Workload("m", "mnli", 2000.0, 4 * 200.0)


def test_the_workload_of_a_training_that_is_bounded_by_max_steps():
    known = FixedSizes(mnli=DataSize(95, 95, 950.0))
    for max_steps, steps, evaluations in ((7, 7, 2), (100, 20, 4)):
        recipe = Recipe(batch_size=10, epochs=2, eval_every=6, eval_rows=20, max_steps=max_steps)
        members = [Member("mnli", ("en",), "en", recipe)]
        found = workload.training("m", "mnli", members, recipe, None, known)
        assert found == Workload("m", "mnli", steps * 100.0, evaluations * 200.0)


def test_the_workload_of_a_mix_with_a_cap():
    recipe = Recipe(batch_size=10, epochs=1, eval_every=100, eval_rows=None)
    members = [Member("big", ("en",), "en", recipe), Member("mlm", ("de", "ru"), None, recipe)]
    known = FixedSizes(big=DataSize(1000, 1000, 5000.0), mlm=DataSize(50, 50, 1000.0))
    found = workload.training("m", "mix", members, recipe, 300, known)
    # 30 + 10 steps; three quarters of batches of 50 tokens, one of batches of 200.
    assert found == Workload("m", "mix", 40 * (0.75 * 50 + 0.25 * 200), 400.0)


def test_the_workload_of_a_sample_and_of_a_number_of_steps():
    recipe = Recipe(batch_size=10, epochs=2, eval_every=6, eval_rows=20)
    known = FixedSizes(squad=DataSize(100, 200, 2000.0))  # two windows a row, of 10 tokens

    def found(rows, at_most=False, asked=None, recipe=recipe):
        members = [Member("squad", ("en",), "en", recipe, rows, at_most)]
        return workload.training("m", "x", members, recipe, None, known, asked)

    # 25 rows are 50 windows: 5 batches an epoch, 10 steps of 100 tokens.
    assert found(25) == Workload("m", "x", 1000.0, 2 * 200.0)
    assert found(10**6, at_most=True) == found(None) == Workload("m", "x", 4000.0, 7 * 200.0)
    assert found(25, asked=33) == found(None, asked=33) == Workload("m", "x", 3300.0, 6 * 200.0)
    bounded = Recipe(batch_size=10, max_steps=4, eval_every=6, eval_rows=20)
    assert found(25, asked=33, recipe=bounded) == Workload("m", "x", 400.0, 200.0)


def test_the_workload_of_rows_that_are_dealt_is_that_of_one_language():
    recipe = Recipe(batch_size=10, epochs=2, eval_every=6, eval_rows=20)
    known = FixedSizes(t=DataSize(100, 100, 1000.0))

    def found(rows=None, dealt=True):
        members = [Member("t", ("de", "en", "ru"), "en", recipe, rows, dealt=dealt)]
        return workload.training("m", "x", members, recipe, None, known)

    assert found() == Workload("m", "x", 2000.0, 4 * 200.0)
    assert found(25) == Workload("m", "x", 6 * 100.0, 200.0)
    assert found(dealt=False).train_tokens == 3 * 2000.0


def test_samples_weigh_what_they_are_in_a_mix():
    recipe = Recipe(batch_size=10, epochs=1, eval_every=100, eval_rows=None)
    members = [
        Member("big", ("en", "de"), "en", recipe, 100),
        Member("small", ("en",), "en", recipe, 100),
    ]
    known = FixedSizes(big=DataSize(500, 500, 5000.0), small=DataSize(100, 100, 3000.0))
    found = workload.training("m", "mix", members, recipe, 300, known)
    assert found == Workload("m", "mix", 20 * (0.5 * 100 + 0.5 * 300), 800.0)


def test_a_chain_is_counted_once_in_time_and_disk(tmp_path):
    from tests.experiment.test_grid import make

    chain = {
        "mnli": {"tasks": ["mnli"], "rows": 2400, "steps": 50},
        "b": {"tasks": ["mnli"], "after": "mnli"},
        "c": {"tasks": ["mnli"], "after": "b"},
    }
    grid = make(intermediates=chain, targets=["xquad"], seeds=[1], exclude=[{"intermediate": "b"}])
    nodes = build(grid)
    sizes = DataSizes(tmp_path, grid)
    jobs = {
        node.name: workload.of_node(node, grid, sizes)
        for node in nodes.values()
        if node.rule == "intermediate"
    }
    assert list(jobs) == ["m/mnli/seed1", "m/b/seed1", "m/c/seed1"]
    whole = jobs["m/b/seed1"].train_tokens
    assert jobs["m/c/seed1"].train_tokens == whole == 2 * math.ceil(392702 / 24) * 24 * 44
    assert jobs["m/mnli/seed1"].train_tokens == 50 * 24 * 44
    passes = {name: workload.passes("m", name, grid, sizes) for name in chain}
    assert passes == {"mnli": pytest.approx(50 * 24 / 392702), "b": 2, "c": 2}
    # The model, three encoders that stay, three tuned models that are kept.
    assert disk(nodes, {}, {"m": 10}, keep_tuned=True) == (7 * 40, 7 * 40)


def test_flop_are_six_and_two():
    assert Workload("m", "t", train_tokens=10, inference_tokens=5).flop(100) == 100 * (60 + 10)


def test_an_adapter_needs_no_gradients_of_the_model_and_checkpointing_a_pass_more():
    assert Workload("m", "t", 100.0, 10.0, passes=4).flop(2.0) == 2 * (4 * 100 + 2 * 10)
    passes = [training_flop(a, c) for a in (False, True) for c in (False, True)]
    assert passes == [6, 8, 4, 6]


def test_the_throughput_of_the_nearest_finished_job():
    """FLOP a second: 600 at mnli, 60 at squad; scoring none."""
    finished = [
        FinishedJob("tune", Workload("a", "mnli", 100, 0), 10.0),
        FinishedJob("tune", Workload("a", "squad", 100, 0), 100.0),
    ]
    throughput = Throughput(finished, {"a": 10.0, "b": 20.0}, 1000.0)
    assert throughput.seconds("tune", Workload("a", "mnli", 50, 0)) == (5.0, "job")
    assert throughput.seconds("tune", Workload("a", "other", 55, 0)) == (10.0, "model")
    assert throughput.seconds("tune", Workload("b", "mnli", 55, 0)) == (20.0, "device")
    assert throughput.seconds("intermediate", Workload("a", "mnli", 50, 0)) == (5.0, "job")
    seconds, basis = throughput.seconds("evaluate", Workload("a", "xnli", 0, 100))
    assert (seconds, basis) == (pytest.approx(2000 / 330), "device")
    two = Workload("b", "mnli", 55, 0, devices=2)
    assert throughput.seconds("tune", two) == (10.0, "device")
    again = Throughput([FinishedJob("tune", two, 10.0)], {"a": 10.0, "b": 20.0}, 1000.0)
    assert again.seconds("tune", two) == (10.0, "job")
    assert again.seconds("tune", Workload("b", "mnli", 55, 0)) == (20.0, "job")
    nothing = Throughput([], {"a": 10.0}, 1000.0)
    assert nothing.seconds("evaluate", Workload("a", "xnli", 0, 100)) == (2.0, "flop")


def node(rule, name, *needs):
    key = f"{rule}/{name}"
    return Node(rule, name, key, {}, {key: None}, {}, needs, frozenset(), "log")


NODES = {
    n.key: n
    for n in [
        node("model", "m"),
        node("tune", "m/none/a", "model/m"),
        node("tune", "m/none/b", "model/m"),
        node("evaluate", "m/none/a", "tune/m/none/a"),
        node("evaluate", "m/none/b", "tune/m/none/b"),
    ]
}
ONE_BY_ONE = {
    "tune/m/none/a": (0, 2),
    "evaluate/m/none/a": (2, 3),
    "tune/m/none/b": (3, 5),
    "evaluate/m/none/b": (5, 6),
}


def test_the_disk_at_the_peak_and_at_the_end():
    """Of a model of 10 parameters: 40 bytes of weights, 320 of two states of a training."""
    assert disk(NODES, ONE_BY_ONE, {"m": 10}, keep_tuned=False) == (40 + 40 + 320, 40)
    assert disk(NODES, ONE_BY_ONE, {"m": 10}, keep_tuned=True) == (40 + 80 + 320, 120)
    both = ONE_BY_ONE | {"tune/m/none/b": (1, 3)}
    assert disk(NODES, both, {"m": 10}, keep_tuned=False) == (40 + 2 * 360, 40)
    rest = {job: ONE_BY_ONE[job] for job in ("evaluate/m/none/b",)}
    assert disk(NODES, rest, {"m": 10}, keep_tuned=False) == (80, 40), "one waits, one is dropped"
    assert disk(NODES, {}, {"m": 10}, keep_tuned=True) == (120, 120)
    adapter = disk(NODES, ONE_BY_ONE, {"m": 10}, keep_tuned=True, adapters={"m": 1})
    assert adapter == (40 + 8 + 32, 40 + 8), "checkpoints and the state have the adapter alone"


def test_a_time_has_a_unit_that_fits():
    times = [text.duration(s) for s in (0, 119, 120, 7199, 7200, 172_799, 172_800)]
    assert times == ["0 s", "119 s", "2.0 min", "120.0 min", "2.0 h", "48.0 h", "2.0 days"]


def test_the_range_is_that_of_the_basis():
    both = [Forecast("a", "tune", 30.0, "flop"), Forecast("b", "tune", 10.0, "job")]
    assert text.device_time(both, 1.0) == (42.0, 2 + 10 + 8, 2 + 90 + 12.5)
    four = [Forecast("a", "tune", 30.0, "flop", devices=4)]
    assert text.device_time(four, 1.0) == (124.0, 44.0, 364.0)


def test_the_order_is_told_beside_what_no_order_can_undercut():
    assert text.order(11.0, 80.0, 8, "m/a/seed1", 9.0) == (
        "no order takes less than 10 s (all work on 8); this one takes 10.0% more"
    )
    assert text.order(12.0, 80.0, 8, "m/a/seed1", 12.0) == (
        "no order takes less than 12 s (the jobs from m/a/seed1 on); this one takes 0.0% more"
    )


def test_the_forecast_against_what_happened():
    earlier = {k: Forecast(k, "tune", s, "flop") for k, s in (("a", 30.0), ("b", 30.0), ("c", 1.0))}
    assert text.compare(earlier, {"a": 20.0, "b": 28.0}) == [
        "tune: 2 finished, forecast 60 s, took 48 s (+25%)"
    ]
    assert text.compare(earlier, {}) == []


def test_sizes_come_from_the_encoded_file_and_else_from_what_is_known(tmp_path):
    results.write(tmp_path, limits={"mnli": {"train": 1000}})
    grid = read_config(tmp_path / results.HOME / "config.yaml")
    found = data_sizes.DataSizes(tmp_path, grid)
    assert found.of("m", "xnli", "de", "dev", 256) == DataSize(50, 50, 200.0)
    assert found.of("m", "mnli", "en", "train", 999) == DataSize(1000, 1000, 44_000.0)
    assert found.assumed == {}
    assert found.of("m", "ccg_pmb", "en", "train", 999) == DataSize(100_000, 100_000, 2_800_000.0)
    assert list(found.assumed.values()) == [
        "ccg_pmb (train): 100,000 rows a language (no limit), 28 tokens each"
    ]


def test_limits_are_what_is_known_of_a_task_that_the_reference_lacks(tmp_path):
    results.write(tmp_path, limits={"mlm": {"train": 10_000}})
    grid = read_config(tmp_path / results.HOME / "config.yaml")
    found = data_sizes.DataSizes(tmp_path, grid)
    assert found.of("m", "mlm", "de", "train", 256) == DataSize(10_000, 10_000, 6_000_000.0)
    assert list(found.assumed.values()) == [
        "mlm (train): 10,000 rows a language (its limit), 600 tokens each"
    ]


def write_own(folder, rows, pack=False):
    """A CSV of 45 bytes of text a row, the label among them."""
    folder.mkdir(exist_ok=True)
    text = "text,label\n" + "".join(f"{'a' * 40}{i % 9},good\n" for i in range(rows))
    if pack:
        (folder / "train.csv.gz").write_bytes(gzip.compress(text.encode()))
    else:
        (folder / "train.csv").write_text(text)
    return str(folder / f"train.csv{'.gz' if pack else ''}")


@pytest.mark.parametrize("rows", [3, 50_000])  # one that is read whole, one that is not
def test_the_size_of_files_of_ones_own_is_that_of_the_files(tmp_path, rows):
    path = Path(write_own(tmp_path / "own", rows))
    found = data_sizes.of_files([path], {"format": "classification", "columns": {}})
    assert found[0] == pytest.approx(rows, rel=0.02)
    assert found[1] == pytest.approx(10 + 2, abs=3), "and what a column takes beside its text"
    path = tmp_path / "train.parquet"
    pq.write_table(pa.table({"text": ["a" * 45] * rows, "label": ["x"] * rows}), path)
    assert data_sizes.of_files([path], {"format": "classification", "columns": {}})[0] == rows
    assert data_sizes.of_files([tmp_path / "none"], {"format": "classification"}) is None


def test_a_task_of_ones_own_is_estimated_by_its_files_and_limits(tmp_path, capsys):
    train = write_own(tmp_path / "own", 300)
    mine = {
        "format": "classification",
        "files": {"train": train, "dev": train},
        "languages": ["en"],
    }
    given = results.CONFIG | {"targets": ["mine"], "languages": ["en"], "seeds": [1]}
    given |= {"tasks": {"mine": mine}, "limits": {"mine": {"dev": 20}}}
    estimate.main(
        estimate.parser().parse_args(
            [json.dumps(given), "--name", "e", "--lock", "", "--directory", str(tmp_path)]
        )
    )
    output = capsys.readouterr().out
    assert "device, where nothing has been measured: a100 (--device names another)" in output
    assert "o/m: of the size of FacebookAI/xlm-roberta-base" in output
    assert "mine (" not in output, "its size is known"


def test_the_size_of_the_first_rows():
    assert DataSize(100, 200, 1000.0).first(25) == DataSize(25, 50, 250.0)
    assert DataSize(100, 200, 1000.0).first(None) == DataSize(100, 200, 1000.0)


def test_known_encoders_have_the_parameters_of_their_layers():
    assert reference.encoder("FacebookAI/xlm-roberta-large").matmul == 12 * 24 * 1024**2
    qwen = reference.encoder("Qwen/Qwen3-0.6B-Base")  # 16 heads of queries, 8 of keys and values
    layer = 1024 * 128 * (2 * 16 + 2 * 8) + 3 * 1024 * 3072
    norms = 28 * (2 * 1024 + 2 * 128) + 1024
    assert (qwen.matmul, qwen.parameters) == (28 * layer, 28 * layer + 151936 * 1024 + norms)
    assert reference.encoder("o/unknown") is None


def test_known_encoders_are_of_an_architecture_that_transformers_has():
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    rows = reference.table("encoders")
    assert {row["architecture"] for row in rows} <= set(CONFIG_MAPPING_NAMES)
    for row in rows:
        known = reference.encoder(row["name"])
        assert known.kind in ("encoder", "encoder-decoder", "decoder", "vision")
        outside = known.parameters - known.matmul - known.vocabulary * known.width
        most = 0.03 if known.kind == "vision" else 0.02  # what cuts a picture into patches
        assert 0 < outside < most * known.parameters, (row["name"], "positions, norms, biases")


def test_every_task_of_the_paper_has_a_size():
    targets = ("xnli", "pawsx", "udpos", "wikiann", "xquad", "mlqa", "tydiqa", "bucc", "tatoeba")
    trained = ("anli", "mnli", "snli", "qqp", "squad", "squad2", "hellaswag", "ccg", "cosmosqa")
    assert all(reference.size(name, "dev") for name in (*targets, *trained, "csqa"))
    assert all(reference.size(name, "train") for name in (*trained, "csqa", "udpos_en"))


def test_every_task_of_several_hops_has_a_size():
    of = {name: task for name, task in tasks.known().items() if task.get("rows") in hops.STRATA}
    assert len(of) == 12
    assert all(reference.size(name, split) for name, task in of.items() for split in task["splits"])


def test_every_task_with_pictures_has_a_size():
    of = {
        name: task
        for name, task in tasks.known().items()
        if task.get("images") or task["format"] == "images"
    }
    assert of.keys() == {"coco", "captions", "vqa", "gqa_images", "gqa", "xgqa"}
    assert all(reference.size(name, split) for name, task in of.items() for split in task["splits"])


def test_features_take_what_the_encoder_computes_or_what_decoding_takes(tmp_path):
    """DINOv2 reads 118,287 pictures of 256 patches: 5.1e15 FLOP, 22 s on a device of 2.3e14 a
    second; two processes decode them in ten minutes."""
    grid = Grid(load({
        "source": "hub", "models": {"m": {"from": "o/m"}}, "targets": ["xnli"], "languages": ["en"],
        "vision": {"dinov2": {"from": "facebook/dinov2-base"}}, "threads": 2,
        "intermediates": {"vqa": {"tasks": ["vqa"]}},
    }))  # fmt: skip
    nodes = build(grid)
    found = forecast.Forecaster(grid, nodes, tmp_path, (), 2.3e14)
    key = "results/features/dinov2/coco/train.json"
    job, size = found.workloads[key], found.models["vision/dinov2"]
    assert (job.task, job.inference_tokens) == ("coco", 118_287 * 256)
    assert job.flop(size.matmul) == pytest.approx(5.14e15, rel=0.01)
    assert found.of([key])[key].seconds == job.least == 118_287 / (workload.DECODED * 2)
    slow = forecast.Forecaster(grid, nodes, tmp_path, (), 1e12)
    assert slow.of([key])[key].seconds == pytest.approx(5144, rel=0.01)


def test_a_picture_is_tokens_before_its_text(tmp_path):
    def tokens(**entry):
        grid = Grid(load({
            "source": "hub", "models": {"m": {"from": "o/m"}}, "targets": ["xnli"],
            "languages": ["en"], "vision": {"dinov2": {"from": "facebook/dinov2-base"}},
            "intermediates": {"vqa": {"tasks": ["vqa"], **entry}},
        }))  # fmt: skip
        sizes = DataSizes(tmp_path, grid)
        return workload.stage_1("m", "vqa", grid, sizes, {}).train_tokens

    assert tokens() == pytest.approx(2.6 * tokens(images="none"))  # 16 and 10, in place of 10
    assert tokens(images="shuffled") == tokens()


def test_candidates_are_counted_once_for_all_languages(tmp_path):
    grid = Grid(load({"source": "hub", "models": {"m": {"from": "o/m"}}, "intermediates": {},
                      "targets": ["mewslix"], "languages": ["de", "ja"]}))  # fmt: skip
    [cell] = grid.cells
    found = workload.evaluation(cell, grid, DataSizes(tmp_path, grid))
    assert found.inference_tokens == (2 * 1364 + 1_000_000) * 64


def arguments(root, *more, **changes):
    """Of the estimate of `results.CONFIG`, with changes, for what is in a folder."""
    given = [json.dumps(results.CONFIG | changes), "--name", "e", "--lock", ""]
    folders = ["--directory", str(root), "--out", str(root / "estimate.csv")]
    return estimate.parser().parse_args([*given, *folders, *more])


def test_before_and_after_a_run(tmp_path, capsys):
    root = tmp_path / "before"
    root.mkdir()
    changes = {"seeds": [1], "models": {"m": {"from": "FacebookAI/xlm-roberta-base"}}}
    results.write(tmp_path, **changes)
    estimate.main(arguments(root, "--device=h100", "--devices=2", **changes))
    output = capsys.readouterr().out
    lines = [line.split() for line in output.splitlines()]
    assert ["tune", "2", "2", "0.03", "counted", "in", "FLOP"] in lines
    # The model and an encoder, 1.1 GB, and two trainings at a time, each with 8.9 GB of states.
    assert "disk: 22.2 GB of checkpoints and training states at the peak, 2.2 GB at" in output
    assert "wall time, 2 at a time: " in output and "has been measured: h100" in output
    assert "(the jobs from m/mnli/seed1 on); this one takes 0.0% more" in output
    (tmp_path / "estimate.csv").write_bytes((root / "estimate.csv").read_bytes())
    estimate.main(arguments(tmp_path, **changes))
    output = capsys.readouterr().out
    assert "device time: 0 s" in output
    assert "tune: 2 finished, forecast 106 s, took 16 s" in output
    before = forecast.read(root / "estimate.csv")
    assert forecast.read(tmp_path / "estimate.csv") == before, "kept"


def test_a_training_on_several_devices_takes_them_all(tmp_path, capsys):
    model = {"from": "FacebookAI/xlm-roberta-base", "gpus": 2}

    def hours(**changes):
        estimate.main(arguments(tmp_path, "--device=h100", seeds=[1], **changes))
        output = capsys.readouterr().out
        rows = [line.split() for line in output.splitlines()]
        return {row[0]: float(row[3]) for row in rows if row and row[0] in RULES[-3:]}, output

    RULES = ("intermediate", "tune", "evaluate")
    (one, said), (two, of_two) = (hours(models={"m": model | {"gpus": gpus}}) for gpus in (1, 2))
    assert "wall time, 1 at a time" in said and "wall time, 2 at a time" in of_two
    start = 2 * 7 / 3600  # one process more a training, of which the work is the same
    assert two["tune"] == pytest.approx(one["tune"] + start, abs=0.01)
    assert two["evaluate"] == one["evaluate"]


def test_one_job_more_goes_by_the_speed_of_the_others(tmp_path, capsys):
    results.write(tmp_path)
    for path in (tmp_path / "results/tuned/m/mnli/seed1/mnli").iterdir():
        path.unlink()
    for path in (tmp_path / "results/scores/m/mnli/seed1/xnli").iterdir():
        path.unlink()
    estimate.main(arguments(tmp_path))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["tune", "4", "1", "0.00", "measured", "on", "the", "same", "task"] in lines
    kept = forecast.read(tmp_path / "estimate.csv")
    [tuned] = [one for one in kept.values() if one.rule == "tune"]
    assert tuned.seconds == pytest.approx(8.0), "as the three others"


@pytest.mark.parametrize(
    ("change", "line"),
    [("--device=h10", "there is no `h10`; did you mean `h100`"), ("--devices=0", "at least 1")],
)
def test_a_wrong_argument_is_one_line(tmp_path, change, line):
    with pytest.raises(UserError, match=line):
        estimate.main(arguments(tmp_path, change))


def test_an_encoder_that_nothing_is_known_of_is_taken_for_another(tmp_path, capsys):
    results.write(tmp_path)
    (tmp_path / "results/models/m/node.json").unlink()
    estimate.main(arguments(tmp_path))
    output = capsys.readouterr().out
    assert (
        "Assumed, before it is there:\n  o/m: of the size of FacebookAI/xlm-roberta-base" in output
    )


@pytest.mark.parametrize(
    ("name", "parameters", "assumed"),
    [
        ("Qwen/Qwen3-0.6B", 600_000_000, "Qwen/Qwen3-0.6B: 0.6B parameters, by its name"),
        ("facebook/xglm-564M", 564_000_000, "facebook/xglm-564M: 564M parameters, by its name"),
        ("a/mdeberta-v3-large", 558_840_832, "of the size of FacebookAI/xlm-roberta-large"),
        ("google/mt5-xl", 3_475_929_600, "of the size of facebook/xlm-roberta-xl"),
        ("a/b", 277_453_056, "a/b: of the size of FacebookAI/xlm-roberta-base"),
    ],
)
def test_what_the_name_of_an_encoder_says(name, parameters, assumed):
    found = model_sizes.by_name(name)
    assert (found.parameters, found.assumed.endswith(assumed)) == (parameters, True), found


def test_the_size_of_an_encoder_in_a_folder_is_that_of_its_config(tmp_path):
    """XLM-R Base: 12 layers of width 768, 250,002 pieces."""
    config = {"num_hidden_layers": 12, "hidden_size": 768, "vocab_size": 250_002}
    size = ModelSize(12 * 12 * 768**2, 12 * 12 * 768**2 + 250_002 * 768)
    assert model_sizes.of_config(config) == size
    assert model_sizes.of_config(config | {"intermediate_size": 3072}) == size
    t5 = {"num_layers": 8, "d_model": 512, "d_ff": 1024, "vocab_size": 0}
    assert model_sizes.of_config(t5).matmul == 8 * (4 * 512**2 + 2 * 512 * 1024)
    assert model_sizes.of_config({"hidden_size": 768}) is None
    (tmp_path / "config.json").write_text(json.dumps(config))
    results.write(tmp_path / "r", models={"m": {"from": str(tmp_path)}})
    grid = read_config(tmp_path / "r" / results.HOME / "config.yaml")
    assert model_sizes.of("m", grid, tmp_path) == size


ROOT = Path(__file__).resolve().parents[3]
EXPERIMENTS = sorted(path.name for path in (ROOT / "experiments").glob("*.yaml"))


@pytest.mark.parametrize("name", [name for name in EXPERIMENTS if name != "rehearsal.yaml"])
def test_every_experiment_is_estimated_before_anything_is_fetched(name, tmp_path, capsys):
    """`paper.yaml` ended in `nothing is known of the size of mlm`, whose limit says 10,000 rows."""
    paper = ROOT / "experiments" / name
    given = [str(paper), "--lock", "", "--directory", str(tmp_path)]
    estimate.main(estimate.parser().parse_args(given))
    output = capsys.readouterr().out
    device = "cpu" if name == "start.yaml" else "a100"
    assert f"device, where nothing has been measured: {device}" in output
    assert "mlm (train): 10,000 rows a language (its limit)" in output or name != "paper.yaml"
    assert not (tmp_path / "results").exists(), "a look changes nothing"


def test_a_damaged_estimate_is_one_line(tmp_path):
    results.write(tmp_path)
    (tmp_path / "estimate.csv").write_text("job,rule\na,b\n")
    with pytest.raises(UserError, match=r"estimate\.csv: not an estimate"):
        estimate.main(arguments(tmp_path))
