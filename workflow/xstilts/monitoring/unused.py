"""What lies in a results folder that no experiment there asks for."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from xstilts.monitoring import claims

FILES = (  # a node a file, or two
    "bags", "chosen", "data", "difficulty", "encoded", "features", "generated", "manifests",
    "measures", "overlap", "pins", "subsets", "synthetic", "translated",
)  # fmt: skip
FOLDERS = (
    "models",
    "vision",
    "translators",
    "generators",
    "encoders",
    "tuned",
    "trials",
)  # a node a folder, with its record in it
STATES = ("train", "features")  # what an attempt that was killed has left
SCORES = ("scores", "test")  # a file a language, and its predictions


def unused(root: Path) -> list[Path]:
    """Return files and folders, below the folder that holds `results`, that can be deleted.

    What an experiment asks for is in the `nodes.json` that its plan has written.
    """
    asked = {path for one in claims.experiments(root) for path in one.nodes}
    return [path for path in _units(root) if not _asked(path.relative_to(root), asked)]


def _units(root: Path) -> Iterator[Path]:
    results = root / "results"
    for kind in FILES:
        yield from sorted(path for path in (results / kind).rglob("*") if path.is_file())
    for kind in FOLDERS:
        made = {path.parent for path in (results / kind).rglob("*.safetensors")}
        made |= {path.parent for path in (results / kind).rglob("model.bin")}
        yield from sorted(made | {path.parent for path in (results / kind).rglob("node.json")})
    for kind in SCORES:
        yield from sorted(path for path in (results / kind).rglob("*") if path.is_file())
    for kind in STATES:
        state = results / ".state" / kind
        yield from sorted({path.parent for path in state.rglob("*") if path.is_file()})
    manifests = results / "toy/manifests"
    for path in sorted(manifests.rglob("*.json")):
        yield path
        data = results / "toy/datasets" / path.relative_to(manifests).with_suffix("")
        if data.is_dir():
            yield data


def _asked(path: Path, asked: set[str]) -> bool:
    kind, below = path.parts[1], Path(*path.parts[2:])
    if kind in FOLDERS:
        return f"{path}/node.json" in asked
    if kind in SCORES:
        return str(path.with_suffix(".json")) in asked
    if kind == ".state":  # results/.state/train/tuned/...: of the node results/tuned/...
        folder = Path("results", *below.parts[below.parts[0] == "train" :])
        names = ("{}/node.json", "{}.json")  # the second of a recorded training, of features
        return any(n.format(at) in asked for at in (folder, *folder.parents) for n in names)
    if kind == "toy" and below.parts[0] == "datasets":
        return f"results/toy/manifests/{Path(*below.parts[1:])}.json" in asked
    return str(path) in asked


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def delete(paths: list[Path]) -> None:
    """Delete files and folders, and the folders that are empty then."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        parent = path.parent
        while parent.name != "results" and parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()
            parent = parent.parent
