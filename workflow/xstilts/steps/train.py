"""Step: encoder + encoded rows of one task or several -> a fine-tuned encoder, heads beside it.

The rules `intermediate` (stage 1) and `tune` (stage 2) run it.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from xstilts.models import checkpoint, shards
from xstilts.running import device, lock, ranks, step, stop
from xstilts.running.errors import NotFinite
from xstilts.running.files import digest, sha256
from xstilts.running.record import read_node, same_spec, versions
from xstilts.training import loop, publish, storage
from xstilts.training.parts import named_heads, read_parts, with_heads
from xstilts.training.saver import Keeper


def main(args: argparse.Namespace) -> None:
    """Make the checkpoint of one node, unless another process has made it meanwhile."""
    spec = json.loads(args.spec)
    made_from = fingerprint(args, spec) if ranks.rank() == 0 else ""
    alone = lock.held(args.state, args.lock_wait)
    with ranks.joined(args.lock_wait + 1800), ranks.leading(alone):
        first = ranks.rank() == 0
        if ranks.agreed(first and publish.found(args.state, args.out, made_from)):
            print("already made, by another process")
        else:
            try:
                make(args, spec, made_from)
            except NotFinite:  # from a saved state it would come to the same
                storage.clear(Path(args.state))
                raise
        if first:
            storage.clear(Path(args.state))


def fingerprint(args: argparse.Namespace, spec: dict[str, Any]) -> str:
    """Return the digest of all that a training follows from: a spec has neither the bytes of the
    rows, which change with a pin, nor those of the checkpoint to start from."""
    rows = (*args.train, *args.dev, *args.dev_rows)
    return digest([spec, read_node(args.init)["weights"], *map(sha256, rows)])


def make(args: argparse.Namespace, spec: dict[str, Any], made_from: str) -> None:
    """Train one node and write its checkpoint, `node.json` last."""
    import torch

    parent = read_node(args.init)
    same_spec(args.init, parent["spec"], spec["parent"])
    publish.settle(args.init)
    parts = read_parts(spec, parent["tokenizer"], args.train, args.dev, args.dev_rows)
    files = {
        "train": [data for part in parts for data in part.train.values()],
        "dev": [part.dev for part in parts if part.dev is not None],
    }
    where = device.choose()
    torch.manual_seed(spec["seed"])
    encoder = checkpoint.load_encoder(args.init, dropout=spec["recipe"]["dropout"]).to(where)
    parts = with_heads(parts, encoder)
    if args.sharding == "fsdp" and ranks.size() > 1:
        shards.shard(encoder, named_heads(parts).values(), where)
    if ranks.rank():  # the dropout of each rank is its own
        torch.manual_seed(spec["seed"] + (ranks.rank() << 32))
    stop.wait()  # the keeper looks for it, before every step
    keeper = Keeper(args.state, made_from, args.save_every)
    weights, record = loop.fit(encoder, parts, spec, where, args.budget, keeper)
    if ranks.rank():
        return
    made = publish.begin(args.state)
    checkpoint.save(weights, args.init, made)
    names = {id(head): name for name, head in named_heads(parts).items()}
    pins = [data.meta["pins"] for split in files.values() for data in split]
    node = {
        "kind": "train",
        "spec": spec,
        "fingerprint": made_from,
        "pins": dict(parent["pins"], **{k: v for found in pins for k, v in found.items()}),
        "weights": sha256(made / "model.safetensors"),
        "tokenizer": parent["tokenizer"],
        "rows": {split: sum(d.meta["rows"] for d in found) for split, found in files.items()},
        "examples": sum(map(len, files["train"])),
        "rows_cut": {split: sum(d.meta["cut"] for d in found) for split, found in files.items()},
        "heads": {part.task: names[id(part.head)] for part in parts},
        **record,
        **device.describe(where),
        "ranks": ranks.size(),
        "versions": versions(),
    }
    publish.end(made, node, args.out)
    print(f"best dev at step {record['best']['step']}: {loop.as_text(record['best']['dev'])}")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="tasks, recipe, seed and parent, as JSON")
    p.add_argument("--init", required=True, help="checkpoint folder to start from")
    p.add_argument(
        "--train", required=True, nargs="+", help="encoded train rows, by task and language"
    )
    p.add_argument("--dev", required=True, nargs="+", help="encoded dev rows, one a task")
    p.add_argument("--dev-rows", required=True, nargs="+", help="prepared dev rows, one a task")
    p.add_argument("--budget", type=int, default=16384, help="pieces of a micro-batch")
    p.add_argument("--state", required=True, help="folder of what a next attempt needs")
    p.add_argument("--save-every", type=float, default=600, help="seconds between two saved states")
    p.add_argument("--sharding", choices=["none", "fsdp"], default="none")
    lock.add_argument(p)
    p.add_argument("--out", required=True, help="checkpoint folder to write")
    return p


if __name__ == "__main__":
    step.run(main, parser())
