"""The grid: from a checked config to its cells, nodes, paths and specs. Pure."""

from typing import Any

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
        """Return the tasks that stage 1 trains on in English, or in translations of that -> targets
        with English rows of which it is looked how many are in the train rows of those: the ones
        that are scored in English, where `overlap` asks for it; and the ones that must have none
        (`checked`), in whichever languages they are scored: these are translations, too."""
        rows = dict.fromkeys(cell.intermediate for cell in self.cells)
        chains = dict.fromkeys(name for row in rows for name in self.chain(row))
        asked = self.experiment.settings["overlap"]
        found: dict[str, dict[str, None]] = {}
        for name in chains:
            for task in self.experiment.intermediates[name]:
                if (asked and self.from_english(name, task)) or self.is_checked(name, task):
                    found[task] = {}
        for cell in self.cells:
            checked = self.checked(cell)
            for task, targets in found.items():
                scored = asked and "en" in self.experiment.languages[cell.target]
                if scored or task in checked:
                    targets[cell.target] = None
        return {task: list(targets) for task, targets in found.items() if targets}

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

    def checked(self, cell: Cell) -> dict[str, str]:
        """Return the tasks of whose train rows a cell must not have any of its target's -> the
        first intermediate on its way that is trained on translations of them."""
        target, split = self.tasks[cell.target], self.experiment.settings["split"]
        if "en" not in target.every_language or not target.is_there("en", split):
            return {}
        found: dict[str, str] = {}
        for name in self.chain(cell.intermediate):
            for task in self.experiment.intermediates[name]:
                if self.is_checked(name, task):
                    found.setdefault(task, name)
        return found

    def leaking(
        self, model: str, intermediate: str, seed: str, task: str = ""
    ) -> dict[str, tuple[str, list[str]]]:
        """Return of whose train rows a training must have read none of targets (`checked`): task ->
        intermediate and targets, of all cells that come of it.

        Args:
            model, intermediate, seed: of the training.
            task: that it tunes on; "" in stage 1.
        """
        found: dict[str, tuple[str, list[str]]] = {}
        chain = self.chain(intermediate)
        if not any(self.is_checked(one, t) for one in chain for t in self.tasks_in(one)):
            return found
        for cell in self.cells:
            if task:
                of_it = cell.intermediate == intermediate and task in self.tunings(cell.target)
            else:
                of_it = intermediate in self.chain(cell.intermediate)
            if (cell.model, cell.seed) == (model, seed) and of_it:
                for read, name in self.checked(cell).items():
                    targets = found.setdefault(read, (name, []))[1]
                    if name in chain and cell.target not in targets:
                        targets.append(cell.target)
        return {read: of for read, of in found.items() if of[1]}

    def tasks_in(self, intermediate: str) -> tuple[str, ...]:
        """Return the tasks that an intermediate is trained on."""
        return tuple(self.experiment.intermediates[intermediate])

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
