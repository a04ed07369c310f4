"""Step: rows of one language and split -> encoded rows for one tokenizer."""

import argparse
import json
from pathlib import Path
from typing import Any

from xstilts import encoded, formats, prepare, step, tokenizer
from xstilts.errors import UserError
from xstilts.files import read_json
from xstilts.node import same_spec


def labels_of(rows: list[dict[str, Any]]) -> list[str]:
    """Return the labels of an open tag set: every tag of the training rows, sorted."""
    return sorted({tag for row in rows for tag in row["tags"]})


def main(args: argparse.Namespace) -> None:
    """Encode one prepared file; the result holds everything that training and scoring need."""
    spec = json.loads(args.spec)
    rows = prepare.read(args.rows).to_pylist()
    made = prepare.metadata(args.rows)
    same_spec(args.rows, made["spec"], spec["data"])
    pieces = tokenizer.load(args.tokenizer)
    _check_length(spec["max_length"], Path(args.tokenizer).parent)
    page = formats.page(spec["format"])
    labels = labels_of(prepare.read(args.labels_of).to_pylist()) if args.labels_of else None
    try:
        arrays, cut = page.encode(rows, pieces, labels or spec["labels"], spec["max_length"])
    except UserError as error:
        raise UserError(f"{args.rows}: {error}") from None
    meta = {
        "spec": spec,
        "pins": {f"datasets/{made['spec']['hub']}": made["pin"]["revision"]},
        "tokenizer": pieces.digest,
        "pad": pieces.pad,
        "rows": len(rows),
        "cut": cut,
    }
    if labels:
        meta["labels"] = labels
    data = encoded.Encoded(arrays, meta)
    data.save(args.out)
    tokens = len(arrays["tokens"])
    print(f"{len(rows)} rows, {len(data)} examples, {tokens} pieces, {cut} rows cut")


def _check_length(length: int, folder: Path) -> None:
    """Refuse a length that the model has no positions for; on a GPU it ends without a word why."""
    config = read_json(folder / "config.json")
    positions = config.get("max_position_embeddings") or length
    if "roberta" in config.get("model_type", ""):
        positions -= config["pad_token_id"] + 1  # positions are counted from there
    if length > positions:
        raise UserError(
            f"recipes: max_length {length} is more than {folder} can read, at most {positions}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", required=True, help="what to encode, as JSON")
    parser.add_argument("--rows", required=True, help="prepared rows (parquet)")
    parser.add_argument(
        "--labels-of", default="", help="open tag set: the prepared rows that have its tags"
    )
    parser.add_argument("--tokenizer", required=True, help="tokenizer.json of the model")
    parser.add_argument("--out", required=True, help="encoded rows (safetensors)")
    step.run(main, parser)
