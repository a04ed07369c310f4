"""Step: a trained model on a file of rows -> the same file with its predictions.

    python -m xstilts.steps.predict xlmr/mnli/seed1/xnli rows.csv --out predicted.csv
    ... | python -m xstilts.steps.predict xlmr/mnli/seed1/xnli -

Rows need no gold and may be in any language. All that is in them stays, in their order.
"""

import argparse
import os
import re
import sys
from collections.abc import Iterable
from typing import Any

import yaml

from xstilts.data.files import KINDS
from xstilts.data.files.content import COMPRESSED
from xstilts.export import documents, predictions, trained
from xstilts.running.errors import UserError, nearest
from xstilts.running.files import atomic
from xstilts.steps import arguments, process

FILE = ("kind", "quoting", "encoding")  # the keys of --file


def main(args: argparse.Namespace) -> None:
    """Read, predict, write."""
    if args.to and args.to.endswith(COMPRESSED):
        raise UserError(f"--out {args.to}: is written as it is, not compressed; leave the suffix")
    model = trained.find(args.model, args.config, args.directory, args.task)
    names = predictions.names(model)
    spec = {
        "task": model.task.name,
        "format": model.format,
        "labels": list(model.labels),
        "columns": _mapping("--columns", args.columns) or model.columns,
        "strata": dict(model.task.strata),
        "said": bool(args.columns),
        "file": _mapping("--file", args.reading, FILE) or dict(model.task.file),
    }
    try:
        document = documents.read(args.file, spec)
        document.check(names)
        rows = predictions.rows_of(document.table, document.spec, document.name)
    except UserError as error:
        raise UserError(_by_options(str(error))) from None
    if not args.to and document.kind == "parquet":
        raise UserError("--out is missing: parquet is not for standard output")
    added = predictions.predicted(model, rows, args.budget)
    written = document.written(added)
    empty = [i for i, row in enumerate(rows, 1) if predictions.is_empty(row, model.format)]
    if empty:
        print(
            f"{document.name}: {len(empty)} of {len(rows)} rows are empty, the first is row"
            f" {empty[0]}; so is their prediction",
            file=sys.stderr,
        )
    if args.to:
        with atomic(args.to) as temporary:
            temporary.write_bytes(written)
    else:
        _to_stdout(written)


def _to_stdout(data: bytes) -> None:
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # a reader such as `head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _mapping(option: str, given: str, keys: Iterable[str] = ()) -> dict[str, Any]:
    """Return what an option says in YAML; UserError where it is no mapping, or has other keys."""
    try:
        found = yaml.safe_load(given) if given else {}
    except yaml.YAMLError:
        found = None
    if not isinstance(found, dict):
        example = "{encoding: latin-1}" if keys else "{body: text}"
        raise UserError(f"{option} {given}: is no mapping; write it as '{example}'")
    for key in found:
        if keys and key not in keys:
            raise UserError(
                f"{option}: there is no key `{key}`{nearest(key, keys)} (valid: {', '.join(keys)})"
            )
    return {str(key): value for key, value in found.items()}


def _by_options(line: str) -> str:
    """Return a line that says what to write in a config, as what to write here."""
    line = re.sub(r"say columns: (\{[^}]*\})", r"say --columns '\1'", line)
    line = re.sub(r"`file: (\{[^}]*\})`", r"--file '\1'", line)
    return re.sub(r"`(encoding: [\w-]+)`", r"--file '{\1}'", line)


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_model(p)
    p.add_argument("file", help="the file with the rows, - for standard input")
    # Not `out`, which names a node of the results to what starts and ends a step.
    p.add_argument("--out", dest="to", help="the file to write (default: standard output)")
    p.add_argument(
        "--columns",
        default="",
        help="which column is what, where their names do not say, as in a task: '{body: text}'",
    )
    p.add_argument(
        "--file",
        dest="reading",
        default="",
        help="how the file is read, where its name and content do not say, as in a task:"
        f" '{{kind: tsv, quoting: true, encoding: latin-1}}' (kinds: {', '.join(KINDS)})",
    )
    p.add_argument("--budget", type=int, default=65536, help="tokens of a batch, with padding")
    return p


if __name__ == "__main__":
    process.run(main, parser())
