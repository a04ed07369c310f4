"""Step: the rows of a translation, a file a shard -> those that pass, in English order."""

import argparse
import json
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq

from xstilts.data import prepare
from xstilts.running.files import atomic, sha256, write_json
from xstilts.running.record import same_spec
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Write the rows that pass, the measures of all, and the record, last."""
    spec, made = json.loads(args.spec), prepare.metadata(args.rows)
    same_spec(args.rows, made["spec"], spec["data"])
    order = {one: at for at, one in enumerate(prepare.read(args.rows)["id"].to_pylist())}
    found, pins, dropped = [], dict[str, str](), Counter[str]()
    for path, expected in zip(args.parts, spec["parts"], strict=True):
        part = prepare.metadata(path)
        same_spec(path, part["spec"], expected)
        found += prepare.read(path).to_pylist()
        pins |= prepare.pins(part)
        dropped.update(part["dropped"])
    if "made" not in spec:  # rows of the same ids, and not new ones
        found.sort(key=lambda row: order[row["id"]])
    about = {"rows_total": len(order), "rows_kept": len(found), "dropped": dict(dropped)}
    prepare.write(args.out, found, spec["format"], {"spec": spec, "pins": pins, **about})
    with atomic(args.measures) as temporary:
        table = pa.table({"id": pa.array([row["id"] for row in found], pa.string())})
        pq.write_table(table, temporary, compression="zstd")
    write_json(args.record, {"spec": spec, "pins": pins, "sha256": sha256(args.out), **about})
    print(f"{len(found)} of {len(order)} rows in {spec['lang']}")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="what passes, as JSON")
    p.add_argument("--rows", required=True, help="prepared train rows in English")
    p.add_argument("--parts", required=True, nargs="+", help="translated rows, a file a shard")
    p.add_argument("--out", required=True, help="parquet: the rows that pass")
    p.add_argument("--measures", required=True, help="parquet: id, a column a measure")
    p.add_argument("--record", required=True, help="its record, JSON, written last")
    return p


if __name__ == "__main__":
    process.run(main, parser())
