"""What is in a file before it is a table: bytes looked through for compression, then text.

Compression is told by content, not by the name: what a browser saved as `x.gz` may be unpacked.
"""

import bz2
import codecs
import gzip
import io
import lzma
import re
import zlib
from pathlib import Path
from typing import IO, Any

from xstilts.data.source import POINTER, is_pointer
from xstilts.running.errors import UserError

COMPRESSED = (".gz", ".zst", ".xz", ".bz2")
HEAD = 1 << 20  # bytes that are looked at where only the first rows are asked for
_ARCHIVE = b"PK\x03\x04"
_MAGIC = {  # how compressed files begin
    rb"\x1f\x8b": "gzip", rb"\x28\xb5\x2f\xfd": "zstd", rb"\xfd7zXZ\x00": "xz",
    rb"BZh[1-9]1AY&": "bz2",
}  # fmt: skip
_OPENERS: dict[str, Any] = {"gzip": gzip.open, "xz": lzma.open, "bz2": bz2.open}


def suffix(path: Path) -> str:
    """Return the suffix of a file's name, in lower case, without that of a compression."""
    name = path.name.lower()
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    return Path(name).suffix


def data(path: Path, limit: int | None = None) -> tuple[bytes, bool]:
    """Return the unpacked bytes of a file, and whether they were cut.

    Cut ones end with a line, after at least `limit` bytes. UserError for a file that is not there,
    empty, a Git LFS pointer, or damaged.
    """
    try:
        if is_pointer(path):
            raise UserError(f"{path}: {POINTER}")
        with _open(path) as file:
            found = file.read(-1 if limit is None else limit)
            cut = limit is not None and len(found) == limit
            while cut and not found.endswith(b"\n"):
                more = file.readline()
                found, cut = found + more, bool(more)
            cut = cut and bool(file.read(1))
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder, not a file") from None
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"{path}: is damaged or cut off ({reason}); fetch it again") from error
    if found.startswith(_ARCHIVE):
        raise UserError(
            f"{path}: is a zip archive or a spreadsheet; unpack it, or save it as csv in UTF-8"
        )
    if not found:
        raise UserError(f"{path}: is empty; give a file with rows, or leave it out")
    return found, cut


def text(path: Path, encoding: str | None, limit: int | None = None) -> tuple[str, bool]:
    """Return the text of a file without its byte order mark, and whether it was cut (see `data`).

    Read as UTF-8, or UTF-16 where a byte order mark says so, unless `encoding` says otherwise.
    UserError naming the row of a byte that is not text.
    """
    wide = (encoding or "").lower().startswith(("utf-16", "utf-32", "utf16", "utf32"))
    raw, cut = data(path, None if wide else limit)
    if encoding is None and raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding, (raw, cut) = "utf-16", data(path)
    try:
        found = raw.decode(encoding or "utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        row, byte = raw.count(b"\n", 0, error.start) + 1, raw[error.start]
        name = encoding or "UTF-8"
        raise UserError(
            f"{path}: row {row}: the byte 0x{byte:02x} is not {name}; say what the file's encoding"
            " is, as in `file: {encoding: latin-1}` (or cp1251, gb18030, ...; that is for all files"
            " of the task: `iconv` makes one file UTF-8)"
        ) from None
    except (LookupError, UnicodeError):  # none of that name, or none of text
        raise UserError(
            f"{path}: there is no encoding `{encoding}`; `utf-8`, `latin-1` and `cp1251` are some"
        ) from None
    if (at := found.find("\0")) >= 0:
        row = found.count("\n", 0, at) + 1
        raise UserError(
            f"{path}: row {row}: holds a NUL byte, so it is damaged or no text; write it anew"
        )
    return found, cut


def count(number: int, noun: str) -> str:
    """Return "1 field" or "2 fields"."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def lines(found: str) -> list[str]:
    """Return the lines of a text without their ends (\\n, \\r\\n, or \\r where there is no \\n).

    Not `splitlines`, which also splits at characters that are part of a text, such as U+2028.
    """
    end = "\n" if "\n" in found else "\r"
    parts = found.split(end)
    if parts[-1] == "":
        parts.pop()
    return [part.removesuffix("\r") for part in parts]


def is_packed(path: Path) -> bool:
    """Whether a file is compressed as a whole."""
    return _packing(path) is not None


def _packing(path: Path) -> str | None:
    with open(path, "rb") as file:
        start = file.read(8)
    return next((name for magic, name in _MAGIC.items() if re.match(magic, start)), None)


def _open(path: Path) -> IO[bytes]:
    kind = _packing(path)
    if kind is None:
        return open(path, "rb")
    if kind == "zstd":
        import pyarrow as pa

        # Buffered, since the stream itself has no lines.
        return io.BufferedReader(pa.input_stream(str(path), compression="zstd"))
    return _OPENERS[kind](path, "rb")
