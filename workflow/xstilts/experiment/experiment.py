"""A checked experiment: what a config describes (`config.load` makes it)."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from xstilts.data import source as sources
from xstilts.experiment import chains
from xstilts.experiment.alignment import AlignmentSet
from xstilts.experiment.questions import Question
from xstilts.experiment.synthetic import Variant
from xstilts.experiment.tasks import Task

NONE = "none"  # the name of the row without an intermediate task
BEST = "best"  # of the row on test that is the best intermediate task of each target


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A checked config: every name in it exists, every default is filled in.

    Attributes:
        settings: the config with the schema's defaults, plain data.
        tasks: every known task (`tasks.yaml` and the config's own), by name.
        intermediates: name -> its tasks, each with the languages it is trained in; `none` -> {}.
        languages: target -> its languages, sorted (as the keys of a spec are).
        test_languages: the same on the test split, where the best cells are scored on that; else
            empty. (A target that publishes one split alone has its dev split for both.)
        notes: what is left out without being a mistake, a line each.
        questions: what is asked of it, resolved.
        alignment: the sets of parallel sentences, by name.
        variants: the ways in which synthetic rows are made, by name.
    """

    settings: Mapping[str, Any]
    tasks: Mapping[str, Task]
    intermediates: Mapping[str, Mapping[str, tuple[str, ...]]]
    languages: Mapping[str, tuple[str, ...]]
    test_languages: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    alignment: Mapping[str, AlignmentSet] = dataclasses.field(default_factory=dict)
    variants: Mapping[str, Variant] = dataclasses.field(default_factory=dict)

    @property
    def toy(self) -> bool:
        """Whether data and models are the generated toy world."""
        return self.settings["source"] == "toy"

    @property
    def pinned(self) -> bool:
        """Whether there is something to pin: the toy world is generated, all else is not."""
        return not self.toy or any(task.own for task in used(self.settings, self.tasks))

    @property
    def pictured(self) -> bool:
        """Whether a task that is used has pictures."""
        return any(task.format == "images" for task in used(self.settings, self.tasks))

    @property
    def root(self) -> str | None:
        """The mirror folder that data sets and models are read from; None for the hub."""
        source = self.settings["source"]
        return {"toy": "results/toy", "hub": None}.get(source, source)

    def place(self, dataset: str) -> tuple[str, list[str]]:
        """Return where a data set of one's own is: the folder, absolute, and the paths of its files
        as they are written (none where it is all of a folder); ("", []) for any other."""
        if not sources.is_of_task(dataset):
            return "", []
        _, name, *rest = dataset.split("/")
        lang, _, split = "".join(rest).rpartition(".")
        task = self.tasks[name]
        return task.folder, task.paths(lang, split) if rest else []

    def model_folder(self, model: str) -> str:
        """Return the folder of a model of one's own, absolute; "" for any other."""
        return "" if self.toy else _folder(self.settings["models"][model])

    def vision_folder(self, vision: str) -> str:
        """Return the same of a vision encoder."""
        return "" if self.toy else _folder(self.settings["vision"][vision])

    def translator_folder(self, translator: str) -> str:
        """Return the folder of a translator of one's own, absolute; "" for any other."""
        return _folder(self.settings["translators"][translator])


def _folder(entry: Mapping[str, Any]) -> str:
    own = sources.is_path(entry["from"])
    return str(sources.absolute(entry["from"], entry.get("base", ""))) if own else ""


def used(settings: Mapping[str, Any], known: Mapping[str, Task]) -> list[Task]:
    """Return the tasks of targets, intermediates and alignment sets, as far as there are such."""
    names = {*settings["targets"]}
    names |= {entry.get("task", name) for name, entry in settings["alignment"].items()}
    names |= {task for entry in settings["intermediates"].values() for task in entry["tasks"]}
    targets = [known[name].tuned_on for name in names & known.keys()]
    names |= {task for train in targets for task in chains.tunings(known, train)}
    names |= {known[name].images for name in names & known.keys()}
    return [task for name, task in known.items() if name in names]
