"""Step: encoder + encoded rows of one task or several -> a fine-tuned encoder, heads beside it.

One loop for stage 1 (intermediate tasks) and stage 2 (English target data), for every format. A
training on one task is a mix of that task alone; `mix.py` says what is drawn from several.
"""

import argparse
import json
import math
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from xstilts import (
    batches,
    checkpoint,
    device,
    finished,
    lock,
    memory,
    metrics,
    mix,
    predict,
    ranks,
    shards,
    state,
    step,
    stop,
)
from xstilts.errors import NotFinite
from xstilts.files import digest, sha256
from xstilts.gradients import gradients
from xstilts.keeper import Keeper
from xstilts.node import read_node, same_spec, versions
from xstilts.optimize import optimizer_for, rate
from xstilts.part import Part, named_heads, read_parts, snapshot, with_heads
from xstilts.position import Position
from xstilts.progress import Progress
from xstilts.recipe import Recipe


def development(encoder, part: Part, where, budget: int) -> dict[str, float]:
    """Return the metrics of one task on its dev rows."""
    assert part.dev is not None
    found = predict.reduced(part.page, encoder, part.head, part.dev, where, 4 * budget)
    predictions = part.page.decode(found, part.dev, part.rows)
    values, _ = part.page.score(part.rows, predictions, part.metric, part.lang)
    return values


def evaluation(encoder, parts: Sequence[Part], where, budget: int) -> tuple[dict, float]:
    """Return the dev metrics, under the names of their tasks if there are several, and the score.

    The score, by which the best checkpoint is chosen, is the mean over the tasks of the figure of
    each on its dev rows (English, where the task has English); tasks without dev rows (mlm) are
    left out. jiant's `EqualMetricAggregator` does the same.
    """
    scored = [part for part in parts if part.dev is not None]
    found = {part.task: development(encoder, part, where, budget) for part in scored}
    scores = [metrics.METRICS[part.metric].task_score(found[part.task]) for part in scored]
    named = {f"{task} {k}": v for task, values in found.items() for k, v in values.items()}
    return named if len(parts) > 1 else found[parts[0].task], sum(scores) / len(scores)


def fit(encoder, parts: Sequence[Part], spec: dict[str, Any], where, budget: int, keeper=None):
    """Train by the spec's recipe; return the best weights by dev score, and the record of the run.

    With a keeper the training goes on from what an earlier attempt saved.

    Raises:
        NotFinite: the loss, or a weight.
        DoesNotFit: one example alone is too much for the GPU.
        Stopped: the process was asked to end; the keeper has saved the state.
    """
    import torch

    recipe, cap = Recipe(**spec["recipe"]), spec.get("cap")
    steps = mix.steps(parts, cap, recipe)
    streams = mix.streams(parts, cap, spec["seed"])
    order = mix.schedule([stream.share for stream in streams], steps, spec["seed"])
    modules = [encoder, *named_heads(parts).values()]
    optimizer = optimizer_for(modules, recipe)
    parameters = [p for module in modules for p in module.parameters()]
    now = Position(encoder, parts, optimizer, streams, budget)
    if keeper:
        keeper.resume(now)
    progress = Progress(steps, now.seconds)
    for done in range(now.done, steps):
        if keeper:
            keeper.keep(now)
        stream = streams[order[done]]
        for module in modules:
            module.train()
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * rate(done, steps, recipe.warmup)
        examples, seed = stream.next(), (spec["seed"], done)
        batch = (encoder, stream.part, stream.data, examples, seed, where)
        (loss, seen), now.budget = memory.fitted(
            partial(gradients, *batch),
            now.budget,
            undo=optimizer.zero_grad,
            least=partial(batches.finest, examples, *stream.data.shapes()),
        )
        ranks.add(p.grad for p in parameters if p.grad is not None)
        ranks.add([loss])
        torch.nn.utils.clip_grad_norm_(parameters, recipe.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        stream.drawn["tokens"] += seen
        now.pieces += seen
        now.recent.append((stream.part.task, loss))
        now.done = done + 1
        evaluate = now.done % recipe.eval_every == 0 or now.done == steps
        if not ranks.agreed(evaluate or progress.due()):
            continue
        mean = float(torch.stack([value for _, value in now.recent[-50:]]).mean())
        if not math.isfinite(mean):
            wrong = (name for name, value in now.recent if not math.isfinite(value))
            task = next(wrong, now.recent[-1][0])
            raise NotFinite(
                f"the loss of `{task}` is {mean} at step {now.done} of {steps}, so training"
                f" stops; a learning_rate below {recipe.learning_rate:g} or more warmup may help"
            )
        progress.say(now.done, mean, optimizer.param_groups[0]["lr"], now.pieces)
        if not evaluate:
            continue
        finite = all(shards.local(parameter).isfinite().all() for parameter in parameters)
        if any(ranks.most(not finite)):
            # The loss before the last update was still finite; such weights must never be the best.
            raise NotFinite(
                f"the weights are not finite after step {now.done} of {steps}, of"
                f" `{stream.part.task}`, so training stops; a learning_rate below"
                f" {recipe.learning_rate:g} may help"
            )
        before = time.monotonic()
        values, score = ranks.agreed(evaluation(encoder, parts, where, now.budget))
        now.evaluating += time.monotonic() - before
        progress.note(f"step {now.done}: dev " + _text(values))
        now.history.append({"step": now.done, "loss": mean, "dev": values, "score": score})
        now.recent.clear()
        now.stale += 1
        if not now.best or score > now.best["score"]:
            now.best, now.weights = now.history[-1], snapshot(encoder, parts)
            now.stale = 0
        if now.stale >= recipe.patience:
            progress.note(f"no gain in {now.stale} evaluations: stopped")
            break
    progress.close()
    return now.weights, now.record()


def _text(values: dict[str, float]) -> str:
    return "  ".join(f"{key} {value:.4f}" for key, value in values.items())


def main(args: argparse.Namespace) -> None:
    """Make the checkpoint of one node, unless another process has made it meanwhile."""
    spec = json.loads(args.spec)
    made_from = fingerprint(args, spec) if ranks.rank() == 0 else ""
    alone = lock.held(args.state, args.lock_wait)
    with ranks.joined(args.lock_wait + 1800), ranks.leading(alone):
        first = ranks.rank() == 0
        if ranks.agreed(first and finished.found(args.state, args.out, made_from)):
            print("already made, by another process")
        else:
            try:
                make(args, spec, made_from)
            except NotFinite:  # from a saved state it would come to the same
                state.clear(Path(args.state))
                raise
        if first:
            state.clear(Path(args.state))


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
    finished.settle(args.init)
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
    weights, record = fit(encoder, parts, spec, where, args.budget, keeper)
    if ranks.rank():
        return
    made = finished.begin(args.state)
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
    finished.end(made, node, args.out)
    print(f"best dev at step {record['best']['step']}: {_text(record['best']['dev'])}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", required=True, help="tasks, recipe, seed and parent, as JSON")
    parser.add_argument("--init", required=True, help="checkpoint folder to start from")
    parser.add_argument(
        "--train", required=True, nargs="+", help="encoded train rows, by task and language"
    )
    parser.add_argument("--dev", required=True, nargs="+", help="encoded dev rows, one a task")
    parser.add_argument(
        "--dev-rows", required=True, nargs="+", help="prepared dev rows, one a task"
    )
    parser.add_argument("--budget", type=int, default=16384, help="pieces of a micro-batch")
    parser.add_argument("--state", required=True, help="folder of what a next attempt needs")
    parser.add_argument(
        "--save-every", type=float, default=600, help="seconds between two saved states"
    )
    parser.add_argument("--sharding", choices=["none", "fsdp"], default="none")
    lock.add_argument(parser)
    parser.add_argument("--out", required=True, help="checkpoint folder to write")
    step.run(main, parser)
