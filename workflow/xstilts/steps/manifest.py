"""Step: rows and encoded rows of all languages of a target -> the list of them.

An evaluation reads it in place of two files a language, which Snakemake would have to look at one
by one in every plan.
"""

import argparse
import json
from pathlib import Path

from xstilts.encoding.header import read_header
from xstilts.experiment.tasks import POOL
from xstilts.running.errors import UserError
from xstilts.running.files import write_json
from xstilts.running.record import same_spec
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Check that every file is made by the spec that is asked for, and list them.

    A language that the data set has nothing of is told, and blocks itself alone.
    """
    spec = json.loads(args.spec)
    pins: dict[str, str] = {}
    absent: dict[str, str] = {}
    files = {**spec["languages"], **({POOL: spec[POOL]} if POOL in spec else {})}
    for lang, (_, encoded, digest) in files.items():
        _, record = read_header(encoded)
        same_spec(encoded, record["spec"], digest)
        pins |= record["pins"]
        if reason := record.get("absent"):
            absent[lang] = reason
    target = Path(args.out).parent.name
    if POOL in absent:
        raise UserError(f"task {target}: there are no candidates; {absent[POOL]}")
    if len(absent) == len(spec["languages"]):
        lang, reason = next(iter(absent.items()))
        raise UserError(f"task {target}: there are no rows in any language; {lang}: {reason}")
    for lang, reason in absent.items():
        process.note(f"task {target} ({lang}): {reason}; {lang} is left out")
    write_json(args.out, {"spec": spec, "pins": pins})
    print(f"{len(spec['languages'])} languages: {', '.join(spec['languages'])}")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument(
        "--spec", required=True, help="language -> rows, encoded rows, digest of their spec; JSON"
    )
    p.add_argument("--out", required=True, help="the list (JSON)")
    return p


if __name__ == "__main__":
    process.run(main, parser())
