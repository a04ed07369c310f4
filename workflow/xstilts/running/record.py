"""The record beside a checkpoint, `node.json`: what it was made from, how, and what came of it."""

import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import xstilts
from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json

WEIGHTS = ("model.safetensors", "adapter_model.safetensors")  # of a checkpoint, either


def read_node(folder: str | Path) -> dict[str, Any]:
    """Return the record of a checkpoint; UserError if the folder holds no finished checkpoint."""
    folder = Path(folder)
    weights = next((n for n in WEIGHTS if (folder / n).exists()), WEIGHTS[0])
    for name in (weights, "node.json"):
        if not (folder / name).exists():
            raise UserError(
                f"{folder}: not a finished checkpoint: {name} is missing; delete the folder"
            )
    return read_json(folder / "node.json")


def same_spec(path: str | Path, spec: dict[str, Any], expected: str) -> None:
    """Raise UserError unless the spec that `path` was made by is the one that is asked for."""
    if digest(spec) != expected:
        raise UserError(
            f"{path}: made by another spec than the config asks for; delete it, run again"
        )


@cache
def versions() -> dict[str, str]:
    """Return the versions of this code and of the libraries that results depend on."""
    libraries = ("torch", "transformers", "tokenizers", "datasets", "numpy")
    return {"xstilts": xstilts.__version__} | {name: version(name) for name in libraries}


@cache
def code() -> str:
    """Return which xstilts this is: its version, and its commit if it is run from a repository.

    `-dirty` is after the commit where files differ from it.
    """
    here, name = Path(xstilts.__file__).parent, f"xstilts {xstilts.__version__}"

    def git(*args: str) -> str | None:
        try:
            said = subprocess.run(
                ["git", "-C", here, *args], capture_output=True, text=True, timeout=10
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return said.stdout.strip() if said.returncode == 0 else None

    # An installed package may lie in somebody else's repository.
    if git("ls-files", "--error-unmatch", "__init__.py") is None:
        return name
    commit = git("describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
    return f"{name}, commit {commit}" if commit else name
