"""Step: write the vision encoder of the toy world (`toy/vision.py`)."""

import argparse
import json
from pathlib import Path

from xstilts.running.files import write_json
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Write it."""
    from xstilts.toy import vision

    spec, out = json.loads(args.spec), Path(args.out)
    manifest = out.with_name(f"{out.name}.json")
    manifest.unlink(missing_ok=True)
    vision.write(out, spec["seed"])
    write_json(manifest, {"spec": spec})


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="JSON: seed")
    p.add_argument("--out", required=True, help="folder to write")
    return p


if __name__ == "__main__":
    process.run(main, parser())
