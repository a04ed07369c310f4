"""The private SLURM: what a machine that was switched off leaves does not stop the next one."""

import os
import subprocess
import sys

import pytest
from tests.slurm.cluster import abandoned


@pytest.fixture
def link(tmp_path):
    """The link to the configuration of a cluster whose controller is this process's child."""
    state = tmp_path / "cluster"
    for name in ("etc", "run"):
        (state / name).mkdir(parents=True)
    (state / "etc/slurm.conf").touch()
    link = tmp_path / "slurm.conf"
    link.symlink_to(state / "etc/slurm.conf")
    code = "import sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        (state / "run/slurmctld.pid").write_text(str(process.pid))
        yield link
        process.stdin.close()


def test_the_link_of_a_cluster_that_runs_is_kept(link):
    assert not abandoned(link)


@pytest.mark.parametrize("left", ["no folder", "no number", "another process"])
def test_the_link_of_a_cluster_that_is_gone_is_taken_over(link, left):
    number = link.resolve().parents[1] / "run/slurmctld.pid"
    if left == "another process":
        number.write_text(str(os.getppid()))
    elif left == "no number":
        number.unlink()
    else:
        link.unlink()
        link.symlink_to("/tmp/no-such-cluster/etc/slurm.conf")
    assert abandoned(link)


def test_the_slurm_of_a_machine_is_not_ours(tmp_path):
    (tmp_path / "slurm.conf").touch()
    assert not abandoned(tmp_path / "slurm.conf")
