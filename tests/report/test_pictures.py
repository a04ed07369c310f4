"""The command that makes the pictures of the README."""

import subprocess
import sys
from pathlib import Path

from PIL import Image
from tests import results
from tests.report.test_browser import render

ROOT = Path(__file__).parents[2]


def pictures(experiment, out):
    command = [sys.executable, ROOT / "docs/pictures.py", "--experiment", experiment, "--out", out]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_pictures_are_made_of_a_finished_experiment(tmp_path, browser):
    results.write(tmp_path)
    home, out = tmp_path / results.HOME, tmp_path / "images"
    said = pictures(home, out)
    assert said.returncode == 1 and said.stderr == (
        f"{home}/figures/heatmap.png: there is no such file; `make run` makes it\n"
    )
    (home / "figures").mkdir()
    Image.new("RGBA", (40, 30), "#185a9680").save(home / "figures/heatmap.png")
    render(tmp_path)
    said = pictures(home, out)
    assert said.returncode == 0, said.stderr
    sizes = {path.name: Image.open(path).size for path in out.iterdir()}
    assert sizes == {"heatmap.png": (40, 30), "report.png": (1100, 1180)}


def test_the_pictures_of_the_readme_are_small():
    assert 0 < sum(path.stat().st_size for path in (ROOT / "docs/images").iterdir()) < 300_000
