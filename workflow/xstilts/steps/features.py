"""Step: the pictures of a set -> the features that a vision encoder has for them, and their record.

No network is needed: the pictures are where `prepare` has brought them. Without a vision encoder
they are files of features of one's own. The record is written last.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from xstilts.data import features, own_features, prepare, raw_pictures
from xstilts.models import seeing, vision
from xstilts.running import device, lock
from xstilts.running.errors import NotCached, UserError
from xstilts.running.files import digest, read_json, sha256, write_json
from xstilts.running.record import same_spec, versions
from xstilts.steps import arguments, process
from xstilts.steps.prepare import own_files


def main(args: argparse.Namespace) -> None:
    """Make them, one process a node at a time."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before a library of the hub reads it
    with lock.held(args.state, args.lock_wait):
        made = prepare.metadata(args.rows)
        spec, pin = json.loads(args.spec), read_json(args.pin)
        same_spec(args.rows, made["spec"], spec["data"])
        if made["pin"]["revision"] != pin["revision"]:
            raise UserError(f"{args.rows}: made from other pictures than are pinned; run again")
        try:
            (see if args.node else take)(args, spec, pin, made)
        except UserError as error:
            raise UserError(f"features: {args.name}: {error}") from None


def see(args: argparse.Namespace, spec: dict, pin: dict, made: dict) -> None:
    """Compute the features of pictures, as far as no earlier attempt has."""
    node, rows = read_json(args.node), prepare.read(args.rows)
    same_spec(args.node, node["spec"], spec["vision"])
    numbers, ids = rows["number"].to_pylist(), rows["id"].to_pylist()
    pins = prepare.pins(made) | node["pins"]
    where = f"task {made['spec']['task']}: {prepare.dataset_of(made['spec'])}"
    unreadable, on = seeing.Unreadable(where, ids), device.choose()

    def pictures(first: int) -> Any:
        of = made["spec"]
        try:
            yield from raw_pictures.blobs(args.source, args.root, pin, of, numbers[first:])
        except NotCached:  # its advice is for who has chosen to be offline
            raise UserError(
                f"the pictures of {of['hub']} are not in the cache of `datasets` (HF_HOME must be a"
                f" folder that this machine sees); delete {Path(args.rows).parent}/*, run again"
            ) from None

    folder, state = Path(args.node).parent, seeing.State(args.state, digest([spec, pins]))
    tower = vision.Tower(folder, spec["positions"], on)
    seconds, blocks = seeing.see(
        pictures, len(numbers), tower, folder, args.threads, state, unreadable
    )
    features.write(args.out, (len(numbers), spec["positions"], node["width"]), blocks)
    told = {
        "unreadable": [ids[place] for place in unreadable.found],
        "seconds": round(seconds, 3),
        **device.describe(on),
    }
    record(args, spec, pins, told)
    state.delete()
    gone = len(unreadable.found)
    print(f"{len(ids)} pictures{f', {gone} of them unreadable' if gone else ''}, {seconds:.1f} s")


def take(args: argparse.Namespace, spec: dict, pin: dict, made: dict) -> None:
    """Take features of one's own, in the order of the prepared rows."""
    paths = json.loads(args.files)
    found = own_features.look(own_files(args.root, paths, pin, made["spec"]["hub"]))
    numbers = prepare.read(args.rows)["number"].to_pylist()
    _, positions, width = found.shape
    features.write(args.out, (len(numbers), positions, width), found.blocks(numbers))
    record(args, spec, prepare.pins(made), {"unreadable": []})
    print(f"{len(numbers)} pictures, of {', '.join(paths)}")


def record(args: argparse.Namespace, spec: dict, pins: dict, told: dict) -> None:
    """Write what is to be said of features that are there."""
    about = {"spec": spec, "pins": pins, "sha256": sha256(args.out)}
    about["shape"] = list(features.shape_of(args.out))
    write_json(args.record, {**about, **told, "versions": versions()})


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="JSON: images, split, positions, ...")
    p.add_argument("--name", required=True, help="vision/images/split, for messages")
    p.add_argument("--rows", required=True, help="the prepared set")
    p.add_argument("--node", default="", help="record of the vision encoder")
    p.add_argument("--source", required=True, help="hub, toy, or the folder of a mirror")
    p.add_argument("--root", default="", help="the folder of the mirror or toy world")
    p.add_argument("--files", default="[]", help="paths of one's own features, from the root")
    p.add_argument("--pin", required=True, help="the data set's pin file")
    p.add_argument("--state", required=True, help="folder of the lock and of finished blocks")
    arguments.add_lock_wait(p)
    p.add_argument("--threads", type=int, default=1, help="processes that decode pictures")
    p.add_argument("--out", required=True, help="safetensors file to write")
    p.add_argument("--record", required=True, help="its record, JSON, written last")
    return p


if __name__ == "__main__":
    process.run(main, parser())
