"""Lock: a node is never computed by two processes at once.

The kernel frees it when its process ends, however. A killed Snakemake leaves its jobs running, and
the next run starts a second job for the same node: that one waits here, and then finds what the
first has made.
"""

import contextlib
import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from xstilts.running.errors import UserError
from xstilts.running.files import split

POLL = 1.0  # seconds between two looks at a lock that another process holds
GLANCE = 0.05  # seconds in which one who looks (`locked`) has let go again
NOT_HERE = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


RUN = ".snakemake/xstilts"  # where Snakemake runs: the lock of one that is at work
TRAINED = ("encoders", "tuned", "trials", "difficulty")


def folder_of(out: str | Path) -> Path | None:
    """Return the state folder of the node that makes the folder `out`; None outside of `results`.

    It holds the lock of the node and what a next attempt goes on from.
    """
    found = split(out)
    if found is None:
        return None
    results, below = found
    kind = "train" if below.parts[0] in TRAINED else ""
    return results / ".state" / kind / below


class Locked(UserError):
    """Another process computes the node."""

    kind = "locked"


@contextlib.contextmanager
def held(folder: str | Path, wait: float) -> Iterator[None]:
    """Hold the lock of the node whose state is in `folder`, after at most `wait` seconds.

    The file stays, since a lock on a file that is deleted and made anew would be two locks.

    Raises:
        Locked: another process holds it for longer; the line says which.
    """
    path = Path(folder) / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        _acquire(file, path, wait)
        file.truncate(0)
        file.write(_name())
        file.flush()
        yield


def busy(folder: str | Path) -> bool:
    """Return whether a process holds the lock of the node whose state is in `folder`."""
    return locked(Path(folder) / "lock")


def locked(path: str | Path) -> bool:
    """Return whether a process holds the lock of a file.

    Nothing is written, so the folder may be read-only. Of a process on another machine it is known
    where the file system shares its locks: NFS does, Lustre with the option `flock`.
    """
    try:
        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def hold_file(path: str | Path) -> None:
    """Hold the lock of a file until this process ends, unless another holds it."""
    file = os.open(path, os.O_WRONLY)  # not inherited by processes that this one starts
    with contextlib.suppress(OSError):
        _take(file)


def taken(folder: str | Path) -> float:
    """Return when the lock in `folder` was taken last, in seconds since 1970; 0 if never."""
    try:
        return int((Path(folder) / "lock").stat().st_mtime)
    except OSError:
        return 0.0


def _take(file) -> None:
    """Take a lock, or raise BlockingIOError; one who only looks at it is waited for."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(GLANCE)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _acquire(file, path: Path, wait: float) -> None:
    start = time.monotonic()
    said = False
    while True:
        try:
            _take(file)
            return
        except BlockingIOError:
            file.seek(0)
            other = file.read() or "another process"
        except OSError as error:
            if error.errno not in NOT_HERE:
                raise
            print(f"{path}: no locks on this file system (Lustre: mount with -o flock)", flush=True)
            return
        if time.monotonic() - start >= wait:
            raise Locked(
                f"{path.parent}: is computed by {other}; waited {wait:g} s for it: run again when"
                " it has ended, or end it"
            )
        if not said:
            print(f"waits for {other}, which computes the same", flush=True)
            said = True
        time.sleep(min(POLL, wait))


def _name() -> str:
    job = os.environ.get("SLURM_JOB_ID")
    return f"process {os.getpid()} on {socket.gethostname()}" + (
        f", SLURM job {job}" if job else ""
    )
