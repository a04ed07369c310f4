"""The training loop: one for both stages and every format.

A training on one task is a mixture of that task alone; `mixture.py` says what is drawn
from several.
"""

import math
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from xstilts import metrics
from xstilts.encoding import batches
from xstilts.experiment.recipe import Recipe
from xstilts.models import memory, shards
from xstilts.running import ranks
from xstilts.running.errors import NotFinite
from xstilts.scoring import predict
from xstilts.training import mixture
from xstilts.training.gradients import gradients
from xstilts.training.optimizer import optimizer_for, rate
from xstilts.training.parts import Part, named_heads, snapshot
from xstilts.training.progress import Progress
from xstilts.training.state import Position


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
    steps = mixture.steps(parts, cap, recipe)
    streams = mixture.streams(parts, cap, spec["seed"])
    order = mixture.schedule([stream.share for stream in streams], steps, spec["seed"])
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
            least=partial(batches.is_finest, examples, *stream.data.shapes()),
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
        progress.note(f"step {now.done}: dev " + as_text(values))
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


def as_text(values: dict[str, float]) -> str:
    """Return metrics as a line shows them."""
    return "  ".join(f"{key} {value:.4f}" for key, value in values.items())
