"""What no experiment of a folder asks for, and what is deleted of it."""

import shutil

import pytest
from tests import results

from xstilts.experiment import config, graph, grid, plan
from xstilts.monitoring import claims, unused
from xstilts.running import lock
from xstilts.running.errors import UserError
from xstilts.running.files import read_json, write_json
from xstilts.steps import unused as unused_step

SEED = "results/{}/m/{}/seed2"


@pytest.fixture
def root(tmp_path):
    """A folder of an experiment of two seeds, which now asks for one; of the second is left: `kept`
    files of the first."""
    results.write(tmp_path)
    shutil.rmtree(tmp_path / results.HOME)
    experiment = config.load(results.CONFIG | {"seeds": [1]})
    asked = grid.Grid(experiment)
    lines = list(plan.rows(asked, asked.cells))
    results.write_plan(tmp_path, experiment, lines, graph.build(asked))
    return tmp_path


def listed(root):
    return [str(path.relative_to(root)) for path in unused.unused(root)]


def scores(intermediate, target):
    folder = SEED.format("scores", intermediate) + f"/{target}"
    names = ("cell.json", "de.json", "de.parquet", "ru.json", "ru.parquet")
    return [f"{folder}/{name}" for name in names]


SECOND = [
    "results/encoders/m/mnli/seed2",
    "results/tuned/m/mnli/seed2/mnli",
    "results/tuned/m/none/seed2/mnli",
    *scores("mnli", "tatoeba"),
    *scores("mnli", "xnli"),
    *scores("none", "xnli"),
]


def write(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")


def test_nothing_of_a_finished_experiment_is_listed(tmp_path):
    results.write(tmp_path)
    assert listed(tmp_path) == []


def test_what_was_asked_for_alone_by_a_seed_that_is_gone(root):
    assert listed(root) == SECOND


def test_what_another_experiment_asks_for_is_not(root):
    experiment = config.load(results.CONFIG | {"seeds": [2], "targets": ["tatoeba"]})
    asked = grid.Grid(experiment)
    lines = list(plan.rows(asked, asked.cells))
    results.write_plan(root, experiment, lines, graph.build(asked), "two")
    shared = {"results/encoders/m/mnli/seed2", *scores("mnli", "tatoeba")}
    assert listed(root) == [path for path in SECOND if path not in shared]


def test_files_of_each_kind(root):
    """Rows, encoded rows, manifests and pins a file; also what a killed job has left."""
    extra = [
        "results/data/xnli/.de.dev.parquet.123.part",
        "results/data/xnli/sw.dev.parquet",
        "results/encoded/m/xnli/de.dev.128.safetensors",
        "results/manifests/m/xnli/dev.128.json",
        "results/pins/datasets/o/n.json",
        "results/features/v/coco/dev.json",
        "results/features/v/coco/dev.safetensors",
    ]
    models = [
        "results/models/other/model.safetensors",
        "results/vision/v/model.safetensors",
        "results/tuned/m/a/seed1/mnli/node.json",
    ]
    test = ["results/test/m/none/seed1/xnli/de.json", "results/test/m/none/seed1/xnli/de.parquet"]
    state = [
        "results/.state/train/tuned/m/none/seed2/mnli/step-3/weights",
        "results/.state/features/v/coco/dev/blocks/000000.npz",
    ]
    kept = [
        "results/.state/train/tuned/m/none/seed1/mnli/lock",
        "results/.state/train/tuned/m/none/seed1/mnli/step-3/weights",
        "results/tuned/m/none/seed1/mnli/more.txt",
        "results/logs/x.log",
        "results/ledger.jsonl",
        f"{results.HOME}/tables/main.csv",
    ]
    write(root, *extra, *models, *test, *state, *kept)
    folders = [name.rpartition("/")[0] for name in [*models, *state]]
    assert sorted(listed(root)) == sorted([*SECOND, *extra, *test, *folders])


def test_what_was_chosen_for_the_test_split_is_asked_for(root):
    score = "results/test/m/none/seed1/xnli/de.json"
    write(root, score, score.replace(".json", ".parquet"), score.replace("de", "cell"))
    assert score in listed(root)
    plan.write([{"score": score, "spec": "d"}], root / results.HOME / "test/grid.csv")
    assert listed(root) == SECOND


def test_the_toy_world_is_asked_for_by_its_manifests(tmp_path):
    results.write(tmp_path, source="toy", targets=["xnli"])
    for name in ("facebook/xnli", "o/other"):
        write(tmp_path, f"results/toy/datasets/{name}/README.md")
    write(tmp_path, "results/toy/manifests/o/other.json")
    assert listed(tmp_path) == [
        "results/toy/manifests/o/other.json",
        "results/toy/datasets/o/other",
    ]


def test_the_bytes_of_a_file_and_of_a_folder(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/one").write_bytes(b"12")
    (tmp_path / "a/b/two").write_bytes(b"345")
    assert [unused.size(tmp_path / name) for name in ("a", "a/one", "gone")] == [5, 2, 0]


def test_what_is_deleted_takes_its_empty_folders_along(tmp_path):
    kept = ["results/scores/m/none/de.json", "results/tuned/m/none/node.json"]
    gone = ["results/scores/m/mnli/de.json", "results/tuned/n/none/node.json", "results/pins/a"]
    write(tmp_path, *kept, *gone)
    folder = tmp_path / "results/tuned/n/none"
    unused.delete([tmp_path / gone[0], folder, tmp_path / gone[2], tmp_path / "results/pins/b"])
    left = sorted(str(p.relative_to(tmp_path)) for p in (tmp_path / "results").rglob("*"))
    assert left == sorted(
        {str(parent) for name in kept for parent in [*folder_of(name), name]} - {"results"}
    )


def folder_of(name):
    parts = name.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def step(root, *more):
    unused_step.main(unused_step.parser().parse_args(["--directory", str(root), *more]))


def test_the_step_lists_and_deletes(root, capsys):
    step(root)
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in said[:-1]] == SECOND
    assert said[-1].endswith("MB  in all; --delete deletes them")
    assert listed(root) == SECOND, "it only looks"
    step(root, "--delete")
    assert capsys.readouterr().out.splitlines()[-1].endswith("MB  deleted")
    assert listed(root) == []
    assert all("logs" in path.parts for path in root.rglob("seed2"))


def test_the_step_refuses_where_nothing_is_asked_for_or_a_run_is_at_work(root, tmp_path):
    with lock.held(root / lock.RUN, 0), pytest.raises(UserError, match="is at work on these"):
        step(root, "--delete")
    shutil.rmtree(root / results.HOME)
    with pytest.raises(UserError, match="no experiment has been run here, so nothing is asked for"):
        step(root, "--delete")
    assert set(SECOND) <= {str(path.relative_to(root)) for path in root.rglob("*")}


def test_of_recorded_trainings_what_is_asked_for_stays(root):
    """Rows and record are files of one folder; the state of each has a folder of its own."""
    base = "results/difficulty/m/mnli"
    state = "results/.state/train/difficulty/m/mnli"
    names = [f"{base}/seed{n}{end}" for n in (1, 2) for end in (".json", ".parquet")]
    write(root, *names, f"{state}/seed1/finished/seed1.parquet", f"{state}/seed2/lock")
    home = next((root / "results/experiments").glob("*/nodes.json"))
    about = read_json(home)
    about["nodes"] |= {name: None for name in names[:2]}
    write_json(home, about)
    extra = [name for name in listed(root) if "difficulty" in name]
    assert extra == [*names[2:], f"{state}/seed2"]
    assert f"{base}/seed1" in claims.known(root), "what its job is called by"
