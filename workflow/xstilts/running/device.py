"""The device of a process: a GPU if there is one, else the CPU."""

import contextlib
import os
import socket
from datetime import UTC, datetime

from xstilts.running import gpus
from xstilts.running.errors import Broken

_chosen: dict[str, object] = {}  # when and where the device was chosen


def choose():
    """Return the torch device, with the number of CPU threads set from OMP_NUM_THREADS (else 1).

    Raises:
        Broken: a GPU was given, and torch, which is built for GPUs, finds none.
    """
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    claimed = gpus.claim(torch.cuda.device_count)  # which does not initialise CUDA
    _chosen.update(
        gpu=claimed or os.environ.get("CUDA_VISIBLE_DEVICES"),
        host=socket.gethostname(),
        job=os.environ.get("SLURM_JOB_ID"),
        began=_now(),
    )
    if not torch.cuda.is_available():
        if torch.version.cuda and (given := str(_chosen["gpu"] or "")) not in gpus.NONE:
            raise Broken(f"GPU {given} of {_chosen['host']} cannot be used, or its driver cannot")
        if claimed:
            print(f"GPU {claimed} cannot be used by this torch, {torch.__version__}: the CPU is")
        return torch.device("cpu")
    torch.set_float32_matmul_precision("high")
    return torch.device("cuda")


def autocast(device):
    """Return the context of a forward pass: bf16 on a GPU that has it, else plain fp32."""
    import torch

    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return contextlib.nullcontext()


def describe(device) -> dict[str, object]:
    """Return what the records say of a device.

    Name, precision, threads, peak memory in bytes; which GPU of which host, in which SLURM job;
    from when until now (UTC).
    """
    import resource

    import torch

    if device.type == "cuda":
        name, peak = torch.cuda.get_device_name(), torch.cuda.max_memory_allocated()
    else:
        name, peak = "cpu", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    precision = "bf16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "fp32"
    return {
        "device": name,
        "precision": precision,
        "threads": torch.get_num_threads(),
        "peak_memory": peak,
        **_chosen,
        "ended": _now(),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
