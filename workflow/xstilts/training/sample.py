"""A sample: the rows of a task that a training reads, where its intermediate asks for `rows`.

Each row has a number that follows from seed, task, language and its place in the file alone, and a
sample of N rows is those of the N lowest numbers, over all languages together. So a smaller sample
is part of a larger one, another seed draws others, and what else is in the mix does not matter.

The numbers are the raw stream of Philox4x64-10 (Salmon et al. 2011), a published algorithm: numpy
promises the stream of its bit generators to stay what it is, and does not promise it for what
`Generator` makes of them (NEP 19), as `permutation` and `choice`.
"""

import dataclasses
import hashlib
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from xstilts.data import subset
from xstilts.encoding.encoded import Encoded
from xstilts.experiment import amounts, difficulty
from xstilts.running.errors import UserError
from xstilts.running.files import read_json
from xstilts.running.record import same_spec

# Of the spec of a task: exactly these, or what there is of them; each in one language (`deal`).
KEYS = ("rows", "rows_at_most", "translations")


def draw(
    data: Mapping[str, Encoded],
    paths: Mapping[str, str],
    spec: Mapping[str, Any],
    seed: int,
    name: str,
) -> dict[str, Encoded]:
    """Return language -> the encoded rows of a task, with the sample of them that is trained on.

    Args:
        data, paths: language -> all its rows, and the file that they are in.
        spec: of the task in the training (`tasks.task_specs`).
        seed: of the training.
        name: of the intermediate, for messages.

    Raises:
        UserError: there are fewer rows than were asked for; see `taken`.
    """
    sizes = {lang: of.meta["rows"] for lang, of in data.items()}
    there, asked = sum(sizes.values()), spec.get("rows", spec.get("rows_at_most"))
    if "rows" in spec and asked > there:
        raise UserError(amounts.too_few(name, asked, spec["task"], there))
    return taken(data, paths, lowest(sizes, asked, seed, spec["task"]))


def picked(
    data: Mapping[str, Encoded], paths: Mapping[str, str], record: str, spec: str
) -> dict[str, Encoded]:
    """Return the same with the rows of a subset (`data/subset.py`), of one language.

    Args:
        data, paths: as of `draw`.
        record: of the subset.
        spec: digest of the spec that it must be made by.

    Raises:
        UserError: it is made by another spec, or damaged; see `taken`.
    """
    same_spec(record, read_json(record)["spec"], spec)
    places, _ = subset.read(difficulty.rows_of(record))
    return taken(data, paths, {lang: places for lang in data})


def taken(
    data: Mapping[str, Encoded], paths: Mapping[str, str], chosen: Mapping[str, np.ndarray]
) -> dict[str, Encoded]:
    """Return language -> the encoded rows of a task, with the rows of them that are trained on.

    Raises:
        UserError: a file is of an older version.
    """
    found = {lang: dataclasses.replace(data[lang], sample=rows) for lang, rows in chosen.items()}
    for lang, of in found.items():
        try:
            _ = of.chosen
        except UserError as error:
            raise UserError(f"{paths[lang]}: {error}; delete it to have it made anew") from None
    return found


def lowest(sizes: Mapping[str, int], count: int, seed: int, task: str) -> dict[str, np.ndarray]:
    """Return language -> rows of the sample, int64, in order.

    Args:
        sizes: language -> rows that there are.
        count: rows to draw, of all languages together; all if there are fewer.
        seed, task: of the training, and of the rows.
    """
    drawn = np.concatenate([numbers(seed, task, lang, size) for lang, size in sizes.items()])
    order = np.sort(np.argsort(drawn, kind="stable")[:count])
    ends = list(itertools.accumulate(sizes.values()))
    cuts = np.split(order, np.searchsorted(order, np.array(ends[:-1])))
    return {
        lang: part - (end - size)
        for (lang, size), part, end in zip(sizes.items(), cuts, ends, strict=True)
    }


def numbers(seed: int, task: str, lang: str, rows: int) -> np.ndarray:
    """Return the number of each row of a file, uint64 [rows]; a longer file has more of them."""
    key = hashlib.sha256(f"sample {seed} {task} {lang}".encode()).digest()[:16]
    return np.random.Philox(key=int.from_bytes(key, "little")).random_raw(rows)
