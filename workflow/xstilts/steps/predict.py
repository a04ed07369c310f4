"""Step: a trained model on a file of rows -> the same file with its predictions.

    python -m xstilts.steps.predict xlmr/mnli/seed1/xnli rows.csv --out predicted.csv
    ... | python -m xstilts.steps.predict xlmr/mnli/seed1/xnli -

Rows need no gold and may be in any language. All that is in them stays, in their order.
"""

import argparse
import os
import sys
from typing import Any

import yaml

from xstilts.data.files import KINDS
from xstilts.data.files.content import COMPRESSED
from xstilts.export import documents, predictions, trained
from xstilts.running.errors import UserError
from xstilts.running.files import atomic
from xstilts.steps import arguments, process


def main(args: argparse.Namespace) -> None:
    """Read, predict, write."""
    if args.to and args.to.endswith(COMPRESSED):
        raise UserError(f"--out {args.to}: is written as it is, not compressed; leave the suffix")
    model = trained.find(args.model, args.config, args.directory, args.task)
    names = predictions.names(model)
    spec = {
        "task": model.task.name,
        "format": model.task.format,
        "labels": list(model.labels),
        "columns": _columns(args.columns) or dict(model.task.columns),
        "said": bool(args.columns),
        "file": {"kind": args.kind} if args.kind else dict(model.task.file),
    }
    document = documents.read(args.file, spec)
    document.check(names)
    if not args.to and document.kind == "parquet":
        raise UserError("--out is missing: parquet is not for standard output")
    rows = predictions.rows_of(document.table, document.spec, document.name)
    added = predictions.predicted(model, rows, args.budget)
    written = document.written(added)
    empty = [i for i, row in enumerate(rows, 1) if predictions.is_empty(row, model.task.format)]
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


def _columns(given: str) -> dict[str, Any]:
    if not given:
        return {}
    try:
        found = yaml.safe_load(given)
    except yaml.YAMLError:
        found = None
    if not isinstance(found, dict):
        raise UserError(f"--columns {given}: is no mapping; write it as '{{body: text}}'")
    return {str(raw): field for raw, field in found.items()}


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
        "--kind",
        choices=KINDS,
        help="of file, where its name and content do not say (of standard input: csv, tsv, json or"
        " conll by its first line)",
    )
    p.add_argument(
        "--columns",
        default="",
        help="which column is what, where their names do not say: '{body: text}'",
    )
    p.add_argument("--budget", type=int, default=65536, help="tokens of a batch, padding included")
    return p


if __name__ == "__main__":
    process.run(main, parser())
