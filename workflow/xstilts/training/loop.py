"""The training loop: one for both stages and every format.

A training on one task is a mixture of that task alone; `mixture.py` says how several are drawn.
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
from xstilts.running.trackers import Trackers
from xstilts.scoring import predict
from xstilts.training import mixture
from xstilts.training.gradients import accumulate_gradients
from xstilts.training.optimizer import lr_factor, make_optimizer
from xstilts.training.progress import Progress
from xstilts.training.saver import StateSaver
from xstilts.training.state import TrainingState
from xstilts.training.tasks import TrainingTask, named_heads, snapshot


def evaluate_task(encoder, task: TrainingTask, device, max_tokens: int) -> dict[str, float]:
    """Return the metrics of one task on its dev rows."""
    assert task.dev is not None
    reduced = predict.reduced(task.page, encoder, task.head, task.dev, device, 4 * max_tokens)
    predictions = task.page.decode(reduced, task.dev, task.dev_rows)
    values, _ = task.page.score(task.dev_rows, predictions, task.metric, task.dev_lang)
    return values


def evaluate(
    encoder, tasks: Sequence[TrainingTask], device, max_tokens: int
) -> tuple[dict[str, float], float]:
    """Return the dev metrics, under the names of their tasks if there are several, and the score.

    The score, by which the best checkpoint is chosen, is the mean over the tasks of the figure of
    each on its dev rows (English, where the task has English); tasks without dev rows (mlm) are
    left out. jiant's `EqualMetricAggregator` does the same.
    """
    scored = [task for task in tasks if task.dev is not None]
    by_task = {task.name: evaluate_task(encoder, task, device, max_tokens) for task in scored}
    scores = [metrics.METRICS[task.metric].task_score(by_task[task.name]) for task in scored]
    score = sum(scores) / len(scores)
    if len(tasks) == 1:
        return by_task[tasks[0].name], score
    return {f"{name} {k}": v for name, values in by_task.items() for k, v in values.items()}, score


def fit(
    encoder,
    tasks: Sequence[TrainingTask],
    spec: dict[str, Any],
    device,
    max_tokens: int,
    saver: StateSaver | None = None,
    trackers: Trackers | None = None,
):
    """Train by the spec's recipe; return the best weights by dev score, and the record of the run.

    With a saver the training resumes from what an earlier attempt saved; trackers are told of it.

    Raises:
        NotFinite: the loss, or a weight.
        DoesNotFit: one example alone is too much for the GPU.
        Stopped: the process was asked to stop; the saver has saved the state.
    """
    import torch

    recipe, cap = Recipe(**spec["recipe"]), spec.get("cap")
    total_steps = mixture.total_steps(tasks, cap, recipe, spec.get("steps"))
    streams = mixture.make_streams(tasks, cap, spec["seed"], recipe.grouping)
    schedule = mixture.schedule([stream.share for stream in streams], total_steps, spec["seed"])
    modules = [encoder, *named_heads(tasks).values()]
    optimizer = make_optimizer(modules, recipe)
    parameters = [p for module in modules for p in module.parameters()]
    state = TrainingState(encoder, tasks, optimizer, streams, max_tokens)
    if saver:
        saver.resume(state)
    progress = Progress(total_steps, state.seconds, trackers=trackers)
    for step in range(state.step, total_steps):
        if saver:
            saver.save_if_due(state)
        stream = streams[schedule[step]]
        for module in modules:
            module.train()
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * lr_factor(step, total_steps, recipe.warmup)
        examples, seed = stream.batch(stream.drawn["batches"]), (spec["seed"], step)
        batch = (encoder, stream.task, stream.data, examples, seed, device)
        (loss, tokens), state.max_tokens = memory.retry_with_fewer_tokens(
            partial(accumulate_gradients, *batch),
            state.max_tokens,
            undo=optimizer.zero_grad,
            is_finest=partial(batches.is_finest, examples, *stream.data.shapes()),
        )
        ranks.add(p.grad for p in parameters if p.grad is not None)
        ranks.add([loss])
        torch.nn.utils.clip_grad_norm_(parameters, recipe.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        stream.count(len(examples), tokens)
        state.tokens += tokens
        state.recent_losses.append((stream.task.name, loss))
        state.step = step + 1
        evaluation_due = state.step % recipe.eval_every == 0 or state.step == total_steps
        if not ranks.agreed(evaluation_due or progress.due()):
            continue
        mean_loss = float(torch.stack([loss for _, loss in state.recent_losses[-50:]]).mean())
        if not math.isfinite(mean_loss):
            not_finite = (name for name, loss in state.recent_losses if not math.isfinite(loss))
            name = next(not_finite, state.recent_losses[-1][0])
            raise NotFinite(
                f"the loss of `{name}` is {mean_loss} at step {state.step} of {total_steps}, so"
                f" training stops; a learning_rate below {recipe.learning_rate:g} or more warmup"
                " may help"
            )
        progress.report(state.step, mean_loss, optimizer.param_groups[0]["lr"], state.tokens)
        if not evaluation_due:
            continue
        finite = all(shards.local_tensor(p).isfinite().all() for p in parameters)
        if any(ranks.most(not finite)):
            # The loss before the last update was still finite; such weights must never be the best.
            raise NotFinite(
                f"the weights are not finite after step {state.step} of {total_steps}, of"
                f" `{stream.task.name}`, so training stops; a learning_rate below"
                f" {recipe.learning_rate:g} may help"
            )
        before = time.monotonic()
        values, score = ranks.agreed(evaluate(encoder, tasks, device, state.max_tokens))
        state.evaluation_seconds += time.monotonic() - before
        progress.evaluated(state.step, values)
        state.history.append({"step": state.step, "loss": mean_loss, "dev": values, "score": score})
        state.recent_losses.clear()
        state.stale_evaluations += 1
        if not state.best or score > state.best["score"]:
            state.best, state.best_weights = state.history[-1], snapshot(encoder, tasks)
            state.stale_evaluations = 0
        if state.stale_evaluations >= recipe.patience and "steps" not in spec:
            progress.write(f"early stopping: no gain in {state.stale_evaluations} evaluations")
            break
    progress.close()
    return state.best_weights, state.record()
