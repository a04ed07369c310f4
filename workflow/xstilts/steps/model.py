"""Step: one public checkpoint -> its encoder and tokenizer, as a plain Hugging Face folder.

`node.json` is written last: where it is, the folder is whole.
"""

import argparse
import json
from pathlib import Path

from xstilts.models import architecture, pickles
from xstilts.models.architecture import Architecture
from xstilts.models.fetch import fetch, load
from xstilts.running.files import read_json, sha256, write_json
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Fetch; weights that are pickles become safetensors while they are needed."""
    spec, pin = json.loads(args.spec), read_json(args.pin)
    path = fetch(args.source, args.root, pin, spec["from"])
    with pickles.as_safetensors(path, spec["from"], Path(args.out)) as (path, converted):
        write(spec, pin, path, converted, Path(args.out))


def write(spec: dict, pin: dict, path: Path, converted: dict[str, str], out: Path) -> None:
    """Load, save, and write node.json; `converted` are the digests of pickles that it was."""
    encoder, tokenizer = load(path, spec["from"])
    # In config.json, so that every checkpoint made from it keeps it.
    architecture.settle(spec["from"], encoder, spec.get("pooling"), spec.get("attention"))
    (out / "node.json").unlink(missing_ok=True)
    encoder.save_pretrained(out, max_shard_size="1000GB")
    tokenizer.save_pretrained(out)
    # safetensors makes its file private to the user; others of a group may share results.
    (out / "model.safetensors").chmod((out / "config.json").stat().st_mode & 0o666)
    config, found = encoder.config, Architecture.of(encoder.config)
    write_json(
        out / "node.json",
        {
            "kind": "model",
            "spec": spec,
            "pins": {f"models/{spec['from']}": pin["revision"]},
            "architecture": found.kind,
            "hidden_size": found.width,
            "layers": found.layers,
            "parameters": sum(p.numel() for p in encoder.parameters()),
            "vocab_size": config.vocab_size,
            "weights": sha256(out / "model.safetensors"),
            "tokenizer": sha256(out / "tokenizer.json"),
            **({"converted": converted} if converted else {}),
        },
    )
    shape = f"{found.layers} layers of {found.width}"
    print(f"{spec['from']}: {shape}, {encoder.dtype}")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument(
        "--spec",
        required=True,
        help='JSON: {"from": org/name or path, "revision", "pooling", "attention"}',
    )
    p.add_argument("--source", required=True, help="hub, toy, or the folder of a mirror")
    p.add_argument("--root", default="", help="the folder of the mirror or toy world")
    p.add_argument("--pin", required=True, help="the model's pin file")
    p.add_argument("--out", required=True, help="the folder to write")
    return p


if __name__ == "__main__":
    process.run(main, parser())
