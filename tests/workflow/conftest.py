"""One finished run, which every test of the workflow starts from."""

import pytest
from tests.workflow.running import Experiment, tiny

FIRST = "first.txt"  # what its run has printed


def pytest_collection_modifyitems(items):
    """Mark everything here, so that `-m "not workflow"` leaves it out."""
    for item in items:
        if "tests/workflow" in item.path.as_posix():
            item.add_marker("workflow")
            item.add_marker(pytest.mark.timeout(1800))  # a busy machine is slow


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished tiny experiment; not to be changed, `done` is a copy for that."""
    experiment = Experiment(tmp_path_factory.mktemp("finished"))
    experiment.write(tiny())
    (experiment.folder / FIRST).write_text(experiment.snakemake().ok().out)
    return experiment


@pytest.fixture
def done(finished, tmp_path):
    """A copy of the finished experiment."""
    return finished.copy(tmp_path / "done")


@pytest.fixture
def plan(finished, tmp_path):
    """From changes of the config to the jobs that a run on the finished results would do."""

    def jobs(**changes):
        path = Experiment(tmp_path).write(tiny(**changes))
        return finished.planned(config=path)

    return jobs
