"""Whether a training has collapsed: its best dev score is not above what guessing gives.

Fine-tuning a large encoder sometimes ends in one answer for everything. What such a training gives
is no measurement of its task, and one of three seeds makes a mean meaningless.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from xstilts import metrics
from xstilts.scoring import guessing
from xstilts.training.tasks import TrainingTask

COLLAPSED = "collapsed"  # the key in node.json
BELOW = "below_guessing"  # the key of a training that is worse than any one answer for all rows
AT_GUESSING = "at_guessing"  # the key of the tasks of a mix that are, where the mix is not


def mark(tasks: Sequence[TrainingTask], record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `node.json` says of it beside the record of the run; {} where all is well.

    `collapsed`: task, metric, score, low, high (the 95% interval of the score over the dev rows),
    guessing (the score of the best guess), guess (what it answers), rows, evaluations (of which the
    score is the highest). It is there if `low` is not above `guessing`.

    Of a mix the score is the mean over its tasks, by which its best checkpoint is chosen, and
    guessing the mean of their guesses; `tasks` has the same for each. Its interval is that of a
    mean of independent scores by the MOVER (Zou and Donner 2008, Stat. Med. 27; from memory). Where
    a mix as a whole is above guessing, `at_guessing` has those of its tasks that are not.

    `below_guessing`, in place of `collapsed`: the same, of a training whose whole interval is below
    what any one answer for all rows gives. It has not ended in one answer: rows that are picked for
    being hard may well teach the opposite of what dev rows say.

    Tasks without dev rows (mlm) are not judged.

    Args:
        tasks: of the training.
        record: see `TrainingState.record`.
    """
    best, looks = record["best"]["dev"], len(record["history"])
    judged = []
    for task in tasks:
        if task.dev is not None:
            prefix = f"{task.name} " if len(tasks) > 1 else ""
            metric = metrics.METRICS[task.metric]
            score = metric.task_score({key: best[prefix + key] for key in metric.averaged})
            judged.append(judge(task, score, looks))
            least = guessing.least(task.format, task.metric, task.dev_rows)
    whole = judged[0] if len(judged) == 1 else _mean(judged)
    if len(judged) == 1 and whole["high"] < least:
        return {BELOW: {**whole, "evaluations": looks}}
    if _is_at_guessing(whole):
        parts = {"tasks": judged} if len(judged) > 1 else {}
        return {COLLAPSED: {**whole, **parts, "evaluations": looks}}
    low = [one for one in judged if _is_at_guessing(one)]
    return {AT_GUESSING: low} if low else {}


def judge(task: TrainingTask, score: float, looks: int) -> dict[str, Any]:
    """Return the score of a task beside the best guess on its dev rows, see `mark`."""
    guess = guessing.best(task.format, task.metric, task.dev_rows, task.dev_lang)
    low, high = guessing.interval(task.metric, score, guess.rows, looks)
    return {
        "task": task.name,
        "metric": task.metric,
        **_rounded(score=score, low=low, high=high, guessing=guess.score),
        "guess": guess.how,
        "rows": len(task.dev_rows),
    }


def lines(record: Mapping[str, Any]) -> list[str]:
    """Return what the log says of the marks of a record."""
    said = {COLLAPSED: "collapsed", BELOW: "below guessing"}
    marks = [(what, record[key]) for key, what in said.items() if key in record]
    marks += [("not learnt in this mix", one) for one in record.get(AT_GUESSING, [])]
    return [
        f"{what}: the best dev score of `{one['task']}` is {one['score']:.4f} (95%:"
        f" {one['low']:.4f} to {one['high']:.4f}), and guessing ({one['guess']}) gives"
        f" {one['guessing']:.4f}"
        for what, one in marks
    ]


def _mean(judged: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    def mean(key: str) -> float:
        return sum(one[key] for one in judged) / len(judged)

    def margin(key: str) -> float:
        return math.hypot(*(one[key] - one["score"] for one in judged)) / len(judged)

    score = mean("score")
    return {
        "task": " + ".join(one["task"] for one in judged),
        "metric": "mean",
        **_rounded(score=score, low=score - margin("low"), high=score + margin("high")),
        **_rounded(guessing=mean("guessing")),
        "guess": "in each task",
        "rows": sum(one["rows"] for one in judged),
    }


def _is_at_guessing(judged: Mapping[str, Any]) -> bool:
    return judged["low"] <= judged["guessing"]


def _rounded(**values: float) -> dict[str, float]:
    return {name: round(value, 6) for name, value in values.items()}
