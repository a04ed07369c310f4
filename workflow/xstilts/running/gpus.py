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
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from xstilts.running.errors import UserError

FOLDER = Path("/tmp/xstilts-gpus")  # not TMPDIR, which may be another for each user or job
# A device is so many bytes of its file, of which a job locks its share: halves, thirds, ... of
# several runs fit beside each other as long as there is room.
WHOLE = 60
POLL = 0.5  # seconds between two looks for a free device
SHARE = "XSTILTS_JOBS_PER_GPU"  # set by the workflow from the config's `jobs_per_gpu`
NONE = ("", "-1", "NoDevFiles")  # how no device is given, by a user or by SLURM
CLAIMED = "XSTILTS_GPUS_CLAIMED"  # set for the processes of a command that has claims already

held: dict[str, int] = {}  # device -> the open file whose lock is ours; until the process ends


def claim(
    count: Callable[[], int], environ: Mapping[str, str] = os.environ, wanted: int = 1
) -> str | None:
    """Claim devices of the pool, waiting for free ones, and make them the only ones CUDA sees.

    Args:
        count: the number of devices, asked where there is no pool and no nvidia-smi.
        environ: where pool, share and SLURM's job are read.
        wanted: so many devices, all at once or none, so that two that want several cannot block
            each other.

    Returns:
        The devices, separated by commas; None if there is none, or if SLURM has chosen, or the
        command that has started this process.

    Raises:
        UserError: fewer devices than wanted.
    """
    if CLAIMED in environ:
        return None
    job = environ.get("SLURM_JOB_ID")
    if job and len(environ.get("CUDA_VISIBLE_DEVICES", "").split(",")) <= wanted:
        return None
    devices = pool(environ)
    if not devices and "CUDA_VISIBLE_DEVICES" not in environ:
        devices = [str(index) for index in range(count())]
    if not devices:
        return None
    if len(devices) < wanted:
        raise UserError(f"gpus: {wanted} are wanted, and there are {len(devices)}")
    if not held:
        folder = FOLDER / f"job{job}" if job else FOLDER  # in jobs the numbers may be others
        _wait(folder, devices, int(environ.get(SHARE, "1")), wanted)
        # nvidia-smi's order of the devices, which is not CUDA's own
        os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(held)
    return ",".join(held)


def pool(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the devices that may be claimed: those of CUDA_VISIBLE_DEVICES, else all there are.

    CUDA is not initialised by this. A device is an index in nvidia-smi's order, or an identifier
    (of a part of a GPU) that nvidia-smi does not list.
    """
    given = environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None and given.strip() in NONE:
        return []
    listed = _listed()
    if given is None:
        return list(listed.values())
    return [listed.get(name.strip(), name.strip()) for name in given.split(",")]


def none_here() -> str:
    """Say so if jobs of this machine will compute on the CPU; "" if it has a GPU."""
    return "" if pool() else "no GPU is here, or none in CUDA_VISIBLE_DEVICES: the CPU is used"


def _listed() -> dict[str, str]:
    """Return identifier -> index of the devices that nvidia-smi lists."""
    command = ["nvidia-smi", "--query-gpu=uuid,index", "--format=csv,noheader"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return {}
    lines = (line.split(", ") for line in said.stdout.splitlines())
    return {uuid: index for uuid, index in lines}


def _wait(folder: Path, devices: Sequence[str], share: int, wanted: int) -> None:
    said = False
    while not _all(folder, devices, share, wanted):
        if not said:
            print(f"waits for a free GPU of {', '.join(devices)}", flush=True)
            said = True
        time.sleep(POLL)


def _all(folder: Path, devices: Sequence[str], share: int, wanted: int) -> bool:
    """Claim so many different devices, those first of which nothing is taken; or none."""
    for part in range(share):
        for device in devices:
            if len(held) < wanted and device not in held:
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
