"""Rows, steps and chains of an intermediate: what is refused, what is noted, what they become."""

import csv
from collections import Counter

import pytest
from tests.experiment.test_grid import BASE, GERMAN, make

from xstilts import WORKFLOW
from xstilts.experiment import config_files, graph, plan, traits
from xstilts.experiment.cells import Cell
from xstilts.experiment.config import load
from xstilts.experiment.config_files import merge
from xstilts.experiment.grid import Grid
from xstilts.running.errors import UserError
from xstilts.running.files import digest

TOY = {"source": "toy", "toy": {"sizes": {"train": 120, "dev": 24, "test": 24}}}
OURS = {
    "format": "classification",
    "files": {"train": "t.csv", "dev": "d.csv"},
    "languages": ["en"],
}
CHAIN = {
    "mnli": {"tasks": ["mnli"]},
    "b": {"tasks": ["squad"], "after": "mnli", "rows": 1000},
    "c": {"tasks": ["qqp"], "after": "b", "steps": 77},
}


def refused(intermediates, **more):
    with pytest.raises(UserError) as error:
        load(merge(BASE | {"intermediates": intermediates}, more))
    return str(error.value)


@pytest.mark.parametrize(
    ("entry", "more", "line"),
    [
        (
            {"tasks": ["csqa"], "rows": 30000},
            {},
            "x: rows: 30000, but csqa has 9741 train rows; ask for fewer or leave out rows",
        ),
        (
            {"tasks": ["mnli", "csqa"], "rows": 9742},
            {},
            "x: rows: 9742, but csqa has 9741 train rows; ask for fewer or leave out rows",
        ),
        (
            {"tasks": ["german"], "languages": ["de", "ru"], "rows": 201},
            {"tasks": {"german": GERMAN}, "limits": {"all": {"train": 100}}},
            "x: rows: 201, but german has 200 train rows at most by `limits`; ask for fewer or"
            " raise the limit",
        ),
        (
            {"tasks": ["ours"], "rows": 9},
            {**TOY, "tasks": {"ours": OURS}, "limits": {"ours": {"train": 8}}},
            "x: rows: 9, but ours has 8 train rows at most by `limits`; ask for fewer or raise the"
            " limit",
        ),
        (
            {"tasks": ["mnli_15"], "languages": "all", "translations": "dealt", "rows": 400000},
            {},
            "x: rows: 400000, but mnli_15 has 392702 train rows; ask for fewer or leave out rows",
        ),
        (
            {"tasks": ["mnli_15", "mnli"], "translations": "dealt"},
            {},
            "x: translations: dealt is for a task that is trained in several languages, not in en"
            " alone; say `languages: all`, or list them",
        ),
        (
            {"tasks": ["mnli"], "steps": 9},
            {"recipes": {"x": {"epochs": 2}}},
            "x: steps: 9, but `recipes: x: epochs` says too how long it is trained; leave one of"
            " them out",
        ),
        (
            {"tasks": ["mnli"], "steps": 9},
            {"recipes": {"x": {"max_steps": 2}}},
            "x: steps: 9, but `recipes: x: max_steps` says too how long it is trained; leave one of"
            " them out",
        ),
        (
            {"tasks": ["mnli"], "after": "none"},
            {},
            "x: after: `none` is the model itself; leave `after` out",
        ),
        (
            {"tasks": ["mnli"], "after": "xy"},
            {},
            "x: after: there is no intermediate `xy`; did you mean `x`?",
        ),
        (
            {"tasks": ["mnli"], "after": "x"},
            {},
            "x: after: goes round in a circle: x after x",
        ),
    ],
)
def test_what_is_wrong_is_one_line(entry, more, line):
    assert refused({"x": entry}, **more) == f"intermediates: {line}"


def test_a_circle_is_said_once():
    circle = {"a": "b", "b": "c", "c": "b", "d": "a"}
    entries = {name: {"tasks": ["mnli"], "after": after} for name, after in circle.items()}
    line = "intermediates: b: after: goes round in a circle: b after c after b"
    assert refused(entries) == line


def test_what_is_not_known_for_certain_is_left_to_the_training():
    """Rows from memory; a mirror, which may have others; data of one's own; another data set."""
    for task, more in {
        "snli": {},
        "csqa": {"source": "/mirror"},
        "ours": {"tasks": {"ours": OURS}},
        "mnli": {"tasks": {"mnli": {"hub": "o/more"}}},
    }.items():
        entries = {"x": {"tasks": [task], "rows": 10**7}}
        assert load(merge(BASE | {"intermediates": entries}, more)).notes == ()


def test_the_toy_world_has_fewer_rows_which_is_a_note():
    entries = {
        "a": {"tasks": ["mnli"], "rows": 120},
        "b": {"tasks": ["mnli"], "rows": 121},
        "c": {"tasks": ["mnli_translated"], "languages": ["de", "ru"], "rows": 240},
        "d": {"tasks": ["mnli", "squad"], "rows": 10**6},
    }
    [note] = load(BASE | TOY | {"intermediates": entries}).notes
    assert note == (
        "intermediates: b, d: the toy world has fewer rows, so these are trained on what there is"
        " (source: toy)"
    )
    many = {"x-{rows}": {"tasks": ["mnli"], "rows": [120, 200, 300, 400, 500]}}
    [note] = load(BASE | TOY | {"intermediates": many}).notes
    assert note.startswith("intermediates: x-200, x-300, x-400 and 1 more: the toy world has")


def test_max_steps_is_a_bound_of_steps_too_so_that_a_rehearsal_is_short():
    entries = {
        "mnli": {"tasks": ["mnli"], "steps": 9},
        "mix": {"tasks": ["mnli", "squad"], "steps": 9},
        "qqp": {"tasks": ["qqp"], "steps": 4},
    }
    made = load(BASE | {"intermediates": entries, "recipes": {"all": {"max_steps": 4}}})
    assert made.notes == (
        "intermediates: mnli, mix: steps: `max_steps` of their recipe is less, and is what they are"
        " trained for",
    )
    # That of a task is for training on it alone.
    made = load(BASE | {"intermediates": entries, "recipes": {"squad": {"max_steps": 4}}})
    assert made.notes == ()


def test_the_specs_have_what_is_set_and_only_that():
    found = make(intermediates=CHAIN, seeds=[1])
    plain = make(seeds=[1])
    mnli, b, c = (found.encoder_spec("m", name, "seed1") for name in CHAIN)
    assert mnli == plain.encoder_spec("m", "mnli", "seed1")
    assert not {"rows", "steps", "after"} & mnli.keys()
    assert (b["parent"], b["after"], b["rows"]) == (digest(mnli), "mnli", 1000)
    assert (c["parent"], c["after"], c["steps"]) == (digest(b), "b", 77)
    assert "steps" not in b and "rows" not in c
    # In their place: a change of what is not read makes nothing anew.
    assert c["recipe"].keys() == b["recipe"].keys() - {"epochs", "patience"}
    other = make(intermediates=CHAIN, recipes={"all": {"epochs": 99}})
    assert other.encoder_spec("m", "c", "seed1")["recipe"] == c["recipe"]
    tuned = found.tuned_spec("m", "c", "seed1", "squad")
    assert tuned["parent"] == digest(c) and not {"rows", "steps", "after"} & tuned.keys()


def test_in_a_mix_the_rows_are_of_each_task_and_in_the_toy_world_at_most():
    mix = {"mix": {"tasks": ["mnli", "squad"], "rows": 500}}
    spec = make(intermediates=mix).encoder_spec("m", "mix", "seed1")
    assert [task["rows"] for task in spec["tasks"]] == [500, 500] and "rows" not in spec
    spec = make(**TOY, intermediates=mix).encoder_spec("m", "mix", "seed1")
    assert [task["rows_at_most"] for task in spec["tasks"]] == [500, 500]
    assert not any("rows" in task for task in spec["tasks"])


def test_translations_that_are_dealt_have_the_rows_of_one_language():
    """The spec says so only there, and the training reads the ids of the rows besides."""
    entries = {
        "mnli-{translations}": {
            "tasks": ["mnli_15", "mlm"], "languages": "all", "translations": ["all", "dealt"],
        }
    }  # fmt: skip
    found = make(intermediates=entries, limits={"mlm": {"train": 10}}, seeds=[1])
    whole, dealt = (found.encoder_spec("m", f"mnli-{k}", "seed1") for k in ("all", "dealt"))
    assert "translations" not in str(whole) and len(whole["tasks"][0]["train"]) == 15
    assert [task.pop("translations", "") for task in dealt["tasks"]] == ["dealt", ""]
    assert dealt == whole
    alone = {
        name: {k: v for k, v in entry.items() if k != "tasks"} | {"tasks": ["mnli_15"]}
        for name, entry in entries.items()
    }
    found = make(intermediates=alone, seeds=[1])
    known = traits.of(found.experiment)
    rows = [known.value("intermediate", f"mnli-{k}", "rows") for k in ("all", "dealt")]
    assert rows == [15 * 392702, 392702]
    assert known.value("language", "sw", "seen", "mnli-dealt")
    assert not known.value("language", "fi", "seen", "mnli-dealt")
    node = graph.Graph(found).intermediate("m", "mnli-dealt", "seed1")
    assert [p.split("/")[-1] for p in node.inputs["train_rows"]] == [
        f"{lang}.train.parquet" for lang in found.tasks["mnli_15"].languages
    ]
    assert set(node.inputs["train_rows"]) <= {*node.needs}
    assert "train_rows" not in graph.Graph(found).intermediate("m", "mnli-all", "seed1").inputs
    # The toy world may have one language of a task: there is nothing to deal.
    toy = {**TOY, "toy": {**TOY["toy"], "languages": ["en"]}, "languages": ["en"]}
    toy["targets"] = ["xquad"]
    one = make(**toy, intermediates=alone)
    assert "translations" not in one.encoder_spec("m", "mnli-dealt", "seed1")


def test_a_chain_is_made_once_and_also_where_its_steps_are_not_scored():
    found = make(
        intermediates=CHAIN,
        targets=["xquad"],
        seeds=[1],
        exclude=[{"intermediate": "mnli"}, {"intermediate": "b"}, {"intermediate": "none"}],
    )
    assert list(map(str, found.cells)) == ["m/c/seed1/xquad"]
    assert [found.chain(name) for name in ("none", "mnli", "c")] == [
        (),
        ("mnli",),
        ("mnli", "b", "c"),
    ]
    assert found.start("m", "c", "seed1") == "results/encoders/m/b/seed1"
    assert found.start("m", "mnli", "seed1") == "results/models/m"
    nodes = graph.build(found)
    trainings = [n.name for n in nodes.values() if n.rule in ("intermediate", "tune")]
    assert trainings == ["m/mnli/seed1", "m/b/seed1", "m/c/seed1", "m/c/seed1/squad"]
    b, c = (nodes[f"results/encoders/m/{name}/seed1/node.json"] for name in ("b", "c"))
    assert c.inputs["init"][0] == "results/encoders/m/b/seed1/model.safetensors"
    assert "results/encoders/m/b/seed1/head.safetensors" in c.inputs["init"]
    assert b.key in c.needs and "results/models/m/node.json" not in c.needs
    assert c.pins >= b.pins >= {"models/o/m", "datasets/nyu-mll/glue", "datasets/rajpurkar/squad"}
    assert "mnli" in found.tasks_of("nyu-mll/glue")


def test_a_row_of_the_grid_says_how_much_and_after_what(tmp_path):
    found = make(intermediates=CHAIN, targets=["xquad"], seeds=[1])
    plan.write(list(plan.rows(found, found.cells)), tmp_path / "grid.csv")
    with open(tmp_path / "grid.csv", newline="") as file:
        rows = {row["intermediate"]: row for row in csv.DictReader(file)}
    names = ["stage1_rows", "stage1_steps", "stage1_after", "stage1_epochs", "stage1_patience"]
    assert {row: [of[name] for name in names] for row, of in rows.items()} == {
        "none": ["", "", "", "", ""],
        "mnli": ["", "", "", "2", "30"],
        "b": ["1000", "", "mnli", "3", "30"],
        "c": ["", "77", "b", "", ""],
    }
    assert plan.made_by(found, Cell("m", "none", "seed1", "xquad"))["stage1_after"] is None


def test_the_experiment_on_doses_is_as_large_as_it_says():
    """Three tasks at four sizes and at all rows; of five targets two share a tuning, and retrieval
    needs none."""

    def counted(*names):
        files = [WORKFLOW.parent / "experiments" / name for name in names]
        experiment = load(config_files.read(files))
        nodes = graph.build(Grid(experiment)).values()
        rules = Counter(node.rule for node in nodes)
        return rules["intermediate"], rules["tune"], rules["evaluate"], experiment.notes

    assert counted("dose.yaml") == (15 * 3, 16 * 3 * 4, 15 * 3 * 5 + 3 * 4 + 1, ())
    *jobs, notes = counted("dose.yaml", "rehearsal.yaml")
    assert jobs == [15, 16 * 4, 16 * 5] and len(notes) == 3
