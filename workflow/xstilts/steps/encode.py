"""Step: rows of one language and split -> encoded rows for one tokenizer."""

import argparse
import json
from pathlib import Path

from xstilts import formats
from xstilts.data import prepare, strata
from xstilts.encoding import encoded
from xstilts.encoding.encode import check_length, known_labels, labels_of, pictures_of
from xstilts.encoding.tokenizer import load_tokenizer
from xstilts.running.errors import UserError
from xstilts.running.files import read_json
from xstilts.running.record import same_spec
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Encode one prepared file; the result holds everything that training and scoring need."""
    spec = json.loads(args.spec)
    rows = prepare.read(args.rows).to_pylist()
    prepared = prepare.metadata(args.rows)
    same_spec(args.rows, strata.without(prepared["spec"]), spec["data"])
    tokenizer = load_tokenizer(args.tokenizer)
    check_length(spec["max_length"], Path(args.tokenizer).parent)
    page = formats.page(spec["format"])
    labels = labels_of(prepare.read(args.labels_of).to_pylist()) if args.labels_of else None
    if spec.get("other_labels"):
        rows = known_labels(rows, labels or [])
    sources = [
        prepared,
        *(prepare.metadata(path) for path in (args.labels_of, args.images) if path),
    ]
    absent = prepared.get("absent")
    try:
        limit = spec["max_length"]
        arrays, cut = (
            (encoded.pack([]), 0)
            if absent
            else page.encode(rows, tokenizer, labels or spec["labels"], limit)
        )
    except UserError as error:
        raise UserError(f"{args.rows}: {error}") from None
    meta = {
        **({"absent": absent} if absent else {}),
        "spec": spec,
        "pins": {
            **(read_json(args.model)["pins"] if args.model else {}),
            **prepare.pins(*sources),
        },
        "tokenizer": tokenizer.digest,
        "pad": tokenizer.pad_token_id,
        "rows": len(rows),
        "cut": cut,
    }
    if labels:
        meta["labels"] = labels
    if args.images:
        arrays["image"] = pictures_of(rows, arrays, prepare.read(args.images)["id"].to_pylist())
    data = encoded.Encoded(arrays, meta)
    data.save(args.out)
    tokens = len(arrays["tokens"])
    print(f"{len(rows)} rows, {len(data)} examples, {tokens} tokens, {cut} rows cut")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="what to encode, as JSON")
    p.add_argument("--rows", required=True, help="prepared rows (parquet)")
    p.add_argument(
        "--labels-of", default="", help="open tag set: the prepared rows that have its tags"
    )
    p.add_argument(
        "--images", default="", help="of a task with pictures: the prepared rows of their set"
    )
    p.add_argument("--tokenizer", required=True, help="tokenizer.json of the model")
    p.add_argument("--model", default="", help="node.json of the model, for its pins")
    p.add_argument("--out", required=True, help="encoded rows (safetensors)")
    return p


if __name__ == "__main__":
    process.run(main, parser())
