"""Step: the pictures of a set -> the features that a vision encoder has for them, and their record.

No network is needed: the pictures are where `prepare` has brought them. The record is written last.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from xstilts.data import features, prepare, raw_pictures
from xstilts.models import seeing, vision
from xstilts.running import device, lock
from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json, sha256, write_json
from xstilts.running.record import same_spec, versions
from xstilts.steps import arguments, process


def main(args: argparse.Namespace) -> None:
    """Compute them, one process a node at a time."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before a library of the hub reads it
    with lock.held(args.state, args.lock_wait):
        compute(args)


def compute(args: argparse.Namespace) -> None:
    """Check what they are made from, compute what is missing, write."""
    spec, pin, node = json.loads(args.spec), read_json(args.pin), read_json(args.node)
    made = prepare.metadata(args.rows)
    same_spec(args.rows, made["spec"], spec["data"])
    same_spec(args.node, node["spec"], spec["vision"])
    if made["pin"]["revision"] != pin["revision"]:
        raise UserError(f"{args.rows}: made from other pictures than are pinned; run again")
    rows = prepare.read(args.rows)
    numbers, folder = rows["number"].to_pylist(), Path(args.node).parent
    pins = prepare.pins(made) | node["pins"]
    where = f"task {made['spec']['task']}: {prepare.dataset_of(made['spec'])}"
    unreadable = seeing.Unreadable(where, rows["id"].to_pylist())

    def pictures(first: int) -> Any:
        of = made["spec"]
        return raw_pictures.blobs(args.source, args.root, pin, of, numbers[first:])

    on = device.choose()
    state = seeing.State(args.state, digest([spec, pins]))
    try:
        tower = vision.Tower(folder, spec["positions"], on)
        seconds, blocks = seeing.see(
            pictures, len(numbers), tower, folder, args.threads, state, unreadable
        )
    except UserError as error:
        raise UserError(f"features: {args.name}: {error}") from None
    shape = (len(numbers), spec["positions"], node["width"])
    Path(args.record).unlink(missing_ok=True)
    features.write(args.out, shape, blocks)
    record = {
        "spec": spec,
        "pins": pins,
        "sha256": sha256(args.out),
        "shape": list(shape),
        "unreadable": [unreadable.ids[place] for place in unreadable.found],
        "seconds": round(seconds, 3),
        **device.describe(on),
        "versions": versions(),
    }
    write_json(args.record, record)
    state.delete()
    gone = f", {len(unreadable.found)} of them unreadable" if unreadable.found else ""
    print(
        f"{len(numbers)} pictures{gone}: {spec['positions']} x {node['width']} in {seconds:.1f} s"
    )


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="JSON: images, split, positions, ...")
    p.add_argument("--name", required=True, help="vision/images/split, for messages")
    p.add_argument("--rows", required=True, help="the prepared set")
    p.add_argument("--node", required=True, help="record of the vision encoder")
    p.add_argument("--source", required=True, help="hub, toy, or the folder of a mirror")
    p.add_argument("--root", default="", help="the folder of the mirror or toy world")
    p.add_argument("--pin", required=True, help="the data set's pin file")
    p.add_argument("--state", required=True, help="folder of the lock and of finished blocks")
    arguments.add_lock_wait(p)
    p.add_argument("--threads", type=int, default=1, help="processes that decode pictures")
    p.add_argument("--out", required=True, help="safetensors file to write")
    p.add_argument("--record", required=True, help="its record, JSON, written last")
    return p


if __name__ == "__main__":
    process.run(main, parser())
