"""Step: one public decoder that writes -> a folder with its files, as they are pinned.

`node.json` is written last: where it is, the folder is whole. Files of the hub's cache are
linked where that can be (a decoder of 8 billion parameters is 16 GB), others copied: they may be
written over where they are.
"""

import argparse
import contextlib
import json
import os
import shutil
from pathlib import Path

from xstilts.data import source as sources
from xstilts.experiment.architecture import DECODER
from xstilts.models import architecture, fetch, pickles, repository
from xstilts.models.writer import TEMPLATE, tokenizer_of
from xstilts.running.errors import UserError
from xstilts.running.files import read_json, sha256, write_json
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Fetch, check that it writes, put its files together."""
    spec, pin, out = json.loads(args.spec), read_json(args.pin), Path(args.out)
    name = spec["from"]
    path = fetch.fetch(args.source, args.root, pin, name)
    check(path, name)
    extra = fetch.beside(args.source, pin, name, TEMPLATE) or path / TEMPLATE
    empty(out)
    own = not sources.from_hub(
        args.source, name
    )  # files that stay another's, and may be written over there
    with pickles.as_safetensors(path, name, out) as (folder, converted):
        for pattern in sources.MODEL_FILES:
            for file in sorted(folder.glob(pattern)):
                place(file, out / file.name, copy=own)
    if extra.is_file():
        place(extra, out / TEMPLATE, copy=own)
    told = bool(tokenizer_of(out).chat_template)
    if not told:
        process.note(
            f"{name}: has no chat template, so prompts are given to it as they are; is it tuned to"
            " follow instructions?"
        )
    small = [file for file in sorted(out.glob("*")) if file.suffix in (".json", ".jinja")]
    write_json(
        out / "node.json",
        {
            "kind": "generator",
            "spec": spec,
            "pins": {f"models/{name}": pin["revision"]},
            "chat_template": told,
            "files": {file.name: sha256(file) for file in small},
            **({"converted": converted} if converted else {}),
        },
    )
    print(f"{name}: {len(list(out.glob('*.safetensors')))} files of weights")


def check(path: Path, name: str) -> None:
    """Refuse what writes no text.

    Raises:
        UserError: an encoder, or an encoder-decoder.
    """
    import transformers

    content = repository.read_config(path, name)
    config = transformers.AutoConfig.for_model(**content)
    if (kind := architecture.kind(config)) != DECODER:
        raise UserError(
            f"generators: {name} is of the kind {kind} ({config.model_type}), and only a decoder"
            " writes; name one that is tuned to follow instructions"
        )


def empty(folder: Path) -> None:
    """Delete the files of an earlier pin, the record first: a further file of weights, or another
    chat template, would stay beside the new ones."""
    (folder / "node.json").unlink(missing_ok=True)
    for file in folder.glob("*"):
        if file.is_file():
            file.unlink()


def place(file: Path, target: Path, copy: bool) -> None:
    """Link a file of the hub's cache, where none is ever changed; copy any other, and that which is
    on another disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if not copy:
        with contextlib.suppress(OSError):
            os.link(file.resolve(), target)
            return
    shutil.copyfile(file, target)


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help='JSON: {"from": org/name or path, "revision"}')
    p.add_argument("--source", required=True, help="hub, or the folder of a mirror")
    p.add_argument("--root", default="", help="the folder of the mirror")
    p.add_argument("--pin", required=True, help="the decoder's pin file")
    p.add_argument("--out", required=True, help="the folder to write")
    return p


if __name__ == "__main__":
    process.run(main, parser())
