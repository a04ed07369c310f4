"""Step: train rows of a task, and how difficult each is -> the subset that is trained on."""

import argparse
import json

from xstilts.data import prepare, subset
from xstilts.running.errors import UserError
from xstilts.running.files import read_json, sha256, write_json
from xstilts.running.record import same_spec
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Write the rows that are picked, and the record, last."""
    spec, made = json.loads(args.spec), prepare.metadata(args.rows)
    same_spec(args.rows, made["spec"], spec["data"])
    rows = prepare.read(args.rows)
    ids, values = rows["id"].to_pylist(), None
    pins = prepare.pins(made)
    if args.measured:
        recorded = read_json(args.recorded)
        same_spec(args.recorded, recorded["spec"], spec["measured"])
        values = subset.values(args.measured, spec["by"], ids)
        pins |= recorded["pins"]
    classes = rows["label"].to_pylist() if spec["balance"] else []
    asked, at_most = spec.get("rows", spec.get("rows_at_most")), "rows_at_most" in spec
    try:
        places = subset.choose(
            ids, classes, values, spec["keep"], asked, spec.get("seed", 0), at_most
        )
    except UserError as error:
        raise UserError(f"intermediates: {args.intermediate}: subset: {error}") from None
    subset.write(args.out, places, ids)
    record = {"spec": spec, "pins": pins, "sha256": sha256(args.out)}
    write_json(args.record, {**record, "rows": len(places)})
    print(f"{len(places)} of {len(ids)} rows")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="by what it is picked, as JSON")
    p.add_argument("--rows", required=True, help="prepared train rows")
    p.add_argument("--measured", default="", help="parquet: a measure of each row")
    p.add_argument("--recorded", default="", help="its record, JSON")
    p.add_argument("--intermediate", required=True, help="its name, for messages")
    p.add_argument("--out", required=True, help="parquet: place, id")
    p.add_argument("--record", required=True, help="its record, JSON, written last")
    return p


if __name__ == "__main__":
    process.run(main, parser())
