"""What an experiment trains on what, and where it is. Pure."""

import dataclasses
import types
from collections.abc import Iterable, Mapping
from typing import Any

from xstilts.experiment import amounts, backbones, cells, chains, generated, recipe, translated
from xstilts.experiment.cells import Cell
from xstilts.experiment.config import NONE, Experiment
from xstilts.experiment.recipe import Member, Recipe
from xstilts.experiment.search import Values
from xstilts.experiment.vision import OWN as OWN_FEATURES
from xstilts.running.errors import UserError
from xstilts.running.files import digest
from xstilts.toy import backbones as toy_backbones

NO_VALUES: Values = types.MappingProxyType({})
TOY_VISION = "toy/vit"  # what stands for every vision encoder there
TOY_MODEL = "toy/xlmr"  # what stands for an XLM-R, and for what is not known, in the toy world


class Ancestry:
    """The cells of an experiment, what each is trained on, and the folders of all that is made."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.tasks = experiment.tasks
        self.cells = tuple(cells.of(experiment))
        if not self.cells:
            raise UserError("exclude: no cell is left in the grid")
        self.tuned_recipes = recipe.tuned(experiment)
        self.stratified = any(self.tasks[cell.target].strata for cell in self.cells)
        self._digests: dict[tuple[str, ...], str] = {}

    def _digest(self, spec: str, *names: Any) -> str:
        """Return the digest of a spec, computed once: every score has its ancestry's in it."""
        key = (spec, *names)
        if key not in self._digests:
            self._digests[key] = digest(getattr(self, spec)(*names))
        return self._digests[key]

    def languages(self, target: str, split: str) -> tuple[str, ...]:
        """Return the languages in which a target is scored on a split."""
        chosen = self.experiment.test_languages
        if split == self.experiment.settings["split"] or not chosen:
            return self.experiment.languages[target]
        return chosen[target]

    # ---- intermediates and recipes

    def entry(self, intermediate: str) -> Mapping[str, Any]:
        """Return the config's entry of an intermediate; an empty one of the row without."""
        return self.experiment.settings["intermediates"].get(intermediate, {})

    def chain(self, intermediate: str) -> tuple[str, ...]:
        """Return the intermediates that one follows on (`after`), the first first, and itself."""
        return chains.of(self.experiment.settings["intermediates"], intermediate)

    def start(self, model: str, intermediate: str, seed: str) -> str:
        """Return the folder of the encoder that stage 1 starts from."""
        return self.encoder(model, self.entry(intermediate).get("after", NONE), seed)

    def recipe(self, intermediate: str, model: str = "", values: Values = NO_VALUES) -> Recipe:
        """Return the stage 1 recipe of an intermediate: its only task's, or that of its mix.

        A mix has the learning rate, epochs and so on that are set under its name or under `all`.
        Batch size and length are each task's own (`mixture`). What a `model` says itself is laid
        over it, and the `values` of a trial.
        """
        mixture = self.mixture(intermediate, model, values)
        if len(mixture) == 1:
            return mixture[0].recipe
        return recipe.resolve(*recipe.layers(self.experiment, [intermediate], model), values)

    def mixture(
        self, intermediate: str, model: str = "", values: Values = NO_VALUES
    ) -> list[Member]:
        """Return the tasks of an intermediate, in the order of the config.

        The recipe of each is what it would be for the task alone; what is set under the name of the
        intermediate is for all its tasks. The rest as in `recipe`.
        """
        members, entry = [], self.entry(intermediate)
        for name, languages in self.experiment.intermediates[intermediate].items():
            task = self.tasks[name]
            dev = None if task.format == "mlm" else task.home or languages[0]
            own = recipe.layers(self.experiment, [name, intermediate], model)
            chosen = recipe.resolve(task.recipe, *own, values)
            at_most = amounts.at_most(task, self.experiment.settings)
            dealt, subset = amounts.dealt(entry, task, languages), entry.get("subset", {})
            how = entry.get("rows"), at_most, dealt, subset.get("rows")
            made = translated.made_in(entry, task, languages)
            made |= generated.made_in(entry, task, languages)
            members.append(Member(name, languages, dev, chosen, *how, made))
        return members

    def tunings(self, target: str) -> tuple[str, ...]:
        """Return the tasks that a target is tuned on, one after another; none without tuning."""
        return chains.tunings(self.tasks, self.tasks[target].tuned_on)

    def tuned_from(self, model: str, intermediate: str, seed: str, task: str) -> str:
        """Return the folder of the checkpoint that the tuning on a task starts from."""
        before, row = self.tasks[task].after, (model, intermediate, seed)
        return self.tuned(*row, before) if before else self.encoder(*row)

    def tuning(self, task: str, model: str = "", values: Values = NO_VALUES) -> list[Member]:
        """Return what stage 2 trains on: a target's data in English or its `train_language`."""
        home = self.tasks[task].home
        assert home  # checked with the config
        target = recipe.first_target(self.experiment, task)
        chosen = recipe.for_task(self.experiment, target, task, model)
        return [Member(task, (home,), home, dataclasses.replace(chosen, **values))]

    def recorded(self, model: str, task: str) -> Member:
        """Return what a training that is recorded is on: a task in English or its `train_language`,
        by the recipe of stage 1 (of a search, what is said beside it)."""
        own = recipe.layers(self.experiment, [task], model)
        chosen = recipe.resolve(self.tasks[task].recipe, *own)
        home = self.tasks[task].home or self.tasks[task].languages[0]
        return Member(task, (home,), home, chosen)

    def sets(self, mixture: Iterable[Member]) -> list[str]:
        """Return the sets of the pictures of some tasks, each once, in the order of their names."""
        return sorted(filter(None, {self.tasks[member.task].images for member in mixture}))

    def seen(self, intermediate: str) -> bool:
        """Return whether a task of an intermediate has pictures, whatever is shown of them."""
        tasks = self.experiment.intermediates[intermediate]
        return any(self.tasks[task].images for task in tasks)

    def vision(self, intermediate: str = NONE) -> str:
        """Return the vision encoder by which an intermediate sees pictures: the one that it names,
        or the first of the config, by which targets are seen too."""
        first = next(iter(self.experiment.settings["vision"]), OWN_FEATURES)
        return self.entry(intermediate).get("vision", first)

    def sees(self, vision: str, images: str) -> str:
        """Return by what the features of a set are made: an encoder, or files of one's own."""
        return OWN_FEATURES if self.tasks[images].files else vision

    def adapter(self, model: str) -> dict[str, Any] | None:
        """Return what the config says of the adapter that is trained of a model; None where all of
        it is trained."""
        return self.experiment.settings["models"][model].get("adapter")

    def test_split(self, target: str) -> str:
        """Return the split on which what was chosen by dev is scored; three targets of XTREME
        publish one alone."""
        return "test" if "test" in self.tasks[target].splits else "dev"

    def needs_dev(self, target: str, split: str) -> bool:
        """Whether a split is scored with what its dev split settles: the threshold of mining."""
        return self.tasks[target].metric == "bucc" and split != "dev"

    # ---- where things are

    def length(self, target: str) -> int:
        """Return the piece limit at which a target is encoded for scoring: that of its tuning."""
        train = self.tasks[target].tuned_on
        if train is None:
            return recipe.for_task(self.experiment, target, target).max_length
        return self.tuned_recipes[train].max_length

    def public(self, model: str) -> str:
        """Return the public checkpoint that a model is; in the toy world one of its architecture,
        as far as that is known, else the toy encoder."""
        if not self.experiment.toy:
            return self.experiment.settings["models"][model]["from"]
        kind = self.toy_backbone(model)
        return f"toy/{kind}" if kind else TOY_MODEL

    def toy_backbone(self, model: str) -> str:
        """Return the architecture of the tiny checkpoint that stands for a model in the toy world;
        "" where it is the toy encoder."""
        settings = self.experiment.settings
        kind = backbones.config(settings["models"][model], settings).get("model_type", "")
        return kind if kind in toy_backbones.BACKBONES and kind != "xlm-roberta" else ""

    def tokenizer(self, model: str) -> str:
        """Return the model whose tokenizer a model uses: its own, or the one it names. What stands
        for the two in the toy world may have tokenizers of two kinds."""
        named = self.experiment.settings["models"][model]["tokenizer"] or model
        return (
            named if self.public(named) == self.public(model) or not self.experiment.toy else model
        )

    def encoder(self, model: str, intermediate: str, seed: str) -> str:
        """Return the folder of the encoder that a target starts from."""
        if intermediate == NONE:
            return f"results/models/{model}"
        return f"results/encoders/{model}/{intermediate}/{seed}"

    def checkpoint(self, cell: Cell) -> str:
        """Return the folder of the checkpoint that a cell scores."""
        train = self.tasks[cell.target].tuned_on
        if train is None:
            return self.encoder(cell.model, cell.intermediate, cell.seed)
        return self.tuned(cell.model, cell.intermediate, cell.seed, train)

    def tuned(self, model: str, intermediate: str, seed: str, task: str) -> str:
        """Return the folder of a model tuned on a task."""
        return f"results/tuned/{model}/{intermediate}/{seed}/{task}"

    def scores(self, split: str) -> str:
        """Return the folder of the scores on a split: what is chosen by dev has its test apart."""
        return "results/scores" if split == self.experiment.settings["split"] else "results/test"

    def score(self, cell: Cell, lang: str, split: str) -> str:
        """Return the path of a score file."""
        return f"{self.scores(split)}/{cell}/{lang}.json"
