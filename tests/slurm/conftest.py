"""A cluster for the tests of this folder, and an experiment that is ready to be submitted."""

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from tests.slurm.cluster import LINK, PROGRAMS, Cluster, abandoned
from tests.slurm.submitting import FIRST_STAGE, PLUGIN, RECIPES, TRAINING, Submitting, python
from tests.workflow.running import tiny


def pytest_collection_modifyitems(items):
    """Mark everything here, so that `-m "not slurm"` leaves it out."""
    for item in items:
        if "tests/slurm" in item.path.as_posix():
            item.add_marker("slurm")
            item.add_marker(pytest.mark.timeout(900))


def missing():
    """Why there can be no cluster here; None if there can."""
    if absent := [name for name in PROGRAMS if shutil.which(name) is None]:
        return f"no {', '.join(absent)}: apt-get install slurmctld slurmd slurm-client munge"
    if os.geteuid() != 0:
        return "SLURM's daemons need root"
    if LINK.exists() and not abandoned(LINK):
        return f"this machine has a SLURM of its own: {LINK}"
    if not PLUGIN.is_dir() and not importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        return "no snakemake-executor-plugin-slurm: make test-slurm"
    return None


@pytest.fixture(scope="session")
def cluster():
    """A cluster with two nodes and three GPUs."""
    if reason := missing():
        pytest.skip(reason)
    # A path in /tmp, because a socket's must be short.
    found = Cluster(Path(tempfile.mkdtemp(prefix="xstilts-slurm-")))
    try:
        found.up()
        yield found
    finally:
        found.down()


@pytest.fixture(scope="session")
def prepared(cluster, tmp_path_factory):
    """A tiny experiment of which all local steps are done; `start` makes copies of it."""
    folder = tmp_path_factory.mktemp("prepared")
    experiment = Submitting(folder, cluster, python(tmp_path_factory.mktemp("env")))
    experiment.write(tiny(recipes=RECIPES, targets=["udpos", "tatoeba"]))
    experiment.local("--until", "encode").ok()
    return experiment


@pytest.fixture
def start(prepared, tmp_path):
    """A copy of the prepared experiment in which nothing is trained."""
    experiment = prepared.copy(tmp_path / "start")
    yield experiment
    experiment.end()


@pytest.fixture(scope="session")
def looked_at(prepared, cluster, tmp_path_factory):
    """The same, run to its end on the cluster: what needs no other job by the plain command, the
    rest with faster polling; what SLURM says of each job while a training ran; and a copy of where
    it was between the two."""
    experiment = prepared.copy(tmp_path_factory.mktemp("undisturbed") / "run")
    process = experiment.begin(*FIRST_STAGE.values(), plain=True)
    try:
        experiment.wait_for(TRAINING, "step 1:")
        jobs = cluster.jobs()
        for job in jobs:
            job["limits"] = cluster.ask("scontrol", "show", "job", job["id"])
        experiment.finish(process).ok()
    finally:
        experiment.end()
    half = experiment.copy(tmp_path_factory.mktemp("half") / "run", record=True)
    experiment.submit().ok()
    return experiment, jobs, half


@pytest.fixture(scope="session")
def undisturbed(looked_at):
    """The experiment, run to its end."""
    return looked_at[0]


@pytest.fixture
def half(looked_at):
    """A copy of the experiment in which what needs no other job is done, for one test."""
    yield looked_at[2]
    looked_at[2].end()
