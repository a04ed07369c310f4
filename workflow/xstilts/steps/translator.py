"""Step: the public checkpoint of a translator -> the same as CTranslate2 reads it.

`node.json` is written last: where it is, the folder is whole.
"""

import argparse
import json
from pathlib import Path

from xstilts.models import fetch, pickles
from xstilts.running.files import read_json, sha256, write_json
from xstilts.steps import process
from xstilts.translation import ctranslate


def main(args: argparse.Namespace) -> None:
    """Fetch and convert."""
    ctranslate.check_installed()  # before gigabytes are fetched
    spec, pin, out = json.loads(args.spec), read_json(args.pin), Path(args.out)
    path = fetch.fetch(args.source, args.root, pin, spec["from"], ctranslate.check)
    (out / "node.json").unlink(missing_ok=True)
    with pickles.as_safetensors(path, spec["from"], out) as (path, converted):
        ctranslate.convert(path, spec["from"], spec["precision"], out)
    weights = out / ctranslate.CONVERTED[0]
    record = {
        "kind": "translator",
        "spec": spec,
        "pins": {f"models/{spec['from']}": pin["revision"]},
        "bytes": weights.stat().st_size,
        "weights": sha256(weights),
        **({"converted": converted} if converted else {}),
    }
    write_json(out / "node.json", record)
    print(f"{spec['from']}: {weights.stat().st_size / 1e6:.1f} MB in {spec['precision']}")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help='JSON: {"from": org/name or path, "precision"}')
    p.add_argument("--source", required=True, help="hub, toy, or the folder of a mirror")
    p.add_argument("--root", default="", help="the folder of the mirror or toy world")
    p.add_argument("--pin", required=True, help="the checkpoint's pin file")
    p.add_argument("--out", required=True, help="the folder to write")
    return p


if __name__ == "__main__":
    process.run(main, parser())
