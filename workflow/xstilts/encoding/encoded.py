"""Encoded rows: token ids without padding, with what a format needs to train and to decode."""

import dataclasses
import hashlib
import json
import math
import mmap
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save, save_file

from xstilts.encoding.features import Pictures, record
from xstilts.encoding.header import DIGEST, opened, read_arrays
from xstilts.running.errors import Absent, UserError, brief
from xstilts.running.files import atomic
from xstilts.running.record import same_spec

# What safetensors calls the kinds of numbers that the formats' arrays are of.
DTYPES = {"I32": np.int32, "I64": np.int64, "F32": np.float32, "BOOL": np.bool_}

# Arrays that say where each of something begins in another array, and where the last ends.
BEGINNINGS = ("starts", "groups", "spans")


@dataclasses.dataclass(frozen=True)
class Encoded:
    """The examples of one data file, as sequences of token ids.

    An *example* is what a batch counts: a row of a classification, tagging window, span window or
    sentence is one sequence; a row of a choice task is one example of as many sequences as choices.

    Attributes:
        arrays: `tokens` int32 [tokens], all sequences one after another; `starts` int64
            [sequences + 1], where each begins in `tokens`; `groups` int64 [examples + 1], where
            each example begins in the sequences; and the format's own (see its page).
        meta: spec, pins, tokenizer digest, `pad` id, numbers of rows and of rows cut; `labels`
            where they were taken from training rows (an open tag set).
        sample: int64, the rows that are trained on, in order; None for all.
        pictures: what is shown before the texts; None for nothing. Which picture is that of a
            sequence is in `image` int64 [sequences], of a task with pictures.
    """

    arrays: dict[str, np.ndarray]
    meta: dict[str, Any]
    sample: np.ndarray | None = None
    pictures: Pictures | None = None

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.arrays["groups"]) - 1

    @property
    def labels(self) -> list[str]:
        """Label names, in the order of the head's outputs."""
        return self.meta.get("labels") or self.meta["spec"]["labels"]

    def sequence_lengths(self) -> np.ndarray:
        """Return the number of tokens of each sequence, int64 [sequences]."""
        return np.diff(self.arrays["starts"])

    @property
    def positions(self) -> int:
        """The positions of a picture before each sequence; 0 without."""
        return 0 if self.pictures is None else self.pictures.features.positions

    def shapes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return, per example, the tokens of its longest sequence and its number of sequences; the
        positions of pictures are tokens here."""
        return self._shapes

    @cached_property
    def _shapes(self) -> tuple[np.ndarray, np.ndarray]:  # of all examples, and every step asks
        longest = np.maximum.reduceat(self.sequence_lengths(), self.arrays["groups"][:-1])
        return longest + self.positions, np.diff(self.arrays["groups"])

    @cached_property
    def tokens(self) -> np.ndarray:
        """The number of tokens of each example, int64 [examples], those of pictures among them."""
        groups = self.arrays["groups"]
        return np.diff(self.arrays["starts"][groups]) + self.positions * np.diff(groups)

    @cached_property
    def separate(self) -> "Encoded":
        """The same, each sequence an example of its own."""
        groups = np.arange(len(self.arrays["starts"]))
        return Encoded(self.arrays | {"groups": groups}, self.meta, pictures=self.pictures)

    @property
    def rows(self) -> int:
        """The number of rows that are trained on."""
        return self.meta["rows"] if self.sample is None else len(self.sample)

    @cached_property
    def chosen(self) -> np.ndarray:
        """The examples that are trained on, int64, in order: all, or those of the sample's rows.

        Raises:
            UserError: the file does not tell of which rows its examples are.
        """
        if self.sample is None:
            return np.arange(len(self))
        row_of_example = self.arrays.get("row")
        if row_of_example is None:
            if len(self) != self.meta["rows"]:
                raise UserError("does not say of which rows its examples are")
            return self.sample
        drawn = np.zeros(self.meta["rows"], dtype=bool)
        drawn[self.sample] = True
        return np.flatnonzero(drawn[row_of_example])

    def first_rows(self, rows: int | None) -> "Encoded":
        """Return the examples of the first `rows` rows (all for None)."""
        if rows is None:
            return self
        row_of_example = self.arrays.get("row", np.arange(len(self)))
        examples = int(np.searchsorted(row_of_example, rows))
        arrays = self.arrays | {"groups": self.arrays["groups"][: examples + 1]}
        return Encoded(arrays, self.meta, pictures=self.pictures)

    def part(self, first: int, after: int) -> "Encoded":
        """Return the examples from one on, up to another, of a file of a sequence an example."""
        starts = self.arrays["starts"][first : after + 1]
        groups = np.arange(len(starts))
        return Encoded({**self.arrays, "starts": starts, "groups": groups}, self.meta)

    def sequence(self, index: int) -> np.ndarray:
        """Return the token ids of one sequence."""
        starts = self.arrays["starts"]
        return self.arrays["tokens"][starts[index] : starts[index + 1]]

    def save(self, path: str | Path) -> None:
        """Write to a safetensors file, atomically, with its digest (`header.digest_of`)."""
        content = save(self.arrays, {"xstilts": json.dumps(self.meta)})
        meta = self.meta | {DIGEST: hashlib.sha256(content).hexdigest()}
        del content
        with atomic(path) as temporary:
            save_file(self.arrays, temporary, metadata={"xstilts": json.dumps(meta)})


def pack(sequences: Sequence[Sequence[int]], groups: Sequence[int] | None = None) -> dict[str, Any]:
    """Return `tokens`, `starts` and `groups` of sequences; one sequence an example by default.

    `groups` holds the number of sequences of each example.
    """
    lengths = [len(sequence) for sequence in sequences]
    counts = [1] * len(sequences) if groups is None else groups
    return {
        "tokens": np.fromiter((i for s in sequences for i in s), np.int32, count=sum(lengths)),
        "starts": np.cumsum([0, *lengths], dtype=np.int64),
        "groups": np.cumsum([0, *counts], dtype=np.int64),
    }


def join(parts: Sequence[Encoded]) -> Encoded:
    """Return the examples of several files of one kind, one file after another, to be batched
    together; what is not of the rows, and their pictures, are as the first file has them."""
    if len(parts) == 1:
        return parts[0]
    joined = {}
    for name in parts[0].arrays:
        arrays = [part.arrays[name] for part in parts]
        if name in BEGINNINGS:
            before = np.cumsum([0, *(array[-1] for array in arrays[:-1])])
            arrays = [array[1:] + n for array, n in zip(arrays, before, strict=True)]
            arrays.insert(0, np.zeros(1, np.int64))
        elif name == "row":
            before = np.cumsum([0, *(part.meta["rows"] for part in parts[:-1])])
            arrays = [array + n for array, n in zip(arrays, before, strict=True)]
        joined[name] = np.concatenate(arrays)
    meta = parts[0].meta | {key: sum(part.meta[key] for part in parts) for key in ("rows", "cut")}
    return Encoded(joined, meta, pictures=parts[0].pictures)


def pad(data: Encoded, examples: np.ndarray) -> dict[str, Any]:
    """Return the sequences of some examples as one padded batch.

    Returns:
        `ids` int64 [sequences, width], padded on the right; `mask` bool of the same shape, or None
        where nothing is padding; `sequences` int64 [sequences], their indices in `data`.
    """
    groups = data.arrays["groups"]
    chosen = np.concatenate([np.arange(groups[e], groups[e + 1]) for e in examples])
    starts = data.arrays["starts"]
    lengths = starts[chosen + 1] - starts[chosen]
    ids = np.full((len(chosen), lengths.max()), data.meta["pad"], dtype=np.int64)
    for row, sequence in enumerate(chosen):
        ids[row, : lengths[row]] = data.sequence(sequence)
    full = bool((lengths == ids.shape[1]).all())
    mask = None if full else np.arange(ids.shape[1]) < lengths[:, None]
    return {"ids": ids, "mask": mask, "sequences": chosen}


def behind(path: str | Path, data: Encoded, pictures: Pictures) -> Encoded:
    """Return encoded rows, of a file, with pictures before them.

    Raises:
        UserError: they are of another set, of more pictures, or of pictures at another pin.
    """
    numbers, there = data.arrays.get("image"), len(pictures.features)
    if numbers is None or numbers.max(initial=-1) >= there:
        raise UserError(f"{path}: is not of the {there} pictures of its set; delete it, run again")
    own, theirs = data.meta["pins"], record(pictures.features.path)["pins"]
    for name in own.keys() & theirs.keys():
        if name.startswith("datasets/") and own[name] != theirs[name]:
            raise UserError(
                f"{path}: of {name.removeprefix('datasets/')} at {brief(own[name], 12)}, and"
                f" {pictures.features.path} at {brief(theirs[name], 12)}; delete both, run again"
            )
    return dataclasses.replace(data, pictures=pictures)


def seen(data: Encoded, batch: dict[str, Any]) -> dict[str, Any]:
    """Return a collated batch with the pictures before its sequences, if there are any: `visual`
    float16 [sequences, positions, width], and `pad`, the id that is in their place."""
    if data.pictures is None:
        return batch
    visual = data.pictures.of(data.arrays["image"][batch["sequences"]])
    return batch | {"visual": visual, "pad": data.meta["pad"]}


def load(path: str | Path, whole: bool = True) -> Encoded:
    """Return the examples of an encoded file, mapped into memory: what is used of it is read.

    A file that is replaced meanwhile stays the one that was opened. If it is cut off in place, or
    deleted on another machine of a network file system, the process is killed (SIGBUS), and the
    next attempt goes on.

    Args:
        path: of the file.
        whole: all of it will be used, so the system may read it ahead.

    Raises:
        UserError: it is damaged.
    """
    with opened(path) as file:
        arrays, meta = read_arrays(file)
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if whole and hasattr(mmap, "MADV_WILLNEED"):
            mapped.madvise(mmap.MADV_WILLNEED)
        data = Encoded(
            {
                name: np.frombuffer(mapped, DTYPES[kind], math.prod(shape), at).reshape(shape)
                for name, (kind, shape, at) in arrays.items()
            },
            meta,
        )
        _check(data.arrays)
    return data


def _check(arrays: dict[str, np.ndarray]) -> None:
    """Raise ValueError where the ends do not fit: a machine that went down leaves zeros."""
    tokens, starts, groups = (arrays[name] for name in ("tokens", "starts", "groups"))
    if starts[-1] != len(tokens) or groups[-1] != len(starts) - 1:
        raise ValueError


def load_checked(
    path: str | Path, spec_digest: str, tokenizer_digest: str, model: str, whole: bool = True
) -> Encoded:
    """Return the examples of an encoded file, see `load`.

    `model` is the one that has the tokenizer, for the error message.

    Raises:
        UserError: it was made by another spec or with another tokenizer.
        Absent: there are no rows of this language and split.
    """
    data = load(path, whole)
    same_spec(path, data.meta["spec"], spec_digest)
    if reason := data.meta.get("absent"):
        raise Absent(f"{path}: {reason}")
    if data.meta["tokenizer"] != tokenizer_digest:
        raise UserError(f"{path}: encoded with another tokenizer than that of {model}")
    return data
