"""Vision encoders, sets of pictures and tasks on them in a config; their nodes and specs."""

import pytest

from xstilts.experiment.config import load
from xstilts.experiment.graph import Graph, build
from xstilts.experiment.grid import Grid
from xstilts.running.errors import UserError
from xstilts.running.files import digest

BASE = {
    "source": "hub",
    "models": {"m": {"from": "o/m"}},
    "vision": {"dino": {"from": "o/dino", "positions": 4}, "siglip": {"from": "o/siglip"}},
    "intermediates": {"vqa": {"tasks": ["vqa"]}},
    "targets": ["xnli"],
    "languages": ["de"],
}
TRAINED = "results/encoders/m/vqa/seed1/node.json"


def nodes(**changes):
    return build(Grid(load({**BASE, **changes})))


def of(rule, found):
    return {key: node for key, node in found.items() if node.rule == rule}


def test_an_intermediate_on_pictures_needs_the_features_of_its_set():
    found = nodes()
    splits = ("train", "dev")
    keys = [f"results/features/dino/coco/{split}.json" for split in splits]
    assert sorted(of("features", found)) == sorted(keys)
    assert set(found[TRAINED].needs) >= set(keys)
    assert found[TRAINED].inputs["features"] == tuple(
        f"results/features/dino/coco/{split}.safetensors" for split in splits
    )
    node = found[keys[0]]
    assert node.inputs["rows"] == ("results/data/coco/en.train.parquet",)
    assert node.state == "results/.state/features/dino/coco/train"
    assert node.pins == {"datasets/AKCIT/coco2017-captioning", "models/o/dino"}
    assert node.spec == {
        "kind": "features", "images": "coco", "split": "train", "positions": 4, "version": 1,
        "data": digest(found["results/data/coco/en.train.parquet"].spec),
        "vision": digest(found["results/vision/dino/node.json"].spec),
    }  # fmt: skip
    assert node.outputs == {node.key: digest(node.spec), node.inputs and node.key.replace(
        "json", "safetensors"): None}  # fmt: skip
    assert found["results/pins/vision/dino.json"].spec["name"] == "o/dino"
    assert "results/vision/siglip/node.json" not in found, "which nothing sees by"


def test_captions_and_vqa_share_the_features_of_their_set():
    both = {"both": {"tasks": ["captions", "vqa"]}, "captions": {"tasks": ["captions"]}}
    found = nodes(intermediates=both)
    assert len(of("features", found)) == 2
    by = nodes(intermediates={**both, "other": {"tasks": ["captions"], "vision": "siglip"}})
    assert len(of("features", by)) == 4


def test_rows_follow_from_the_pictures_of_their_set():
    found = nodes()
    rows = found["results/data/vqa/en.train.parquet"]
    of_set = found["results/data/coco/en.train.parquet"]
    assert rows.inputs["images"] == (of_set.key,) and of_set.key in rows.needs
    assert (rows.spec["images"], rows.spec["pictures"]) == ("coco", digest(of_set.spec))
    assert rows.pins == {"datasets/pminervini/VQAv2", "datasets/AKCIT/coco2017-captioning"}
    fewer = nodes(limits={"coco": {"train": 5}})
    assert fewer["results/data/vqa/en.train.parquet"].spec != rows.spec
    assert fewer["results/data/vqa/en.dev.parquet"].spec == (
        found["results/data/vqa/en.dev.parquet"].spec
    )


def test_positions_change_features_and_not_the_encoder():
    old, new = nodes(), nodes(vision={"dino": {"from": "o/dino", "positions": 9}})
    key = "results/features/dino/coco/dev.json"
    assert old[key].spec != new[key].spec and old[TRAINED].spec != new[TRAINED].spec
    same = ("results/vision/dino/node.json", "results/pins/vision/dino.json")
    assert all(old[key].spec == new[key].spec for key in same)


def test_specs_of_rows_without_pictures_have_no_word_of_them():
    found = nodes(intermediates={"mnli": {"tasks": ["mnli"]}})
    told = {key for node in found.values() for key in node.spec}
    assert not told & {"images", "pictures", "features", "vision", "most_labels", "other_labels"}
    assert not of("features", found) and not of("vision", found) and not of("pin_vision", found)


def test_any_rows_of_a_task_keep_their_pictures():
    any_rows = {"keep": "random", "rows": 10, "balance": False}
    found = nodes(intermediates={"vqa": {"tasks": ["vqa"], "subset": any_rows}})
    picked, training = "results/subsets/m/vqa/seed1.json", found[TRAINED]
    assert found[picked].inputs == {"rows": ("results/data/vqa/en.train.parquet",)}
    assert training.inputs["subset"][0] == picked
    assert training.inputs["features"] == nodes()[TRAINED].inputs["features"]
    assert not of("difficulty", found) and not of("bag_of_words", found)


def test_a_split_of_xgqa_is_a_language_and_a_config_of_gqa_a_split():
    grid = Grid(load({**BASE, "intermediates": {"gqa": {"tasks": ["gqa"]}}}))
    graph = Graph(grid)
    assert graph.prepare("xgqa", "ru", "dev").spec["split"] == "ru"
    assert graph.prepare("gqa", "en", "dev").spec["config"] == "testdev_balanced_instructions"
    assert graph.prepare("gqa_images", "en", "train").spec["config"] == "train_balanced_images"
    assert graph.prepare("xgqa", "ru", "dev").inputs["images"] == (
        "results/data/gqa_images/en.dev.parquet",
    )


def test_labels_of_train_rows_the_most_frequent():
    graph = Graph(Grid(load(BASE)))
    spec = {split: graph.prepare("vqa", "en", split).spec for split in ("train", "dev")}
    assert spec["train"]["most_labels"] == 3129 and "most_labels" not in spec["dev"]
    assert graph.grid.labelled_by("xgqa") == ("gqa", "en", "train")
    assert graph.grid.encoded_spec("vqa", "en", "dev", 64)["other_labels"] is True


def test_the_toy_world_has_one_encoder_of_few_patches():
    toy = {**BASE, "source": "toy", "vision": {"dino": {"from": "o/dino", "positions": 49}}}
    experiment = load(toy)
    assert "vision: dino: 16 positions in place of 49 (source: toy)" in experiment.notes
    found = build(Grid(experiment))
    assert found["results/vision/dino/node.json"].spec["from"] == "toy/vit"
    assert found["results/features/dino/coco/dev.json"].spec["positions"] == 16
    assert found["results/pins/vision/dino.json"].inputs["toy"] == (
        "results/toy/models/toy/vit.json",
    )


def test_features_of_ones_own_need_no_encoder(tmp_path):
    own = {
        "regions": {"format": "images", "base": str(tmp_path),
                    "files": {"train": ["t.safetensors", "t.txt"], "dev": "folder"}},
        "seen": {"format": "classification", "hub": "o/seen", "languages": ["en"],
                 "images": "regions"},
    }  # fmt: skip
    found = nodes(tasks=own, vision={}, intermediates={"seen": {"tasks": ["seen"]}})
    node = found["results/features/own/regions/train.json"]
    assert node.spec["vision"] == "own" and "vision" not in node.inputs
    assert node.inputs["pin"] == ("results/pins/datasets/files/regions/en.train.json",)
    assert not of("vision", found) and not of("pin_vision", found)

    sees = {"seen": {"tasks": ["seen"], "vision": "dino"}}
    line = (
        "intermediates: seen: vision: `dino` sees none of its pictures: .* of `regions` are files"
    )
    with pytest.raises(UserError, match=line):
        nodes(tasks=own, intermediates=sees)


SET = {"format": "images", "hub": "o/set"}
TASK = {"format": "classification", "hub": "o/t", "languages": ["en"], "images": "coco"}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"vision": {"dino": {"from": "o/dino", "positions": 15}}},
            r"vision: dino: positions: must be a square, .*: 9 or 16, not 15",
        ),
        ({"vision": {"dino": {"from": "o/dino", "position": 16}}}, "vision: dino:.*`position`"),
        (
            {"vision": {"dino": {"from": "facebook/dinov2-base", "positions": 400}}},
            "dino: positions: 400 are more than the 256 patches of facebook/dinov2-base; say at mo",
        ),
        (
            {"vision": {"dino": {"from": "FacebookAI/xlm-roberta-base"}}},
            "vision: dino: FacebookAI/xlm-roberta-base reads texts, and no pictures",
        ),
        ({"vision": {"own": {"from": "o/dino"}}}, "vision: `own` stands for features of your own"),
        ({"vision": {}}, "intermediates: vqa: `vqa` has pictures, and no vision encoder is named"),
        (
            {"intermediates": {"vqa": {"tasks": ["vqa"], "vision": "dinoo"}}},
            "intermediates: vqa: vision: there is no vision encoder `dinoo`; did you mean `dino`",
        ),
        ({"targets": ["coco"]}, "targets: `coco` is a set of pictures, which is neither"),
        (
            {"intermediates": {"coco": {"tasks": ["coco"]}}},
            "intermediates: coco: `coco` is a set of pictures, .*; tasks on them: captions, vqa",
        ),
        (
            {"tasks": {"t": {**TASK, "images": "cocoo"}}},
            "task `t`: images: there is no set of pictures `cocoo`; did you mean `coco`",
        ),
        (
            {"tasks": {"t": {**TASK, "images": "mnli"}}},
            "task `t`: images: `mnli` is of format classification, not a set of pictures",
        ),
        (
            {"tasks": {"t": {**TASK, "splits": {"train": "a", "dev": "b", "test": "c"}}}},
            r"task `t`: images: `coco` has no test split \(it has train, dev\)",
        ),
        (
            {"tasks": {"t": {**TASK, "format": "choice"}}},
            "task `t`: images: a task of format choice has no pictures; leave it out",
        ),
        ({"tasks": {"s": {**SET, "metric": "accuracy"}}}, "a set of pictures is not scored"),
        (
            {"tasks": {"s": {**SET, "labels": ["a"]}, "t": {**TASK, "images": "s"}}},
            "task `s`: a set of pictures has no `labels`",
        ),
        ({"tasks": {"coco": {"metric": "accuracy"}}}, "task `coco`: a set of pictures is not"),
        (
            {"intermediates": {"vqa": {"tasks": ["vqa"], "images": False}}},
            "vqa: images: must be true, shuffled or none; did you mean `none`?",
        ),
        (
            {"intermediates": {"vqa": {"tasks": ["vqa"], "images": "no"}}},
            "vqa: images: must be true, shuffled or none; did you mean `none`?",
        ),
        (
            {"intermediates": {"vqa": {"tasks": ["vqa"], "subset": {
                "keep": "lowest", "by": "loss", "rows": 10}}}},
            "subset: how difficult .* has some; say `keep: random`, or `rows` for a sample",
        ),
        ({"tasks": {"s": {**SET, "strata": ["a"]}}}, "a set of pictures is not scored, so it has"),
        (
            {"tasks": {"t": {**TASK, "most_labels": 5}}},
            "task `t`: most_labels: is for labels that are those of the train rows; say",
        ),
        (
            {"tasks": {"t": {**TASK, "labels": "rows", "most_labels": 1}}},
            "task `t`: most_labels: must be at least 2, not 1",
        ),
        (
            {"tasks": {"t": {**TASK, "format": "tagging", "labels": "rows"}}},
            "task `t`: labels: `rows` is for classification",
        ),
        ({"tasks": {"t": {**TASK, "labels": "row"}}}, "task `t`: `labels` must be a list, not 'r"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(changes, line):
    with pytest.raises(UserError, match=line) as error:
        load({**BASE, **changes})
    assert "Traceback" not in str(error.value) and len(str(error.value).splitlines()) == 1
