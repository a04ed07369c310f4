"""Step: one public checkpoint -> its vision tower and image processor, a Hugging Face folder.

`node.json` is written last: where it is, the folder is whole.
"""

import argparse
import json
from pathlib import Path

from xstilts.models import vision
from xstilts.running.errors import UserError
from xstilts.running.files import read_json, write_json
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Fetch, check, reduce, write."""
    spec, pin, out = json.loads(args.spec), read_json(args.pin), Path(args.out)
    (out / "node.json").unlink(missing_ok=True)
    try:
        path = vision.fetch(args.source, args.root, pin, spec["from"])
        about = vision.reduce(path, spec["from"], out, args.positions)
    except UserError as error:
        raise UserError(f"vision: {args.name}: {error}") from None
    pins = {f"models/{spec['from']}": pin["revision"]}
    write_json(out / "node.json", {"kind": "vision", "spec": spec, "pins": pins, **about})
    grid = " x ".join(map(str, about["patches"]))
    print(f"{spec['from']}: {about['parameters']:,} parameters, {grid} patches")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help='JSON: {"from": org/name or path, "revision"}')
    p.add_argument("--name", required=True, help="its name in the config, for messages")
    p.add_argument("--positions", type=int, required=True, help="that it must have of a picture")
    p.add_argument("--source", required=True, help="hub, toy, or the folder of a mirror")
    p.add_argument("--root", default="", help="the folder of the mirror or toy world")
    p.add_argument("--pin", required=True, help="the encoder's pin file")
    p.add_argument("--out", required=True, help="the folder to write")
    return p


if __name__ == "__main__":
    process.run(main, parser())
