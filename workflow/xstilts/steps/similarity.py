"""Step: rows of a translation and their sources -> how alike they are to an encoder."""

import argparse
import json

from xstilts.data import prepare
from xstilts.models import checkpoint, lean
from xstilts.running.record import read_node, same_spec
from xstilts.scoring.alignment import Aligner
from xstilts.steps import process
from xstilts.translation import passing, values
from xstilts.translation.similarity import Similarity


def main(args: argparse.Namespace) -> None:
    """Write the value of each row, and the record, last."""
    spec, node = json.loads(args.spec), read_node(args.model)
    same_spec(args.model, node["spec"], spec["model"])
    made, source = prepare.metadata(args.rows), prepare.metadata(args.source)
    same_spec(args.rows, made["spec"], spec["rows"])
    same_spec(args.source, source["spec"], spec["data"])
    layer = spec["layer"] or checkpoint.pooled_layer(node["layers"])
    measure = Similarity(Aligner(args.model, node, [layer], args.budget, args.out), spec["format"])
    pins = prepare.pins(made, source) | node["pins"]
    blocks = measure.measured(passing.blocks(passing.Files(args.source, [args.rows], {})))
    about = {"spec": spec, "pins": pins, "layer": layer}
    found = values.write(args.out, args.record, blocks, about)
    print(f"{found['rows']} rows in {spec['lang']}, on average {found['mean']}")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="of which rows, by which layer, as JSON")
    p.add_argument("--model", required=True, help="checkpoint folder")
    p.add_argument("--rows", required=True, help="translated rows")
    p.add_argument("--source", required=True, help="prepared train rows in English")
    p.add_argument("--budget", type=int, default=65536, help="tokens of a batch, with padding")
    p.add_argument("--out", required=True, help="parquet: id, value")
    p.add_argument("--record", required=True, help="its record, JSON, written last")
    return p


if __name__ == "__main__":
    lean.allow()
    process.run(main, parser())
