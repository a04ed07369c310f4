"""The nodes of recorded trainings: names, files, specs, and what they follow from."""

import pytest
from tests.experiment.test_grid import make

from xstilts.experiment import difficulty
from xstilts.experiment.graph import Graph
from xstilts.monitoring.estimate import workload
from xstilts.monitoring.estimate.data_sizes import DataSizes
from xstilts.monitoring.estimate.disk import disk

FORMATS = ("classification", "choice", "span", "tagging")


def graph(**changes):
    return Graph(make(**{"targets": ["xnli"], "seeds": [1, 2]} | changes))


def test_measures_and_their_files():
    assert [*difficulty.MEASURES] == [
        "confidence", "variability", "correctness", "forgetting", "loss", "pvi",
    ]  # fmt: skip
    assert difficulty.MEASURES["loss"].formats == FORMATS
    assert difficulty.MEASURES["pvi"].formats == FORMATS[:2]
    key = difficulty.node_key("m", "mnli", "seed2", "forgetting")
    assert key == "results/difficulty/m/mnli/seed2.json"
    assert difficulty.rows_of(key) == "results/difficulty/m/mnli/seed2.parquet"
    key = difficulty.node_key("m", "mnli", "seed2", "pvi")
    assert difficulty.rows_of(key) == "results/difficulty/m/mnli/seed2.pvi.parquet"


def test_the_node_of_a_recorded_training_in_full():
    of = graph()
    node = of.difficulty("m", "mnli", "seed2", "confidence")
    assert node is of.difficulty("m", "mnli", "seed2", "loss"), "one training for all of these"
    assert (node.rule, node.name) == ("difficulty", "m/mnli/seed2")
    assert node.log == "results/logs/difficulty/m/mnli/seed2.log"
    assert node.state == "results/.state/train/difficulty/m/mnli/seed2"
    assert node.out == "results/difficulty/m/mnli/seed2"
    assert node.outputs.keys() == {f"{node.out}.json", f"{node.out}.parquet"}
    names = ("model.safetensors", "config.json", "tokenizer.json", "node.json")
    assert node.inputs == {
        "init": tuple(f"results/models/m/{name}" for name in names),
        "train": ("results/encoded/m/mnli/en.train.256.safetensors",),
        "dev": ("results/encoded/m/mnli/en.dev.256.safetensors",),
        "dev_rows": ("results/data/mnli/en.dev.parquet",),
        "train_rows": ("results/data/mnli/en.train.parquet",),
    }
    assert node.pins == {"datasets/nyu-mll/glue", "models/o/m"}
    stage_1 = of.grid.encoder_spec("m", "mnli", "seed2")
    assert node.spec == {**stage_1, "kind": "difficulty", "recorded": 1}, "as stage 1 trains"


def test_pvi_follows_from_the_training_on_the_inputs():
    of = graph(on_collapse="retry")
    recorded = of.difficulty("m", "mnli", "seed1", "loss")
    node = of.difficulty("m", "mnli", "seed1", "pvi")
    assert (node.rule, node.name) == ("pvi", "m/mnli/seed1")
    assert node.state == "results/.state/train/difficulty/m/mnli/seed1.pvi"
    assert node.inputs["recorded"] == (f"{recorded.out}.parquet", f"{recorded.out}.json")
    assert recorded.key in node.needs
    assert recorded.spec["on_collapse"] == "retry" and "on_collapse" not in node.spec
    # Another recipe of the training on the inputs is another result.
    other = graph(recipes={"mnli": {"epochs": 7}}).difficulty("m", "mnli", "seed1", "pvi")
    assert other.spec["empty"] != node.spec["empty"]


def test_a_search_and_an_adapter():
    """A value that is searched is that of the recipe without the search; an adapter is trained."""
    of = graph(
        models={"m": {"from": "o/m", "adapter": {"rank": 4}}},
        recipes={"mnli": {"tune_on_dev": {"learning_rate": [1e-4, 1e-5]}}},
    )
    spec = of.grid.difficulty_spec("m", "mnli", "seed1", "loss")
    assert spec["recipe"]["learning_rate"] == 1e-5 and spec["adapter"]["rank"] == 4
    assert {node.rule for node in of.nodes.values()} == set(), "and no trial is made for it"
    assert of.difficulty("m", "mnli", "seed1", "loss").outputs.keys() == {
        "results/difficulty/m/mnli/seed1.json", "results/difficulty/m/mnli/seed1.parquet",
    }  # fmt: skip


def test_what_a_recorded_training_takes(tmp_path):
    """Its training, a pass over all rows an epoch, two states; no weights stay."""
    of = graph()
    nodes = {m: of.difficulty("m", "mnli", "seed1", m) for m in ("loss", "pvi")}
    sizes = DataSizes(tmp_path, of.grid)
    found = {m: workload.of_node(node, of.grid, sizes) for m, node in nodes.items()}
    stage_1 = workload.of_node(of.intermediate("m", "mnli", "seed1"), of.grid, sizes)
    rows = sizes.of("m", "mnli", "en", "train", 256)
    assert found["loss"].train_tokens == stage_1.train_tokens
    passes = found["loss"].inference_tokens - stage_1.inference_tokens
    assert passes == pytest.approx(2 * rows.tokens)
    share = 4 * rows.examples / rows.tokens
    assert found["pvi"].train_tokens == pytest.approx(share * stage_1.train_tokens)
    keys = [node.key for node in nodes.values()]
    times = {key: (at, at + 1.0) for at, key in enumerate(keys)}
    alone = {key: of.nodes[key] for key in keys}
    assert disk(alone, times, {"m": 10}, keep_tuned=True) == (2 * 16 * 10, 0)
