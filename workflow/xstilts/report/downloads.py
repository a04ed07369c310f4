"""The files that the page holds: tables as CSV and LaTeX, figures as PDF, to save from it."""

import base64
import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from xstilts.monitoring import products

# In bytes of the page: of all files together. The smallest come first.
MAX_BYTES = 4_000_000


def names(
    models: Iterable[str], targets: Iterable[str], questions: Iterable[str] = ()
) -> list[str]:
    """Return the files that are looked for, below the folder of the experiment."""
    targets = list(targets)
    answers = [f"{products.QUESTIONS}/{name}" for name in questions]
    tables = [*answers, *products.TABLES, *(f"languages/{target}" for target in targets)]
    each = [f"languages/{model}/{target}" for model in models for target in targets]
    return [
        *(f"tables/{name}.{kind}" for name in tables for kind in ("csv", "tex")),
        *(f"tables/{name}.csv" for name in products.DATA),
        *(f"tables/{name}.points.csv" for name in answers),
        *(f"figures/{name}.pdf" for name in (*answers, *products.FIGURES, *each)),
    ]


def collect(folder: Path, wanted: Iterable[str], max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Return `files`, name -> gzip in base64, and `left_out`, the names that were too much.

    Args:
        folder: of the experiment; what is not in it is not offered.
        wanted: names of files below it.
        max_bytes: of all files together.
    """
    packed = {name: _pack(folder / name) for name in wanted if (folder / name).is_file()}
    left, held = max_bytes, set()
    for name in sorted(packed, key=lambda name: len(packed[name])):
        left -= len(packed[name])
        if left >= 0:
            held.add(name)
    return {
        "files": {name: text for name, text in packed.items() if name in held},
        "left_out": [name for name in packed if name not in held],
    }


def _pack(path: Path) -> str:
    return base64.b64encode(gzip.compress(path.read_bytes(), mtime=0)).decode()
