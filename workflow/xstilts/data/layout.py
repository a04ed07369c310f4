"""Where files of one's own are: splits and languages found by the names of files."""

import re
from collections.abc import Iterable, Sequence
from itertools import islice, product
from pathlib import Path

from xstilts.data.source import SPLIT_NAMES, absolute
from xstilts.running.errors import Absent, UserError, brief

# How a folder names its files, of each language or of one.
_NAMED = tuple(
    pattern
    for a, b in (("{lang}", "{split}"), ("{split}", "{lang}"))
    for pattern in (f"{a}/{b}", f"{a}.{b}", f"{a}-{b}", f"{a}_{b}")
)
_PACKED = ("", ".gz", ".zst", ".xz", ".bz2")
_MANY = 2000  # folders in which a file is looked for
_KINDS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".conllu", ".conll", ".txt")


def splits(
    given: str, base: str, languages: Sequence[str], where: str
) -> dict[str, tuple[str, ...]]:
    """Return split -> its path (in which `{lang}` stands for the language) for one path.

    Args:
        given: a pattern with `{split}`, or a folder.
        base: what it is relative to.
        languages: as the paths name them.
        where: what an error begins with.

    Raises:
        UserError: nothing is found, or the path is of a single file, or it is no path.
    """
    try:
        return _found(given, base, languages, where)
    except OSError as error:  # its name is too long, a folder may not be read
        raise UserError(f"{where}: {brief(given)}: {error.strerror}") from None


def _found(
    given: str, base: str, languages: Sequence[str], where: str
) -> dict[str, tuple[str, ...]]:
    if "{split}" in given:
        found: dict[str, tuple[str, ...]] = {
            split: (pattern,)
            for split in SPLIT_NAMES
            if (pattern := _first(_filled(given, split), base, languages))
        }
        if not found:
            raise UserError(f"{where}: {given}: no such file of a split train, dev or test")
        return found
    path = absolute(given.replace("{lang}", languages[0]), base)
    if path.is_dir():
        return _in_folder(given.rstrip("/"), path, base, languages, where)
    if path.is_file() or "{lang}" in given:
        raise UserError(f"{where}: of which split is {given}? write {{train: ..., dev: ...}}")
    hub = re.fullmatch(r"[\w.-]+/[\w.-]+", given)
    hint = f"; a data set on the hub is `hub: {given}`" if hub else ""
    raise UserError(f"{where}: {given}: there is no such file or folder in {path.parent}{hint}")


def _in_folder(
    given: str, folder: Path, base: str, languages: Sequence[str], where: str
) -> dict[str, tuple[str, ...]]:
    if (folder / "README.md").is_file() and "configs:" in (folder / "README.md").read_text(
        encoding="utf-8", errors="replace"
    ):
        name = given if given.startswith(("/", "~", ".")) else f"./{given}"
        raise UserError(f"{where}: {given} has the shape of a data set of the hub: `hub: {name}`")
    named = ("{split}",) if "{lang}" in given else (*_NAMED, "{split}")
    found: dict[str, tuple[str, ...]] = {}
    for split in SPLIT_NAMES:
        patterns = [
            f"{given}/{pattern}{kind}{packed}"
            for pattern, kind, packed in product(named, _KINDS, _PACKED)
        ]
        filled = (each for pattern in patterns for each in _filled(pattern, split))
        if pattern := _first(filled, base, languages):
            found[split] = (pattern,)
    if not found:
        raise UserError(
            f"{where}: {given} holds no file that is called after a split, as train.csv or"
            " de/dev.csv; write {train: PATH, dev: PATH}"
        )
    return found


def _filled(pattern: str, split: str) -> Iterable[str]:
    return (pattern.replace("{split}", name) for name in SPLIT_NAMES[split])


def _first(patterns: Iterable[str], base: str, languages: Sequence[str]) -> str | None:
    """Return the first of the patterns of which some language has a file."""
    for pattern in patterns:
        if any(absolute(pattern.replace("{lang}", code), base).exists() for code in languages):
            return pattern
    return None


def parts(paths: Iterable[str], folder: str) -> dict[str, Path]:
    """Return the files of some paths, each by how it is written: of a folder all that are in it, in
    the order of their names.

    Raises:
        Absent: one of the paths is not there.
    """
    found: dict[str, Path] = {}
    for path in paths:
        whole = absolute(path, folder)
        if whole.is_dir():
            inside = sorted(p for p in whole.iterdir() if p.is_file() and p.name[0] not in "._")
            found |= {f"{path.rstrip('/')}/{p.name}": p for p in inside if p.name != "README.md"}
        elif whole.is_file():
            found[path] = whole
        else:
            raise Absent(f"{path}: there is no such file in {folder}{_elsewhere(path, folder)}")
    return found


def are_there(paths: Iterable[str], folder: str) -> bool:
    """Return whether `parts` finds all."""
    try:
        return bool(parts(paths, folder))
    except Absent:
        return False


def _elsewhere(path: str, folder: str) -> str:
    """Return " (there is ner/de-dev.conll)" for a path that lies up to two folders further down; ""
    if it does not."""
    base = absolute(folder)
    inside = islice((p for depth in ("*/", "*/*/") for p in base.glob(depth)), _MANY)
    found = (child.relative_to(base) / path for child in inside if (child / path).is_file())
    place = next(found, None)
    return f" (there is {place})" if place else ""
