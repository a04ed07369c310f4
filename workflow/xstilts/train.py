"""Step: encoder + encoded rows of one task -> a fine-tuned encoder, with its head beside it.

One loop for stage 1 (intermediate task) and stage 2 (English target data), for every format.
"""

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

from xstilts import batches, checkpoint, device, encoded, formats, metrics, predict, prepare, step
from xstilts.encoded import Encoded
from xstilts.errors import UserError
from xstilts.files import sha256, write_json
from xstilts.node import read_node, same_spec, versions
from xstilts.progress import Progress
from xstilts.recipe import Recipe


def optimizer_for(encoder, head, recipe: Recipe):
    """Return AdamW without weight decay on biases and LayerNorm, betas and eps as in jiant."""
    import torch

    named = [*encoder.named_parameters(), *head.named_parameters()]
    decayed = [p for _, p in named if p.ndim > 1]
    plain = [p for _, p in named if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=recipe.learning_rate, betas=(0.9, 0.999), eps=1e-8, fused=True
    )


def rate(done: int, steps: int, warmup: float) -> float:
    """Return the share of the peak learning rate after `done` of `steps`: linear up, then down."""
    rising = max(1, math.ceil(steps * warmup - 1e-9))
    if done < rising:
        return (done + 1) / rising
    return max(0.0, (steps - done) / max(1, steps - rising))


def gradients(page, encoder, head, data: Encoded, examples, where, budget: int):
    """Accumulate the gradients of one batch; return its mean loss (tensor) and its real pieces.

    The loss is the sum over the batch divided by the weight of the *batch*, so that the result does
    not depend on how the batch is cut into micro-batches.
    """
    lengths, counts = data.shapes()
    parts = [page.collate(data, part) for part in batches.micro(examples, lengths, counts, budget)]
    weight = sum(part["weight"] for part in parts)
    total, pieces = 0.0, 0
    for part in parts:
        pieces += part["ids"].size if part["mask"] is None else int(part["mask"].sum())
        batch = predict.tensors(part, where)
        with device.autocast(where):
            scores = predict.outputs(encoder, head, batch)
        loss = page.loss(scores, batch) / weight
        loss.backward()
        total = total + loss.detach()
    return total, pieces


def development(page, encoder, head, dev: Encoded, rows, spec, where, budget) -> dict[str, float]:
    """Return the metrics on the English dev rows."""
    found = predict.reduced(page, encoder, head, dev, where, 4 * budget)
    values, _ = page.score(rows, page.decode(found, dev, rows), spec["metric"], "en")
    return values


def fit(page, encoder, head, train: Encoded, dev: Encoded, rows, spec, where, budget: int):
    """Train by the spec's recipe; return the best weights by dev score, and the record of the run.

    Raises:
        UserError: the loss is no longer finite.
    """
    import torch

    recipe = Recipe(**spec["recipe"])
    metric = metrics.METRICS[spec["metric"]]
    lengths, _ = train.shapes()
    an_epoch = math.ceil(len(train) / recipe.batch_size)
    steps = max(1, round(an_epoch * recipe.epochs))
    if recipe.max_steps is not None:
        steps = min(steps, recipe.max_steps)
    dev, rows = dev.first_rows(recipe.eval_rows), rows[: recipe.eval_rows]
    optimizer = optimizer_for(encoder, head, recipe)
    parameters = [*encoder.parameters(), *head.parameters()]
    progress = Progress(steps)
    history: list[dict[str, Any]] = []
    best: dict[str, Any] = {}
    stale, pieces, recent = 0, 0, []
    start, evaluating = time.monotonic(), 0.0
    for done in range(steps):
        if done % an_epoch == 0:
            queue = batches.epoch(lengths, recipe.batch_size, spec["seed"], done // an_epoch)
        encoder.train()
        head.train()
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * rate(done, steps, recipe.warmup)
        loss, seen = gradients(page, encoder, head, train, queue[done % an_epoch], where, budget)
        torch.nn.utils.clip_grad_norm_(parameters, recipe.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        pieces += seen
        recent.append(loss)
        evaluate = (done + 1) % recipe.eval_every == 0 or done + 1 == steps
        if not (evaluate or progress.due()):
            continue
        mean = float(torch.stack(recent[-50:]).mean())
        if not math.isfinite(mean):
            raise UserError(
                f"the loss of `{spec['task']}` is {mean} at step {done + 1} of {steps}, so training"
                f" stops; a learning_rate below {recipe.learning_rate:g} or more warmup may help"
            )
        progress.say(done + 1, mean, optimizer.param_groups[0]["lr"], pieces)
        if not evaluate:
            continue
        before = time.monotonic()
        values = development(page, encoder, head, dev, rows, spec, where, budget)
        evaluating += time.monotonic() - before
        score = metric.task_score(values)
        progress.note(f"step {done + 1}: dev " + _text(values))
        history.append({"step": done + 1, "loss": mean, "dev": values, "score": score})
        recent.clear()
        stale += 1
        if not best or score > best["score"]:
            best = history[-1] | {"weights": _weights(encoder, head)}
            stale = 0
        if stale >= recipe.patience:
            progress.note(f"no gain in {stale} evaluations: stopped")
            break
    progress.close()
    seconds = time.monotonic() - start
    weights = best.pop("weights")
    record = {
        "steps": done + 1,
        "best": best,
        "history": history,
        "seconds": round(seconds, 2),
        "tokens": pieces,
        "tokens_per_second": round(pieces / max(seconds - evaluating, 1e-9), 1),
    }
    return weights, record


def _weights(encoder, head) -> dict[str, dict]:
    return {
        name: {k: v.detach().to("cpu", copy=True).contiguous() for k, v in m.state_dict().items()}
        for name, m in (("encoder", encoder), ("head", head))
    }


def _text(values: dict[str, float]) -> str:
    return "  ".join(f"{key} {value:.4f}" for key, value in values.items())


def main(args: argparse.Namespace) -> None:
    """Train one node and write its checkpoint, `node.json` last."""
    import torch

    spec = json.loads(args.spec)
    parent = read_node(args.init)
    same_spec(args.init, parent["spec"], spec["parent"])
    train, dev = encoded.load(args.train), encoded.load(args.dev)
    for path, data, split in ((args.train, train, "train"), (args.dev, dev, "dev")):
        same_spec(path, data.meta["spec"], spec[split])
        if data.meta["tokenizer"] != parent["tokenizer"]:
            raise UserError(f"{path}: encoded with another tokenizer than that of {args.init}")
    page = formats.page(spec["format"])
    where = device.choose()
    torch.manual_seed(spec["seed"])
    encoder = checkpoint.load_encoder(args.init, dropout=spec["recipe"]["dropout"]).to(where)
    head = page.head(encoder.config, train.labels).to(where)
    rows = prepare.read(args.dev_rows).to_pylist()
    weights, record = fit(page, encoder, head, train, dev, rows, spec, where, args.budget)
    checkpoint.save(weights, args.init, args.out)
    node = {
        "kind": "train",
        "spec": spec,
        "pins": parent["pins"] | train.meta["pins"] | dev.meta["pins"],
        "weights": sha256(Path(args.out) / "model.safetensors"),
        "tokenizer": parent["tokenizer"],
        "rows": {"train": train.meta["rows"], "dev": dev.meta["rows"]},
        "examples": len(train),
        "rows_cut": {"train": train.meta["cut"], "dev": dev.meta["cut"]},
        **record,
        **device.describe(where),
        "versions": versions(),
    }
    write_json(Path(args.out) / "node.json", node)
    print(f"best dev at step {record['best']['step']}: {_text(record['best']['dev'])}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", required=True, help="task, recipe, seed and parent, as JSON")
    parser.add_argument("--init", required=True, help="checkpoint folder to start from")
    parser.add_argument("--train", required=True, help="encoded train rows")
    parser.add_argument("--dev", required=True, help="encoded English dev rows")
    parser.add_argument("--dev-rows", required=True, help="prepared English dev rows")
    parser.add_argument("--budget", type=int, default=16384, help="pieces of a micro-batch")
    parser.add_argument("--out", required=True, help="checkpoint folder to write")
    step.run(main, parser)
