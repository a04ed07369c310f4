"""How long Snakemake plans: the paper's grid, the same when all is done, one ten times as large.

    PYTHONPATH=workflow:. .venv/bin/python -m tests.bench.planning

Seconds beyond `snakemake --version`, the median of three; peak memory of the process. Records are
written as a finished run leaves them; nothing is computed.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from xstilts.experiment import config, config_files
from xstilts.experiment.graph import Graph
from xstilts.experiment.grid import Grid
from xstilts.monitoring import products
from xstilts.running.files import write_json

ROOT = Path(__file__).resolve().parents[2]
PAPER = config_files.read([ROOT / "experiments/paper.yaml"])
PAPER["tasks"] = {
    name: {"hub": f"o/{name}"} for name in PAPER["tasks"]
}  # not folders: none are here
SNAKEMAKE = [sys.executable, "-m", "snakemake"]


def larger() -> dict[str, Any]:
    """A grid ten times as large: 5 models, 26 rows, 6 seeds, 14 targets."""
    rows = PAPER["intermediates"]
    more = {f"{name}-{copy}": entry for name, entry in rows.items() for copy in (1, 2, 3)}
    names = dict(list(more.items())[:25])
    tasks = PAPER["tasks"] | {
        f"{name}_{copy}": {**TASKS[name], **PAPER["tasks"].get(name, {})}
        for name, copy in (("xnli", 2), ("pawsx", 2), ("udpos", 2), ("wikiann", 2), ("xquad", 2))
    }
    return PAPER | {
        "models": {f"m{number}": {"from": f"o/m{number}"} for number in range(5)},
        "intermediates": names,
        "targets": [*PAPER["targets"], *(name for name in tasks if name.endswith("_2"))],
        "tasks": tasks,
        "seeds": [1, 2, 3, 4, 5, 6],
        "recipes": {},
        "test": False,
        "questions": {},
    }


def _tasks() -> dict[str, Any]:
    from xstilts.experiment import tasks

    return tasks.known()


TASKS = _tasks()


def finish(settings: dict[str, Any], root: Path) -> None:
    """Write the records of a finished run below `root`."""
    graph = Graph(Grid(config.load(settings)))
    split = graph.grid.experiment.settings["split"]
    for cell in graph.grid.cells:
        node = graph.evaluate(cell, split)
        fingerprints = {Path(path).stem: "0" * 16 for path in node.outputs}
        pins = dict.fromkeys(node.pins, "1")
        record = {"spec": dict(node.spec), "pins": pins, "fingerprints": fingerprints}
        write_json(root / node.key, record)
        for path in node.outputs:
            spec = graph.grid.score_spec(cell, Path(path).stem, split)
            (root / path).write_text(json.dumps({"spec": spec, "pins": pins}))
            (root / path).with_suffix(".parquet").touch()
    listed = products.listed(graph, "c")
    for node in graph.nodes.values():
        if node.rule in ("pin_data", "pin_model"):
            about = {"kind": node.spec["of"], "name": node.spec["name"], "requested": "main"}
            write_json(root / node.key, {"spec": dict(node.spec), "revision": "1", **about})
    entries: dict[str, Any] = {"datasets": {}, "models": {}}
    for node in graph.nodes.values():
        if node.rule in ("pin_data", "pin_model"):
            entry = {"source": "hub", "requested": "main", "revision": "1"}
            entries[node.spec["of"]][node.spec["name"]] = entry
    (root / "c.lock").write_text(yaml.safe_dump(entries))
    grid = "model,intermediate,seed,target,language,score,spec,row\n"
    for product in listed:
        for path in product.outputs:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(grid if path.endswith("test/grid.csv") else "")
        record = products.spec(product.rule, product.inputs, product.about, root)
        write_json(root / products.record_of(products.home("c"), product.rule), {"spec": record})


def timed(command: list[str], cwd: Path) -> tuple[float, int, str]:
    """Return seconds, peak memory in MB and output of a command."""
    start = time.monotonic()
    timer = ["/usr/bin/env", "time", "-f", "%M"]
    run = subprocess.run([*timer, *command], cwd=cwd, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start
    assert run.returncode == 0, run.stdout + run.stderr
    *said, peak = run.stderr.strip().splitlines()
    return seconds, int(peak) // 1000, run.stdout + "\n".join(said)


def measure(
    name: str, settings: dict[str, Any], args: list[str], done: bool, repeats: int
) -> dict[str, Any]:
    """Plan in a new folder; return what was measured."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "c.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
        if done:
            finish(settings, root)
        command = [
            *SNAKEMAKE, "--snakefile", str(ROOT / "Snakefile"), "--configfile", "c.yaml",
            "--cores", "2", *args,
        ]  # fmt: skip
        runs = [timed(command, root) for _ in range(repeats)]
        if done:
            assert "Nothing to be done" in runs[0][2], runs[0][2]
        jobs = next((line for line in runs[0][2].splitlines() if line.startswith("total")), "0 0")
        return {
            "what": name, "jobs": int(jobs.split()[1]), "peak MB": max(run[1] for run in runs),
            "seconds": statistics.median(run[0] for run in runs),
        }  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the paper's grid alone")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    times = range(args.repeats)
    bare = statistics.median(timed([*SNAKEMAKE, "--version"], ROOT)[0] for _ in times)
    dry = ["--dry-run", "--quiet", "rules"]
    cases: list[tuple[str, dict[str, Any], list[str], bool]] = [
        ("paper, nothing there", PAPER, dry, False),
        ("paper, all done", PAPER, ["-n"], True),
    ]
    if not args.quick:
        large = larger()
        cases += [
            ("ten times, nothing there", large, dry, False),
            ("ten times, all done", large, ["-n"], True),
        ]
    print(f"snakemake --version: {bare:.2f} s; seconds beyond that:\n")
    print(f"{'':26}{'cells':>8}{'jobs':>8}{'seconds':>9}{'ms a cell':>11}{'peak MB':>9}")
    for name, settings, options, done in cases:
        cells = len(Grid(config.load(settings)).cells)
        row = measure(name, settings, options, done, args.repeats)
        beyond = row["seconds"] - bare
        each = 1000 * beyond / cells
        print(f"{name:26}{cells:8}{row['jobs']:8}{beyond:9.1f}{each:11.1f}{row['peak MB']:9}")


if __name__ == "__main__":
    main()
