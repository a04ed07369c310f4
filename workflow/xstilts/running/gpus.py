"""Local GPUs: each process of a step has one for itself, or a share of one.

Snakemake counts GPUs but gives none out, so without this all jobs of a machine would be on the
first. A device is claimed by a lock on its file, which all Snakemake runs and users of the machine
share; the kernel frees it when the process ends, however. Under SLURM nothing is claimed: it has
chosen, unless that was more than one job wants (Snakemake within an allocation).

    python -m xstilts.steps.claim_gpus 4 torchrun ...

claims several at once for a command, which starts a process for each.
"""

import fcntl
import os
import re
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from xstilts.running import smi
from xstilts.running.errors import Broken, UserError

FOLDER = Path("/tmp/xstilts-gpus")  # not TMPDIR, which may be another for each user or job
# A device is so many bytes of its file, of which a job locks its share: halves, thirds, ... of
# several runs fit beside each other as long as there is room.
WHOLE = 60
POLL = 0.5  # seconds between two looks for a free device
SHARE = "XSTILTS_JOBS_PER_GPU"  # set by the workflow from the config's `jobs_per_gpu`
AUTO = "auto"  # as many as have room, by these numbers, which divide WHOLE, so that no two overlap
SHARES = (1, 2, 3, 4, 5, 6)
CONTEXT = 10**9  # bytes that CUDA, its libraries and their kernels take beside the tensors
USABLE = 0.95  # of a device's memory: the rest is the driver's, and what allocators leave unused
# What SLURM sets for a job that has a part of a GPU (MPS, shards).
PARTS = ("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", "SLURM_SHARDS_ON_NODE")
NONE = ("", "-1", "NoDevFiles")  # how no device is given, by a user or by SLURM
CLAIMED = "XSTILTS_GPUS_CLAIMED"  # set for the processes of a command that has claims already

held: dict[str, int] = {}  # device -> the open file whose lock is ours; until the process ends
_shares: dict[str, int] = {}  # device -> of how many equal shares one is ours


class Need(Protocol):
    """The GPU memory that a job needs, in bytes."""

    @property
    def least(self) -> int:
        """What it takes in any case: a device that has less is none for it."""

    def likely(self) -> int | None:
        """What it takes in all; None if it wants a device for itself."""

    def avoided(self) -> set[str]:
        """Devices of this machine on which jobs have just failed."""

    def too_small(self, gpu: str, memory: int) -> str:
        """Say that a GPU has too little memory, and what would fit."""


def claim(
    count: Callable[[], int],
    environ: Mapping[str, str] = os.environ,
    wanted: int = 1,
    need: Need | None = None,
) -> str | None:
    """Claim devices of the pool, waiting for free ones, and make them the only ones CUDA sees.

    Args:
        count: the number of devices, asked where there is no pool and no nvidia-smi.
        environ: where pool, share and SLURM's job are read.
        wanted: so many devices, all at once or none, so that two that want several cannot block
            each other.
        need: of the job, where that is known: by it a share is chosen, and the devices that are
            large enough, where there are such.

    Returns:
        The devices, separated by commas; None if there is none, or if SLURM has chosen, or the
        command that has started this process.

    Raises:
        UserError: fewer devices than wanted.
        Broken: nvidia-smi complains, and there is no device.
    """
    if CLAIMED in environ:
        return None
    job = environ.get("SLURM_JOB_ID")
    if job and len(environ.get("CUDA_VISIBLE_DEVICES", "").split(",")) <= wanted:
        return None
    given = "CUDA_VISIBLE_DEVICES" in environ
    said = smi.ask() if may_compute(environ) else smi.Said()
    devices: Sequence[str] = _pool(environ, said)
    if not devices and not given:
        devices = [str(index) for index in range(count())]
        if not devices and said.trouble:
            raise Broken(
                f"{said.trouble} ({socket.gethostname()}); to compute on the CPU, set"
                " CUDA_VISIBLE_DEVICES to nothing"
            )
    if not devices:
        return None
    if said.trouble:
        print(said.trouble, flush=True)
    if len(devices) < wanted:
        raise UserError(f"gpus: {wanted} are wanted, and there are {len(devices)}")
    if not held:
        if need:
            devices = _suited(devices, need, said.memory, wanted)
        shares = _shares_of(devices, need if wanted == 1 else None, said.memory, environ)
        folder = FOLDER / f"job{job}" if job else FOLDER  # in jobs the numbers may be others
        _wait(folder, shares, wanted)
        _shares.update((device, shares[device]) for device in held)
        # nvidia-smi's order of the devices, which is not CUDA's own
        os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(held)
    return ",".join(held)


def shared(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether other jobs may be on the GPU of this process."""
    setting = environ.get(SHARE, "1")
    parts = max(_shares.values(), default=1) if setting == AUTO else int(setting)
    return parts > 1 or any(part in environ for part in PARTS)


def share(environ: Mapping[str, str] = os.environ) -> float:
    """Return the share of its GPU's memory that this process keeps to: 1 unless it was chosen by
    what the job needs."""
    return 1 / max(_shares.values(), default=1) if environ.get(SHARE) == AUTO else 1.0


def _suited(
    devices: Sequence[str], need: Need, memory: Mapping[str, int], wanted: int
) -> Sequence[str]:
    """Return the devices that are large enough and have not just failed, where there are such."""
    avoided = need.avoided()
    for reason in (
        lambda device: memory.get(device, need.least) >= need.least,
        lambda device: device not in avoided,
    ):
        suited = [device for device in devices if reason(device)]
        devices = suited if len(suited) >= wanted else devices
    return devices


def _shares_of(
    devices: Sequence[str], need: Need | None, memory: Mapping[str, int], environ: Mapping[str, str]
) -> dict[str, int]:
    """Return device -> how many equal shares it is cut in, of which the job takes one."""
    setting = environ.get(SHARE, "1")
    if setting != AUTO:
        return dict.fromkeys(devices, int(setting))
    likely = need.likely() if need else None
    return {
        device: fitting(likely, memory[device]) if likely and device in memory else 1
        for device in devices
    }


def fitting(need: int, memory: int) -> int:
    """Return how many jobs that need so many bytes a GPU has room for: one of `SHARES`."""
    return max(share for share in SHARES if share == 1 or share * need <= USABLE * memory)


def pool(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the devices that may be claimed: those of CUDA_VISIBLE_DEVICES, else all there are.

    A device is an index in nvidia-smi's order, or an identifier (of a part of a GPU) that
    nvidia-smi does not list.
    """
    return _pool(environ, smi.ask() if may_compute(environ) else smi.Said())


def may_compute(environ: Mapping[str, str]) -> bool:
    """Return whether the user leaves GPUs to compute on."""
    return environ.get("CUDA_VISIBLE_DEVICES", "all").strip() not in NONE


def _pool(environ: Mapping[str, str], said: smi.Said) -> list[str]:
    given = environ.get("CUDA_VISIBLE_DEVICES")
    if not may_compute(environ):
        return []
    if given is None:
        return list(said.index.values())
    return [said.index.get(name.strip(), name.strip()) for name in given.split(",")]


def none_here() -> str:
    """Say so if jobs of this machine will compute on the CPU, or a GPU does not answer; else ""."""
    said = smi.ask() if may_compute(os.environ) else smi.Said()
    if said.trouble:
        return said.trouble
    if _pool(os.environ, said):
        return ""
    return "no GPU is here, or none in CUDA_VISIBLE_DEVICES: the CPU is used"


def _wait(folder: Path, shares: Mapping[str, int], wanted: int) -> None:
    said = False
    while not _all(folder, shares, wanted):
        if not said:
            print(f"waits for a free GPU of {', '.join(shares)}", flush=True)
            said = True
        time.sleep(POLL)


def _all(folder: Path, shares: Mapping[str, int], wanted: int) -> bool:
    """Claim so many different devices, those first of which nothing is taken; or none."""
    for part in range(max(shares.values())):
        for device, share in shares.items():
            if part < share and len(held) < wanted and device not in held:
                _try(folder / re.sub(r"[^\w.-]", "_", device), device, part, share)
    if len(held) < wanted:
        for device in list(held):
            os.close(held.pop(device))
    return len(held) == wanted


def _try(path: Path, device: str, part: int, share: int) -> None:
    """Lock a part of a device, one of `share` equal ones, if it is free."""
    length = WHOLE // share
    file = _open(path)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, length, part * length)
    except OSError:
        os.close(file)
    else:
        held[device] = file


def _open(path: Path) -> int:
    """Open the file of a device, which any user of the machine may have made."""
    try:
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.parent.chmod(0o1777)
        try:
            return os.open(path, os.O_RDWR)
        except FileNotFoundError:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            os.fchmod(file, 0o666)
            return file
    except OSError as error:
        raise UserError(f"{path}: claims of GPUs cannot be made there: {error.strerror}") from None
