"""A deal: each row of a task in one of its languages, where an intermediate asks for
`translations: dealt`, so that a training in several languages has as many rows as one of them has.

Each row goes to the language that has the lowest number for it (rendezvous hashing: Thaler and
Ravishankar 1998, Using name-based mappings to increase hit rates). A number follows from seed,
task, language and the row's id alone, so that a language which is added takes rows, 1 of k + 1, and
moves no other; and a sample of N rows, those with the lowest numbers of their own, is dealt as
these rows are in a larger one. Of n rows each of k languages has n/k, give or take
sqrt(n/k (1 - 1/k)): 26,180 and 156 of MNLI's 392,702 in 15.

Rows are known by their ids, and not by their places as in `sample`: a translation may lack some,
such as questions whose answer was lost. Those are dealt to the languages that have them.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xstilts.data import prepare
from xstilts.experiment import amounts, synthetic
from xstilts.running.errors import UserError

# Of the ids of the longest file the share that each has to have. Translations lose some answers;
# of files with ids of their own it is nothing.
SHARED = 0.5
_LABELLED = ("classification", "regression", "choice")  # of which a row has one label


def rows_of(path: str, format: str) -> pa.Table:
    """Return the ids of the rows of a prepared file, with their labels where a row has one."""
    return prepare.read(path).select(["id", "label"] if format in _LABELLED else ["id"])


def draw(
    rows: Mapping[str, pa.Table],
    paths: Mapping[str, str],
    spec: Mapping[str, Any],
    seed: int,
    name: str,
) -> dict[str, np.ndarray]:
    """Return language -> the rows that are trained on in it, int64, in order.

    Args:
        rows, paths: language -> what `rows_of` returns, and the file that it is of.
        spec: of the task in the training (`tasks.task_specs`).
        seed: of the training.
        name: of the intermediate, for messages.

    Raises:
        UserError: the files are not of the same rows; there are fewer than were asked for.
    """
    ids = pc.unique(pa.chunked_array([part for of in rows.values() for part in of["id"].chunks]))
    at = {lang: _places(of["id"], ids) for lang, of in rows.items()}
    _check(rows, paths, ids, at)
    if "rows" in spec and spec["rows"] > len(ids):
        raise UserError(amounts.too_few(name, spec["rows"], spec["task"], len(ids)))
    chosen = deal(
        ids.to_pylist(), at, spec.get("rows", spec.get("rows_at_most")), seed, spec["task"]
    )
    return {lang: np.flatnonzero(chosen[at[lang]] == k) for k, lang in enumerate(rows)}


def deal(
    ids: list[str], at: Mapping[str, np.ndarray], count: int | None, seed: int, task: str
) -> np.ndarray:
    """Return the language that each id is dealt to, by its number in `at`; -1 for none.

    Args:
        ids: different ones.
        at: language -> places in `ids` of what it has.
        count: how many of them to draw; None for all.
        seed, task: of the training, and of the rows.
    """
    hashed = np.array([_hash(one) for one in ids], dtype=np.uint64)
    numbers = np.full((len(at), len(ids)), np.iinfo(np.uint64).max)
    for k, (lang, places) in enumerate(at.items()):
        numbers[k, places] = _mixed(hashed[places], f"deal {seed} {task} {lang}")
    chosen = numbers.argmin(0)
    if count is not None:
        order = np.argsort(_mixed(hashed, f"deal {seed} {task}"), kind="stable")
        chosen[order[count:]] = -1
    return chosen


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def _mixed(hashed: np.ndarray, key: str) -> np.ndarray:
    """Return the numbers of ids under a key, uint64: the last step of SplitMix64 (Steele, Lea and
    Flood 2014, figure 17; it goes on with the id, which is hashed already)."""
    x = hashed ^ np.uint64(_hash(key))
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _places(ids: pa.ChunkedArray, every: pa.Array) -> np.ndarray:
    return pc.index_in(ids, value_set=every).to_numpy().astype(np.int64)


def _check(
    rows: Mapping[str, pa.Table],
    paths: Mapping[str, str],
    ids: pa.Array,
    at: Mapping[str, np.ndarray],
) -> None:
    """Refuse files that are not of the same rows: by their ids, or by a row's label.

    Raises:
        UserError: two files, and the first row in which they differ.
    """
    needed = "`translations: dealt` needs the same rows, by id, in every language"
    longest = max(rows, key=lambda lang: rows[lang].num_rows)
    first = next(iter(rows))
    labels = {}
    for lang, of in rows.items():
        gone = at[longest][~np.isin(at[longest], at[lang])]
        # Of rows that were translated here a filter may have dropped any number.
        made = synthetic.is_synthetic(paths[lang])
        if len(gone) > (1 - SHARED) * len(at[longest]) and not made:
            raise UserError(
                f"{paths[lang]}: lacks {len(gone)} of the {len(at[longest])} rows of"
                f" {paths[longest]}, `{ids[int(gone[0])]}` first; {needed}"
            )
        if "label" in of.column_names:
            labels[lang] = _spread(of["label"].to_pylist(), at[lang], len(ids))
            differ = np.flatnonzero(
                (labels[lang] != labels[first])
                & (labels[lang] != None)  # noqa: E711 (of each)
                & (labels[first] != None)  # noqa: E711
            )
            if len(differ):
                i = int(differ[0])
                raise UserError(
                    f"{paths[lang]}: row `{ids[i]}` is `{labels[lang][i]}`, in {paths[first]} it is"
                    f" `{labels[first][i]}`; {needed}"
                )


def _spread(values: list[Any], places: np.ndarray, size: int) -> np.ndarray:
    """Return values at their places in an array of objects; None where there is none."""
    found: np.ndarray = np.full(size, None, dtype=object)
    found[places] = values
    return found
