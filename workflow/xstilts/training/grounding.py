"""Whether a training uses its pictures: its dev rows with them, with others, and without.

Of the weights that are kept. A model that makes as much of another picture as of the right one does
not use it, however good it is; and one that uses it need not be better for it. So each row's value
is recorded, to be compared with that of a training on shuffled pictures, or on text alone.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from xstilts import metrics
from xstilts.encoding.encoded import Encoded
from xstilts.encoding.features import NONE, OWN, SHUFFLED
from xstilts.experiment.tasks import MASKED
from xstilts.models.execution import Execution
from xstilts.scoring import predict
from xstilts.training.tasks import TrainingTask, weights

GROUNDING = "grounding"  # the key in node.json
DIGITS = 6


def measure(
    encoder,
    tasks: Sequence[TrainingTask],
    best: Mapping[str, Mapping[str, Any]],
    device,
    max_tokens: int,
) -> dict[str, Any]:
    """Return what `node.json` says of it: {} where no task has pictures, nor is trained without its
    own on purpose (`images: none`).

    Task -> metric, rows, `images` (the number of the picture of each row, as they first occur),
    trained (`pictures`, `shuffled` or `none`), and under each condition `score`, `loss` (of an
    example, of a hidden piece) and `values`, of each row, as far as it can be: text alone (`none`)
    is all that a training on it can read.

    Args:
        encoder, tasks: what was trained; it has the best weights afterwards.
        best: those, see `tasks.weights`.
        device, max_tokens: as in training.
    """
    judged = [task for task in tasks if task.trained_with and task.dev is not None]
    if not judged:
        return {}
    _restore(encoder, tasks, best)
    return {GROUNDING: {t.name: _of_task(encoder, t, device, max_tokens) for t in judged}}


def _restore(encoder, tasks: Sequence[TrainingTask], best: Mapping[str, Mapping]) -> None:
    import torch

    with torch.no_grad():
        for module, state in weights(encoder, tasks).items():
            for name, value in state.items():
                value.copy_(best[module][name])


def _of_task(encoder, task: TrainingTask, device, max_tokens: int) -> dict[str, Any]:
    assert task.dev is not None
    shown = {NONE: dataclasses.replace(task.dev, pictures=None)}
    if task.pictures is not None:
        own, others = task.pictures
        shown = {
            OWN: dataclasses.replace(task.dev, pictures=own),
            SHUFFLED: dataclasses.replace(task.dev, pictures=others),
            **shown,
        }
    return {
        "metric": task.metric,
        "rows": len(task.dev_rows),
        "images": images_of(task.dev_rows),
        "trained": task.trained_with,
        **{name: _under(encoder, task, dev, device, max_tokens) for name, dev in shown.items()},
    }


def images_of(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the number of the picture of each row, in the order in which pictures first occur."""
    numbers: dict[str, int] = {}
    return [numbers.setdefault(row["image"], len(numbers)) for row in rows]


def _under(encoder, task: TrainingTask, dev: Encoded, device, max_tokens: int) -> dict[str, Any]:
    """Return score, loss and values of the dev rows of a task under one condition."""
    losses: list[Any] = []
    weighed: list[float] = []

    def reduce(outputs, batch):
        reduced = task.page.reduce(outputs, batch)
        losses.append(task.page.loss(outputs, batch).detach().double())
        weighed.append(batch["weight"])
        return reduced

    told: Any = SimpleNamespace(collate=task.page.collate, reduce=reduce)
    execution = Execution.choose(encoder, device)
    # What tells pieces of the vocabulary has, for each, a number for all others: as in training.
    budget = max_tokens if task.format in MASKED else 4 * max_tokens
    reduced = predict.reduced(told, encoder, task.head, dev, device, budget, execution)
    predictions = task.page.decode(reduced, dev, task.dev_rows)
    found, values = task.page.score(task.dev_rows, predictions, task.metric, task.dev_lang)
    score = metrics.METRICS[task.metric].task_score(found)
    loss = float(sum(losses)) / (sum(weighed) or 1)
    return {
        "score": round(score, DIGITS),
        "loss": round(loss, DIGITS),
        "values": [round(float(value), DIGITS) for value in values],
    }
