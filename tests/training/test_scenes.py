"""What the toy encoder learns of pictures: captions are told, questions answered, others of no use.

In the trainings on shuffled pictures all is as in the others but which picture is before a text.
"""

import dataclasses

import numpy as np
import pytest
from tests.training import seeing

from xstilts import formats
from xstilts.analysis import grounding as tables
from xstilts.data import rows as row_functions
from xstilts.encoding import features
from xstilts.encoding.encode import labels_of, pictures_of
from xstilts.encoding.encoded import Encoded
from xstilts.encoding.features import Pictures
from xstilts.encoding.tokenizer import load_tokenizer
from xstilts.experiment.recipe import Recipe
from xstilts.models import checkpoint, pixels
from xstilts.models.vision import Tower
from xstilts.toy import pretrain, spec
from xstilts.toy import vision as toy_vision
from xstilts.toy.catalogue import pictures as catalogue
from xstilts.training import grounding, loop
from xstilts.training.tasks import TrainingTask, with_heads

SCENES, DEV, LENGTH = 2500, 300, 64
TOY = {"languages": ["en", "de"], "sizes": {"train": SCENES, "dev": DEV}, "pretrain": {"steps": 60}}
SPLITS = {"train": "train", "dev": "validation"}
RECIPE = {
    "learning_rate": 1e-3, "image_learning_rate": 1e-3, "batch_size": 32, "dropout": 0.0,
    "eval_every": 10**6, "eval_rows": None,
}  # fmt: skip
METRICS = {"caption": "told", "classification": "accuracy"}


def cpu():
    import torch

    torch.set_num_threads(1)
    return torch.device("cpu")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The toy encoder's folder; split -> rows of captions and questions; features; ids."""
    folder, wanted = tmp_path_factory.mktemp("scenes"), spec.parse(TOY)
    pretrain.write(wanted, folder / "encoder")
    toy_vision.write(folder / "vision", wanted.seed)
    read, tower = pixels.Reader(folder / "vision"), Tower(folder / "vision", 16, cpu())
    raw = {t.split: t.rows for t in catalogue.coco(wanted)}
    asked = {t.split: t.rows for t in catalogue.vqa(wanted)}
    found = {}
    for split, name in SPLITS.items():
        ids = [str(row["image_id"]) for row in raw[name]]
        made = tower(_tensor(read([row["image"]["bytes"] for row in raw[name]])[0]))
        path = seeing.write(folder / f"{split}.safetensors", made.numpy(), split)
        captions = [
            {**one, "image": str(one["image"])}
            for row in raw[name]
            for one in row_functions.coco({**row, "image": row["image_id"]})
        ]
        questions = [row_functions.vqa(row) for row in asked[name]]
        questions = [{**row, "image": str(row["image"]), "text_pair": None} for row in questions]
        questions = [row for row in questions if row["image"] in set(ids)]
        rows = {"caption": captions, "classification": questions}
        found[split] = ids, features.load(path), rows
    return folder / "encoder", found


def _tensor(array):
    import torch

    return torch.from_numpy(array)


def train(world, format, shuffled=False, epochs=6, seed=1):
    """Return what the record of a training says of its pictures."""
    import torch

    folder, found = world
    tokenizer, page = load_tokenizer(folder / "tokenizer.json"), formats.page(format)
    labels = labels_of(found["train"][2][format]) if format == "classification" else []
    data, shown = {}, {}
    for split, (ids, opened, rows) in found.items():
        arrays, _ = page.encode(rows[format], tokenizer, labels, LENGTH)
        arrays["image"] = pictures_of(rows[format], arrays, ids)
        about = {
            "spec": {"labels": labels},
            "pad": tokenizer.pad_token_id,
            "rows": len(rows[format]),
        }
        others = features.derangement(len(opened), seed, f"coco {split}")
        shown[split] = Pictures(opened), Pictures(opened, others)
        data[split] = Encoded(arrays, about, pictures=shown[split][shuffled])
    torch.manual_seed(seed)
    encoder = checkpoint.load_encoder(folder, dropout=0.0)
    task = TrainingTask(
        "scenes", format, RECIPE["batch_size"], labels, {"en": data["train"]}, dev=data["dev"],
        dev_rows=found["dev"][2][format], metric=METRICS[format],
        trained_with=features.SHUFFLED if shuffled else features.OWN, pictures=shown["dev"],
    )  # fmt: skip
    tasks = with_heads([task], encoder)
    about = {"recipe": dataclasses.asdict(Recipe(**{**RECIPE, "epochs": epochs})), "seed": seed}
    best, _ = loop.fit(encoder, tasks, about, cpu(), 4096)
    return grounding.measure(encoder, tasks, best, cpu(), 4096)["grounding"]["scenes"]


def shown(judged):
    """The table of a training and its control, of one seed."""
    keyed = {
        ("xlmr", name, "seed1", "scenes"): {**told, "steps": 1} for name, told in judged.items()
    }
    table = tables.table(keyed, {"own": ["shuffled"]})
    print(tables.text_table(table).rows)
    return table.set_index("intermediate").to_dict("index")


@pytest.mark.slow
def test_captions_are_told_with_their_pictures_alone(world):
    told = train(world, "caption", epochs=4)
    assert told["pictures"]["score"] >= 0.8 > 0.45 > told["shuffled"]["score"]
    assert told["none"]["score"] < 0.45 and told["pictures"]["loss"] < told["none"]["loss"] / 2
    assert shown({"own": told})["own"]["uses"] == "yes"


@pytest.mark.slow
def test_questions_are_answered_with_their_pictures_alone(world):
    judged = {
        "own": train(world, "classification", epochs=10),
        # It has learned by then what there is without pictures, and would be no better after ten.
        "shuffled": train(world, "classification", shuffled=True, epochs=4),
    }
    assert judged["own"]["pictures"]["score"] >= 0.9
    assert judged["shuffled"]["pictures"]["score"] < 0.1
    table = shown(judged)
    assert table["own"]["uses"] == "yes" and table["own"]["helps low"] > 50
    assert table["shuffled"]["uses"] == "no"


def test_shuffled_pictures_are_another_for_every_text_and_the_same_for_those_of_one(world):
    _, found = world
    ids, opened, rows = found["train"]
    instead = features.derangement(len(opened), 1, "coco train")
    of = {row["id"]: ids[instead[ids.index(row["image"])]] for row in rows["caption"][:40]}
    assert all(of[row["id"]] != row["image"] for row in rows["caption"][:40])
    by_picture = {}
    for row in rows["caption"][:40]:
        by_picture.setdefault(row["image"], set()).add(of[row["id"]])
    assert all(len(each) == 1 for each in by_picture.values()) and len(by_picture) == 20
    assert np.unique(instead).size == SCENES
