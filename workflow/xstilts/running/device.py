"""The device of a process: a GPU if there is one, else the CPU."""

import contextlib
import os
import socket
from datetime import UTC, datetime
from typing import Literal

from xstilts.running import gpus
from xstilts.running.errors import Broken, DoesNotFit

_chosen: dict[str, object] = {}  # when and where the device was chosen


def choose(need: gpus.Need | None = None):
    """Return the torch device, with the number of CPU threads set from OMP_NUM_THREADS (else 1).

    Args:
        need: the GPU memory of the job, where it is known.

    Raises:
        Broken: a GPU was given, and torch, which is built for GPUs, finds none.
        DoesNotFit: it has less memory than the job takes in any case.
    """
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    claimed = gpus.claim(torch.cuda.device_count, need=need)  # which does not initialise CUDA
    _chosen.update(
        gpu=claimed or os.environ.get("CUDA_VISIBLE_DEVICES"),
        host=socket.gethostname(),
        job=os.environ.get("SLURM_JOB_ID"),
        began=_now(),
    )
    if not torch.cuda.is_available():
        if torch.version.cuda and (given := str(_chosen["gpu"] or "")) not in gpus.NONE:
            raise Broken(f"GPU {given} of {_chosen['host']} cannot be used: {_reason()}")
        if claimed:
            print(f"GPU {claimed} cannot be used by this torch, {torch.__version__}: the CPU is")
        return torch.device("cpu")
    name, memory = torch.cuda.get_device_name(), torch.cuda.get_device_properties().total_memory
    if need and need.least > memory:
        raise DoesNotFit(need.too_small(name, memory))
    if gpus.share() < 1:
        torch.cuda.set_per_process_memory_fraction(gpus.share() - gpus.CONTEXT / memory)
        print(f"GPU {claimed}: with a share of {gpus.share():.2g} of its memory")
    if not has_bf16():
        print(f"{name} has no bf16: computes in fp32, which is slower", flush=True)
    torch.set_float32_matmul_precision("high")
    return torch.device("cuda")


def _reason() -> str:
    """Return why torch finds no GPU, in its own words, and what would be right."""
    import torch

    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        said = str(error).strip().splitlines()[0]
        if "driver on your system is too old" in said:
            return (
                f"{said.partition(').')[0]}); torch {torch.__version__} is built for CUDA"
                f" {torch.version.cuda}: a newer driver is needed, or a torch that is built for"
                " this one (https://pytorch.org/get-started)"
            )
        return said
    return "torch finds no GPU"


def has_bf16() -> bool:
    """Return whether the GPU computes in bf16; where it has to be emulated, fp32 is faster."""
    import torch

    return torch.cuda.is_bf16_supported(including_emulation=False)


def precision() -> Literal["bf16", "fp32"]:
    """Return in what this process computes on its GPU; bf16 as long as none is in use, since to ask
    would take one before it is chosen."""
    import torch

    return "fp32" if torch.cuda.is_initialized() and not has_bf16() else "bf16"


def autocast(device):
    """Return the context of a forward pass: bf16 on a GPU that has it, else plain fp32."""
    import torch

    if device.type == "cuda" and has_bf16():
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
    precision = "bf16" if device.type == "cuda" and has_bf16() else "fp32"
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
