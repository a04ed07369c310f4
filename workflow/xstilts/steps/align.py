"""Step: the alignment of one encoder on a set of parallel sentences, a file a language.

A language that is measured already, from the same files, is kept; one that fails does not keep the
others from being measured.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from xstilts.experiment.alignment import RECORD
from xstilts.models import lean
from xstilts.running import lock
from xstilts.running.errors import Absent, UserError
from xstilts.running.files import digest, write_json
from xstilts.running.record import read_node, same_spec
from xstilts.scoring.alignment import Aligner, measured, pins, sides
from xstilts.steps import arguments, process

KEY = ("model", "intermediate", "seed", "set")


def main(args: argparse.Namespace) -> None:
    """Measure every language, one process a set at a time."""
    with lock.held(args.state, args.lock_wait):
        measure(args)


def measure(args: argparse.Namespace) -> None:
    """Measure every language, then write `set.json`, which says that all are done."""
    specs: dict[str, dict[str, Any]] = json.loads(args.specs)
    node, about = read_node(args.model), dict(zip(KEY, args.name.split("/"), strict=True))
    first = next(iter(specs.values()))
    same_spec(args.model, node["spec"], first["model"])
    layers = [] if first["layers"] == "all" else first["layers"]
    aligner = Aligner(args.model, node, layers, args.budget, args.out)
    rows = {Path(path).name.partition(".")[0]: path for path in args.rows}
    found, absent, failed, made_from = {}, {}, [], node["pins"]
    for lang, one in measured(aligner, f"alignment: {about['set']}", specs, about, rows):
        if isinstance(one, Absent):
            of = pins(sides(lang, specs[lang], rows))
            absent[lang] = {"spec": digest(specs[lang]), "pins": of, "reason": str(one)}
        elif isinstance(one, UserError):
            failed.append(str(one))
        else:
            found[lang] = digest(one["spec"])
            made_from = made_from | one["pins"]
    if failed:
        raise UserError("; ".join(dict.fromkeys(failed)))
    if not found:
        raise UserError(f"alignment: {about['set']}: there are no rows in any language")
    record = {**about, **({"absent": absent} if absent else {})}
    record |= {"spec": {"kind": "alignment of a set", "languages": found}, "pins": made_from}
    write_json(Path(args.out) / RECORD, record)


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--name", required=True, help="model/intermediate/seed/set")
    p.add_argument("--specs", required=True, help="language -> spec of its file, as JSON")
    p.add_argument("--model", required=True, help="checkpoint folder")
    p.add_argument("--rows", required=True, nargs="+", help="unified rows, also of the pivot")
    p.add_argument("--state", required=True, help="folder of the lock of the set")
    arguments.add_lock_wait(p)
    p.add_argument("--budget", type=int, default=65536, help="tokens of a batch, with padding")
    p.add_argument("--out", required=True, help="folder of the files")
    return p


if __name__ == "__main__":
    lean.allow()
    process.run(main, parser())
