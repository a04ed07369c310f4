"""The wheel in an environment of its own: the workflow has travelled in it."""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from tests.workflow.running import ROOT, Experiment, handed_over, run, tiny, xstilts

# The libraries of this environment: to install them again takes minutes, and is pip's work.
LIBRARIES = sysconfig.get_path("purelib")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = handed_over(folder / "source")
    words = ["wheel", "-qq", "--no-build-isolation", "--no-deps", "-w", folder, source]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    [path] = folder.glob("xstilts-*.whl")
    return path


@pytest.fixture(scope="module")
def fresh(wheel, tmp_path_factory):
    """The folder of a new virtual environment with the wheel in it."""
    folder = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages(folder) / "libraries.pth").write_text(f"{LIBRARIES}\n")
    words = ["--python", folder / "bin/python", "install", "-qq", "--no-deps", wheel]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    return folder


def packages(folder: Path) -> Path:
    return next(folder.glob("lib/python3*/site-packages"))


def test_all_that_a_run_reads_is_in_it(wheel):
    with zipfile.ZipFile(wheel) as file:
        inside = {name.removeprefix("xstilts/") for name in file.namelist()}
    kinds = ("workflow", "experiments", "envs")
    beside = ["Snakefile", "config.yaml", "profiles/default/config.yaml"]
    for path in [*beside, *(p for kind in kinds for p in (ROOT / kind).rglob("*"))]:
        name = str((ROOT / path).relative_to(ROOT))
        if (ROOT / path).is_dir() or "__pycache__" in name or ".egg-info" in name:
            continue
        assert name.removeprefix("workflow/xstilts/") in inside, name


def test_the_command_runs_from_it(fresh, tmp_path):
    said = run([fresh / "bin/xstilts", "--where"], tmp_path).ok()
    assert said.out == f"{packages(fresh) / 'xstilts'}\n"
    experiment = Experiment(tmp_path)
    experiment.write(tiny(targets=["tatoeba"], languages=["de"], intermediates={}), "my.yaml")
    counted = run([fresh / "bin/xstilts", "check", "my.yaml"], tmp_path).ok()
    assert counted.out.startswith("1 cells, ")
    done = xstilts(tmp_path, "run", "my.yaml", "--cores", "2", packages=packages(fresh)).ok()
    assert str(packages(fresh) / "xstilts/Snakefile") in done.out
    assert f"{ROOT}/workflow" not in done.out, "nothing of the clone was used"
    assert done.out.endswith(experiment.read("experiments/my/tables/main.md"))
    page = experiment.read("experiments/my/report.html")
    assert "<script" in page and "tatoeba" in page
    counted = xstilts(tmp_path, "check", "my.yaml", packages=packages(fresh)).ok()
    assert counted.out == "1 cells, 0 jobs to run, nothing wrong\n"


def test_other_environments_need_a_clone(fresh, tmp_path):
    Experiment(tmp_path).write(tiny(), "my.yaml")
    words = ["run", "my.yaml", "-n", "--", "--sdm", "conda"]
    said = xstilts(tmp_path, *words, packages=packages(fresh))
    said.failed("--software-deployment-method: use a clone; from a wheel")
