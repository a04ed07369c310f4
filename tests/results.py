"""A folder of results as a finished run leaves it, written without computing anything."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from xstilts.data import prepare
from xstilts.encoding import encoded
from xstilts.experiment import config, graph, grid, plan
from xstilts.running.files import write_json

CONFIG: dict[str, Any] = {
    "source": "hub",
    "models": {"m": {"from": "o/m"}},
    "intermediates": {"mnli": {"tasks": ["mnli"]}},
    "targets": ["xnli", "tatoeba"],
    "languages": ["de", "ru"],
    "seeds": [1, 2],
}
ROWS = {
    "xnli": ("classification", [
        {"id": "0", "text": "ein Hund", "text_pair": "ein Tier", "label": "entailment"},
        {"id": "1", "text": "ein Hund", "text_pair": "kein Tier", "label": "contradiction"},
    ]),
    "tatoeba": ("retrieval", [
        {"id": "0.s", "side": "source", "text": "a dog", "gold": "0.t"},
        {"id": "1.s", "side": "source", "text": "a cat", "gold": "1.t"},
        {"id": "0.t", "side": "target", "text": "ein Hund", "gold": None},
        {"id": "1.t", "side": "target", "text": "eine Katze", "gold": None},
    ]),
}  # fmt: skip
PREDICTIONS = {
    "xnli": [("0", "entailment", 1.0), ("1", "neutral", 0.0)],
    "tatoeba": [("0.s", "0.t", 1.0), ("1.s", "0.t", 0.0)],
}


def write(root: Path, **changes: Any) -> tuple[list[dict[str, str]], dict[str, graph.Node]]:
    """Write `results` below `root`; return the rows of its grid.csv and its nodes.

    `mnli` gains 10 points on `none` and loses 5 on Tatoeba; seed 2 is 2 points above seed 1.
    """
    experiment = config.load(CONFIG | changes)
    asked = grid.Grid(experiment)
    lines = list(plan.rows(asked, asked.cells))
    folder = root / "results"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(dict(experiment.settings)))
    with open(folder / "grid.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    for line in lines:
        cell = grid.Cell(*(line[k] for k in ("model", "intermediate", "seed", "target")))
        _score(root, line, asked.score_spec(cell, line["language"], "dev"))
    made = graph.build(asked, lines)
    for node in made.values():
        _output(root, asked, node)
    return lines, made


def value(line: dict[str, str]) -> float:
    gain = 0.0 if line["intermediate"] == "none" else 0.1 if line["target"] == "xnli" else -0.05
    start = {"de": 0.5, "ru": 0.4}[line["language"]]
    return round(start + gain + (0.02 if line["seed"] == "seed2" else 0.0), 4)


def _score(root: Path, line: dict[str, str], spec: dict[str, Any]) -> None:
    found = value(line)
    about = {k: line[k] for k in ("model", "intermediate", "seed", "target", "language", "metric")}
    score = {
        **about,
        "score": found,
        "metrics": {"accuracy": found},
        "n": 2,
        "spec": spec,
        "pins": {"models/o/m": "r1"},
        "weights": "w1",
        "seconds": 2.0,
        "tokens_per_second": 1000.0,
        "device": "cpu",
        "precision": "fp32",
        "peak_memory": 2**20,
        "versions": {"torch": "2"},
    }
    path = root / line["score"]
    write_json(path, score)
    columns = zip(*PREDICTIONS[line["target"]], strict=True)
    table = pa.table(dict(zip(("id", "prediction", "value"), columns, strict=True)))
    pq.write_table(table, path.with_suffix(".parquet"))


def training(spec: dict[str, Any]) -> dict[str, Any]:
    """The record of a training of 200 steps, 4,000 tokens and 8 seconds."""
    history = [
        {"step": step, "loss": loss, "dev": {"accuracy": score}, "score": score}
        for step, loss, score in ((100, 0.9, 0.5), (200, 0.7, 0.6))
    ]
    return {
        "kind": "train",
        "spec": spec,
        "steps": 200,
        "examples": 50,
        "best": history[1],
        "history": history,
        "seconds": 8.0,
        "tokens": 4000,
        "tokens_per_second": 500.0,
        "device": "cpu",
        "precision": "fp32",
        "peak_memory": 3 * 2**20,
    }


def _output(root: Path, asked: grid.Grid, node: graph.Node) -> None:
    """Write what a node makes, with the spec that is asked for."""
    path, parts = root / node.key, node.name.split("/")
    log = root / node.log
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f"{node.name} is done\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    if node.rule in ("pin_data", "pin_model"):
        write_json(path, {"revision": "r1"})
    elif node.rule == "prepare":
        task, (lang, split) = parts[0], parts[1].split(".")
        format, rows = ROWS.get(task, ROWS["xnli"])
        prepare.write(path, rows, format, {"spec": asked.data_spec(task, lang, split)})
    elif node.rule == "encode":
        (lang, split, length), task = parts[2].split("."), parts[1]
        spec = asked.encoded_spec(task, lang, split, int(length))
        arrays = encoded.pack([[0, 5, 6, 2]] * 50)
        encoded.Encoded(arrays, {"spec": spec, "tokenizer": "t1"}).save(path)
    elif node.rule == "model":
        about = {"hidden_size": 8, "layers": 2, "parameters": 10_000, "vocab_size": 100}
        write_json(path, {"kind": "model", "spec": asked.model_spec(parts[0]), **about})
    elif node.rule == "intermediate":
        write_json(path, training(asked.encoder_spec(*parts)))
    elif node.rule == "tune":
        write_json(path, training(asked.tuned_spec(*parts)))
    for other in node.outputs:
        if other.endswith("model.safetensors"):
            (root / other).write_bytes(b"weights")


def change(path: Path, **values: Any) -> None:
    """Change some keys of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
