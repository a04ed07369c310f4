"""Step: pin one data set or model to exactly the bytes that are used (`data/pin.py`).

    python -m xstilts.steps.pin --update --config my.yaml
    python -m xstilts.steps.pin --update facebook/xnli --lock my.lock

look entries of a lock file up anew: what is there now is used from the next run on.
"""

import argparse
import json

from xstilts.data.pin import ABSENT, KINDS, locked, resolve, update
from xstilts.experiment import tasks
from xstilts.monitoring.workspace import Workspace
from xstilts.running.errors import Absent, UserError
from xstilts.running.files import write_json
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Write one pin file, or with --update look entries of the lock up anew."""
    if args.update is not None:
        look_up(args)
        return
    missing = [k for k in ("kind", "name", "source", "out") if not getattr(args, k)]
    if missing:
        raise UserError(f"--{missing[0]} is missing")
    where = (args.kind, args.source, args.root, args.name, args.revision)
    files = json.loads(args.files)
    try:
        obtain = tasks.obtain(args.name)
        pin = (
            locked(*where, args.lock, obtain, files)
            if args.lock
            else resolve(*where, obtain, files)
        )
    except Absent as error:  # of this language alone; what needs it says so
        pin = {"source": "folder", "revision": ABSENT, "reason": str(error)}
        print(error)
    except UserError as error:
        raise UserError(f"task {args.tasks}: {error}" if args.tasks else str(error)) from error
    asked = {"kind": args.kind, "name": args.name, "requested": args.revision}
    write_json(args.out, {"spec": json.loads(args.spec), **asked, **pin})


def look_up(args: argparse.Namespace) -> None:
    """Look entries of a lock file up anew, and say which have changed."""
    lock, root, own = args.lock, args.root, None
    if args.config:
        here = Workspace.of(args.config)
        lock, root = lock or here.lock, root or here.grid.experiment.root or ""
        own = here.own_data()
    if not lock:
        raise UserError(
            "--update: name the config with --config FILE, or its lock with --lock FILE"
        )
    for name, changed in update(lock, args.update, root, own).items():
        print(f"{name}: {'another version than before' if changed else 'as before'}")


def parser() -> argparse.ArgumentParser:
    """The step's command line."""
    p = argparse.ArgumentParser(prog="xstilts.pin", description=__doc__)
    p.add_argument("--spec", default="{}", help="what is pinned, as JSON: part of the pin file")
    p.add_argument("--kind", choices=KINDS)
    p.add_argument("--name", help="org/name, or a path to a folder")
    p.add_argument("--tasks", default="", help="what uses the data set, for the line of an error")
    p.add_argument("--revision", default="main", help="branch, tag or commit")
    p.add_argument("--source", help="hub, toy, or the folder of a mirror")
    p.add_argument("--root", default="", help="the folder of the mirror or toy world")
    p.add_argument(
        "--files", default="[]", help="paths of files of one's own, from the root, as a JSON list"
    )
    p.add_argument("--lock", default="", help='the lock file, "" for none')
    p.add_argument("--config", nargs="+", metavar="FILE", help="with --update: the config file(s)")
    p.add_argument("--out", help="the pin file to write")
    p.add_argument(
        "--update",
        nargs="*",
        metavar="NAME",
        help="look these (or all) up anew: org/name, or a task with data of one's own",
    )
    return p


if __name__ == "__main__":
    process.run(main, parser())
