"""Sets of pictures: which columns hold pictures, and the rows of a set, which are ids alone.

A set (a task of format `images`) has a row a picture: its id, and `number`, its row in the raw
split, by which the step `features` finds it. No rows that are prepared hold a picture: such columns
are left out before anything is read, since a data set of pictures is too large for memory.
"""

import itertools
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xstilts.data import mirror
from xstilts.running.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]
# Kinds of files that `datasets` reads in place of parquet, where there are more of them.
OTHER_KINDS = (".csv", ".json", ".jsonl", ".arrow", ".tar", ".zip", ".txt")
SHOWN = 3  # ids in a message


def columns_of(schema: "pa.Schema") -> list[str]:
    """Return the columns that hold pictures, or sound: bytes with a path, as `datasets` has them,
    alone or in a list."""
    return [field.name for field in schema if _holds(field.type)]


def _holds(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _holds(kind.value_type)
    if not pa.types.is_struct(kind):
        return False
    at = kind.get_field_index("bytes")
    if at < 0:
        return False
    of = kind.field(at).type
    return pa.types.is_binary(of) or pa.types.is_large_binary(of)


def schema_in(folder: Path, name: str, config: str | None, split: str) -> "pa.Schema | None":
    """Return the schema of a split's rows in a folder, pictures included; None where that is not
    known before the library has looked.

    Raises:
        UserError, Absent: as `mirror.schema`.
    """
    found = mirror.schema(folder, name, config, split)
    if found is not None:
        return found
    files = sorted(folder.rglob("*.parquet"))
    others = Counter(path.suffix for path in folder.rglob("*") if path.suffix in OTHER_KINDS)
    if not files or max(others.values(), default=0) > len(files):
        return None
    import pyarrow as pa
    import pyarrow.parquet as pq

    of = [path for path in files if config and config in path.relative_to(folder).as_posix()]
    try:
        return pq.read_schema((of or files)[0])
    except (pa.ArrowException, OSError, ValueError):
        return None  # which the library is to say


def others_in(folder: Path, name: str, config: str | None, split: str) -> list[str] | None:
    """Return the columns of a folder's data set that are to be read: those without pictures; None
    where all are, or where that is not known."""
    schema = schema_in(folder, name, config, split)
    if schema is None:
        return None
    pictures = columns_of(schema)
    return [column for column in schema.names if column not in pictures] if pictures else None


def streams(spec: dict[str, Any]) -> bool:
    """Whether a split can be read row by row: not a sum or a slice of splits."""
    return not set("+[") & set(spec["split"])


def collected(stream: Any) -> Any:
    """Return the rows of a streamed data set, without what is in the columns of pictures: these are
    there, and empty. One picture is in memory at a time."""
    import datasets

    held = columns_of(stream.features.arrow_schema)
    none = dict.fromkeys(held)
    found = [row | none for row in stream.remove_columns(held)]
    return datasets.Dataset.from_list(found, features=stream.features)


def rows(ids: Iterable[Any], where: str) -> tuple[list[Row], dict[str, int]]:
    """Return the rows of a set, {id, number}, and why there are fewer than raw ones.

    Args:
        ids: of the raw rows, in their order; None of one that names none.
        where: how a message begins.

    Raises:
        UserError: there is none.
    """
    found: dict[str, int] = {}
    total = dropped = 0
    for number, each in enumerate(ids):
        total += 1
        if each is None:
            dropped += 1
        else:
            found.setdefault(str(each), number)
    if not found:
        raise UserError(f"{where} has no picture with an id")
    twice = total - dropped - len(found)
    counts = {"no id": dropped, "its id is there already": twice}
    made = [{"id": name, "number": number} for name, number in found.items()]
    return made, {reason: n for reason, n in counts.items() if n}


class Pictures:
    """The pictures that a task's rows may have: those of its set."""

    def __init__(self, name: str, ids: Collection[str] | None, where: str) -> None:
        """Take the ids of the set called `name`, None where it is not known yet; `where` is how a
        message begins."""
        self.name, self.ids, self.where = name, ids, where
        self.missing: list[str] = []  # the first ids that are not in the set

    def without(self, row: Row, counts: "Counter[str]") -> bool:
        """Return whether a row's picture is not in the set, which is counted; the id becomes text.

        Raises:
            UserError: the row says nothing of pictures.
        """
        if "image" not in row:
            raise UserError(f"{self.where}: its rows name no `image`, the id of a picture")
        if row["image"] is None:
            counts["it names no picture"] += 1
            return True
        row["image"] = str(row["image"])
        if self.ids is None or row["image"] in self.ids:
            return False
        counts[f"its picture is not in {self.name}"] += 1
        if len(self.missing) <= SHOWN:
            self.missing.append(row["image"])
        return True

    def check(self, found: bool) -> None:
        """Refuse rows of which none has a picture, with the first ids of both."""
        if found or not self.missing or self.ids is None:
            return
        ours, theirs = (
            ", ".join(ids[:SHOWN]) + (", ..." if len(ids) > SHOWN else "")
            for ids in (self.missing, list(itertools.islice(self.ids, SHOWN + 1)))
        )
        raise UserError(
            f"{self.where}: none of its rows has a picture of `{self.name}`: they name {ours};"
            f" `{self.name}` has {theirs}"
        )
