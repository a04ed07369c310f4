"""Trainings with pictures, as their step has them, on a set of a few pictures.

A picture is of one of three words and a number; its features say which, in noise. A caption says
both, a question of it is answered by the word.
"""

import argparse
import dataclasses
import hashlib
import json

import numpy as np
from safetensors.numpy import save_file
from tests import helpers

from xstilts.encoding.encode import pictures_of
from xstilts.experiment.recipe import Recipe
from xstilts.running.files import digest, read_json, write_json
from xstilts.steps import train as train_step

LABELS = ("cat", "dog", "big")
POSITIONS, WIDTH = 4, 12
SIZES = {"train": 240, "dev": 60}
FAST = {"learning_rate": 5e-3, "image_learning_rate": 5e-3, "batch_size": 16, "dropout": 0.0}


def rows_of(format, split):
    """Two texts a picture, in another order than the pictures are."""
    draw = np.random.default_rng([len(split), 7])
    rows = []
    for at in draw.permutation(2 * SIZES[split]):
        word, number = LABELS[(at // 2) % 3], (at // 2) % 5
        asked = {"text": "who sees", "text_pair": None, "label": word}
        told = {"text": f"{word} on {number}"}
        row = {"id": str(at), "image": f"p{at // 2}"}
        rows.append(row | (asked if format == "classification" else told))
    return rows


def write_features(folder, split):
    """The features of the pictures of a split, and their record; return the path."""
    draw = np.random.default_rng(len(split))
    features = 0.2 * draw.normal(size=(SIZES[split], POSITIONS, WIDTH))
    for picture in range(SIZES[split]):
        features[picture, 0, picture % 3] += 2
        features[picture, 1, 3 + picture % 5] += 2
    return write(folder / f"{split}.safetensors", features.astype(np.float16), split)


def write(path, features, split):
    """Write features, and the record of those of a split; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"features": features}, path)
    spec = {"kind": "features", "split": split}
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    pins = {"datasets/o/pictures": "r3", "models/o/vision": "r4"}
    made = {"spec": spec, "pins": pins, "sha256": content, "unreadable": []}
    write_json(path.with_suffix(".json"), made)
    return path


def encode(tokenizer, format, rows, labels=(), split="train"):
    """Encoded rows with the numbers of their pictures, as the step makes them."""
    data = helpers.encode(tokenizer, format, rows, labels, length=24, split=split)
    ids = [f"p{at}" for at in range(SIZES[split])]
    return dataclasses.replace(
        data, arrays=data.arrays | {"image": pictures_of(rows, data.arrays, ids)}
    )


class Training:
    """The files and the spec of a training; `run` is the step.

    `order`: what is before the texts: `pictures`, `shuffled`, or `none`.
    """

    def __init__(self, folder, tokenizer, formats, order="pictures", seed=1, **recipe):
        self.init, self.paths, self.features = folder / "init", [], []
        chosen = dataclasses.asdict(Recipe(**{**FAST, **recipe}))
        tasks = []
        for format in formats:
            labels = LABELS if format == "classification" else ()
            own, specs = {}, {}
            for split in SIZES:
                rows = rows_of(format, split)
                data = encode(tokenizer, format, rows, labels, split)
                own[split] = helpers.write_encoded(folder / f"{format}.{split}.st", data)
                specs[split] = {"en": digest(data.meta["spec"])}
                prepared = helpers.write_rows(folder / f"{format}.{split}.parquet", format, rows)
            self.paths.append((own["train"], own["dev"], prepared))
            metric = "accuracy" if labels else "told"
            told = {"format": format, "labels": list(labels), "metric": metric, "images": "things"}
            tasks.append({"task": f"a {format}", **told, "batch_size": 16, **specs})
        if not self.init.exists():
            helpers.write_model(self.init)
        parent = digest(read_json(self.init / "node.json")["spec"])
        self.spec = {"kind": "train", "parent": parent, "tasks": tasks, "cap": None}
        self.spec |= {"recipe": chosen, "seed": seed, "version": 1}
        if order != "pictures":
            self.spec["shown"] = order
        if order != "none":
            self.features = [write_features(folder / "features", split) for split in SIZES]
            of = {s: digest({"kind": "features", "split": s}) for s in SIZES}
            self.spec["features"] = {"things": of}

    def run(self, out, save_every=600, budget=2000, **options):
        """Run the step; return the record."""
        train, dev, rows = zip(*self.paths, strict=True)
        command = [
            "--spec", json.dumps(self.spec), "--init", self.init, "--train", *train, "--dev", *dev,
            "--dev-rows", *rows, "--features", *self.features, "--state", f"{out}.state",
            "--save-every", save_every, "--budget", budget, "--out", out,
        ]  # fmt: skip
        for name, value in options.items():
            command += [f"--{name}", value]
        args: argparse.Namespace = train_step.parser().parse_args([*map(str, command)])
        train_step.main(args)
        return read_json(out / "node.json")
