"""Step: encoder + encoded rows of one task or several -> a fine-tuned encoder, heads beside it.

The rules `intermediate` (stage 1) and `tune` (stage 2) run it, and those of their trials; and
`difficulty` and `pvi`, where what the model makes of each train row is written in its place.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xstilts.data import overlap, prepare
from xstilts.encoding import features
from xstilts.encoding.header import digest_of
from xstilts.experiment import difficulty, search
from xstilts.experiment.nodes import HEAD
from xstilts.models import adapters, checkpoint, checkpointing, lean, shard_loading, shards
from xstilts.models.execution import Execution
from xstilts.models.footprint import Footprint
from xstilts.running import device as devices
from xstilts.running import lock, ranks, stop
from xstilts.running.errors import NotFinite
from xstilts.running.files import digest, read_json, sha256, write_json
from xstilts.running.record import read_node, same_spec, versions
from xstilts.running.trackers import Trackers
from xstilts.steps import arguments, process
from xstilts.training import collapse, dynamics, grounding, loop, publish, storage, streams
from xstilts.training.choice import DIVERGED
from xstilts.training.progress import format_metrics
from xstilts.training.saver import StateSaver
from xstilts.training.tasks import largest_batch, named_heads, read_tasks, with_heads


def main(args: argparse.Namespace) -> None:
    """Make the checkpoint of one node, unless another process has made it meanwhile."""
    for given in args.leaks:
        path, name, targets = given.split("=")
        for target in targets.split(","):
            overlap.refuse(path, target, name, f"{name}: {target}")
    choice = read_json(args.chosen) if args.chosen else {}
    opened = json.loads(args.spec)
    spec = search.filled(opened, choice.get("values", {}))
    first = ranks.rank() == 0
    fingerprint = fingerprint_of(args, spec) if first else ""
    node_lock = lock.held(args.state, args.lock_wait)
    with ranks.joined(args.lock_wait + 1800), ranks.leading(node_lock):
        folder, name = _place(args, spec)
        made = (args.state, folder, fingerprint, _trial(args), name)
        if ranks.agreed(first and publish.publish_finished(*made)):
            print("already made, by another process")
        elif ranks.agreed(first and bool(choice) and _taken(args, opened, choice, fingerprint)):
            print(f"taken from {choice['folder']}")
        else:
            train(args, spec, fingerprint, opened, choice)
        if first:
            storage.clear(Path(args.state))
            streams.clear(Path(args.state))


def fingerprint_of(args: argparse.Namespace, spec: dict[str, Any]) -> str:
    """Return the digest of all that a training follows from: a spec has neither the bytes of the
    rows, which change with a pin, nor those of the checkpoint to start from."""
    encoded = map(digest_of, (*args.train, *args.dev))
    beside = [args.recorded] if args.recorded else []
    beside += [difficulty.rows_of(args.subset)] if args.subset else []
    shown = [features.digest_of(path) for path in args.features]
    rows = (*encoded, *map(sha256, (*args.dev_rows, *args.train_rows, *beside)))
    start = read_node(args.init)
    head = [start["files"][HEAD]] if "head" in spec else []
    return digest([spec, start["weights"], *head, *rows, *shown])


def _place(args: argparse.Namespace, spec: Mapping[str, Any]) -> tuple[Path, str]:
    """The folder that is written, and its record; of a recorded training `out` is how its files are
    named."""
    out = Path(args.out)
    return (out.parent, f"{out.name}.json") if "recorded" in spec else (out, publish.RECORD)


def _trial(args: argparse.Namespace) -> bool:
    return args.trial == "yes"


def _made_by(opened: Mapping[str, Any], choice: Mapping[str, Any], pins: dict) -> dict[str, Any]:
    """What the record says of that: with what was chosen on dev, as a pin too."""
    if not choice:
        return {"spec": opened, "pins": pins}
    own = {search.pin(choice["search"]): choice[search.CHOSEN]}
    return {"spec": opened, search.CHOSEN: choice["values"], "pins": {**pins, **own}}


def _taken(args: argparse.Namespace, opened: dict, choice: dict, fingerprint: str) -> bool:
    """Whether it is the best trial itself, which is then in its place."""
    trial = choice["folder"]
    record = Path(trial) / publish.RECORD
    if not record.is_file():  # the trials were deleted after the choice
        return False
    about = _made_by(opened, choice, read_json(record)["pins"])
    return publish.take(trial, args.state, args.out, fingerprint, about)


def train(
    args: argparse.Namespace,
    spec: dict[str, Any],
    fingerprint: str,
    opened: dict[str, Any],
    choice: dict[str, Any],
) -> None:
    """Train one node and write its checkpoint, `node.json` last.

    Args:
        args: of the command line.
        spec: by which it is run.
        fingerprint: see `fingerprint_of`.
        opened, choice: of the node, and what was chosen on dev for it: see `search.py`.
    """
    import torch

    parent = read_node(args.init)
    same_spec(args.init, parent["spec"], spec["parent"])
    publish.delete_finished(args.init)
    adapter = spec.get("adapter")
    if adapter:
        lean.allow(False)  # peft imports all of transformers
        adapters.check(args.init, adapter)
    name = Path(args.out).parents[1 if _trial(args) else 0].name  # of stage 1: its intermediate
    files_of = args.train, args.dev, args.dev_rows
    tasks = read_tasks(
        spec, parent["tokenizer"], *files_of, name, args.train_rows, args.subset, args.features
    )
    if "empty" in spec:
        from xstilts.encoding.tokenizer import load_tokenizer  # no other training has text

        told = load_tokenizer(Path(args.init) / "tokenizer.json")
        train_rows = prepare.read(*args.train_rows).to_pylist()
        tasks = [dynamics.emptied(task, train_rows, told) for task in tasks]
    files = {
        "train": [data for task in tasks for data in task.train.values()],
        "dev": [task.dev for task in tasks if task.dev is not None],
    }
    base = str(adapters.backbone(args.init))
    need = Footprint(
        base,
        args.out,
        args.budget,
        largest=lambda: largest_batch(tasks),
        masked=max(getattr(task.page, "MASKED", 0.0) for task in tasks),
        shards=ranks.size() if args.sharding == "fsdp" else 1,
        rank=(spec.get("adapter") or {}).get("rank", 0),
        checkpointing=args.checkpointing == "yes",
        optimizer=spec["recipe"].get("optimizer", "adamw"),
        length=spec["recipe"]["max_length"],
    )
    device, heads = devices.choose(need), dict[str, str]()

    def run(stream: streams.Stream) -> tuple[dict[str, dict], dict[str, Any]]:
        torch.manual_seed(stream.seed)
        sharded = args.sharding == "fsdp" and ranks.size() > 1
        dropout = spec["recipe"]["dropout"]
        if sharded:
            encoder = shard_loading.load(args.init, device, dropout)
        else:
            encoder = checkpoint.load_encoder(adapters.start(args.init, adapter), dropout=dropout)
            if adapter:
                adapters.attach(encoder, adapter, args.init)
            encoder = adapters.place(encoder, device) if adapter else encoder.to(device)
        trained = with_heads(tasks, encoder)
        if "head" in spec:
            checkpoint.load_head(trained[0].head, args.init)
        if sharded:
            shards.shard(device, *named_heads(trained).values())
        # A sharded training cannot go on after it ran out of memory, but its next attempt can.
        ran_out = sharded and args.checkpointing == "auto" and need.ran_out
        if args.checkpointing == "yes" or ran_out:
            checkpointing.begin(encoder)
        # How it is run is settled here, for all that follows.
        Execution.choose(encoder, device, compiled=args.compiled == "yes")
        if ranks.rank():  # the dropout of each rank is its own
            torch.manual_seed(ranks.seed(stream.seed))
        stop.wait()  # the saver checks for signals before every step
        saver = StateSaver(stream.state, stream.fingerprint, args.save_every)
        own = {**spec, "seed": stream.seed}
        with Trackers(args.trackers, stream.name(args.out), own) as trackers:
            weights, record = loop.fit(
                encoder, trained, own, device, args.budget, saver, trackers,
                checkpoint=args.checkpointing, recorded="recorded" in spec,
            )  # fmt: skip
        if "empty" in spec:  # guessing is all that it can learn
            return weights, record
        names = {id(head): name for name, head in named_heads(trained).items()}
        heads.update({task.name: names[id(task.head)] for task in trained})
        if ranks.rank() == 0:  # which has the best weights
            record |= grounding.measure(encoder, trained, weights, device, args.budget)
        return weights, {**record, **collapse.mark(trained, record)}

    pins = [data.meta["pins"] for split in files.values() for data in split]
    pins += [read_json(args.subset)["pins"]] if args.subset else []
    pins += [features.record(path)["pins"] for path in args.features]
    pinned = dict(parent["pins"], **{k: v for own in pins for k, v in own.items()})
    about = {
        "kind": spec["kind"],
        **_made_by(opened, choice, pinned),
        "fingerprint": fingerprint,
    }
    try:
        weights, record = streams.fit(run, spec, Path(args.state), fingerprint)
    except NotFinite as error:
        if not _trial(args):
            raise
        print(f"this trial is out: {error}")
        if ranks.rank() == 0:
            write_json(Path(args.out) / publish.RECORD, {**about, DIVERGED: str(error)})
        return
    # Of a sharded model each rank writes its pieces.
    folder = ranks.agreed(None if ranks.rank() else publish.create_folder(args.state))
    if "recorded" not in spec:
        checkpoint.save(weights, args.init, folder, adapter)
    if ranks.rank():
        return
    if "recorded" in spec:
        path, [rows] = Path(folder) / f"{Path(args.out).name}.parquet", args.train_rows
        made = dynamics.write(path, tasks[0], rows, weights["recorded"], args.recorded)
    else:
        made = adapters.record(folder, base)
    node = {
        **about,
        **made,
        "tokenizer": parent["tokenizer"],
        "rows": {split: sum(d.rows for d in data) for split, data in files.items()},
        "examples": sum(len(d.chosen) for d in files["train"]),
        "rows_cut": {  # of a sample it is not known
            split: sum(d.meta["cut"] for d in data)
            for split, data in files.items()
            if all(d.sample is None for d in data)
        },
        "heads": heads,
        "labels": {task.name: list(task.labels) for task in tasks},
        **record,
        **devices.describe(device),
        "ranks": ranks.size(),
        "versions": versions(),
    }
    out, record_name = _place(args, spec)
    publish.publish(folder, node, out, _trial(args), record_name)
    best = record["best"]
    print(f"best dev at step {best['step']}: {format_metrics(best['dev'])}")


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
    p.add_argument(
        "--train-rows",
        nargs="*",
        default=[],
        help="prepared train rows that are dealt to languages, or recorded",
    )
    p.add_argument("--subset", default="", help="record of the train rows that are picked, JSON")
    p.add_argument(
        "--features",
        nargs="*",
        default=[],
        help="features of the pictures of each task that has any, of train, then of dev",
    )
    p.add_argument(
        "--leaks",
        nargs="*",
        default=[],
        help="records of overlaps with targets: path=intermediate=target,target",
    )
    p.add_argument("--recorded", default="", help="what the training on the inputs has recorded")
    p.add_argument("--budget", type=int, default=16384, help="tokens of a micro-batch")
    p.add_argument("--chosen", default="", help="what is chosen on dev for it, JSON")
    p.add_argument(
        "--trial",
        choices=["no", "yes"],
        default="no",
        help="only tried: its record alone is written",
    )
    p.add_argument("--state", required=True, help="folder of the saved states")
    p.add_argument("--save-every", type=float, default=600, help="seconds between two saved states")
    p.add_argument("--sharding", choices=["none", "fsdp"], default="none")
    p.add_argument("--checkpointing", choices=checkpointing.MODES, default="auto")
    p.add_argument("--compiled", choices=["no", "yes"], default="no", help="the layers, on a GPU")
    arguments.add_trackers(p)
    arguments.add_lock_wait(p)
    p.add_argument("--out", required=True, help="checkpoint folder to write")
    return p


if __name__ == "__main__":
    lean.allow()
    process.run(main, parser())
