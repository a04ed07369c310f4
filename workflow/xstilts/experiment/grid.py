"""The grid: from a checked config to its cells, nodes, paths and specs. Pure."""

import functools
from collections.abc import Iterable
from typing import Any, NamedTuple

from xstilts.data import source as sources
from xstilts.experiment.alignment import Row
from xstilts.experiment.cells import NOSEED, Cell
from xstilts.experiment.config import NONE, Experiment
from xstilts.experiment.searches import Searches
from xstilts.experiment.synthetic import TRANSLATED
from xstilts.experiment.tasks import POOL
from xstilts.experiment.training_specs import TrainingSpecs
from xstilts.experiment.versions import VERSIONS
from xstilts.running.files import canonical, digest

MAX_LENGTH = 512  # tokens of a sentence whose alignment is measured; what is longer is cut


class Leak(NamedTuple):
    """What may be read by a model that is scored on it: rows of a target among those of a task that
    an intermediate has translated."""

    intermediate: str
    task: str
    target: str


class Grid(TrainingSpecs):
    """All cells of an experiment, and the spec and inputs of every node that they need."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(experiment)
        self.searches = Searches(self)

    def tasks_of(self, hub: str) -> list[str]:
        """Return the tasks of a data set that a cell of the grid trains on or scores, or a
        set of alignment has its rows of."""
        used = {of.task for of in self.experiment.alignment.values()}
        for cell in self.cells:
            used |= {cell.target, *self.tunings(cell.target)}
            for name in self.chain(cell.intermediate):
                used |= set(self.experiment.intermediates[name])
        used |= {images for task in used if (images := self.tasks[task].images)}
        if sources.is_of_task(hub):
            return [hub.split("/")[1]]
        read = {task: map(self.tasks[task].of, self.tasks[task].every_language) for task in used}
        return sorted(task for task in used if any(each.hub == hub for each in read[task]))

    def score_spec(self, cell: Cell, lang: str, split: str) -> dict[str, Any]:
        """Return the spec of one score file."""
        target = self.tasks[cell.target]
        path = (cell.model, cell.intermediate, cell.seed)
        train = target.tuned_on
        start = ("tuned_spec", *path, train) if train else ("encoder_spec", *path)
        parent = self._digest(*start)
        # Of the real model: the toy encoder in its place has fewer layers.
        entry = self.experiment.settings["models"][cell.model]
        layer = None if self.experiment.toy else entry["retrieval_layer"]
        length = self.length(cell.target)
        dev = {}
        if self.needs_dev(cell.target, split):
            dev = {"dev": self._digest("encoded_spec", cell.target, lang, "dev", length)}
        return {
            "kind": "score",
            "model": parent,
            "target": cell.target,
            "metric": target.metric,
            "encoded": self._digest("encoded_spec", cell.target, lang, split, length),
            **dev,
            **self._of_pool(cell.target, split),
            **self._of_pictures(target.images, split),
            **({"strata": dict(target.strata)} if target.strata else {}),
            "retrieval_layer": layer
            if target.format == "retrieval" and not target.tuned_on
            else None,
            "version": VERSIONS["evaluate"],
        }

    def _of_pool(self, target: str, split: str) -> dict[str, str]:
        """Say in which candidates a target is searched for, and that it is by a tuned encoder."""
        task, length = self.tasks[target], self.length(target)
        pool = {"pool": self._digest("encoded_spec", target, POOL, split, length)}
        tuned = task.format == "retrieval" and task.tuned_on
        return {**(pool if task.pool else {}), **({"head": "dual"} if tuned else {})}

    def _of_pictures(self, images: str, split: str) -> dict[str, str]:
        """Say by which features the pictures before the rows of a target are seen."""
        if not images:
            return {}
        return {"features": self._digest("features_spec", self.vision(), images, split)}

    def score_digest(self, cell: Cell, lang: str, split: str) -> str:
        """Return the digest of the spec of one score file."""
        return digest(self.score_spec(cell, lang, split))

    def score_specs(self, cell: Cell, split: str) -> dict[str, dict[str, Any]]:
        """Return language -> spec of its score."""
        languages = self.languages(cell.target, split)
        return {lang: self.score_spec(cell, lang, split) for lang in languages}

    # ---- overlap and alignment

    def overlapping(self) -> dict[str, list[str]]:
        """Return the tasks that stage 1 trains on in English, or in translations of that -> the
        targets that are scored in it, where `overlap` asks how much of these is in the train rows
        of those, or a score would not be one of what was read before (`checked`)."""
        scored = dict.fromkeys(cell.target for cell in self.cells)
        in_english = [name for name in scored if "en" in self.experiment.languages[name]]
        rows = dict.fromkeys(cell.intermediate for cell in self.cells)
        chains = dict.fromkeys(name for row in rows for name in self.chain(row))
        asked = self.experiment.settings["overlap"]
        found: dict[str, list[str]] = {}
        for name in chains:
            for task in self.experiment.intermediates[name]:
                if asked and self.from_english(name, task):
                    found.setdefault(task, in_english)
                if self.is_checked(name, task):
                    found[task] = [target for target in scored if self.has_english(target)]
        return {task: targets for task, targets in found.items() if targets}

    def from_english(self, intermediate: str, task: str) -> bool:
        """Whether an intermediate is trained on the English rows of a task, or translations."""
        languages = self.experiment.intermediates[intermediate].get(task, ())
        translated = TRANSLATED in self.entry(intermediate) and self.home(task) == "en"
        return "en" in languages or (translated and bool(languages))

    def is_checked(self, intermediate: str, task: str) -> bool:
        """Whether it is looked for rows of targets among those of a task that an intermediate has
        translated: in another language nobody would see them."""
        given = self.entry(intermediate).get(TRANSLATED, {"leaks": "allow"})
        allowed = given.get("leaks") == "allow" or self.rehearsed(task)
        return not allowed and self.from_english(intermediate, task)

    def has_english(self, target: str) -> bool:
        """Whether a target has English rows, which may be scored in other languages alone: what is
        a translation of a train row there is one of them here."""
        of, split = self.tasks[target], self.experiment.settings["split"]
        return "en" in of.every_language and of.is_there("en", split)

    def leaks(self, links: Iterable[str], targets: Iterable[str]) -> list[Leak]:
        """Return what must not be: rows of targets in a task that a link of a chain has translated;
        of each task the first link."""
        first: dict[str, str] = {}
        for link in links:
            for task in self.experiment.intermediates.get(link, ()):
                if self.is_checked(link, task):
                    first.setdefault(task, link)
        if not first:
            return []
        there = [target for target in dict.fromkeys(targets) if self.has_english(target)]
        return [Leak(link, task, target) for task, link in first.items() for target in there]

    @functools.cached_property
    def _scored(self) -> dict[str, dict[str, None]]:
        """Intermediate -> the targets of its cells, as they are ordered."""
        found: dict[str, dict[str, None]] = {}
        for cell in self.cells:
            found.setdefault(cell.intermediate, {})[cell.target] = None
        return found

    def leaks_of(self, cell: Cell) -> list[Leak]:
        """Return those of a cell."""
        return self.leaks(self.chain(cell.intermediate), [cell.target])

    def leaks_into(self, intermediate: str, task: str = "") -> list[Leak]:
        """Return those of a training: of stage 1 in what it reads itself, of all targets that are
        scored of it or of what follows on it; of stage 2 of those that are tuned on its task."""
        if task:
            tuned = (
                target
                for target in self._scored.get(intermediate, ())
                if task in self.tunings(target)
            )
            return self.leaks(self.chain(intermediate), tuned)
        scored = (
            target
            for row, targets in self._scored.items()
            if intermediate in self.chain(row)
            for target in targets
        )
        return self.leaks([intermediate], scored)

    def overlap_specs(self, task: str) -> dict[str, dict[str, Any]]:
        """Return target -> spec of how much of it is in the train rows of a task."""
        split = self.experiment.settings["split"]
        return {
            target: {
                "kind": "overlap",
                "task": task,
                "target": target,
                "train": self._digest("data_spec", task, "en", "train"),
                "rows": self._digest("data_spec", target, "en", split),
                "version": VERSIONS["overlap"],
            }
            for target in self.overlapping()[task]
        }

    def alignment_rows(self) -> list[Row]:
        """Return the rows whose encoders are measured: all that have a cell, in its order."""
        rows = (
            Row(cell.model, cell.intermediate, NOSEED if cell.intermediate == NONE else cell.seed)
            for cell in self.cells
        )
        return list(dict.fromkeys(rows)) if self.experiment.alignment else []

    def alignment_specs(self, row: Row, name: str) -> dict[str, dict[str, Any]]:
        """Return language -> spec of what is measured of a row on a set."""
        of = self.experiment.alignment[name]
        model = self._digest("encoder_spec", row.model, row.intermediate, row.seed)
        specs = {}
        for lang in of.languages:
            sides = [lang] if of.paired else [lang, of.pivot]
            specs[lang] = {
                "kind": "alignment",
                "model": model,
                "task": of.task,
                "split": of.split,
                "column": of.column,
                "pivot": of.pivot,
                "data": [self._digest("rows_spec", of.task, side, of.split) for side in sides],
                "rows": of.rows,
                "max_length": MAX_LENGTH,
                "layers": list(of.layers) or "all",
                "measures": list(of.measures),
                "version": VERSIONS["align"],
            }
        return specs


def spec_text(spec: dict[str, Any]) -> str:
    """Return the text in which a spec is handed to a step and compared by Snakemake."""
    return canonical(spec)
