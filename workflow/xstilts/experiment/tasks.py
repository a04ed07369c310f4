"""A task: what `tasks.yaml` or the config says of one data set (`entries.py` checks it)."""

import dataclasses
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from xstilts.data import source as sources

# The formats, and the metrics that can score each.
FORMATS = {
    "classification": ("accuracy", "macro_f1", "matthews"),
    "regression": ("pearson", "spearman"),
    "choice": ("accuracy",),
    "span": ("squad", "squad_f1", "squad2", "mlqa"),
    "tagging": ("tagging",),
    "retrieval": ("retrieval", "bucc", "map20"),
    "dual": ("map20",),
    "mlm": (),
    "caption": ("told",),
    "images": (),
}
MASKED = ("mlm", "caption")  # the formats whose head tells pieces of the vocabulary
LABELLED = ("classification", "tagging")  # the formats whose answers are labels, by name
WITHOUT_PICTURES = ("choice", "retrieval", "dual", "images")  # the formats whose rows have none
SPLITS = ("train", "dev", "test")
POOL = sources.POOL
SET = "en"  # in place of a language: a set of pictures
SEEN = ("train", "dev")  # the splits whose pictures a training sees


@dataclasses.dataclass(frozen=True)
class Task:
    """One task. A target task has `tuned_on`, or is scored without training (retrieval).

    `schemas/config.schema.yaml` says what each field is, for users (docs/config.md) and for checks.
    Here `name` is the key of its entry, and what a user leaves out is filled in (`entries.py`):
    `splits` is our split -> the hub's, of `files` -> itself; `files` is our split -> paths; a
    classification or tagging task without `labels` has open labels, those of its train rows;
    `labels: rows` is open labels with `other_labels`: dev rows may have labels that train rows have
    not. `strata` is name -> column, "" where there are no classes (in the toy world); `images` is
    the task, of format `images`, whose pictures its rows have, "" where they have none; a set of
    pictures has the language `SET`, of which it has none.
    """

    name: str
    format: str
    languages: tuple[str, ...]
    hub: str = ""
    config: str | None = None
    splits: Mapping[str, str] = dataclasses.field(default_factory=dict)
    files: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    file: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    base: str = ""
    train_language: str | None = None
    version: int = 1
    metric: str = ""
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    rows: str | None = None
    context: str | int | None = None
    labels: tuple[str, ...] = ()
    other_labels: bool = False
    most_labels: int | None = None
    images: str = ""
    codes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    tuned_on: str | None = None
    after: str | None = None
    suites: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    no_dev: tuple[str, ...] = ()
    no_answer: bool = False
    id_prefix: str | None = None
    gold: str | None = None
    pool: str | None = None
    obtain: str | None = None
    strata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    recipe: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    revision: str = "main"
    traits: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def every_language(self) -> tuple[str, ...]:
        """Its languages, and those that suites add to them."""
        added = (code for more in self.suites.values() for code in more["languages"])
        return tuple(dict.fromkeys((*self.languages, *added)))

    def of(self, language: str) -> "Task":
        """Return the task as it is read in a language: one that a suite adds may be of another
        data set."""
        for more in self.suites.values():
            if language in more["languages"] and language not in self.languages:
                where = {key: value for key, value in more.items() if key != "languages"}
                return dataclasses.replace(self, **where)
        return self

    @property
    def own(self) -> bool:
        """Whether its data is a user's own: files, or a folder."""
        return bool(self.files) or sources.is_path(self.hub)

    @property
    def folder(self) -> str:
        """The folder of data of one's own, absolute: that of paths, or the data set itself."""
        return str(sources.absolute(self.hub if sources.is_path(self.hub) else "", self.base))

    def dataset(self, language: str, split: str) -> str:
        """Return the name of the data set among the pins: the hub's, or one that is no path.

        Files are pinned by language and split, so that a new file leaves the others as they are.
        """
        if self.files:
            return f"{sources.OWN}/{self.name}/{language}.{split}"
        return f"{sources.OWN}/{self.name}" if self.own else self.hub

    def paths(self, language: str, split: str) -> list[str]:
        """Return the files of a language and split, as the config writes them; of a set of parts
        that is in a folder, the folder."""
        return [self._named(path, language) for path in self.files.get(split, ())]

    def is_there(self, language: str, split: str) -> bool:
        """Whether a split can be of a language: files that are not named by language are of the
        one that is trained in, unless their rows name theirs."""
        if split == "dev" and language in self.no_dev:
            return False
        return not self.files or bool(self.id_prefix) or self.varies(split) or language == self.home

    def varies(self, split: str) -> bool:
        """Whether the files of a split are another for each language."""
        return any("{lang}" in path for path in self.files.get(split, ()))

    @property
    def home(self) -> str | None:
        """The language in which it is trained on, unless an intermediate lists others."""
        only = self.languages[0] if len(self.languages) == 1 else None
        return self.train_language or ("en" if "en" in self.languages else only)

    def hub_config(self, language: str, split: str = "") -> str | None:
        """Return the hub's config name for a language and one of our splits: `udpos.German` for
        `de`, `testdev_balanced_images` for `dev`."""
        if self.config is None:
            return None
        return self._named(self.config, language).replace("{split}", self.splits.get(split, ""))

    def hub_split(self, language: str, split: str) -> str:
        """Return what the hub calls one of our splits in a language."""
        return self._named(self.splits[split], language)

    def id_start(self, language: str) -> str | None:
        """Return how the ids of a language's rows begin: `english-`; None for all rows."""
        return None if self.id_prefix is None else self._named(self.id_prefix, language)

    def gold_file(self, language: str, split: str) -> str | None:
        """Return the file of gold pairs of a language and of one of our splits, if it has one."""
        name = None if self.gold is None else self._named(self.gold, language)
        return name and name.replace("{split}", self.splits[split])

    def pools(self, languages: Iterable[str]) -> dict[str, str]:
        """Return language -> the hub's config of its candidates, of a task that has them in one for
        each language; `POOL` -> that, if all are in one."""
        assert self.pool
        if "{lang}" not in self.pool:
            return {POOL: self.pool}
        return {lang: self._named(self.pool, lang) for lang in languages}

    @property
    def open_labels(self) -> bool:
        """Whether the labels are those of the training rows."""
        return self.format in LABELLED and not self.labels

    def _named(self, template: str, language: str) -> str:
        return template.replace("{lang}", self.codes.get(language, language))


def known() -> dict[str, dict[str, Any]]:
    """Return the entries of `tasks.yaml`: name -> fields, unchecked."""
    return dict(_entries())


def obtain(hub: str) -> str | None:
    """Return what to do for a data set that is on no hub, as its task says; None for others."""
    entries = (entry for entry in known().values() if entry["hub"] == hub)
    return next((entry["obtain"] for entry in entries if entry.get("obtain")), None)


@cache
def _entries() -> dict[str, dict[str, Any]]:
    return yaml.safe_load((Path(__file__).parent / "tasks.yaml").read_text(encoding="utf-8"))
