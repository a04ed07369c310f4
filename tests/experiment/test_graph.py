"""The graph of a small grid, by hand: what each job reads, needs and follows from."""

from pathlib import Path

import pytest
from tests.experiment.test_grid import GERMAN, make

from xstilts.experiment import config_files, graph
from xstilts.experiment.cells import Cell
from xstilts.experiment.config import load
from xstilts.experiment.grid import Grid
from xstilts.running.files import digest

SMALL = {"targets": ["xnli"], "languages": ["de", "en"], "seeds": [1], "tasks": {}}
GLUE, XNLI, MODEL = "datasets/nyu-mll/glue", "datasets/facebook/xnli", "models/o/m"
CELL = Cell("m", "mnli", "seed1", "xnli")
MNLI = "results/encoded/m/mnli/en"


def checkpoint(folder, *more):
    names = ("model.safetensors", "config.json", "tokenizer.json", "node.json", *more)
    return tuple(f"results/{folder}/{name}" for name in names)


def build(**changes):
    grid = make(**SMALL | changes)
    return grid, graph.build(grid)


def test_the_jobs_in_full_what_is_needed_first():
    _, nodes = build()
    assert [(node.rule, node.name) for node in nodes.values()] == [
        ("pin_model", "m"),
        ("model", "m"),
        ("pin_data", "nyu-mll/glue"),
        ("prepare", "mnli/en.train"),
        ("encode", "m/mnli/en.train.256"),
        ("prepare", "mnli/en.dev"),
        ("encode", "m/mnli/en.dev.256"),
        ("tune", "m/none/seed1/mnli"),
        ("pin_data", "facebook/xnli"),
        ("prepare", "xnli/de.dev"),
        ("prepare", "xnli/en.dev"),
        ("encode", "m/xnli/de.dev.256"),
        ("encode", "m/xnli/en.dev.256"),
        ("manifest", "m/xnli/dev.256"),
        ("evaluate", "m/none/seed1/xnli"),
        ("intermediate", "m/mnli/seed1"),
        ("tune", "m/mnli/seed1/mnli"),
        ("evaluate", "m/mnli/seed1/xnli"),
    ]
    for at, (key, node) in enumerate(nodes.items()):
        assert node.key == key and set(node.needs) <= set(list(nodes)[:at])


@pytest.mark.parametrize(
    ("key", "inputs", "needs", "pins"),
    [
        ("results/pins/datasets/facebook/xnli.json", {"toy": ()}, [], []),
        (
            "results/data/xnli/de.dev.parquet",
            {"pin": ("results/pins/datasets/facebook/xnli.json",)},
            ["results/pins/datasets/facebook/xnli.json"],
            [XNLI],
        ),
        (
            "results/models/m/node.json",
            {"pin": ("results/pins/models/m.json",)},
            ["results/pins/models/m.json"],
            [MODEL],
        ),
        (
            "results/encoded/m/xnli/de.dev.256.safetensors",
            {
                "rows": ("results/data/xnli/de.dev.parquet",),
                "tokenizer": ("results/models/m/tokenizer.json",),
                "model": ("results/models/m/node.json",),
                "labels_of": (),
            },
            ["results/data/xnli/de.dev.parquet", "results/models/m/node.json"],
            [XNLI, MODEL],
        ),
        (
            "results/encoders/m/mnli/seed1/node.json",
            {
                "init": checkpoint("models/m"),
                "train": (f"{MNLI}.train.256.safetensors",),
                "dev": (f"{MNLI}.dev.256.safetensors",),
                "dev_rows": ("results/data/mnli/en.dev.parquet",),
            },
            [
                "results/models/m/node.json",
                f"{MNLI}.train.256.safetensors",
                f"{MNLI}.dev.256.safetensors",
                "results/data/mnli/en.dev.parquet",
            ],
            [GLUE, MODEL],
        ),
        (
            "results/tuned/m/mnli/seed1/mnli/node.json",
            {
                "init": checkpoint("encoders/m/mnli/seed1", "head.safetensors"),
                "train": (f"{MNLI}.train.256.safetensors",),
                "dev": (f"{MNLI}.dev.256.safetensors",),
                "dev_rows": ("results/data/mnli/en.dev.parquet",),
            },
            [
                "results/encoders/m/mnli/seed1/node.json",
                f"{MNLI}.train.256.safetensors",
                f"{MNLI}.dev.256.safetensors",
                "results/data/mnli/en.dev.parquet",
            ],
            [GLUE, MODEL],
        ),
        (
            "results/scores/m/mnli/seed1/xnli/cell.json",
            {
                "model": checkpoint("tuned/m/mnli/seed1/mnli", "head.safetensors"),
                "manifest": ("results/manifests/m/xnli/dev.256.json",),
            },
            [
                "results/tuned/m/mnli/seed1/mnli/node.json",
                "results/manifests/m/xnli/dev.256.json",
            ],
            [GLUE, XNLI, MODEL],
        ),
    ],
    ids=["pin", "rows", "model", "encoded", "stage 1", "stage 2", "cell"],
)
def test_what_a_job_reads_needs_and_follows_from(key, inputs, needs, pins):
    node = build()[1][key]
    assert node.inputs == inputs
    assert node.needs == tuple(needs)
    assert node.pins == frozenset(pins)


def test_a_manifest_lists_rows_and_encoded_rows_of_each_language():
    grid, nodes = build()
    node = nodes["results/manifests/m/xnli/dev.256.json"]
    rows = [f"results/data/xnli/{lang}.dev.parquet" for lang in ("de", "en")]
    encoded = [f"results/encoded/m/xnli/{lang}.dev.256.safetensors" for lang in ("de", "en")]
    specs = [digest(grid.encoded_spec("xnli", lang, "dev", 256)) for lang in ("de", "en")]
    listed = [list(line) for line in zip(rows, encoded, specs, strict=True)]
    assert node.spec == {"kind": "manifest", "languages": {"de": listed[0], "en": listed[1]}}
    assert node.inputs == {"rows": tuple(rows), "encoded": tuple(encoded)}
    assert node.needs == (*rows, *encoded) and node.pins == {XNLI, MODEL}


def test_what_a_job_makes_and_by_which_spec():
    """Weights do not tell theirs; of a cell each language does."""
    grid, nodes = build()
    tuned = nodes["results/tuned/m/mnli/seed1/mnli/node.json"]
    assert tuned.spec == grid.tuned_spec("m", "mnli", "seed1", "mnli")
    weights = "results/tuned/m/mnli/seed1/mnli/model.safetensors"
    assert tuned.outputs == {tuned.key: digest(tuned.spec), weights: None}
    cell = nodes[f"results/scores/{CELL}/cell.json"]
    scores = {lang: grid.score_digest(CELL, lang, "dev") for lang in ("de", "en")}
    assert cell.outputs == {f"results/scores/{CELL}/{k}.json": v for k, v in scores.items()}
    assert cell.spec == {"kind": "cell", "scores": scores}
    assert grid.score_specs(CELL, "dev").keys() == scores.keys()
    pin = nodes["results/pins/datasets/facebook/xnli.json"]
    assert pin.spec == {
        "kind": "pin", "of": "datasets", "name": "facebook/xnli", "revision": "main",
        "source": "hub",
    }  # fmt: skip


def test_logs_and_locks():
    _, nodes = build()
    found = {node.rule: (node.log, node.state) for node in nodes.values()}
    logs = "results/logs"
    assert found == {
        "pin_model": (f"{logs}/pin_model/m.log", None),
        "pin_data": (f"{logs}/pin_data/facebook/xnli.log", None),
        "model": (f"{logs}/model/m.log", None),
        "prepare": (f"{logs}/prepare/xnli/en.dev.log", None),
        "encode": (f"{logs}/encode/m/xnli/en.dev.256.log", None),
        "manifest": (f"{logs}/manifest/m/xnli/dev.256.log", None),
        "intermediate": (
            f"{logs}/intermediate/m/mnli/seed1.log",
            "results/.state/train/encoders/m/mnli/seed1",
        ),
        "tune": (
            f"{logs}/tune/m/mnli/seed1/mnli.log",
            "results/.state/train/tuned/m/mnli/seed1/mnli",
        ),
        "evaluate": (
            f"{logs}/evaluate/m/mnli/seed1/xnli.log",
            "results/.state/scores/m/mnli/seed1/xnli",
        ),
    }


def test_there_is_a_manifest_for_each_target_split_and_tokenizer():
    models = {"m": {"from": "o/m"}, "n": {"from": "o/n", "tokenizer": "m"}, "p": {"from": "o/p"}}
    _, nodes = build(targets=["xnli", "tatoeba"], models=models)
    found = [node.name for node in nodes.values() if node.rule == "manifest"]
    assert found == [
        "m/xnli/dev.256", "m/tatoeba/dev.512", "p/xnli/dev.256", "p/tatoeba/dev.512",
    ]  # fmt: skip
    of_n = nodes["results/scores/n/mnli/seed1/xnli/cell.json"]
    assert of_n.inputs["manifest"] == ("results/manifests/m/xnli/dev.256.json",)
    assert of_n.pins == {GLUE, XNLI, "models/o/m", "models/o/n"}, "whose tokenizer it uses, too"


def test_a_target_without_training_scores_the_encoder():
    _, nodes = build(targets=["tatoeba"], languages=["de"])
    plain, trained = (
        nodes[f"results/scores/m/{row}/tatoeba/cell.json"] for row in ("none/noseed", "mnli/seed1")
    )
    assert plain.inputs["model"] == checkpoint("models/m")
    assert plain.needs[0] == "results/models/m/node.json"
    assert plain.pins == {"datasets/google/xtreme", MODEL}
    assert trained.inputs["model"] == checkpoint("encoders/m/mnli/seed1", "head.safetensors")
    assert trained.pins == {"datasets/google/xtreme", GLUE, MODEL}


def test_the_targets_of_hotpotqa_share_one_tuned_model():
    views = ["hotpot", "hotpot_gold", "hotpot_answer"]
    translated = ["hotpot_x", "hotpot_x_gold", "hotpot_x_answer", "multiq"]
    over = {"languages": ["de", "en", "ru"], "seeds": [1]}
    _, nodes = build(targets=[*views, *translated, "musique", "musique_last"], **over)
    tuned = [node.name for node in nodes.values() if node.rule == "tune"]
    assert tuned == [
        "m/none/seed1/hotpotqa", "m/none/seed1/musique_en", "m/mnli/seed1/hotpotqa",
        "m/mnli/seed1/musique_en",
    ]  # fmt: skip
    scores = [node for key, node in nodes.items() if key.startswith("results/scores/")]
    by = [need for node in scores for need in node.needs if "/tuned/" in need]
    assert by.count("results/tuned/m/none/seed1/hotpotqa/node.json") == 7
    assert by.count("results/tuned/m/mnli/seed1/hotpotqa/node.json") == 7
    gold, one = (nodes[f"results/data/{t}/en.dev.parquet"].spec for t in ("hotpot_gold", "hotpot"))
    assert one == gold | {"context": 1, "task": "hotpot"}
    assert nodes["results/data/hotpotqa/en.train.parquet"].spec["strata"] == one["strata"]


def test_candidates_of_all_languages_are_one_file_whichever_are_scored():
    """LAReQA and Tatoeba are scored by one model; candidates are in no other cell's way."""
    grid, nodes = build(
        targets=["lareqa", "tatoeba_r"], languages=["de", "en"], intermediates={}, seeds=[1]
    )
    tuned = [node.name for node in nodes.values() if node.rule == "tune"]
    assert tuned == ["m/none/seed1/lareqa_en", "m/mnli/seed1/lareqa_en"]
    manifest = nodes["results/manifests/m/lareqa/dev.256.json"]
    assert list(manifest.spec["languages"]) == ["de", "en"]
    pool = "results/encoded/m/lareqa/pool.dev.256.safetensors"
    rows = "results/data/lareqa/pool.dev.parquet"
    assert manifest.spec["pool"] == [rows, pool, nodes[pool].outputs[pool]]
    assert manifest.inputs["encoded"][-1] == pool and manifest.inputs["rows"][-1] == rows
    spec = nodes[rows].spec
    assert (spec["lang"], spec["config"], spec["hub"]) == ("pool", None, "local/lareqa")
    assert list(spec["pool"]) == list(grid.tasks["lareqa"].languages)
    assert nodes["results/data/lareqa/de.dev.parquet"].spec["pool"] == spec["pool"]
    assert "pool" not in nodes["results/data/tatoeba_r/de.dev.parquet"].spec
    cell = Cell("m", "none", "seed1", "lareqa")
    score = grid.score_spec(cell, "de", "dev")
    assert score["pool"] == nodes[pool].outputs[pool] and score["head"] == "dual"
    assert score["retrieval_layer"] is None
    other = grid.score_spec(Cell("m", "none", "seed1", "tatoeba_r"), "de", "dev")
    assert other["head"] == "dual" and "pool" not in other


def test_a_mix_reads_each_language_of_each_task_and_text_has_no_dev():
    text = {
        "format": "mlm", "hub": "o/text", "config": "{lang}", "splits": {"train": "train"},
        "languages": ["de", "en"], "version": 1, "recipe": {"max_length": 80},
    }  # fmt: skip
    mix = {"mix": {"tasks": ["german", "text"], "languages": ["de", "ru"]}}
    _, nodes = build(tasks={"german": GERMAN, "text": text}, intermediates=mix)
    node = nodes["results/encoders/m/mix/seed1/node.json"]
    assert node.inputs == {
        "init": checkpoint("models/m"),
        "train": (
            "results/encoded/m/german/de.train.100.safetensors",
            "results/encoded/m/german/ru.train.100.safetensors",
            "results/encoded/m/text/de.train.80.safetensors",
        ),
        "dev": ("results/encoded/m/german/de.dev.100.safetensors",),
        "dev_rows": ("results/data/german/de.dev.parquet",),
    }
    assert node.pins == {"datasets/o/nli", "datasets/o/text", MODEL}


def test_an_open_tag_set_reads_the_training_rows():
    nodes = graph.Graph(make(**SMALL, intermediates={"ccg": {"tasks": ["ccg"]}}))
    node = nodes.encode("m", "ccg", "en", "dev", 256)
    assert node.inputs["labels_of"] == ("results/data/ccg/en.train.parquet",)
    assert node.needs == (
        "results/data/ccg/en.dev.parquet",
        "results/models/m/node.json",
        "results/data/ccg/en.train.parquet",
    )


def test_a_test_split_has_manifests_folder_and_log_of_its_own():
    """And where it is mined, the dev split settles the threshold."""
    grid = make(**SMALL | {"targets": ["bucc"], "languages": ["de"]}, test=True)
    nodes = graph.Graph(grid)
    cell = Cell("m", "mnli", "seed1", "bucc")
    dev, test = nodes.evaluate(cell, "dev"), nodes.evaluate(cell, "test")
    assert (dev.key, test.key) == (
        "results/scores/m/mnli/seed1/bucc/cell.json",
        "results/test/m/mnli/seed1/bucc/cell.json",
    )
    assert test.log == "results/logs/test/m/mnli/seed1/bucc.log"
    assert list(test.outputs) == ["results/test/m/mnli/seed1/bucc/de.json"]
    manifest, other = (f"results/manifests/m/bucc/{split}.512.json" for split in ("test", "dev"))
    assert dev.inputs == {"model": test.inputs["model"], "manifest": (other,)}
    assert test.inputs["manifest"] == (manifest,) and test.inputs["dev_manifest"] == (other,)
    assert test.needs == ("results/encoders/m/mnli/seed1/node.json", manifest, other)
    assert nodes.evaluate(cell, "test") is test, "once"


def test_a_test_split_that_is_scored_alone_is_that_of_the_grid():
    grid = make(**SMALL, split="test")
    node = graph.Graph(grid).evaluate(CELL, "test")
    assert node.key == f"results/scores/{CELL}/cell.json"
    assert node.log == f"results/logs/evaluate/{CELL}.log"


def test_the_toy_world_makes_what_is_pinned():
    grid, nodes = build(source="toy")
    for pin, made in (
        ("results/pins/datasets/facebook/xnli.json", "results/toy/manifests/facebook/xnli.json"),
        ("results/pins/models/m.json", "results/toy/models/toy/xlmr.json"),
    ):
        assert nodes[pin].inputs == {"toy": (made,)} and nodes[pin].needs == (made,)
        assert nodes[pin].spec["source"] == grid.source()
    data, model = (nodes[nodes[key].needs[0]] for key in (
        "results/pins/datasets/facebook/xnli.json", "results/pins/models/m.json",
    ))  # fmt: skip
    toy = grid.experiment.settings["toy"]
    sizes = {key: value for key, value in toy.items() if key != "pretrain"}
    strata = {"strata": ["inference"]}  # a column more, of which the encoder knows nothing
    assert data.spec == {"kind": "toy", "version": 2, **sizes, **strata}
    assert model.spec == {"kind": "toy", "version": 2, **toy}
    assert nodes["results/pins/datasets/facebook/xnli.json"].spec["strata"] == ["inference"]
    glue = nodes["results/pins/datasets/nyu-mll/glue.json"]
    assert "strata" not in {**glue.spec, **nodes[glue.needs[0]].spec}
    weights = "results/toy/models/toy/xlmr/model.safetensors"
    assert model.outputs == {model.key: digest(model.spec), weights: None}
    assert (model.log, data.log) == (
        "results/logs/toy_model.log",
        "results/logs/toy_world/facebook/xnli.log",
    )
    other, again = build(source="toy", toy={"pretrain": {"steps": 9}})[1], nodes
    key = "results/toy/manifests/facebook/xnli.json"
    assert other[key].spec == again[key].spec, "the data are not those of the encoder"


def test_each_node_is_made_once():
    made = graph.Graph(make(**SMALL))
    assert made.model("m") is made.model("m")
    first = made.evaluate(CELL, "dev")
    count = len(made.nodes)
    assert made.evaluate(CELL, "dev") is first and len(made.nodes) == count
    assert isinstance(made.grid, Grid)


def test_which_tasks_use_a_data_set():
    grid = make(targets=["xnli", "tatoeba", "udpos"], tasks={})
    assert grid.tasks_of("nyu-mll/glue") == ["mnli"]
    assert grid.tasks_of("google/xtreme") == ["tatoeba", "udpos", "udpos_en"]
    assert grid.tasks_of("o/unused") == []


def test_a_model_of_another_architecture_has_a_tiny_checkpoint_of_that_in_the_toy_world():
    models = {
        "m": {"from": "FacebookAI/xlm-roberta-base"},
        "twin": {"from": "facebook/xlm-roberta-xl", "tokenizer": "m"},
        "q": {"from": "Qwen/Qwen3-8B", "gpus": 8, "sharding": "fsdp", "tokenizer": "small"},
        "small": {"from": "Qwen/Qwen3-0.6B"},
        "other": {"from": "nobody/knows-it"},
    }
    grid, nodes = build(source="toy", models=models)
    assert {name: grid.public(name) for name in models} == {
        "m": "toy/xlmr", "twin": "toy/xlm-roberta-xl", "q": "toy/qwen3", "small": "toy/qwen3",
        "other": "toy/xlmr",
    }  # fmt: skip
    tokenizers = [grid.tokenizer(name) for name in models]
    assert tokenizers == ["m", "twin", "small", "small", "other"], "a shared one where it fits"
    made = [node for node in nodes.values() if node.rule == "toy_backbone"]
    assert [node.name for node in made] == ["xlm-roberta-xl", "qwen3"]
    toy, key = grid.experiment.settings["toy"], "results/toy/models/toy/qwen3.json"
    told = {"architecture": "qwen3", "seed": toy["seed"], "languages": toy["languages"]}
    assert nodes[key].spec == {"kind": "toy", "version": 2, **told}
    weights = "results/toy/models/toy/qwen3/model.safetensors"
    assert nodes[key].outputs == {key: digest(nodes[key].spec), weights: None}
    assert nodes["results/pins/models/q.json"].needs == (key,)
    assert nodes["results/pins/models/q.json"].spec["name"] == "toy/qwen3"
    entry = grid.experiment.settings["models"]["q"]
    assert (entry["gpus"], entry["sharding"]) == (1, "none")
    assert any("models: q: one process in place of 8" in note for note in grid.experiment.notes)
    fetched, nodes = build(models=models)
    assert fetched.public("q") == "Qwen/Qwen3-8B" and fetched.tokenizer("twin") == "m"
    assert fetched.experiment.settings["models"]["q"]["gpus"] == 8
    assert not any(node.rule == "toy_backbone" for node in nodes.values())


KEPT = sorted(Path(__file__).parents[1].glob("*/*.yaml"))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_configs_for_runs_by_hand_are_of_today(path):
    files = [path.with_name("config.yaml"), path] if path.stem == "tasks" else [path]
    nodes = graph.build(Grid(load(config_files.read(files))))
    assert any(node.rule.startswith("evaluate") for node in nodes.values())
