"""Kinds of failures: an exit code of its own each, and a line."""

import errno
import signal

import pytest

from xstilts.running import failure
from xstilts.running.errors import DoesNotFit, NotFinite, UserError
from xstilts.running.lock import Locked
from xstilts.running.stop import Stopped


class OutOfMemoryError(RuntimeError):
    """Has the name of torch's."""


CASES = [
    (UserError("key: wrong"), "bad-input", "error: key: wrong"),
    (NotFinite("the loss is nan"), "nan", "error: the loss is nan"),
    (DoesNotFit("one example"), "oom", "error: one example"),
    (OutOfMemoryError("tried 3 GiB\nmore"), "oom", "error: out of GPU memory: tried 3 GiB"),
    (MemoryError(), "host-memory", "error: out of memory: the job needs more"),
    (
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        "host-memory",
        "error: out of memory: [enforce fail] DefaultCPUAllocator: can't allocate memory",
    ),
    (
        OSError(errno.ENOSPC, "No space left on device"),
        "disk",
        "error: no room on the disk: [Errno 28] No space left on device; what is finished is"
        " intact",
    ),
    (
        ValueError("I/O error: No space left on device (os error 28)"),
        "disk",
        "error: no room on the disk: I/O error: No space left on device (os error 28); what is"
        " finished is intact",
    ),
    (
        OSError(errno.ESTALE, "Stale file handle"),
        "file-system",
        "error: the file system does not answer: [Errno 116] Stale file handle",
    ),
    (
        RuntimeError("I/O error: Input/output error (os error 5)"),
        "file-system",
        "error: the file system does not answer: I/O error: Input/output error (os error 5)",
    ),
    (
        RuntimeError("CUDA error: uncorrectable ECC error encountered\nCUDA kernel errors"),
        "device",
        "error: the GPU or its driver: CUDA error: uncorrectable ECC error encountered",
    ),
    *(
        (
            RuntimeError(f"{said}\nCUDA kernel errors might be"),
            "device",
            f"error: the GPU or its driver: {said}",
        )
        for said in (
            "CUDA error: unspecified launch failure",
            "CUDA error: no CUDA-capable device is detected",
            "CUDA error: no kernel image is available for execution on the device",
            "No CUDA GPUs are available",
            "CUDA driver initialization failed, you might not have a CUDA gpu.",
            'NVML_SUCCESS == r INTERNAL ASSERT FAILED at "/pytorch/CUDACachingAllocator.cpp":9',
        )
    ),
    *(
        (RuntimeError(said), "oom", f"error: out of GPU memory: {said}")
        for said in (
            "CUDA error: out of memory",
            "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        )
    ),
    (
        RuntimeError("CUDA error: device-side assert triggered\nCUDA kernel errors"),
        "bug",
        "internal error: RuntimeError: CUDA error: device-side assert triggered",
    ),
    (
        OSError(errno.EFBIG, "File too large"),
        "disk",
        "error: no room on the disk: [Errno 27] File too large; what is finished is intact",
    ),
    (
        RuntimeError("[gloo/transport/tcp/pair.cc:534] Connection closed by peer"),
        "peer",
        "error: another process of this training has ended: [gloo/transport/tcp/pair.cc:534]"
        " Connection closed by peer",
    ),
    (Locked("by another"), "locked", "error: by another"),
    (Stopped("ended by SIGTERM", signal.SIGTERM), "terminated", "stopped: ended by SIGTERM"),
    (Stopped("ended by SIGUSR1", signal.SIGUSR1), "terminated", "stopped: ended by SIGUSR1"),
    (Stopped("ended by SIGINT", signal.SIGINT), "interrupted", "stopped: ended by SIGINT"),
    (KeyError("x"), "bug", "internal error: KeyError: 'x'"),
    (OSError(errno.EACCES, "denied"), "bug", "internal error: PermissionError: [Errno 13] denied"),
]


@pytest.mark.parametrize(("error", "kind", "line"), CASES)
def test_every_error_has_a_kind_and_one_line(error, kind, line):
    assert failure.kind(error) == kind
    assert failure.line(error) == line
    assert failure.ours(error) == (kind == "bug")


def test_every_kind_has_an_exit_code_of_its_own():
    codes = list(failure.CODES.values())
    assert len(set(codes)) == len(codes) and 0 not in codes and 2 not in codes, "2 is argparse's"
    assert {kind for _, kind, _ in CASES} == set(failure.CODES) > set(failure.FINAL)
