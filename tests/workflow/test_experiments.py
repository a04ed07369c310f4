"""The experiments that come with the workflow: planned without a network, and rehearsed."""

from collections import Counter

import pytest
import yaml
from tests.workflow.running import ROOT, command, run

from xstilts.analysis import grounding
from xstilts.experiment import config_files, graph
from xstilts.experiment.config import load
from xstilts.experiment.grid import Grid

SCALING = ROOT / "experiments/scaling.yaml"
SMALL = ROOT / "experiments/rehearsals/scaling.yaml"  # what its rehearsal leaves out besides
DIFFICULTY = ROOT / "experiments/difficulty.yaml"
SYNTHETIC = ROOT / "experiments/synthetic.yaml"
MULTIHOP = ROOT / "experiments/multihop.yaml"
MULTIMODAL = ROOT / "experiments/multimodal.yaml"
PAPER, REHEARSAL = ROOT / "experiments/paper.yaml", ROOT / "experiments/rehearsal.yaml"
TOY = {"toy_world", "toy_model"}


def dry_run(folder, *configs):
    return run(command(folder, list(configs), "--dry-run", "--quiet", "rules"), folder).ok().jobs


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """Jobs of the experiment of the paper, by rule."""
    folder = tmp_path_factory.mktemp("paper")
    own = {"ccg": "ccgbank", "bucc": "bucc2018"}  # what is on no hub, in place of ~/data
    for name in own.values():
        (folder / name).mkdir()
    over = {"tasks": {task: {"hub": str(folder / name)} for task, name in own.items()}}
    (folder / "over.yaml").write_text(yaml.safe_dump(over))
    return dry_run(folder, PAPER, folder / "over.yaml")


def test_the_paper_is_planned_without_a_network(paper):
    targets = {"xnli", "pawsx", "udpos", "wikiann", "xquad", "mlqa", "tydiqa", "bucc", "tatoeba"}
    assert paper["intermediate"] == 12 * 3
    assert paper["tune"] == 13 * 3 * 6  # of the nine targets two need none, two share one
    # What no seed can change is one cell: `none` on what is not tuned.
    cells = {f"evaluate_{t}": 37 if t in ("bucc", "tatoeba") else 39 for t in targets}
    assert {rule: n for rule, n in paper.items() if rule.startswith("evaluate_")} == cells
    assert paper["select"] == paper["submission"] == 1


def test_a_rehearsal_has_every_kind_of_node(paper, tmp_path):
    rehearsed = dry_run(tmp_path, PAPER, REHEARSAL)
    assert rehearsed.keys() - TOY == paper.keys()
    assert rehearsed["intermediate"] == 12 and rehearsed["tune"] == 13 * 6


def test_data_that_is_on_no_hub_is_asked_for_before_anything_runs(tmp_path):
    said = run(command(tmp_path, [PAPER], "--dry-run"), tmp_path)
    said.failed("error: task ccg: ", "data/ccgbank: there is no such folder. CCGbank is licensed")
    said.failed("error: task bucc: ", "data/bucc2018: there is no such folder")


def several(jobs, name):
    """Jobs of the rules of a name, with and without an adapter."""
    return sum(n for rule, n in jobs.items() if rule.removesuffix("_adapter") == name)


def test_the_experiment_on_sizes_is_as_large_as_it_says():
    """15 models, of which 9 have an adapter; of five rows four have a training, and three of these
    are searched over three rates with one seed; so are six tunings of each row."""
    experiment = load(config_files.read([SCALING]))
    jobs = Counter(node.rule for node in graph.build(Grid(experiment)).values())
    assert several(jobs, "intermediate") == 15 * 4 * 3
    assert several(jobs, "trial_intermediate") == 15 * 3 * 3
    assert several(jobs, "tune") == 15 * 5 * 6 * 3
    assert several(jobs, "trial_tune") == 15 * 5 * 6 * 3
    assert jobs["choose"] == 15 * (3 + 5 * 6)
    assert jobs["evaluate"] == 15 * (7 * 5 * 3 + 2 * (4 * 3 + 1))
    assert jobs["encode"] == 14 * 186, "one of them has the tokenizer of another"
    assert len(experiment.questions) == 10 and not experiment.notes


def test_its_rehearsal_has_every_kind_of_training_in_few_jobs(tmp_path):
    jobs = dry_run(tmp_path, SCALING, REHEARSAL, SMALL)
    assert several(jobs, "intermediate") == 7 * 4 and several(jobs, "tune") == 7 * 5 * 2
    assert several(jobs, "trial_intermediate") == 7 * 3 * 2 and several(jobs, "trial_tune") == 0
    assert {rule for rule in jobs if rule.startswith("evaluate_")} == {
        "evaluate_xnli", "evaluate_udpos", "evaluate_tatoeba",
    }  # fmt: skip
    assert sum(jobs.values()) < 520


def test_the_experiment_on_difficulty_is_as_large_as_it_says():
    """Two models; 34 rows beside `none`: nine thirds, random rows and all, twice, of MNLI, nine and
    random ones of HellaSwag, six and random ones of SQuAD, five of ANLI's size. Every target is
    tuned, XCOPA in two steps, of ten nine by data of their own; the encoders that nothing is tuned
    of are measured, `none` once."""
    experiment = load(config_files.read([DIFFICULTY]))
    jobs = Counter(node.rule for node in graph.build(Grid(experiment)).values())
    assert jobs["intermediate"] == 2 * 34 * 3
    assert jobs["subset"] == 2 * (10 + 10 + 7)
    assert jobs["difficulty"] == 2 * 3 and jobs["pvi"] == 2 * 2
    assert jobs["bag_of_words"] == 3, "one a task"
    assert jobs["tune"] == 2 * 35 * 9 * 3
    assert jobs["evaluate"] == 2 * 35 * 10 * 3
    assert jobs["align"] == 2 * 2 * (34 * 3 + 1)
    assert len(experiment.questions) == 11 and not experiment.notes


def test_its_rehearsal_has_every_kind_of_subset_in_few_jobs(tmp_path):
    small = ROOT / "experiments/rehearsals/difficulty.yaml"
    jobs = dry_run(tmp_path, DIFFICULTY, REHEARSAL, small)
    assert jobs["intermediate"] == 25 and jobs["subset"] == 3 * 3 + 3 + 3 + 3
    assert jobs["difficulty"] == jobs["bag_of_words"] == 3 and jobs["pvi"] == 1
    assert sum(n for rule, n in jobs.items() if rule.startswith("align")) == 26 * 2
    assert (jobs["evaluate_xnli"], jobs["evaluate_tatoeba_r"]) == (26, 4)
    assert sum(jobs.values()) < 240


def test_the_experiment_on_synthetic_data_is_as_large_as_it_says():
    """Eight models; 37 rows beside `none`: of MNLI 23, of SQuAD and Social IQa seven each. Into 49
    languages are three tasks translated by one translator, in four shards, and back for the round
    trips, and MNLI into 14 by two others. Filters see all of these once unfiltered and once by
    `good` (the other two translators, and one, by `any`), and the generated rows of three tasks."""
    raw = config_files.read([SYNTHETIC])
    experiment = load(raw)
    jobs = Counter(node.rule for node in graph.build(Grid(experiment)).values())
    every, fifteen = 49, 14
    assert jobs["translate"] == 4 * (2 * 3 * every + 2 * fifteen)
    assert jobs["filter"] == 2 * 3 * every + fifteen + 2 * 2 * fifteen + 3 * every
    assert jobs["similarity"] == jobs["round_trip"] == 3 * every + 2 * fifteen
    # In English: of three tasks, of MNLI of fewer languages, round trips, code-switched; others.
    assert jobs["control"] == 3 + 3 + 3 + 1 + every + 3 * every
    assert jobs["lexicon"] == every and jobs["generate"] == 3 * every
    assert jobs["translator"] == 3 and jobs["generator"] == 1
    assert several(jobs, "intermediate") == 8 * 37 * 3
    assert several(jobs, "tune") == 8 * 38 * 9 * 3
    assert jobs["evaluate"] == 8 * 38 * 10 * 3
    # What a question compares has as many rows: by the bounds of a task, or the same number.
    rows = {name: of.get("rows") for name, of in experiment.settings["intermediates"].items()}
    assert {rows[name] for name in rows if name.startswith("mnli")} == {None, 250_000, 100_000}
    for question in raw["questions"].values():
        assert all(rows[name] == rows[of] for name, of in question.get("over", {}).items())
    assert len(experiment.questions) == 16 and not experiment.notes


def test_its_rehearsal_has_every_kind_of_row_in_few_jobs(tmp_path):
    small = ROOT / "experiments/rehearsals/synthetic.yaml"
    jobs = dry_run(tmp_path, SYNTHETIC, REHEARSAL, small)
    assert several(jobs, "intermediate") == 3 * 34 and several(jobs, "tune") == 3 * 35
    assert jobs["evaluate_xnli"] == 3 * 35
    made = {"translate", "filter", "control", "lexicon", "similarity", "round_trip", "generate"}
    assert made < jobs.keys() and "generator" not in jobs
    assert jobs["generate"] == 3 * 3 and jobs["lexicon"] == 3
    assert sum(jobs.values()) < 690


def test_the_experiment_on_hops_is_as_large_as_it_says(tmp_path):
    """Planned without a network and without the folder of translations. Nine rows, `none` with six
    seeds and the others with three; of six trainings of stage 2 the three that train on SQuAD lack
    that on MuSiQue, and its two targets."""
    experiment = load(config_files.read([MULTIHOP]))
    assert len(experiment.questions) == 7 and not experiment.notes
    jobs = dry_run(tmp_path, MULTIHOP)
    assert jobs["intermediate"] == 8 * 3
    assert jobs["tune"] == (6 + 8 * 3) * 6 - 3 * 3
    of_musique = 6 + 5 * 3
    assert {rule: n for rule, n in jobs.items() if rule.startswith("evaluate_")} == {
        f"evaluate_{target}": of_musique if "musique" in target else 6 + 8 * 3
        for target in experiment.settings["targets"]
    }
    assert jobs["overlap"] == 7 and jobs["manifest"] == 14
    assert jobs["prepare"] == jobs["encode"] == 92 and jobs["pin_data"] == 15


def test_its_rehearsal_has_every_view_and_class_in_few_jobs(tmp_path):
    jobs = dry_run(tmp_path, MULTIHOP, REHEARSAL, ROOT / "experiments/rehearsals/multihop.yaml")
    assert jobs["intermediate"] == 4 and jobs["tune"] == 5 * 4 - 2
    assert {rule.removeprefix("evaluate_") for rule in jobs if rule.startswith("evaluate_")} == {
        "xnli", "xquad", "multiq", "hotpot_x", "hotpot_x_gold", "hotpot_x_answer", "hotpot",
        "hotpot_gold", "hotpot_answer", "musique", "musique_last",
    }  # fmt: skip
    assert jobs["overlap"] == 7 and sum(jobs.values()) < 210


def test_the_experiment_with_pictures_is_planned_without_a_network(tmp_path):
    """Of ten rows with pictures four are of text alone or see the same features as another."""
    (tmp_path / "bucc2018").mkdir()
    over = {"tasks": {"bucc": {"hub": str(tmp_path / "bucc2018")}}}
    (tmp_path / "over.yaml").write_text(yaml.safe_dump(over))
    jobs = dry_run(tmp_path, MULTIMODAL, tmp_path / "over.yaml")
    assert jobs["intermediate"] == 12 * 3
    assert jobs["tune"] == 13 * 3 * 5  # of the seven targets two need none
    cells = {t: 37 if t in ("bucc", "tatoeba") else 39 for t in (
        "xnli", "udpos", "wikiann", "xquad", "tydiqa", "bucc", "tatoeba")}  # fmt: skip
    assert {f"evaluate_{t}": n for t, n in cells.items()}.items() <= jobs.items()
    assert jobs["pin_vision"] == jobs["vision"] == 2
    assert jobs["features"] == 4, "two encoders, COCO's train and dev pictures, for all tasks"


def test_an_arm_with_pictures_takes_the_steps_of_its_controls():
    grid = Grid(load(config_files.read([MULTIMODAL])))
    controls = grounding.controls(grid)
    assert {name: len(of) for name, of in controls.items()} == {
        "captions": 2, "vqa": 2, "both": 2, "captions-siglip": 1,
    }  # fmt: skip
    arms = {*controls, *(one for of in controls.values() for one in of)}
    specs = {one: grid.encoder_spec("xlmr-large", one, "seed1") for one in arms}
    assert len(arms) == 10 and {spec["steps"] for spec in specs.values()} == {30_000}


def test_a_rehearsal_with_pictures_has_every_control():
    """Each row with pictures beside that on shuffled ones and that on text alone, one seed."""
    small = ROOT / "experiments/rehearsals/multimodal.yaml"
    experiment = load(config_files.read([MULTIMODAL, REHEARSAL, small]))
    nodes = graph.build(Grid(experiment))
    jobs = Counter(node.rule for node in nodes.values())
    whole = Counter(node.rule for node in graph.build(Grid(load(
        config_files.read([MULTIMODAL])))).values())  # fmt: skip
    assert jobs.keys() - (TOY | {"toy_vision"}) == whole.keys()
    assert jobs["intermediate"] == 12 and jobs["features"] == 4
    shown = {
        node.name.split("/")[1]: node.spec.get("shown", "pictures")
        for node in nodes.values()
        if node.rule == "intermediate" and "coco" in str(node.spec)
    }
    assert sorted(shown.values()) == ["none"] * 3 + ["pictures"] * 4 + ["shuffled"] * 3
    assert len(experiment.questions) == 5
