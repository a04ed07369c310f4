"""Step: rows of a translation -> how probable their labels are to a model trained in English."""

import argparse
import json

import numpy as np
import pyarrow.parquet as pq

from xstilts import formats
from xstilts.data import prepare
from xstilts.encoding import encoded
from xstilts.models import adapters, checkpoint, lean
from xstilts.models.footprint import Footprint
from xstilts.running import device
from xstilts.running.errors import UserError
from xstilts.running.record import read_node, same_spec
from xstilts.scoring import predict
from xstilts.steps import process
from xstilts.translation import values


def main(args: argparse.Namespace) -> None:
    """Write the value of each row, and the record, last."""
    spec, node = json.loads(args.spec), read_node(args.model)
    same_spec(args.model, node["spec"], spec["model"])
    made = prepare.metadata(args.rows)
    same_spec(args.rows, made["spec"], spec["rows"])
    data = encoded.load_checked(args.encoded, spec["encoded"], node["tokenizer"], args.model)
    ids = pq.read_table(args.rows, columns=["id"])["id"].to_pylist()
    if len(ids) != data.meta["rows"]:
        raise UserError(f"{args.encoded}: is of other rows than {args.rows}; delete it, run again")
    pins = prepare.pins(made) | node["pins"]
    block = ids, probabilities(args, spec["format"], data)
    found = values.write(args.out, args.record, [block], {"spec": spec, "pins": pins})
    print(f"{found['rows']} rows in {spec['lang']}, on average {found['mean']}")


def probabilities(args: argparse.Namespace, format: str, data: encoded.Encoded) -> np.ndarray:
    """Return the probability of the gold answer of each row (`formats.gold`), float32 [rows]."""
    page = formats.page(format)
    base = str(adapters.backbone(args.model))
    where = device.choose(Footprint(base, args.out, args.budget, trained=False))
    encoder = checkpoint.load_encoder(args.model).to(where)
    head = page.head(encoder, data.labels)
    checkpoint.load_head(head, args.model)
    recorded = predict.reduced(page, encoder, head.to(where), data, where, args.budget, what="gold")
    return page.by_row(recorded, data)[:, 0]


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="of which rows, by which model, as JSON")
    p.add_argument("--model", required=True, help="checkpoint folder, with its head")
    p.add_argument("--rows", required=True, help="translated rows")
    p.add_argument("--encoded", required=True, help="the same, encoded for the model")
    p.add_argument("--budget", type=int, default=65536, help="tokens of a batch, with padding")
    p.add_argument("--out", required=True, help="parquet: id, value")
    p.add_argument("--record", required=True, help="its record, JSON, written last")
    return p


if __name__ == "__main__":
    lean.allow()
    process.run(main, parser())
