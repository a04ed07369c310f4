"""What a task may be used for: as a target, to be tuned on, as part of an intermediate."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xstilts.experiment import suites
from xstilts.experiment.languages import suggested
from xstilts.experiment.synthetic import MADE
from xstilts.experiment.tasks import Task
from xstilts.running.errors import UserError, nearest


def exists(key: str, name: str, valid: Iterable[str], noun: str) -> None:
    """Refuse a name that there is not, with the nearest that there is.

    Raises:
        UserError: the key, the name, what it was to be the name of (`noun`).
    """
    if name not in valid:
        near = suggested if noun == "language" else nearest
        raise UserError(f"{key}: there is no {noun} `{name}`{near(name, valid)}")


def has_rows(key: str, code: str, valid: Sequence[str], none: str, where: str = "") -> None:
    """Refuse a language without rows, with the code that is meant if there is one.

    Args:
        key: that names the language.
        code: of it.
        valid: codes of the languages in which there are rows.
        none: what has no rows, as the beginning of a sentence.
        where: in which world that is so; "" for any.

    Raises:
        UserError: the key, the language, those that there are.
    """
    if code in valid:
        return
    if near := suggested(code, valid):
        raise UserError(f"{key}: there is no language `{code}`{near}")
    raise UserError(f"{key}: {none} in `{code}` (but in {', '.join(valid) or 'none'}{where})")


def check_target(target: str, settings: Mapping[str, Any], known: Mapping[str, Task]) -> None:
    """Refuse a target that is no task, or that cannot be tuned for and scored.

    Raises:
        UserError: the target, or the task that it is tuned on, and what it lacks.
    """
    exists("targets", target, [*known, *suites.names()], "task")
    _check_set("targets", target, known)
    train = known[target].tuned_on
    if train is None and known[target].format != "retrieval":
        _not_tuned(target, known)
    if train is not None:
        _trainable(f"task `{target}`: tuned_on", train, known)
        _share_a_head(known[target], known[train])
        home = known[train].home
        if home is None or not known[train].is_there(home, "dev"):
            raise UserError(
                f"task `{train}`: which language is `{target}` tuned in? say `train_language`, one"
                f" of {', '.join(known[train].languages)}"
            )
        _check_chain(target, train, known)
    if settings["split"] not in known[target].splits:
        there = known[target].splits
        raise UserError(
            f"split: target `{target}` has no {settings['split']} split (it has {', '.join(there)})"
        )


def _check_chain(target: str, train: str, known: Mapping[str, Task]) -> None:
    """Refuse what a target is tuned on before `train` (`after`) where that cannot be trained on."""
    seen, task = [train], known[train]
    while task.after is not None:
        key = f"task `{task.name}`: after"
        _trainable(key, task.after, known)
        if task.after in seen:
            raise UserError(
                f"{key}: `{target}` is tuned in a circle: {' after '.join([*seen, task.after])}"
            )
        seen.append(task.after)
        task = known[task.after]
        if task.home is None or not task.is_there(task.home, "dev"):
            raise UserError(
                f"task `{task.name}`: which language is `{target}` tuned in? say `train_language`,"
                f" one of {', '.join(task.languages)}"
            )


def _not_tuned(target: str, known: Mapping[str, Task]) -> None:
    """Refuse a target that nothing is tuned for."""
    if "train" not in known[target].splits:
        raise UserError(
            f"targets: `{target}` has no train split; say `tuned_on`, the task whose train rows"
            " tune the model before it is scored"
        )
    scored = [name for name, task in known.items() if task.tuned_on == target]
    mean = f"; did you mean `{scored[0]}`?" if scored else ""
    raise UserError(
        f"targets: `{target}` is a task to train on, not one to score: it has no `tuned_on`{mean}"
    )


def check_intermediate(name: str, entry: Mapping[str, Any], known: Mapping[str, Task]) -> None:
    """Refuse an intermediate whose tasks cannot be trained on, alone or in this mix.

    Raises:
        UserError: the intermediate, the task, what is wrong with it.
    """
    names = entry["tasks"]
    for task in names:
        _trainable(f"intermediates: {name}", task, known)
        _check_trained_in(name, entry, known[task])
    if name in known and names != [name]:
        raise UserError(
            f"intermediates: `{name}` is the name of a task, so it must be of that task alone, or"
            f" `recipes: {name}` would have two meanings; give it another name"
        )
    if all(known[task].format == "mlm" for task in names):
        raise UserError(
            f"intermediates: {name}: masked language modelling has no dev set by which the best"
            " checkpoint is chosen; mix it with a task that has one"
        )
    if "cap" in entry and len(names) == 1:
        raise UserError(
            f"intermediates: {name}: cap: is for the mixing of several tasks; for fewer rows of"
            f" one say `rows: {entry['cap']}`"
        )


def _check_trained_in(name: str, entry: Mapping[str, Any], task: Task) -> None:
    """Ask for the language of a task of several without English, mlm apart, which is trained in
    all: labels that are not listed are those of that language, whichever it is trained in. Of rows
    that are made `languages` says another thing."""
    if task.home is not None or task.format == "mlm":
        return
    says = "`train_language` in its entry"
    made = any(key in entry for key in MADE)
    if task.open_labels and not made:
        says += " (or `labels`)" if entry.get("languages") else ""
    elif not entry.get("languages") and not made:
        says = f"`languages` here, or {says}"
    elif not made:
        return
    raise UserError(
        f"intermediates: {name}: which language is `{task.name}` trained in? say {says}, of"
        f" {', '.join(task.languages)}"
    )


def _trainable(key: str, name: str, known: Mapping[str, Task]) -> None:
    exists(key, name, known, "task")
    _check_set(key, name, known)
    if known[name].format == "retrieval":
        raise UserError(f"{key}: `{name}` is of format retrieval, which is scored without training")
    no = ("retrieval", "images")
    trainable = [n for n, t in known.items() if "train" in t.splits and t.format not in no]
    if name in trainable and known[name].format != "mlm" and "dev" not in known[name].splits:
        raise UserError(f"{key}: `{name}` has no dev split, by which the best checkpoint is chosen")
    if name not in trainable:
        raise UserError(
            f"{key}: `{name}` has no train split; tasks that have: {', '.join(trainable)}"
        )


def _check_set(key: str, name: str, known: Mapping[str, Task]) -> None:
    if known[name].format != "images":
        return
    of = [task.name for task in known.values() if task.images == name]
    raise UserError(
        f"{key}: `{name}` is a set of pictures, which is neither trained on nor scored; tasks on"
        f" them: {', '.join(of) or 'none'}"
    )


def _share_a_head(target: Task, train: Task) -> None:
    key = f"task `{target.name}`: its"
    if target.format == "retrieval" and train.format == "dual":
        return
    if target.format == "retrieval":
        raise UserError(
            f"task `{target.name}`: tuned_on: a retrieval task is tuned on one of format dual, and"
            f" `{train.name}` is of format {train.format}"
        )
    if target.format != train.format:
        raise UserError(
            f"{key} format must be the same as of `{train.name}`, which it is tuned on:"
            f" {train.format}, not {target.format}"
        )
    if target.labels != train.labels:
        ours, theirs = (
            ", ".join(task.labels) or "those of its train rows" for task in (target, train)
        )
        raise UserError(
            f"{key} labels must be the same as of `{train.name}`, which it is tuned on: {theirs},"
            f" not {ours}"
        )
    if target.open_labels and target.name != train.name and "train" in target.splits:
        raise UserError(
            f"{key} labels are those of `{train.name}`, which it is tuned on, and it has train rows"
            f" of its own; say `labels` in both, in the head's order"
        )
