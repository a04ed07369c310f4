"""Step: train rows of a task, rows of targets -> how many of these stand in those, by target."""

import argparse
import json
from pathlib import Path

from xstilts.data import overlap, prepare
from xstilts.running.files import write_json
from xstilts.running.record import same_spec
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Write the file of each target and, last, that of the task."""
    specs, train = json.loads(args.specs), prepare.metadata(args.train)
    rows, made = {}, {}
    for path in args.rows:
        target = Path(path).parent.name
        made[target], spec = prepare.metadata(path), specs[target]
        same_spec(args.train, train["spec"], spec["train"])
        same_spec(path, made[target]["spec"], spec["rows"])
        rows[target] = (made[target]["spec"]["format"], prepare.read(path).to_pylist())
    format = train["spec"]["format"]
    found = overlap.overlaps((format, overlap.batches(args.train, format)), rows)
    pins = {target: prepare.pins(train, of) for target, of in made.items()}
    folder = Path(args.out).with_suffix("")
    for target, spec in specs.items():
        counts = found[target]._asdict()
        write_json(folder / f"{target}.json", {"spec": spec, "pins": pins[target], **counts})
    record = {"spec": {"kind": "overlap of a task", "targets": specs}, "pins": prepare.pins(train)}
    write_json(args.out, record)
    print(*(f"{target}: {of.either} of {of.rows} rows" for target, of in found.items()), sep="\n")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--specs", required=True, help="target -> spec of its file, as JSON")
    p.add_argument("--train", required=True, help="prepared train rows of the task")
    p.add_argument("--rows", required=True, nargs="+", help="prepared rows of each target")
    p.add_argument(
        "--out", required=True, help="record of the task, beside the folder of the files"
    )
    return p


if __name__ == "__main__":
    process.run(main, parser())
