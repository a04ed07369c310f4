"""GPUs that cannot be used, or are gone in the middle: one line, and the next attempt elsewhere.

No GPU is here: torch's answers are stood in for, by what torch 2.13 says.
"""
# ruff: noqa: F811 (fixtures of another module are imported)

import json
import os
import signal
import subprocess
import types

import pytest
from tests.scoring.test_evaluate import Target
from tests.training.test_loop import Node, folder, node, tokenizer  # noqa: F401

from xstilts.running import device, failure, gpus, stop
from xstilts.running.errors import UserError
from xstilts.scoring import predict
from xstilts.steps import process, train

OLD = (
    "The NVIDIA driver on your system is too old (found version 12020). Please update your GPU"
    " driver by downloading and installing a new version from the URL: http://www.nvidia.com"
)


def end_process():
    """Let go of what a process holds until it ends."""
    for file in gpus.held.values():
        os.close(file)
    gpus.held.clear()
    gpus._shares.clear()


@pytest.fixture(autouse=True)
def machine(monkeypatch, tmp_path):
    """Claims of its own, signals as they were."""
    handlers = {number: signal.getsignal(number) for number in stop.SIGNALS}
    monkeypatch.setattr(gpus, "FOLDER", tmp_path / "claims")
    for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "SLURM_JOB_ID", gpus.SHARE):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    yield
    end_process()
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def cuda(monkeypatch):
    """A torch that is built for CUDA 13.0 and sees a Tesla T4, or says why it does not."""
    import torch

    def see(reason="", memory=15.8e9):
        def init():
            raise RuntimeError(reason)

        def bf16(including_emulation=True):  # of a GPU before Ampere
            return including_emulation

        about = types.SimpleNamespace(total_memory=int(memory))
        monkeypatch.setattr(torch.version, "cuda", "13.0")
        monkeypatch.setattr(torch.cuda, "is_available", lambda: not reason)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 0 if reason else 1)
        monkeypatch.setattr(torch.cuda, "init", init)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla T4")
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda: about)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", bf16)

    return see


@pytest.fixture
def attempt(node, folder, tmp_path, capfd):
    """The step of a training, by its command line: the exit code and what the terminal has."""
    out = tmp_path / "results/tuned/tiny/none/seed1/mnli"
    # The command line that `Node.run` stands for.
    arguments = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "main", lambda args: arguments.update(vars(args)))
        node.run(folder, out)

    def run(number=1, **more):
        argv = ["--attempt", str(number)]
        for name, value in (arguments | more).items():
            values = value if isinstance(value, list) else [value]
            argv += [f"--{name.replace('_', '-')}", *map(str, values)]
        code = 0
        try:
            process.run(train.main, train.parser(), argv)
        except SystemExit as end:
            code = end.code
        end_process()
        os.environ.pop("CUDA_VISIBLE_DEVICES", None)
        said = capfd.readouterr()
        return code, said.err, said.out

    run.ledger = tmp_path / "results/ledger.jsonl"
    return run


def last(attempt):
    return json.loads(attempt.ledger.read_text().splitlines()[-1])


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        (
            OLD,
            r"The NVIDIA driver on your system is too old (found version 12020); torch VERSION is"
            " built for CUDA 13.0: a newer driver is needed, or a torch that is built for this one"
            " (https://pytorch.org/get-started)",
        ),
        ("No CUDA GPUs are available", "No CUDA GPUs are available"),
        (
            "Unexpected error from cudaGetDeviceCount(). Did you run some cuda functions? Error"
            " 802: system not yet initialized",
            "Unexpected error from cudaGetDeviceCount(). Did you run some cuda functions? Error"
            " 802: system not yet initialized",
        ),
    ],
)
def test_why_a_gpu_cannot_be_used(attempt, cuda, monkeypatch, reason, line):
    import torch

    cuda(reason)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "test-0")
    code, terminal, _ = attempt()
    line = line.replace("VERSION", torch.__version__)
    assert code == failure.CODES["device"] and terminal.count("\n") == 1
    assert f"cannot be used: {line}\n" in terminal
    told = last(attempt)
    assert (told["kind"], told["gpu"]) == ("device", "test-0") and line in told["line"]


def test_an_evaluation_that_has_no_gpu_fails_by_the_gpus_fault(tmp_path, cuda, monkeypatch):
    cuda(OLD)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "test-0")
    with pytest.raises(UserError, match="driver on your system is too old") as raised:
        Target(tmp_path).add("de", "en").run()
    assert failure.kind(raised.value) == "device", "another may do it"


def test_an_evaluation_needs_room_for_the_weights_alone(tmp_path, cuda, monkeypatch):
    cuda(memory=2e4)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "test-0")
    with pytest.raises(UserError, match=r"model: the weights take .* parameters\), and") as raised:
        Target(tmp_path).add("de").run()
    assert failure.kind(raised.value) == "oom"


def test_a_gpu_that_is_too_small_for_the_weights_is_said_before_training(
    attempt, cuda, monkeypatch
):
    cuda(memory=2e5)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "test-0")
    code, terminal, _ = attempt()
    assert code == failure.CODES["oom"] and terminal.count("\n") == 1
    assert "error: tiny: weights, gradients and moments take 0.0 GB (0 M" in terminal
    assert "Tesla T4" in terminal
    assert "not tried again: error: tiny: weights" in attempt(2)[1]


def test_without_bf16_it_computes_in_fp32_and_says_so_once(cuda, monkeypatch, capsys):
    cuda()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "test-0")
    found = device.choose()
    for _ in range(2):
        with device.autocast(found):
            assert device.has_bf16() is False
    said = capsys.readouterr().out
    assert said == "Tesla T4 has no bf16: computes in fp32, which is slower\n"


@pytest.mark.parametrize(
    "said",
    [
        "CUDA error: unspecified launch failure",
        "CUDA error: no CUDA-capable device is detected",
        "CUDA error: unknown error",
    ],
)
def test_a_gpu_that_is_gone_in_the_middle_and_the_next_attempt_on_another(
    attempt, monkeypatch, said
):
    import torch

    real, calls = predict.outputs, []

    def outputs(*args):
        calls.append(1)
        if len(calls) == 2:
            raise torch.AcceleratorError(f"{said}\nCUDA kernel errors might be asynchronous")
        return real(*args)

    monkeypatch.setattr(predict, "outputs", outputs)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "test-0,test-1")
    code, terminal, _ = attempt()
    assert code == failure.CODES["device"]
    assert terminal.count("\n") == 1 and f"error: the GPU or its driver: {said}\n" in terminal
    assert (last(attempt)["kind"], last(attempt)["gpu"]) == ("device", "test-0")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "test-0,test-1")
    code, _, log = attempt(2)
    assert (code, last(attempt)["event"]) == (0, "done")
    assert "GPU test-1 cannot be used by this torch" in log, "there is no CUDA here"


def test_a_job_that_ran_out_of_memory_on_its_share_has_a_gpu_for_itself_next(
    attempt, monkeypatch, tmp_path
):
    import torch

    def smi(*args, **more):
        return subprocess.CompletedProcess(args, 0, "GPU-aaa, 7, 81559\n", "")

    def outputs(*args):
        if gpus.share() < 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3 GiB.\nMore")
        return real(*args)

    real = predict.outputs
    monkeypatch.setattr(predict, "outputs", outputs)
    monkeypatch.setattr(gpus.smi.subprocess, "run", smi)
    monkeypatch.setenv(gpus.SHARE, gpus.AUTO)
    code, terminal, _ = attempt()
    assert code == failure.CODES["oom"] and terminal.count("\n") == 1
    assert last(attempt)["line"] == f"{terminal.strip()}; {process.ALONE}"
    assert last(attempt)["shared"] is True
    assert attempt(2)[0] == 0 and last(attempt)["event"] == "done"
