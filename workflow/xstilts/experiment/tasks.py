"""A task: what `tasks.yaml` or the config says of one data set, checked and frozen."""

import dataclasses
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from xstilts.running.errors import UserError, nearest

KINDS: dict[str, tuple[type, str]] = {
    **dict.fromkeys(("splits", "columns", "codes", "recipe"), (dict, "a mapping")),
    **dict.fromkeys(("languages", "labels", "no_dev"), (list, "a list")),
    "version": (int, "a whole number"),
    "no_answer": (bool, "true or false"),
}  # of the fields that are not text
# The formats, and the metrics that can score each.
FORMATS = {
    "classification": ("accuracy",),
    "choice": ("accuracy",),
    "span": ("squad", "squad2", "mlqa"),
    "tagging": ("tagging",),
    "retrieval": ("retrieval", "bucc"),
    "mlm": (),
}
SPLITS = ("train", "dev", "test")


@dataclasses.dataclass(frozen=True)
class Task:
    """One task. A target task has `tuned_on`, or is scored without training (retrieval).

    Attributes:
        name: the key in `tasks.yaml` or in the config.
        format: one of `FORMATS`; owns everything that differs between kinds of task.
        hub: hub id of the data set, also its folder in a mirror.
        config: hub config; `{lang}` stands for the language (through `codes`, where the hub uses
        names). splits: our split (train, dev, test) -> the hub's split.
        languages: ISO 639-1 codes of the languages that it has.
        metric: a key of `metrics.METRICS`; none for mlm, which is not scored.
        version: part of every spec; raising it re-runs what depends on the task.
        columns: hub column -> column of the unified row.
        rows: name of a function in `rows.py`, where renaming columns is not enough.
        labels: label names, in the order of the head's outputs. A tagging task without them has an
            open tag set: the tags of its English training rows.
        codes: language code -> what the hub calls it in `config` and `id_prefix`.
        tuned_on: the train task of a target.
        no_dev: languages without a dev split.
        no_answer: span only: a question may have no answer in its context.
        id_prefix: where one config holds several languages: how the ids of one language's rows
            begin, `{lang}` standing for it.
        gold: retrieval from full pools: the file of gold pairs in the data set's folder; `{lang}`
            and `{split}` stand for the language and the hub's split. See `pools.py`.
        obtain: what to do where a data set that is on no hub is not there; part of that error.
        recipe: hyper-parameters over the defaults (`recipe.py`).
        revision: branch to resolve (`refs/convert/parquet` where main holds a script).
    """

    name: str
    format: str
    hub: str
    config: str
    splits: Mapping[str, str]
    languages: tuple[str, ...]
    version: int
    metric: str = ""
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    rows: str | None = None
    labels: tuple[str, ...] = ()
    codes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    tuned_on: str | None = None
    no_dev: tuple[str, ...] = ()
    no_answer: bool = False
    id_prefix: str | None = None
    gold: str | None = None
    obtain: str | None = None
    recipe: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    revision: str = "main"

    def hub_config(self, language: str) -> str:
        """Return the hub's config name for a language: `udpos.German` for `de`."""
        return self._named(self.config, language)

    def id_start(self, language: str) -> str | None:
        """Return how the ids of a language's rows begin: `english-`; None for all rows."""
        return None if self.id_prefix is None else self._named(self.id_prefix, language)

    def gold_file(self, language: str, split: str) -> str | None:
        """Return the file of gold pairs of a language and of one of our splits, if it has one."""
        name = None if self.gold is None else self._named(self.gold, language)
        return name and name.replace("{split}", self.splits[split])

    @property
    def open_labels(self) -> bool:
        """Whether the labels are those of the training rows."""
        return self.format == "tagging" and not self.labels

    def _named(self, template: str, language: str) -> str:
        return template.replace("{lang}", self.codes.get(language, language))


def known() -> dict[str, dict[str, Any]]:
    """Return the entries of `tasks.yaml`: name -> fields, unchecked."""
    return dict(_entries())


def obtain(hub: str) -> str | None:
    """Return what to do for a data set that is on no hub, as its task says; None for others."""
    entries = (entry for entry in known().values() if entry["hub"] == hub)
    return next((entry["obtain"] for entry in entries if entry.get("obtain")), None)


def check(name: str, entry: Mapping[str, Any]) -> Task:
    """Return the task of an entry; UserError naming the field for anything wrong in it."""
    from xstilts import metrics
    from xstilts.data import rows  # both are cheap; imported here so that tasks.py has no cycle

    fields = {field.name: field for field in dataclasses.fields(Task) if field.name != "name"}
    for key in entry:
        if key not in fields:
            raise UserError(f"task `{name}`: there is no field `{key}`{nearest(key, fields)}")
    for key, field in fields.items():
        needed = field.default is field.default_factory is dataclasses.MISSING
        needed = needed or (key == "metric" and entry["format"] != "mlm")
        if needed and key not in entry:
            raise UserError(f"task `{name}`: the field `{key}` is missing")
    for key, value in entry.items():
        kind, noun = KINDS.get(key, (str, "text"))
        optional = fields[key].default is None and value is None
        if not optional and not isinstance(value, kind):
            raise UserError(f"task `{name}`: `{key}` must be {noun}, not {value!r}")
        parts = list(value.values()) if kind is dict else value if kind is list else []
        if key not in ("recipe", "languages") and (
            odd := [part for part in parts if not isinstance(part, str)]
        ):
            raise UserError(f'task `{name}`: {key}: {odd[0]!r} is not text: quote it, "{odd[0]}"')
    if ".." in Path(entry["hub"]).parts:
        raise UserError(
            f"task `{name}`: hub: a folder is given from the root, from ~ or from below here, not"
            f" with `..`: {Path(entry['hub']).absolute()}"
        )
    _one_of(name, "format", entry["format"], FORMATS)
    if entry["format"] == "mlm" and "metric" in entry:
        raise UserError(f"task `{name}`: an mlm task is not scored, so it has no `metric`")
    if entry["format"] != "mlm":
        _one_of(name, "metric", entry["metric"], metrics.METRICS)
    if "metric" in entry and entry["metric"] not in FORMATS[entry["format"]]:
        raise UserError(
            f"task `{name}`: metric: `{entry['metric']}` cannot score a {entry['format']} task"
            f" (valid: {', '.join(FORMATS[entry['format']])})"
        )
    if entry.get("rows") is not None:
        _one_of(name, "rows", entry["rows"], rows.ROW_FUNCTIONS)
    for split in entry["splits"]:
        _one_of(name, "splits", split, SPLITS)
    if entry["format"] == "classification" and not entry.get("labels"):
        raise UserError(f"task `{name}`: a classification task needs `labels`, in the head's order")
    if entry["format"] == "tagging" and not entry.get("labels") and "train" not in entry["splits"]:
        raise UserError(
            f"task `{name}`: a tagging task needs `labels`, in the head's order, or a train split"
            " to take them from"
        )
    languages = entry["languages"]
    if len({c for c in languages if isinstance(c, str)}) != len(languages) or not languages:
        raise UserError(
            f"task `{name}`: `languages` must be a list of different language codes, not"
            f' {languages!r} (YAML reads no and on as booleans: write "no")'
        )
    frozen: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    return Task(name=name, **frozen)


def _one_of(task: str, field: str, value: Any, valid) -> None:
    if value not in valid:
        raise UserError(
            f"task `{task}`: {field}: there is no `{value}`{nearest(value, valid)}"
            f" (valid: {', '.join(valid)})"
        )


@cache
def _entries() -> dict[str, dict[str, Any]]:
    return yaml.safe_load((Path(__file__).parent / "tasks.yaml").read_text(encoding="utf-8"))
