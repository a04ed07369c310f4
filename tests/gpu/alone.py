"""Runs `check.py` as on a machine that has only the packages that it may need, and no network.

    python tests/gpu/alone.py OPTIONS OF check.py

What is installed besides is hidden, `accelerate` and `pynvml` too, as if it were not there.
"""

import re
import runpy
import socket
import sys
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path

NEEDED = ("torch", "transformers", "safetensors", "pyarrow", "pandas", "numpy")


def allowed() -> set[str]:
    """Return the distributions that may be used: those needed, and what these require."""
    found: set[str] = set()
    left = list(NEEDED)
    while left:
        name = _normal(left.pop())
        if name in found:
            continue
        found.add(name)
        try:
            required = metadata.requires(name) or []
        except metadata.PackageNotFoundError:  # for another platform
            continue
        left += [re.split(r"[^\w.-]", one)[0] for one in required if "extra ==" not in one]
    return found


def hidden() -> set[str]:
    """Return the modules of all other distributions."""
    kept = allowed()
    owners = metadata.packages_distributions()
    hidden = {module for module, names in owners.items() if not kept & set(map(_normal, names))}
    return hidden - {"xstilts"}  # which lies beside this file, installed or not


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


class Finder(PathFinder):
    """Finds what may be used."""

    modules = hidden()

    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        """Return None for what is hidden."""
        if path is None and fullname.partition(".")[0] in cls.modules:
            return None
        return super().find_spec(fullname, path, target)


def no_network(*_) -> None:
    """Refuse a connection."""
    raise OSError("no network here")


if __name__ == "__main__":
    sys.meta_path[:] = [Finder if one is PathFinder else one for one in sys.meta_path]
    sys.meta_path[:] = [one for one in sys.meta_path if "editable" not in repr(one)]
    socket.socket.connect = no_network  # type: ignore[method-assign]
    runpy.run_path(str(Path(__file__).with_name("check.py")), run_name="__main__")
