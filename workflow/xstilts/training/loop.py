"""The training loop: one for both stages and every format.

A training on one task is a mixture of that task alone; `mixture.py` says how several are drawn.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from xstilts import metrics
from xstilts.encoding import batches
from xstilts.experiment.recipe import Recipe
from xstilts.models import checkpointing, memory, shards
from xstilts.models.execution import Execution
from xstilts.running import ranks
from xstilts.running.errors import NotFinite
from xstilts.running.trackers import Trackers
from xstilts.scoring import gold, predict
from xstilts.training import host, mixture, prefetch
from xstilts.training import optimizer as optimizers
from xstilts.training.gradients import accumulate_gradients
from xstilts.training.prefetch import Step
from xstilts.training.progress import Progress
from xstilts.training.saver import StateSaver
from xstilts.training.state import TrainingState
from xstilts.training.tasks import TrainingTask, named_heads, snapshot


def evaluate_task(
    encoder, task: TrainingTask, device, max_tokens: int, execution: Execution | None = None
) -> dict[str, float]:
    """Return the metrics of one task on its dev rows."""
    assert task.dev is not None
    reduced = predict.reduced(
        task.page, encoder, task.head, task.dev, device, 4 * max_tokens, execution
    )
    predictions = task.page.decode(reduced, task.dev, task.dev_rows)
    values, _ = task.page.score(task.dev_rows, predictions, task.metric, task.dev_lang)
    return values


def evaluate(
    encoder,
    tasks: Sequence[TrainingTask],
    device,
    max_tokens: int,
    execution: Execution | None = None,
) -> tuple[dict[str, float], float]:
    """Return the dev metrics, under the names of their tasks if there are several, and the score.

    The score, by which the best checkpoint is chosen, is the mean over the tasks of the figure of
    each on its dev rows (English, where the task has English); tasks without dev rows (mlm) are
    left out. jiant's `EqualMetricAggregator` does the same.
    """
    scored = [task for task in tasks if task.dev is not None]
    by_task = {
        task.name: evaluate_task(encoder, task, device, max_tokens, execution) for task in scored
    }
    scores = [metrics.METRICS[task.metric].task_score(by_task[task.name]) for task in scored]
    score = sum(scores) / len(scores)
    if len(tasks) == 1:
        return by_task[tasks[0].name], score
    return {f"{name} {k}": v for name, values in by_task.items() for k, v in values.items()}, score


def accumulate(
    encoder,
    step: Step,
    device,
    execution: Execution,
    max_tokens: int,
    undo: Callable[[], None],
    otherwise: Callable[[], int],
):
    """Accumulate the gradients of a step; see `memory.retry_with_fewer_tokens`.

    Returns:
        Loss and tokens, as `accumulate_gradients`; and the tokens of a micro-batch that fit.
    """
    batch = (encoder, step.stream.task, step.stream.data, step.examples, step.seed, device)
    return memory.retry_with_fewer_tokens(
        lambda most: accumulate_gradients(*batch, most, execution, step.share),
        max_tokens,
        undo=undo,
        is_finest=partial(
            batches.is_finest,
            step.examples,
            *step.stream.data.shapes(),
            tokens=execution.tokens(step.stream.data),
        ),
        otherwise=otherwise,
    )


def mean_loss(state: TrainingState, recipe: Recipe, total_steps: int) -> float:
    """Return the mean loss of the last steps; NotFinite if it is not."""
    import torch

    loss = float(torch.stack([loss for _, loss in state.recent_losses[-50:]]).mean())
    if not math.isfinite(loss):
        not_finite = (name for name, loss in state.recent_losses if not math.isfinite(loss))
        name = next(not_finite, state.recent_losses[-1][0])
        raise NotFinite(
            f"the loss of `{name}` is {loss} at step {state.step} of {total_steps}, so"
            f" training stops; a learning_rate below {recipe.learning_rate:g} or more warmup"
            " may help"
        )
    return loss


def are_finite(parameters: Iterable[Any]) -> bool:
    """Return whether no weight is infinite or NaN; of a sharded model, none of this rank's.

    The largest one is, which is NaN where any is; so a device is waited for once.
    """
    import torch

    local = (shards.local_tensor(p) for p in parameters)
    largest = torch.nn.utils.get_total_norm([t for t in local if t.numel()], math.inf)
    return bool(largest.isfinite())


def fit(
    encoder,
    tasks: Sequence[TrainingTask],
    spec: dict[str, Any],
    device,
    max_tokens: int,
    saver: StateSaver | None = None,
    trackers: Trackers | None = None,
    execution: Execution | None = None,
    checkpoint: str = "auto",
    recorded: bool = False,
):
    """Train by the spec's recipe; return the best weights by dev score, and the record of the run.

    With a saver the training resumes from what an earlier attempt saved; trackers are told of it.
    By default the encoder is run as `Execution.choose` says. With `checkpoint` "auto" it goes on
    with gradient checkpointing where one example alone does not fit. With `recorded` what the model
    makes of every row of its only task after each epoch takes the place of the weights:
    {"recorded": step -> tensor [rows, 4]} (`gold.of_rows`), in the first rank.

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
    optimizer = optimizers.make_optimizer(modules, recipe)
    parameters = optimizers.trained(modules)
    state = TrainingState(encoder, tasks, optimizer, streams, max_tokens)
    execution = execution or Execution.choose(encoder, device)
    steps = prefetch.steps(state, schedule, spec["seed"], execution, device.type == "cuda")
    otherwise = partial(checkpointing.instead, encoder, max_tokens) if checkpoint == "auto" else int
    depth = prefetch.DEPTH if host.is_beside(device) else 0
    epoch = math.ceil(len(streams[0].data) / streams[0].task.batch_size) if recorded else 0

    def look() -> None:
        before = time.monotonic()
        of = streams[0].data, device, 4 * state.max_tokens, execution
        state.recorded[state.step] = gold.of_rows(tasks[0].page, encoder, tasks[0].head, *of)
        state.evaluation_seconds += time.monotonic() - before
        for module in modules:
            module.train()

    with contextlib.ExitStack() as threads:
        if saver:
            threads.push(saver.close)
            saver.resume(state)
        progress = Progress(total_steps, state.seconds, trackers=trackers)
        for module in modules:
            module.train()
        for step in threads.enter_context(host.ahead(steps, depth, device)):
            if saver:
                saver.save_if_due(state)
            for group in optimizer.param_groups:
                factor = optimizers.lr_factor(step.number, total_steps, recipe.warmup)
                group["lr"] = group["peak"] * factor
            (loss, tokens), state.max_tokens = accumulate(
                encoder, step, device, execution, state.max_tokens, optimizer.zero_grad, otherwise
            )
            ranks.add(p.grad for p in parameters if p.grad is not None)
            ranks.add([loss])
            torch.nn.utils.clip_grad_norm_(parameters, recipe.clip)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            step.stream.count(len(step.examples), tokens)
            state.tokens += tokens
            state.recent_losses.append((step.stream.task.name, loss))
            state.step = step.number + 1
            if epoch and state.step % epoch == 0:
                look()
            evaluation_due = state.step % recipe.eval_every == 0 or state.step == total_steps
            if not ranks.agreed(evaluation_due or progress.due()):
                continue
            shown = mean_loss(state, recipe, total_steps)
            progress.report(state.step, shown, optimizer.param_groups[0]["lr"], state.tokens)
            if not evaluation_due:
                continue
            if any(ranks.most(not are_finite(parameters))):
                # The loss before the last update was still finite; such weights must never be the
                # best.
                raise NotFinite(
                    f"the weights are not finite after step {state.step} of {total_steps}, of"
                    f" `{step.stream.task.name}`, so training stops; a learning_rate below"
                    f" {recipe.learning_rate:g} may help"
                )
            before = time.monotonic()
            found = evaluate(encoder, tasks, device, state.max_tokens, execution)
            values, score = ranks.agreed(found)
            state.evaluation_seconds += time.monotonic() - before
            for module in modules:
                module.train()
            progress.evaluated(state.step, values)
            state.history.append({"step": state.step, "loss": shown, "dev": values, "score": score})
            state.recent_losses.clear()
            state.stale_evaluations += 1
            if not state.best or score > state.best["score"]:
                if saver:  # a state that is being written has the weights that were the best
                    saver.finish()
                state.best, state.best_weights = state.history[-1], {}  # in their place:
                state.best_weights = snapshot(encoder, tasks)
                state.stale_evaluations = 0
            if state.stale_evaluations >= recipe.patience and "steps" not in spec:
                progress.write(f"early stopping: no gain in {state.stale_evaluations} evaluations")
                break
        if epoch and state.step not in state.recorded:  # it ends within an epoch
            look()
    host.arrival(device)()
    progress.close()
    if recorded:
        own = {str(step): torch.from_numpy(rows) for step, rows in state.recorded.items()}
        return {"recorded": own if ranks.rank() == 0 else {}}, state.record()
    return state.best_weights, state.record()
