"""Failure: of which kind an error is, the exit code that says so, and the line that a user sees."""

import errno
import os
import signal

from xstilts.running.errors import UserError
from xstilts.running.stop import Stopped

# Kind -> exit code. A process that was killed (SIGKILL) has no code of its own, and is `killed` in
# the ledger: it may have had too little memory or time, or been pre-empted.
CODES = {
    "bad-input": 1,
    "nan": 3,
    "oom": 4,
    "host-memory": 5,
    "disk": 6,
    "bug": 70,
    "device": 71,
    "peer": 72,
    "file-system": 74,
    "locked": 75,
    "interrupted": 128 + signal.SIGINT,
    "terminated": 128 + signal.SIGTERM,
}
# These would fail the same way again, so a scheduler's next attempt does not try
# (`steps/process.py`). The others may not: with more memory, on another machine, later, or from
# where a training was.
FINAL = ("bad-input", "nan", "oom", "bug")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# What a file server that hiccups answers.
AWAY = (errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EREMOTEIO, errno.EHOSTDOWN, errno.ENOTCONN)
# How errors of the GPU and its driver begin: most often one device that is broken, or is gone.
DEVICE = (
    *("CUDA error", "CUDA driver error", "cuDNN error", "CUBLAS error", "NCCL error"),
    *("CUDA call failed lazily", "CUDA unknown error", "CUDA driver initialization failed"),
    *("No CUDA GPUs are available", "Unexpected error from cudaGetDeviceCount", "NVML_SUCCESS"),
    *("Found no NVIDIA driver", "The NVIDIA driver on your system is too old"),
)
# Those that are not the device's fault: of memory, outside of torch's own, and of an index that a
# kernel has found out of range.
MEMORY = ("CUDA error: out of memory", "STATUS_ALLOC_FAILED", "CUDA driver error: out of memory")
ASSERTED = "device-side assert triggered"
# What gloo and torch's store say where another process of the training has ended.
PEER = ("gloo/transport", "Connection closed by peer", "Connection reset by peer", "Broken pipe")


def kind(error: BaseException) -> str:
    """Return the kind of an error, a key of `CODES`."""
    text = str(error)
    if isinstance(error, UserError):
        return error.kind
    if isinstance(error, Stopped):
        return "interrupted" if error.number == signal.SIGINT else "terminated"
    # torch's, which need not be imported for it
    if type(error).__name__ == "OutOfMemoryError" or any(mark in text for mark in MEMORY):
        return "oom"
    if isinstance(error, MemoryError) or "DefaultCPUAllocator" in text:
        return "host-memory"
    if _is(error, FULL):
        return "disk"
    if _is(error, AWAY):
        return "file-system"
    if any(mark in text for mark in PEER):
        return "peer"
    if type(error).__name__ == "DistBackendError":
        return "device"
    if text.startswith(DEVICE) and ASSERTED not in text:
        return "device"
    return "bug"


def line(error: BaseException) -> str:
    """Return the one line about an error, without the name of its log."""
    if isinstance(error, UserError):
        return f"error: {error}"
    said = (str(error).strip().splitlines() or [""])[0]
    return {
        "oom": f"error: out of GPU memory: {said}",
        "host-memory": f"error: out of memory: {said or 'the job needs more'}",
        "disk": f"error: no room on the disk: {said}; what is finished is intact",
        "file-system": f"error: the file system does not answer: {said}",
        "peer": f"error: another process of this training has ended: {said}",
        "device": f"error: the GPU or its driver: {said}",
        "bug": f"internal error: {type(error).__name__}: {said}",
        "terminated": f"stopped: {said}",
        "interrupted": f"stopped: {said}",
    }[kind(error)]


def ours(error: BaseException) -> bool:
    """Return whether the error is our mistake, so that a traceback is of use."""
    return kind(error) == "bug"


def _is(error: BaseException, numbers: tuple[int, ...]) -> bool:
    """Return whether the system answered with one of some numbers, which libraries in Rust and C++
    have in their text only, as a number or in words."""
    text = str(error)
    return (isinstance(error, OSError) and error.errno in numbers) or any(
        f"(os error {number})" in text or os.strerror(number) in text for number in numbers
    )
