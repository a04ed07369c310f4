"""Files that are never half written, and their digests."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xstilts.running.errors import UserError

_UMASK = os.umask(0)
os.umask(_UMASK)
_MODE = 0o666 & ~_UMASK


@contextlib.contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary sibling of `path`; rename it to `path` on success, delete it on failure."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        temporary.chmod(_MODE)  # some writers make files that only their owner can read
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


_INSIDE = {
    "alignment", "bags", "chosen", "data", "difficulty", "encoded", "encoders", "experiments",
    "features", "generated", "generators", "logs", "manifests", "measures", "models", "overlap",
    "pins", "scores", "subsets", "synthetic", "test", "toy", "translated", "translators", "trials",
    "tuned", "vision", ".state",
}  # fmt: skip


def split(path: str | Path) -> tuple[Path, Path] | None:
    """Return the results folder that a path is in, and the rest of it; None outside of one."""
    parts = Path(path).parts
    found = [at for at, part in enumerate(parts, 1) if part == "results"]
    if not found:
        return None
    # A rehearsal is in `results/rehearsal/results`, and a clone may be below a folder of that name.
    at = next((at for at in found if parts[at : at + 1] and parts[at] in _INSIDE), found[-1])
    return Path(*parts[:at]), Path(*parts[at:])


def results_of(path: str | Path) -> Path:
    """Return the results folder that a file of an experiment is in; its own folder outside."""
    inside = split(Path(path).absolute())
    return inside[0] if inside else Path(path).absolute().parent


def sha256(path: str | Path) -> str:
    """Return the hex SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical(value: Any) -> str:
    """Return the one JSON text of `value`: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: Any) -> str:
    """Return a 16-digit hex digest of a JSON-able value, the same on every machine."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:16]


def read_json(path: str | Path) -> Any:
    """Read a JSON file; UserError naming the file if it is missing or damaged."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except (ValueError, OSError) as error:
        raise UserError(
            f"{path}: cannot be read as JSON ({error}); delete it to have it made anew"
        ) from None


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    with atomic(path) as temporary:
        text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")
