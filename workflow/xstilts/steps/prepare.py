"""Step: one split of one data set in one language -> a parquet file of unified rows."""

import argparse
import json

from xstilts.data import pools
from xstilts.data import source as sources
from xstilts.data.prepare import dataset_of, sample, unify, write
from xstilts.running.errors import UserError
from xstilts.running.files import read_json
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Load the raw rows, unify them, write them."""
    spec, pin = json.loads(args.spec), read_json(args.pin)
    try:
        data = sources.load(
            args.source, args.root, pin, spec["hub"], spec.get("config"), spec["split"]
        )
    except UserError as error:
        raise UserError(f"task {spec['task']} ({spec['lang']}): {error}") from error
    gold = None
    if spec.get("gold"):
        pools.check_columns(spec["task"], dataset_of(spec), data.column_names)
        gold = pools.read_gold(sources.file(args.source, args.root, pin, spec["hub"], spec["gold"]))
    if spec["format"] == "mlm" and spec.get("max_rows"):
        # A Wikipedia is too large to be read as a whole for a sample of it.
        data = data.select(sample(len(data), spec["max_rows"]))
    rows, report = unify(data.with_format("arrow")[:], data.features, spec, gold)
    # The revision alone: the list of a mirror's files is in the pin file.
    origin = {key: pin[key] for key in ("source", "revision")}
    write(args.out, rows, spec["format"], {"spec": spec, "pin": origin, **report})
    dropped = "".join(f", dropped {n} ({reason})" for reason, n in report["dropped"].items())
    moved = f", moved {report['repaired']} answers" if report["repaired"] else ""
    print(f"{spec['task']} {spec['lang']} {spec['split']}: {len(rows)} rows{dropped}{moved}")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="JSON: task, format, hub, config, split, ...")
    p.add_argument("--source", required=True, help="hub, toy, or the folder of a mirror")
    p.add_argument("--root", default="", help="the folder of the mirror or toy world")
    p.add_argument("--pin", required=True, help="the data set's pin file")
    p.add_argument("--out", required=True, help="the parquet file to write")
    return p


if __name__ == "__main__":
    process.run(main, parser())
