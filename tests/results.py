"""A folder of results as a finished run leaves it, written without computing anything."""

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from xstilts.data import prepare
from xstilts.encoding import encoded
from xstilts.experiment import cells as grid_cells
from xstilts.experiment import config, graph, grid, plan
from xstilts.experiment.nodes import TRAININGS, Node, checkpoint_files
from xstilts.monitoring import claims, products
from xstilts.running.files import digest, write_json

CONFIG: dict[str, Any] = {
    "source": "hub",
    "models": {"m": {"from": "o/m"}},
    "intermediates": {"mnli": {"tasks": ["mnli"]}},
    "targets": ["xnli", "tatoeba"],
    "languages": ["de", "ru"],
    "seeds": [1, 2],
}
NAME = "e"  # of the experiment
HOME = f"results/experiments/{NAME}"
REVISION = "r1"  # of every data set and model
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


def write(root: Path, **changes: Any) -> tuple[list[dict[str, str]], dict[str, Node]]:
    """Write `results` below `root`; return the rows of its grid.csv and its nodes.

    `mnli` gains 10 points on `none` and loses 5 on Tatoeba; seed 2 is 2 points above seed 1. The
    tables and what follows from them are left to who wants them.
    """
    experiment = config.load(CONFIG | changes)
    asked = grid.Grid(experiment)
    lines, made = list(plan.rows(asked, asked.cells)), graph.build(asked)
    write_plan(root, experiment, lines, made)
    for line in lines:
        cell = grid_cells.Cell(*(line[k] for k in grid_cells.CELL))
        node = made[f"{asked.scores('dev')}/{cell}/cell.json"]
        _score(root, line, asked.score_spec(cell, line["language"], "dev"), pins_of(node))
    for node in made.values():
        write_node(root, node)
    return lines, made


def write_plan(
    root: Path,
    experiment: config.Experiment,
    lines: list[dict[str, str]],
    nodes: dict[str, Node],
    name: str = NAME,
    lock: str = "",
) -> None:
    """Write what the step `plan` makes, but for its record."""
    folder = root / products.home(name)
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(dict(experiment.settings)))
    write_json(folder / claims.NODES, claims.content(name, lock, nodes))
    plan.write(lines, folder / "grid.csv")


def pins_of(node: Node) -> dict[str, str]:
    """Return the pins that the record of a node has."""
    return dict.fromkeys(sorted(node.pins), REVISION)


def value(line: dict[str, str]) -> float:
    gain = 0.0 if line["intermediate"] == "none" else 0.1 if line["target"] == "xnli" else -0.05
    start = {"de": 0.5, "ru": 0.4}[line["language"]]
    return round(start + gain + (0.02 if line["seed"] == "seed2" else 0.0), 4)


def _score(root: Path, line: dict[str, str], spec: dict[str, Any], pins: dict[str, str]) -> None:
    found = value(line)
    about = {k: line[k] for k in ("model", "intermediate", "seed", "target", "language", "metric")}
    score = {
        **about,
        "score": found,
        "metrics": {"accuracy": found},
        "n": 2,
        "spec": spec,
        "pins": pins,
        "weights": "w1",
        "fingerprint": digest(spec),
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


def write_node(root: Path, node: Node) -> None:
    """Write what a node makes and its log, by the spec that is asked for; of a cell `cell.json`."""
    path, parts = root / node.key, node.name.split("/")
    log = root / node.log
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f"{node.name} is done\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    record: dict[str, Any] = {"spec": dict(node.spec), "pins": pins_of(node)}
    if node.rule in ("pin_data", "pin_model"):
        about = {"kind": node.spec["of"], "name": node.spec["name"], "requested": "main"}
        about |= {"source": "hub", "revision": REVISION}
        write_json(path, {"spec": dict(node.spec), **about})
    elif node.rule == "prepare":
        format, rows = ROWS.get(parts[0], ROWS["xnli"])
        pin = {"source": "hub", "revision": REVISION}
        prepare.write(path, rows, format, {"spec": dict(node.spec), "pin": pin})
    elif node.rule == "encode":
        arrays = encoded.pack([[0, 5, 6, 2]] * 50)
        encoded.Encoded(arrays, {**record, "tokenizer": "t1"}).save(path)
    elif node.rule == "model":
        about = {"hidden_size": 8, "layers": 2, "parameters": 10_000, "vocab_size": 100}
        write_json(path, {"kind": "model", **record, **about, "weights": "w1", "tokenizer": "t1"})
    elif node.rule in TRAININGS:
        write_json(path, {**training(record["spec"]), "pins": record["pins"], "weights": "w1"})
    elif node.rule == "choose":
        write_json(path, {**record, "chosen": REVISION})
    elif node.rule == "evaluate":
        scores = {
            Path(score).stem: json.loads((root / score).read_text()) for score in node.outputs
        }
        cell = dict(zip(grid_cells.CELL, parts, strict=True))
        values = {lang: score["score"] for lang, score in scores.items()}
        marks = {lang: score["fingerprint"] for lang, score in scores.items()}
        write_json(path, {**cell, **record, "scores": values, "fingerprints": marks})
    else:  # the toy world, and manifests
        write_json(path, record)
    if node.rule in ("model", "intermediate", "tune"):
        for other in checkpoint_files(os.path.dirname(node.key)):
            if other != node.key:
                (root / other).write_bytes(b"weights")
    elif node.rule in ("toy_model", "toy_backbone"):
        (path.with_suffix("")).mkdir()
        (path.with_suffix("") / "model.safetensors").write_bytes(b"weights")


def change(path: Path, **values: Any) -> None:
    """Change some keys of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
