"""From the start of a process to its first batch, beside the bare cost of torch and the weights.

    PYTHONPATH=workflow python -m tests.bench.startup [--model DIR] [--before DIR] [--repeats N]

Fresh processes, interleaved: `bare` imports torch and loads the weights with safetensors; `train`
and `evaluate` run the steps until the first batch is made. Encoders: of the toy world's shape, and
`--model` (in fp32, with MNLI's 393 k train rows). `--before` is a `workflow` folder of another
version, timed too. Prints medians of the wall time and of the CPU time, in seconds, and their
ratios to `bare`; and what importing each step takes, without a model.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tests import helpers

from xstilts import WORKFLOW
from xstilts.encoding.encoded import Encoded
from xstilts.experiment.recipe import Recipe
from xstilts.running.files import digest, read_json, sha256, write_json

BARE = """
import os, sys
import torch
from safetensors.torch import load_file
load_file(sys.argv[1])
os._exit(0)
"""
STEP = """
import os, runpy, sys
from xstilts.formats import classification
classification.collate = lambda *args: os._exit(0)
name = sys.argv.pop(1)
runpy.run_module(name, run_name="__main__", alter_sys=True)
"""
LABELS = ["contradiction", "neutral", "entailment"]
STEPS = sorted(p.stem for p in (WORKFLOW / "xstilts/steps").glob("*.py") if p.stem != "__init__")


def timed(code: str, arguments: list[str], workflow: Path) -> tuple[float, float]:
    """Return wall and CPU seconds of a Python process."""
    env = os.environ | {"PYTHONPATH": str(workflow), "OMP_NUM_THREADS": "1"}
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=env, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{arguments}: ended with {process.returncode}")
    return time.perf_counter() - start, used.ru_utime + used.ru_stime


def repeated(data: Encoded, times: int) -> Encoded:
    """Return the examples of a classification task many times over."""
    tokens = len(data.arrays["tokens"])
    arrays = {k: np.tile(v, times) for k, v in data.arrays.items() if k not in ("starts", "groups")}
    starts = [data.arrays["starts"][:-1] + i * tokens for i in range(times)]
    arrays["starts"] = np.concatenate([*starts, [tokens * times]])
    arrays["groups"] = np.arange(len(arrays["starts"]))
    return Encoded(arrays, data.meta | {"rows": data.meta["rows"] * times})


def inputs(folder: Path, model: Path | None) -> dict[str, tuple[str, list[str]]]:
    """Write the files of a training and an evaluation; return way -> code and arguments."""
    made = helpers.write_model(folder / "model", layers=3, hidden=128)
    pieces = helpers.make_tokenizer(folder / "tokenizer")
    if model:
        import torch
        from safetensors.torch import load_file, save_file

        shutil.copyfile(model / "config.json", made / "config.json")
        weights = {
            k: v.to(torch.float32) for k, v in load_file(model / "model.safetensors").items()
        }
        save_file(weights, made / "model.safetensors", metadata={"format": "pt"})
        write_json(made / "config.json", read_json(made / "config.json") | {"dtype": "float32"})
    node = read_json(made / "node.json") | {"weights": sha256(made / "model.safetensors")}
    write_json(made / "node.json", node)
    rows = [
        {"id": str(i), "text": "the cat sat on " * 4, "text_pair": "not", "label": LABELS[i % 3]}
        for i in range(393)
    ]
    specs = {}
    for split, times in (("train", 1000 if model else 10), ("dev", 1)):
        data = helpers.encode(pieces, "classification", rows, LABELS, split=split)
        helpers.write_encoded(folder / f"{split}.safetensors", repeated(data, times))
        specs[split] = digest(data.meta["spec"])
    helpers.write_rows(folder / "dev.parquet", "classification", rows)
    spec = {
        "kind": "train", "task": "nli", "format": "classification", "labels": LABELS,
        "metric": "accuracy", "recipe": Recipe().spec(), "seed": 1,
        "parent": digest(node["spec"]), **specs,
    }  # fmt: skip
    train = [
        "xstilts.steps.train", "--spec", json.dumps(spec), "--init", str(made),
        "--train", f"{folder}/train.safetensors", "--dev", f"{folder}/dev.safetensors",
        "--dev-rows", f"{folder}/dev.parquet", "--state", f"{folder}/state",
        "--out", f"{folder}/out",
    ]  # fmt: skip
    score = {
        "kind": "score", "model": digest(node["spec"]), "metric": "accuracy",
        "encoded": specs["dev"], "retrieval_layer": None,
    }  # fmt: skip
    listed = [f"{folder}/dev.parquet", f"{folder}/dev.safetensors", specs["dev"]]
    write_json(folder / "manifest.json", {"spec": {"languages": {"en": listed}}})
    hidden = read_json(made / "config.json")["hidden_size"]
    write_head(made, hidden)
    evaluate = [
        "xstilts.steps.evaluate", "--cell", "m/none/seed1/nli", "--specs",
        json.dumps({"en": score}), "--model", str(made), "--manifest",
        f"{folder}/manifest.json", "--state", f"{folder}/state", "--out", f"{folder}/scores",
    ]  # fmt: skip
    bare = [str(made / "model.safetensors")]
    return {"bare": (BARE, bare), "train": (STEP, train), "evaluate": (STEP, evaluate)}


def write_head(folder: Path, hidden: int) -> None:
    """Write the head of a classification."""
    from types import SimpleNamespace

    from safetensors.torch import save_file

    from xstilts.formats import classification

    config = SimpleNamespace(hidden_size=hidden, initializer_range=0.02, hidden_dropout_prob=0.1)
    head = classification.head(SimpleNamespace(config=config), LABELS)
    save_file(head.state_dict(), folder / "head.safetensors")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    versions = {"now": WORKFLOW, **({"before": args.before} if args.before else {})}
    print(
        f"{'':28}{'wall s':>8}{'ratio':>8}{'CPU s':>8}{'ratio':>8}   load {os.getloadavg()[0]:.1f}"
    )
    for model in (None, *([args.model] if args.model else [])):
        with tempfile.TemporaryDirectory() as temporary:
            ways = inputs(Path(temporary), model)
            runs = {("bare", "")} | {(w, v) for w in ("train", "evaluate") for v in versions}
            taken = {run: [] for run in sorted(runs)}
            for _ in range(args.repeats):
                for way, version in taken:
                    code, arguments = ways[way]
                    where = versions.get(version, WORKFLOW)
                    taken[way, version].append(timed(code, arguments, where))
        middle = {
            run: [statistics.median(t) for t in zip(*all_, strict=True)]
            for run, all_ in taken.items()
        }
        wall, cpu = middle["bare", ""]
        for (way, version), (w, c) in middle.items():
            name = f"{model.name[:9] if model else 'toy'} {way} {version}"
            print(f"{name:28}{w:8.2f}{w / wall:8.2f}{c:8.2f}{c / cpu:8.2f}")
    for step in STEPS:
        each = [timed(f"import xstilts.steps.{step}", [], WORKFLOW) for _ in range(args.repeats)]
        w, c = (statistics.median(t) for t in zip(*each, strict=True))
        print(f"import {step:21}{w:8.2f}{'':8}{c:8.2f}")


if __name__ == "__main__":
    main()
