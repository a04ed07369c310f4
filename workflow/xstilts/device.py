"""The device of a process: a GPU if there is one, else the CPU."""

import contextlib
import os


def choose():
    """Return the torch device, with the number of CPU threads set from OMP_NUM_THREADS (else 1)."""
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    if not torch.cuda.is_available():
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
    """Return name, precision, threads and peak memory (bytes) of a device, for the records."""
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
    }
