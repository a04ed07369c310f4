"""The plan: what the tables are told of the grid."""

import argparse
import csv
import json

from tests.experiment.test_grid import BASE, make

from xstilts.running.files import digest
from xstilts.steps import plan as plan_step


def test_the_step_writes_the_grid_and_the_resolved_config(tmp_path, capsys):
    import yaml

    out, resolved = tmp_path / "grid.csv", tmp_path / "config.yaml"
    plan_step.main(
        argparse.Namespace(config=json.dumps(BASE), out=str(out), resolved=str(resolved))
    )
    with open(out, newline="") as file:
        rows = list(csv.DictReader(file))
    found = make()
    # German and English everywhere, but Tatoeba has no English.
    assert len(rows) == 8 * 2 + 3
    assert rows[0] == {
        "model": "m", "intermediate": "none", "seed": "seed1", "target": "xquad", "language": "de",
        "split": "dev", "metric": "squad", "score": "results/scores/m/none/seed1/xquad/de.json",
        "spec": digest(found.score_spec(found.cells[0], "de", "dev")),
    }  # fmt: skip
    assert yaml.safe_load(resolved.read_text()) == found.experiment.settings
    assert capsys.readouterr().out == "11 cells, 19 score files\n"
