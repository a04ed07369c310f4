"""The specs of the default, the paper and the rehearsal are those of 0.1.0."""

import json
from pathlib import Path

from xstilts.experiment import config, config_files, graph
from xstilts.experiment.grid import Grid
from xstilts.running.files import digest

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "default": ["config.yaml"],
    "paper": ["experiments/paper.yaml"],
    "rehearsal": ["experiments/paper.yaml", "experiments/rehearsal.yaml"],
}


def digests(names):
    """Kind -> number of outputs, digest of their paths and specs."""
    grid = Grid(config.load(config_files.read([ROOT / name for name in names])))
    kinds = ("prepare", "model", "encode", "intermediate", "tune", "evaluate")
    nodes = [node for node in graph.build(grid).values() if node.rule in kinds]
    found = {path: spec for node in nodes for path, spec in node.outputs.items() if spec}
    for cell in grid.cells if grid.experiment.test_languages else ():
        if grid.test_split(cell.target) == "test":
            for lang in grid.experiment.test_languages[cell.target]:
                found[grid.score(cell, lang, "test")] = digest(grid.score_spec(cell, lang, "test"))
    rooms = {}
    for path, spec in found.items():
        rooms.setdefault(path.split("/")[1], {})[path] = spec
    return {kind: [len(specs), digest(sorted(specs.items()))] for kind, specs in rooms.items()}


def test_no_spec_has_changed():
    recorded = json.loads((Path(__file__).parent / "digests.json").read_text())
    assert {name: digests(files) for name, files in FILES.items()} == recorded
