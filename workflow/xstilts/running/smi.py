"""What nvidia-smi says of the GPUs of this machine; CUDA is not initialised by this."""

import re
import subprocess
from dataclasses import dataclass, field

FIELDS = "uuid,index,memory.total"
COMMAND = ["nvidia-smi", f"--query-gpu={FIELDS}", "--format=csv,noheader,nounits"]
LINE = re.compile(r"(\S+), (\d+)(?:, (\d+))?(?:, .*)?")  # no number of memory: "[N/A]"
# Exit codes by which there is no GPU to compute on (the manual of nvidia-smi): no device was found,
# no driver is loaded, no NVML is there. Any other is of a GPU or driver that does not answer.
NONE_THERE = (6, 9, 12)


@dataclass
class Said:
    """What was said.

    Attributes:
        index: identifier (UUID) of a GPU -> its number.
        memory: number of a GPU -> its memory in bytes, where that is told.
        trouble: what it complains of; "" if of nothing. It may list other GPUs all the same.
    """

    index: dict[str, str] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    trouble: str = ""


def ask() -> Said:
    """Return what nvidia-smi says; nothing where there is none."""
    said = Said()
    try:
        done = subprocess.run(COMMAND, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired as error:
        said.trouble = f"nvidia-smi does not answer within {error.timeout:.0f} s"
        return said
    except OSError:
        return said
    for line in filter(None, map(str.strip, (done.stdout + done.stderr).splitlines())):
        if found := LINE.fullmatch(line):
            said.index[found[1]] = found[2]
            if found[3]:
                said.memory[found[2]] = int(found[3]) * 2**20
        elif done.returncode not in NONE_THERE:
            said.trouble = said.trouble or f"nvidia-smi: {line}"
    if done.returncode not in (0, *NONE_THERE):
        said.trouble = said.trouble or f"nvidia-smi ended with {done.returncode}"
    return said
