"""Step: train rows of a task -> how right a bag-of-words model is of each."""

import argparse
import json

import pyarrow as pa
import pyarrow.parquet as pq

from xstilts.data import bag_of_words, prepare
from xstilts.running.files import atomic, sha256, write_json
from xstilts.running.record import same_spec
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Write the rows' ids and values, and the record, last."""
    spec, made = json.loads(args.spec), prepare.metadata(args.rows)
    same_spec(args.rows, made["spec"], spec["data"])
    rows = prepare.read(args.rows).to_pylist()
    found = bag_of_words.correct(rows, spec["format"])
    with atomic(args.out) as path:
        table = pa.table({"id": [row["id"] for row in rows], "correct": found})
        pq.write_table(table, path, compression="zstd")
    pins = prepare.pins(made)
    record = {"spec": spec, "pins": pins, "sha256": sha256(args.out), "rows": len(rows)}
    write_json(args.record, {**record, "correct": float(found.mean())})
    print(f"{len(rows)} rows, {100 * found.mean():.1f} % right by their words")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="format and rows, as JSON")
    p.add_argument("--rows", required=True, help="prepared train rows")
    p.add_argument("--out", required=True, help="parquet: id, correct")
    p.add_argument("--record", required=True, help="its record, JSON, written last")
    return p


if __name__ == "__main__":
    process.run(main, parser())
