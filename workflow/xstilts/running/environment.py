"""The environment of the steps: which package and which programs they are run with."""

import os


def set_up(packages: str, programs: str) -> None:
    """Put a folder of packages first for Python, and one of programs first for the shell.

    Args:
        packages: the folder that holds `xstilts`.
        programs: the folder of the interpreter; "" where something else chooses it.
    """
    first("PYTHONPATH", packages)
    if programs:
        first("PATH", programs)


def first(variable: str, folder: str) -> None:
    """Put a folder first in an environment variable that lists folders."""
    others = [path for path in os.environ.get(variable, "").split(os.pathsep) if path]
    os.environ[variable] = os.pathsep.join([folder, *(path for path in others if path != folder)])
