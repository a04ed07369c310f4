import os
import subprocess
import sys
from pathlib import Path

import pytest

from xstilts.running import gpus
from xstilts.running.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
# A process of its own: claims what is free, says so, and holds it until its input ends.
HOLD = """
import os, sys
from pathlib import Path
from xstilts.running import gpus
gpus.FOLDER = Path(sys.argv[1])

class Need:
    least, likely = int(os.environ.get("LEAST", 0)), lambda self: int(os.environ.get("LIKELY", 0))
    avoided = lambda self: {os.environ.get("AVOIDED")}

print(gpus.claim(lambda: int(sys.argv[2]), need=Need()), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def hold(tmp_path):
    """Start a process that claims from a pool, and return it with what it says."""
    started = []

    def start(pool="0,1", jobs=1, count=0, **environ):
        environ |= {gpus.SHARE: str(jobs)} | ({"CUDA_VISIBLE_DEVICES": pool} if pool else {})
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, tmp_path / "claims", str(count)], text=True,
            env=os.environ | environ | {"PYTHONPATH": str(ROOT / "workflow")},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def smi(tmp_path, monkeypatch):
    """An nvidia-smi that lists two devices, one of them by a number that is not its place."""
    fake = tmp_path / "bin/nvidia-smi"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'GPU-aaa, 0'\necho 'GPU-bbb, 1'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    return fake


def test_each_process_has_a_device_of_its_own_until_it_is_killed(hold):
    first, said = hold()
    assert (said, hold()[1]) == ("0", "1")
    waiting, said = hold()
    assert said == "waits for a free GPU of 0, 1"
    first.kill()
    assert waiting.stdout.readline().strip() == "0"


def test_jobs_share_a_device_where_they_are_asked_to_and_spread_first(hold):
    assert [hold(jobs=2)[1] for _ in range(4)] == ["0", "1", "0", "1"]
    assert hold(jobs=2)[1].startswith("waits")


def test_a_whole_device_is_not_given_while_a_part_of_it_is(hold):
    assert hold(pool="0", jobs=3)[1] == "0"
    assert hold(pool="0")[1].startswith("waits")
    assert hold(pool="0", jobs=2)[1] == "0", "the other half is free"


@pytest.fixture
def large_and_small(smi, monkeypatch):
    """An nvidia-smi that lists a GPU of 80 GiB and one of 16."""
    smi.write_text("#!/bin/sh\necho 'GPU-aaa, 0, 81920'\necho 'GPU-bbb, 1, 16384'\n")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.mark.parametrize(
    ("need", "memory", "jobs"),
    [(11, 80, 6), (15, 80, 5), (15.3, 80, 4), (26, 80, 2), (39, 80, 1), (90, 80, 1), (1, 999, 6)],
)
def test_so_many_jobs_share_a_gpu_as_it_has_room_for(need, memory, jobs):
    assert gpus.fitting(round(need * 2**30), memory * 2**30) == jobs


def test_jobs_of_different_models_share_gpus_of_different_size_by_what_they_need(
    hold, large_and_small
):
    def start(gigabytes):
        said = hold(None, gpus.AUTO, LIKELY=str(round(gigabytes * 2**30)))
        return said[0], said[1].partition(" ")[0]

    large, small = start(60), start(7)
    assert (large[1], small[1]) == ("0", "1"), "the whole of one, half of the other"
    assert [start(7)[1], start(7)[1]] == ["1", "waits"]
    large[0].kill()
    large[0].wait()
    assert [start(25)[1], start(25)[1]] == ["0", "0"], "a third each, beside which a sixth fits"
    assert start(60)[1] == "waits"


def test_a_job_of_which_nothing_is_known_has_a_gpu_for_itself(hold, large_and_small):
    assert [hold(None, gpus.AUTO)[1] for _ in range(2)] == ["0", "1"]
    assert hold(None, gpus.AUTO, LIKELY="1")[1].startswith("waits")


def test_a_gpu_that_is_too_small_or_has_just_failed_is_left_where_there_are_others(
    hold, large_and_small
):
    assert hold(None, LEAST=str(20 * 2**30))[1] == "0"
    assert hold(None, LEAST=str(20 * 2**30))[1] == "waits for a free GPU of 0"
    assert hold(None, AVOIDED="1")[1] == "waits for a free GPU of 0"
    assert hold(None, AVOIDED="0", LEAST=str(2**50))[1] == "1", "no GPU is large enough: any"


def test_a_command_of_several_processes_claims_its_devices_at_once():
    """As torchrun is started; its processes claim nothing more. No machine has these devices."""
    code = "import os, sys; from xstilts.running import gpus; "
    code += "print(os.environ['CUDA_VISIBLE_DEVICES'],"
    code += " gpus.claim(lambda: 9), flush=True); sys.stdin.read()"
    pool = ",".join(f"test-{os.getpid()}-{number}" for number in range(3))
    first, second, third = pool.split(",")

    def start(wanted):
        return subprocess.Popen(
            [sys.executable, "-m", "xstilts.steps.claim_gpus", wanted, sys.executable, "-c", code],
            text=True,
            env=os.environ | {"CUDA_VISIBLE_DEVICES": pool, "PYTHONPATH": str(ROOT / "workflow")},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    assert start("4").communicate()[1] == "error: gpus: 4 are wanted, and there are 3\n"
    running = start("2")
    try:
        assert running.stdout.readline() == f"{first},{second} None\n"
        waiting = start("2")
        assert waiting.stdout.readline().startswith("waits for")
        assert start("1").communicate("")[0] == f"{third} None\n", "which that one does not hold"
        running.communicate("")
        assert waiting.communicate("")[0] == f"{first},{second} None\n"
    finally:
        running.kill()
        for device in pool.split(","):
            (gpus.FOLDER / device).unlink(missing_ok=True)


def test_slurm_has_chosen(hold):
    assert hold("3", SLURM_JOB_ID="7")[1] == hold("3", SLURM_JOB_ID="7")[1] == "None"
    assert hold("", SLURM_JOB_ID="7")[1] == "None"


def test_of_several_that_slurm_has_given_to_a_snakemake_each_job_has_one(hold):
    first = hold("0,1", SLURM_JOB_ID="7")[1], hold("0,1", SLURM_JOB_ID="7")[1]
    assert first == ("0", "1")
    assert hold("0,1", SLURM_JOB_ID="8")[1] == "0", "in another allocation it is another device"


@pytest.mark.parametrize(
    ("given", "devices"),
    [(None, ["0", "1"]), ("1", ["1"]), ("GPU-bbb,0", ["1", "0"]), ("MIG-x", ["MIG-x"])],
)
def test_the_pool_is_what_the_user_gives_else_what_there_is(smi, given, devices):
    assert gpus.pool({} if given is None else {"CUDA_VISIBLE_DEVICES": given}) == devices


def test_without_nvidia_smi_torch_counts(hold):
    assert [hold(pool=None, count=2)[1] for _ in range(2)] == ["0", "1"]
    assert hold(pool=None, count=0)[1] == "None"


@pytest.mark.parametrize("given", ["", "-1"])
def test_the_user_can_give_none(smi, given):
    assert gpus.pool({"CUDA_VISIBLE_DEVICES": given}) == []
    assert gpus.claim(lambda: 2, {"CUDA_VISIBLE_DEVICES": given}) is None


@pytest.mark.parametrize("text", ["exit 9", "echo 'No devices were found'; exit 6"])
def test_a_machine_whose_nvidia_smi_lists_nothing_has_none(smi, text):
    smi.write_text(f"#!/bin/sh\n{text}\n")
    assert gpus.pool({}) == []


def test_claims_that_cannot_be_made_are_said_in_a_line(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(gpus, "FOLDER", tmp_path / "file/claims")
    with pytest.raises(UserError, match=r"claims/0: claims of GPUs cannot be made there: Not a"):
        gpus.claim(lambda: 0, {"CUDA_VISIBLE_DEVICES": "0"})
