"""Step: write what stands in for models of an architecture (`toy/backbones.py`)."""

import argparse
import json
from pathlib import Path

from xstilts.running.files import write_json
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Write it, as public ones mostly are: with a language modelling head."""
    from xstilts.toy import backbones, corpus

    spec, out = json.loads(args.spec), Path(args.out)
    manifest = out.with_name(f"{out.name}.json")
    manifest.unlink(missing_ok=True)
    texts = corpus.texts(spec["seed"], spec["languages"])
    size = backbones.WORDS * len(spec["languages"])
    backbones.write(spec["architecture"], out, texts, vocabulary=size, seed=spec["seed"], head=True)
    write_json(manifest, {"spec": spec})


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="JSON: architecture, seed, languages")
    p.add_argument("--out", required=True, help="folder to write")
    return p


if __name__ == "__main__":
    process.run(main, parser())
