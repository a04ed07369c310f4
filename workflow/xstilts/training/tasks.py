"""The tasks of a training, each with its rows and its head."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from xstilts import formats
from xstilts.data import prepare
from xstilts.encoding import encoded
from xstilts.encoding import features as features_files
from xstilts.encoding.encoded import Encoded
from xstilts.encoding.features import OWN, PART, SHUFFLED, Features, Pictures
from xstilts.experiment import amounts
from xstilts.experiment.tasks import SEEN
from xstilts.models import adapters
from xstilts.running.errors import LABELS_SHOWN, UserError, brief
from xstilts.training import deal, host, sample


@dataclasses.dataclass(frozen=True, eq=False)
class TrainingTask:
    """One task of a training.

    Attributes:
        name: as the experiment has it.
        format: the name of its page.
        batch_size: examples of a batch of this task.
        labels: the head's outputs; empty for a format without.
        train: language -> encoded train rows.
        head: the module on the encoder; tasks may share one.
        dev: encoded dev rows; None if the task does not count in the choice of the best checkpoint
            (mlm).
        dev_rows: the same as text.
        dev_lang, metric: of the dev rows.
        options: what else its head is made with.
        trained_with: what is before its texts (`features.OWN`, `SHUFFLED`), or `NONE` where that is
            a control; "" of a task without pictures.
        pictures: of its dev rows, their own and others, whichever it is trained with; None without.
    """

    name: str
    format: str
    batch_size: int
    labels: Sequence[str]
    train: Mapping[str, Encoded]
    head: Any = None
    dev: Encoded | None = None
    dev_rows: Sequence[Mapping[str, Any]] = ()
    dev_lang: str = "en"
    metric: str = ""
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    trained_with: str = ""
    pictures: tuple[Pictures, Pictures] | None = None

    @property
    def page(self) -> ModuleType:
        """The page of its format."""
        return formats.page(self.format)

    @property
    def sizes(self) -> dict[str, int]:
        """Language -> train examples; of a sample, those of its rows."""
        return {lang: len(data.chosen) for lang, data in self.train.items()}


def task_specs(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the spec of each task of a training; without `tasks` it is of one English task."""
    if "tasks" in spec:
        return spec["tasks"]
    files = {"train": {"en": spec["train"]}, "dev": {"en": spec["dev"]}}
    return [{**spec, **files, "batch_size": spec["recipe"]["batch_size"]}]


def largest_batch(tasks: Iterable[TrainingTask]) -> int:
    """Return the tokens, padding included, of the largest batch that may be drawn."""
    return max(
        task.batch_size * int(np.multiply(*data.shapes()).max())
        for task in tasks
        for data in task.train.values()
    )


def read_tasks(
    spec: Mapping[str, Any],
    tokenizer: str,
    train: Iterable[str],
    dev: Iterable[str],
    dev_rows: Iterable[str],
    name: str = "",
    train_rows: Iterable[str] = (),
    subset: str = "",
    features: Iterable[str] = (),
) -> list[TrainingTask]:
    """Return the tasks of a training, still without heads.

    Args:
        spec: of the training.
        tokenizer: digest of the tokenizer that all rows must be encoded with.
        train, dev, dev_rows: paths, in the order of the spec's tasks and their languages.
        name: of the intermediate, for messages.
        train_rows: paths, likewise, of the tasks whose rows are dealt to their languages.
        subset: record of the rows of the only task that are trained on, where not all are.
        features: paths, of each set of pictures those of its train split, then of its dev split.

    Raises:
        UserError: a file is made by another spec, or encoded with another tokenizer; a task has
            fewer rows than its sample, or its languages have not the same.
    """
    train_paths, dev_paths, dev_rows_paths = iter(train), iter(dev), iter(dev_rows)
    train_rows_paths, features_paths = iter(train_rows), iter(features)
    sets = {
        name: {split: _pictures(next(features_paths), name, split, of[split], spec) for split in of}
        for name, of in _in_order(spec.get("features", {}))
    }
    for images, of in sets.items():
        _check_splits(images, *(of[split][0].features for split in SEEN))
    eval_rows = spec["recipe"]["eval_rows"]

    def load(path: str, spec_digest: str, whole: bool = True) -> Encoded:
        return encoded.load_checked(path, spec_digest, tokenizer, "the model", whole)

    tasks = []
    for task_spec in task_specs(spec):
        paths = {lang: next(train_paths) for lang in task_spec["train"]}
        sampled = bool(subset) or not task_spec.keys().isdisjoint(sample.KEYS)
        data = {lang: load(paths[lang], d, not sampled) for lang, d in task_spec["train"].items()}
        if task_spec.get("translations") == amounts.DEALT:
            rows_paths = {lang: next(train_rows_paths) for lang in data}
            rows = {lang: deal.rows_of(p, task_spec["format"]) for lang, p in rows_paths.items()}
            chosen = deal.draw(rows, rows_paths, task_spec, spec["seed"], name)
            data = sample.taken(data, paths, chosen)
        elif subset:
            data = sample.picked(data, paths, subset, spec["subset"])
        elif sampled:
            data = sample.draw(data, paths, task_spec, spec["seed"], name)
        images = task_spec.get("images", "")
        order = spec.get("shown", OWN) if images else ""
        shown = sets.get(images, {})
        data = {
            lang: _before(paths[lang], one, shown.get("train"), order) for lang, one in data.items()
        }
        labels = next(iter(data.values())).labels  # the spec's, or those of an open tag set
        options = {"scale": spec["recipe"].get("scale")} if task_spec["format"] == "dual" else {}
        task = TrainingTask(
            task_spec["task"], task_spec["format"], task_spec["batch_size"], labels, data,
            options=options, trained_with=order, pictures=shown.get("dev"),
        )  # fmt: skip
        for lang, spec_digest in task_spec["dev"].items():
            dev_path = next(dev_paths)
            dev_data = _before(dev_path, load(dev_path, spec_digest), shown.get("dev"), order)
            if list(dev_data.labels) != list(labels):
                raise UserError(
                    f"{task.name}: its dev rows are encoded with the labels"
                    f" {brief(', '.join(dev_data.labels), LABELS_SHOWN)}, its train rows with"
                    f" {brief(', '.join(labels), LABELS_SHOWN)};"
                    " delete results/encoded, run again"
                )
            task = dataclasses.replace(
                task,
                dev=dev_data.first_rows(eval_rows),
                dev_rows=prepare.read(next(dev_rows_paths)).to_pylist()[:eval_rows],
                dev_lang=lang,
                metric=task_spec["metric"],
            )
        tasks.append(task)
    return tasks


def _in_order(sets: Mapping[str, Mapping[str, str]]) -> list[tuple[str, dict[str, str]]]:
    """Return the sets of pictures of a spec, whose keys are sorted, each with its splits in the
    order in which their features are named."""
    return [(name, {split: sets[name][split] for split in SEEN}) for name in sets]


def _pictures(
    path: str, name: str, split: str, spec_digest: str, spec: Mapping[str, Any]
) -> tuple[Pictures, Pictures]:
    """Return the pictures of a split of a set, and others in their places, by the seed."""
    opened = features_files.load(path, spec_digest)
    others = features_files.derangement(len(opened), spec["seed"], f"{name} {split}")
    return Pictures(opened), Pictures(opened, others)


def _check_splits(images: str, train: Features, dev: Features) -> None:
    """Refuse features of dev pictures that are not of the kind of those trained on."""
    if train.shape[1:] != dev.shape[1:]:
        raise UserError(
            f"{images}: its features to train on are of {train.shape[1]} positions and"
            f" {train.shape[2]} wide, those of dev of {dev.shape[1]} and {dev.shape[2]}; take those"
            " of one vision encoder"
        )


def _before(
    path: str, data: Encoded, pictures: tuple[Pictures, Pictures] | None, order: str
) -> Encoded:
    """Return encoded rows with the pictures that they are trained with before them."""
    if pictures is None:
        return data
    return encoded.behind(path, data, pictures[order == SHUFFLED])


def with_heads(tasks: Iterable[TrainingTask], encoder) -> list[TrainingTask]:
    """Return the tasks with new heads, on the encoder's device.

    One for the tasks of equal format and equal labels (MNLI, SNLI, ANLI); tasks without labels
    (regression, choice, span) have heads of their own, as in jiant. All heads of tasks with
    pictures have the same projector.

    Raises:
        UserError: features of different shapes; an encoder that cannot read texts behind pictures.
    """
    from xstilts.formats.pictures import Projector, add
    from xstilts.models.before import positions_given

    heads: dict[Any, Any] = {}
    projector, tasks_with_heads = None, []
    for task in tasks:
        key: Any = (task.format, *task.labels) if task.labels else task.name
        train = list(task.train.values())
        pictures = train[0].pictures if train else None
        if pictures:
            key = "pictures", key
        if key not in heads:
            made = task.page.head(encoder, list(task.labels), train, **task.options)
            if pictures:
                positions_given(encoder, encoder.device, train[0].meta["pad"])
                projector = projector or Projector.of(pictures.features.shape, encoder)
                _check_shared(projector, pictures, task.name)
                add(made, projector)
            heads[key] = made.to(encoder.device)
        tasks_with_heads.append(dataclasses.replace(task, head=heads[key]))
    return tasks_with_heads


def _check_shared(projector, pictures: Pictures, name: str) -> None:
    """Refuse features that are not of the kind of those of the tasks before it."""
    own, others = pictures.features.shape[1:], (len(projector.place), projector.out.in_features)
    if own != others:
        raise UserError(
            f"{name}: its features are of {own[0]} positions and {own[1]} wide, those of the tasks"
            f" beside it of {others[0]} and {others[1]}; mix tasks whose pictures one encoder sees"
        )


def named_heads(tasks: Iterable[TrainingTask]) -> dict[str, Any]:
    """Return name -> head, each once, by the name of the first task that has it."""
    names: dict[int, str] = {}
    return {names.setdefault(id(task.head), task.name): task.head for task in tasks}


def weights(encoder, tasks: Sequence[TrainingTask]) -> dict[str, dict]:
    """Return all weights that are trained, as they are: `encoder`, and `head`.

    In a mixture of several tasks the weights of each head have its name before theirs, but for the
    projector of pictures, which they share.
    """
    heads = named_heads(tasks)
    named = {}
    for name, head in heads.items():
        for key, value in head.state_dict().items():
            shared = len(tasks) == 1 or key.startswith(f"{PART}.")
            named[key if shared else f"{name}.{key}"] = value
    return {"encoder": adapters.trained(encoder), "head": named}


def snapshot(encoder, tasks: Sequence[TrainingTask]) -> dict[str, dict]:
    """Return a copy of all weights; see `host.copy`."""
    return {
        name: {key: host.copy(value) for key, value in state.items()}
        for name, state in weights(encoder, tasks).items()
    }
