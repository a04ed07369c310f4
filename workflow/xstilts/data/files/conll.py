"""conll and conllu: a token a line, its tags in columns, a blank line between sentences.

A table has a row a sentence, its columns lists of text. Rows of the file are its lines.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from xstilts.data import columns
from xstilts.data.files import content
from xstilts.running.errors import UserError, nearest

UD = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
_NO_WORD = re.compile(r"\d+[-.]\d+")  # ids of multiword tokens, and of empty nodes
_Line = tuple[int, list[str]]


def read(path: Path, text: str, cut: bool, kind: str, spec: dict) -> pa.Table:
    """Return the sentences; columns are those that `columns` of the spec names (by number, in
    conllu also by name), else `tokens` and `tags`: the first and last of conll, FORM and UPOS."""
    lines = content.lines(text)
    sentences = list(_sentences(path, lines, kind, cut))
    if not sentences:
        raise UserError(f"{path}: holds no token; give a file with a token a line")
    width = len(sentences[0][0][1])
    chosen = _chosen(path, kind, width, spec)
    arrays = [
        pa.array([[fields[at] for _, fields in s] for s in sentences], pa.list_(pa.string()))
        for at in chosen.values()
    ]
    return pa.Table.from_arrays(arrays, names=list(chosen))


def _chosen(path: Path, kind: str, width: int, spec: dict) -> dict[str, int]:
    """Which columns to take: name in the table -> index."""
    given = [str(name) for name in spec.get("columns") or {}]
    if not given:
        if kind == "conllu":
            return {"tokens": UD.index("FORM"), "tags": UD.index("UPOS")}
        if width < 2:
            raise UserError(
                f"{path}: row 1: has one column, the tokens, and no tags; give a file with both"
            )
        return {"tokens": 0, "tags": width - 1}
    names = {str(i + 1): i for i in range(width)}
    if kind == "conllu":
        names |= {form: i for i, name in enumerate(UD) for form in (name, name.lower())}
    for name in given:
        if name not in names:
            form = f"1 to {width}" + (f", or {', '.join(UD)}" if kind == "conllu" else "")
            raise UserError(
                f"{path}: columns: there is no column `{name}`{nearest(name, names)} (there are"
                f" {form})"
            )
    return {name: names[name] for name in given}


def _sentences(path: Path, lines: list[str], kind: str, cut: bool) -> Iterator[list[_Line]]:
    """The tokens of each sentence, with the number of their lines."""
    rows = list(rows_of(lines, kind))
    sentence: list[_Line] = []
    width, first = None, 0
    for number, fields in rows:
        if not fields:
            if sentence:
                yield sentence
            sentence = []
            continue
        width, first = width or len(fields), first or number
        wrong = ""
        if kind == "conllu" and width != len(UD):
            wrong = (
                f"CoNLL-U has {len(UD)}, with tabs between them; for other columns say"
                " `file: {kind: conll}`"
            )
        elif len(fields) != width:
            wrong = (
                f"row {first} has {width}; give each token as many, and a blank line between"
                " sentences"
            )
        if wrong:
            found = content.count(len(fields), "column")
            raise UserError(f"{path}: row {number}: {found}, but {wrong}")
        sentence.append((number, fields))
    if sentence and not cut:
        yield sentence


def rows_of(lines: list[str], kind: str) -> Iterator[_Line]:
    """Yield the number and fields of each line; none for one that ends a sentence."""
    if kind == "conllu":
        for number, line in enumerate(lines, 1):
            if line.startswith("#"):
                continue
            fields = line.split("\t") if line.strip(" \t") else []
            if not fields or not _NO_WORD.fullmatch(fields[0]):
                yield number, fields
        return
    tabs = next(("\t" in line for line in lines if line.strip() and line[0] != "#"), False)
    rows = [
        (line.split("\t") if line.strip(" \t") else [])
        if tabs
        else [field for field in line.replace("\t", " ").split(" ") if field]
        for line in lines
    ]
    # A token may be `#`, and a comment may have as many words as there are columns: a line that
    # begins so is a token where it has as many and other lines have its tag.
    plain = [f for f in rows if f and f[0][:1] != "#" and f[0] != "-DOCSTART-"]
    tags = {fields[-1] for fields in plain}
    width = len(plain[0]) if plain else 0
    for number, fields in enumerate(rows, 1):
        if number == 1 and all(_has(fields, field) for field in ("tokens", "tags")):
            continue  # a header
        start = fields[0] if fields else ""
        is_token = start[:1] != "#" or (len(fields) == width and fields[-1] in tags)
        if start != "-DOCSTART-" and is_token:
            yield number, fields


def _has(fields: list[str], column: str) -> bool:
    return any(columns.is_name(name, column) for name in fields)
