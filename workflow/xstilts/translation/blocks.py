"""Many texts translated: each distinct segment once, in blocks that are kept.

A block is a file of its segments' translations, written whole, so a translation that is killed goes
on with the first block that is missing and comes to the same bytes. Which segments are in a block
follows from the texts alone.
"""

import dataclasses
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json, write_json
from xstilts.translation import segments
from xstilts.translation.engines import Engine

FOLDER = "blocks"  # in a state folder
MOST_EMPTY = 0.1  # the share of a block's translations that may be empty
FEW = 10  # empty ones that say nothing of a translator, where a block is small


@dataclasses.dataclass(frozen=True)
class Blocks:
    """How texts are cut, and where finished blocks are.

    Attributes:
        folder: of the blocks.
        key: digest of what a translation follows from beside the segments.
        size: segments of a block.
        longest: see `segments.cut`.
        unspaced: whether the translations are of a language without spaces.
        most_empty: the share of a block's translations that may be empty.
    """

    folder: Path
    key: str
    size: int
    longest: int
    unspaced: bool = False
    most_empty: float = MOST_EMPTY


def translate(
    texts: Sequence[str],
    blocks: Blocks,
    engine: Callable[[], Engine],
    say: Callable[[str], None] = print,
) -> tuple[dict[str, str], int]:
    """Return text -> translation, of each distinct text, and how many blocks were there already.

    Args:
        texts: any, with repeats.
        blocks: how they are cut, and where what is done is.
        engine: makes the engine; called if a block is missing.
        say: is told of each block.

    Raises:
        UserError: the engine failed, on which block; more than a tenth of a block came back empty,
            and more than `FEW`; or nothing has come back at all.
    """
    cut = {text: segments.cut(text, blocks.longest) for text in texts}
    lines = list(dict.fromkeys(part for text in cut.values() for part in text.parts))
    found: dict[str, str] = {}
    made: Engine | None = None
    total, resumed = -(-len(lines) // blocks.size), 0
    for number, block in enumerate(_blocks(lines, blocks.size), 1):
        path = blocks.folder / f"{number:06}.json"
        of = digest([blocks.key, block])
        translated = _kept(path, of, len(block))
        resumed += translated is not None
        if translated is None:
            made = made or engine()
            name, none_yet = f"block {number} of {total}", not any(found.values())
            translated = _made(made, block, name, blocks.most_empty, none_yet)
            write_json(path, {"key": of, "lines": translated})
            say(f"block {number} of {total}: {len(block)} segments")
        found.update(zip(block, translated, strict=True))
    whole = {
        text: parts.joined([found[part] for part in parts.parts], blocks.unspaced)
        for text, parts in cut.items()
    }
    return whole, resumed


def key(spec: Mapping[str, Any], pins: Mapping[str, str]) -> str:
    """Return the key of the blocks of a step: what it is asked for, by which version of it, and the
    revisions of what it reads, which a lock file may move while a job is killed."""
    return digest([spec, dict(pins)])


def clear(folder: Path) -> None:
    """Delete the blocks of a translation that is written."""
    shutil.rmtree(folder, ignore_errors=True)


def characters(texts: Iterable[str], longest: int) -> int:
    """Return the characters of the distinct segments of some texts: what an engine reads."""
    return sum(
        map(len, {part for text in set(texts) for part in segments.cut(text, longest).parts})
    )


def _blocks(lines: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(lines), size):
        yield lines[start : start + size]


def _kept(path: Path, key: str, count: int) -> list[str] | None:
    """Return the translations of a block that is there; None if it is another, or damaged."""
    if not path.exists():
        return None
    try:
        block = read_json(path)
        same = block["key"] == key and len(block["lines"]) == count
    except (UserError, KeyError, TypeError):
        return None
    return block["lines"] if same else None


def _made(
    engine: Engine, block: Sequence[str], name: str, most_empty: float, none_yet: bool
) -> list[str]:
    try:
        translated = engine.translate(block)
    except UserError as error:
        error.args = (f"{name}: {error}",)
        raise
    if len(translated) != len(block):
        raise UserError(
            f"{name}: {len(block)} lines went in and {len(translated)} came out; it must write one"
            " line for each that it reads"
        )
    translated = [" ".join(line.split()) for line in translated]
    empty = [line for line, into in zip(block, translated, strict=True) if not into]
    none_yet = none_yet and 1 < len(empty) == len(block)
    if most_empty < 1 and (none_yet or len(empty) > max(most_empty * len(block), FEW)):
        raise UserError(
            f"{name}: {len(empty)} of its {len(block)} translations are empty, the first of"
            f" `{empty[0][:60]}`; is it a translator of these languages?"
        )
    return translated
