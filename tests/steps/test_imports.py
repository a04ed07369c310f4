"""What a step imports before it knows what it has to do: a grid is a thousand processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests import helpers

import xstilts
from xstilts.data import prepare
from xstilts.running.files import digest

# Each with what those before it may import too. Nothing else of `HEAVY`, torch above all.
ALLOWED = {
    (): (
        "arguments",
        "claim_gpus",
        "generator",
        "manifest",
        "model",
        "orphans",
        "process",
        "toy_backbone",
        "toy_model",
        "toy_vision",
        "vision",
        "translator",
    ),
    ("numpy", "pyarrow"): (
        "bag_of_words",
        "control",
        "features",
        "filter",
        "generate",
        "lexicon",
        "overlap",
        "prepare",
        "round_trip",
        "subset",
        "toy_world",
        "translate",
    ),
    ("safetensors",): ("choose", "consistency", "evaluate", "train"),
    ("tokenizers",): ("align", "encode", "similarity"),
    ("jsonschema",): ("check", "pin", "plan", "predict", "submission", "unused"),
    ("pandas",): ("estimate", "export", "select", "status"),
    ("scipy", "matplotlib"): ("figures", "report", "tables"),
}
HEAVY = {name for names in ALLOWED for name in names} | {
    "torch", "transformers", "datasets", "huggingface_hub", "snakemake", "seqeval", "sklearn",
}  # fmt: skip
IMPORTS = """
import importlib, json, sys
for step in json.loads(sys.argv[1]):
    module = importlib.import_module(f"xstilts.steps.{step}")
    if hasattr(module, "parser"):
        module.parser()
    print(json.dumps([step, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def python(code: str, *words: str) -> list[str]:
    """Return the lines that a Python process prints."""
    env = os.environ | {"PYTHONPATH": str(xstilts.WORKFLOW)}
    command = [sys.executable, "-c", code, *words]
    said = subprocess.run(command, env=env, capture_output=True, text=True)
    assert not said.returncode, said.stderr
    return said.stdout.splitlines()


def test_a_step_imports_what_it_is_allowed_to():
    steps = [step for group in ALLOWED.values() for step in group]
    files = Path(xstilts.__file__).with_name("steps").glob("[!_]*.py")
    assert sorted(steps) == sorted(path.stem for path in files), "a new step is in the list"
    found = dict(json.loads(line) for line in python(IMPORTS, json.dumps(steps)))
    allowed: set[str] = set()
    for libraries, group in ALLOWED.items():
        allowed |= set(libraries)
        for step in group:
            assert HEAVY.intersection(found[step]) <= allowed, step


def test_rows_are_encoded_without_torch(tmp_path):
    rows = [{"id": "a", "text": "the cat", "text_pair": "a dog", "label": "x"}]
    helpers.make_tokenizer(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"pad_token_id": 1}))
    helpers.write_rows(tmp_path / "rows.parquet", "classification", rows)
    spec = {
        "format": "classification", "labels": ["x"], "max_length": 16, "no_answer": False,
        "data": digest(prepare.metadata(tmp_path / "rows.parquet")["spec"]),
    }  # fmt: skip
    code = """
import sys
from xstilts.steps import encode
encode.main(encode.parser().parse_args())
print(*{"torch", "transformers", "pandas"}.intersection(sys.modules))
"""
    words = ["--spec", json.dumps(spec), "--rows", f"{tmp_path}/rows.parquet"]
    words += ["--tokenizer", f"{tmp_path}/tokenizer.json", "--out", f"{tmp_path}/out.safetensors"]
    said, heavy = python(code, *words)
    assert (said.partition(",")[0], heavy) == ("1 rows", "")
