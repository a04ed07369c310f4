"""Step: train the toy encoder, which stands in for a public checkpoint (`toy/pretrain.py`)."""

import argparse
import os
from pathlib import Path

from xstilts.running.files import write_json
from xstilts.steps import process
from xstilts.toy import spec


def main(args: argparse.Namespace) -> None:
    """Write it."""
    from xstilts.toy.pretrain import write

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    record, wanted = spec.recorded(args.spec)
    out = Path(args.out)
    manifest = out.with_name(f"{out.name}.json")
    manifest.unlink(missing_ok=True)
    write(wanted, out)
    write_json(manifest, {"spec": record})


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="JSON file: seed, languages, pretrain")
    p.add_argument("--out", required=True, help="folder to write")
    return p


if __name__ == "__main__":
    process.run(main, parser())
