"""Step: the rows of a translation, a file a shard -> those that pass, as the source is ordered."""

import argparse
import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from xstilts.data import prepare
from xstilts.running.errors import UserError
from xstilts.running.files import read_json, sha256, write_json
from xstilts.running.record import same_spec
from xstilts.steps import process
from xstilts.translation import passing, projection

MANY = 0.5  # the share of rows that a filter drops of which a note is made


def main(args: argparse.Namespace) -> None:
    """Write the rows that pass, the measures of all, and the record, last."""
    spec, made = json.loads(args.spec), prepare.metadata(args.rows)
    same_spec(args.rows, made["spec"], spec["data"])
    total, pins, dropped, there = rows_in(args.rows), dict[str, str](), Counter[str](), 0
    records = [read_json(Path(path).with_suffix(".json")) for path in args.parts]
    for path, expected in zip(args.parts, spec["parts"], strict=True):
        part = prepare.metadata(path)
        same_spec(path, part["spec"], expected)
        pins |= prepare.pins(part)
        dropped.update(part["dropped"])
        there += part["rows_kept"]
        if "made" in spec:  # new rows, of so many answers
            total = part["rows_total"]
    measured = dict(one.split("=", 1) for one in args.measured)
    for name, path in measured.items():
        of = read_json(Path(path).with_suffix(".json"))
        same_spec(path, of["spec"], spec["measured"][name])
        pins |= of["pins"]
    about = {"rows_total": total, "rows_made": there, "dropped": dict(dropped)}
    projected = projection.summed([record.get("projected", {}) for record in records])
    found = passing.passed(
        # Rows that are generated have no source.
        passing.Files("" if "made" in spec else args.rows, args.parts, measured),
        passing.Rows(spec["format"], spec["lang"], made["spec"]["lang"]),
        spec["filter"],
        Path(args.out),
        Path(args.measures),
        {"spec": spec, "pins": pins, **about},
    )
    where = f"the {total} rows of `{spec['task']}` in {spec['lang']}"
    reasons = ", ".join(f"{reason}: {n}" for reason, n in found["dropped"].items())
    if not found["rows_kept"]:
        raise UserError(f"filter {args.filter} leaves none of {where} ({reasons})")
    record = {"spec": spec, "pins": pins, "sha256": sha256(args.out), **about, **found}
    record |= {"projected": projected} if projected else {}
    write_json(args.record, record)
    if there - found["rows_kept"] > MANY * there:
        process.note(f"filter {args.filter} leaves {found['rows_kept']} of {where} ({reasons})")
    print(f"{found['rows_kept']} of {where}; dropped {reasons or 'none'}")


def rows_in(path: str) -> int:
    """Return how many rows are in a file."""
    with pq.ParquetFile(path) as file:
        return file.metadata.num_rows


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="what passes, as JSON")
    p.add_argument("--filter", default="", help="its name, for messages")
    p.add_argument("--rows", required=True, help="prepared train rows in English")
    p.add_argument("--parts", required=True, nargs="+", help="translated rows, a file a shard")
    p.add_argument(
        "--measured", nargs="*", default=[], help="MEASURE=FILE: what a model says of the rows"
    )
    p.add_argument("--out", required=True, help="parquet: the rows that pass")
    p.add_argument("--measures", required=True, help="parquet: id, a column a measure, kept")
    p.add_argument("--record", required=True, help="its record, JSON, written last")
    return p


if __name__ == "__main__":
    process.run(main, parser())
