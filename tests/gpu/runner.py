"""Runs each part in a process of its own, which has a time limit, and keeps what it has shown.

The process is forked, so that the libraries are imported once; the parent never touches CUDA, which
does not survive a fork.
"""

import contextlib
import dataclasses
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .figures import Figures, one_line
from .sizes import Size


@dataclasses.dataclass(frozen=True)
class Setting:
    """What a part is given.

    Attributes:
        size: how much it does.
        gpu: whether there is one.
        assets, scratch: folder of the encoded rows; a folder that is deleted at the end.
        earlier: part -> name of a figure -> its value, of the parts before.
    """

    size: Size
    gpu: bool
    assets: Path
    scratch: Path
    earlier: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)

    def figure(self, part: str, name: str) -> Any:
        """Return a figure of an earlier part; None if it has not shown it."""
        return self.earlier.get(part, {}).get(name)


@dataclasses.dataclass(frozen=True)
class Part:
    """A part: its name, what it runs, and its time limit in seconds on a GPU."""

    name: str
    run: Callable[[Setting, Figures], None]
    limit: float


def run_part(part: Part, setting: Setting, limit: float) -> dict[str, Any]:
    """Run a part in a forked process; return its figures, its seconds and its error."""
    stem = setting.scratch / part.name.replace(" ", "-")
    figures, log, start = Figures(stem.with_suffix(".jsonl")), stem.with_suffix(".log"), _now()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        _in_child(part, setting, figures, log)
    error = _wait(child, start + limit) or ""
    found = figures.read()
    setting.earlier[part.name] = {row["name"]: row["value"] for row in found}
    return {
        "part": part.name, "seconds": round(_now() - start, 1), "error": error, "figures": found,
        "log": log.read_text(errors="replace")[-4000:] if log.exists() else "",
    }  # fmt: skip


def _in_child(part: Part, setting: Setting, figures: Figures, log: Path) -> None:
    code = 1
    try:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, 1)
        os.dup2(file, 2)
        sys.stdout = sys.stderr = os.fdopen(file, "a", buffering=1)
        part.run(setting, figures)
        code = 0
    except BaseException as error:
        traceback.print_exc()
        figures.show("the part", None, ok=False, note=one_line(error))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(child: int, until: float) -> str | None:
    """Wait for a part; return how it ended if not by itself. What it has started ends with it."""
    ended = f"ended at its time limit, after {until - _now():.0f} s"
    status = None
    while status is None and _now() < until:
        done, found = os.waitpid(child, os.WNOHANG)
        if done:
            status = found
        else:
            time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if status is None:
        os.waitpid(child, 0)
        return ended
    if os.WIFSIGNALED(status):
        return f"ended by {signal.Signals(os.WTERMSIG(status)).name}"
    return None


def _now() -> float:
    return time.monotonic()
