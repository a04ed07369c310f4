"""The specs of trainings, and of the subsets of rows that they are on. Pure."""

import functools
from typing import Any

from xstilts.experiment import adapter, amounts, chains, difficulty, search, subsets, training_spec
from xstilts.experiment.config import NONE
from xstilts.experiment.measure_specs import MeasureSpecs
from xstilts.experiment.recipe import Member, Recipe
from xstilts.experiment.searches import Searches
from xstilts.experiment.tasks import SEEN
from xstilts.experiment.versions import VERSIONS

CAP = 131_072  # K of examples-proportional mixing, 2**17 (`training/mixture.py`)


class TrainingSpecs(MeasureSpecs):
    """Specs of checkpoints, whose digests are in those of all that follows on them."""

    searches: Searches

    def encoder_spec(self, model: str, intermediate: str, seed: str) -> dict[str, Any]:
        """Return the spec of the encoder that targets start from: stage 1, or the model itself."""
        if intermediate == NONE:
            return self.model_spec(model)
        mixture, entry = self.mixture(intermediate, model), self.entry(intermediate)
        parent = self._digest("encoder_spec", model, entry.get("after", NONE), seed)
        chosen, cap = self.recipe(intermediate, model), entry.get("cap", CAP)
        spec = self._train_spec(parent, mixture, chosen, cap, seed)
        spec |= self._seen(mixture, intermediate)
        if "steps" in entry:  # in their place
            told = spec["recipe"].items()
            spec["recipe"] = {k: v for k, v in told if k not in amounts.REPLACED}
        spec |= {key: entry[key] for key in ("steps", "after") if key in entry}
        if "subset" in entry:
            spec["subset"] = self._digest("subset_spec", model, intermediate, seed)
        spec |= self._adapter(model, entry.get("after", NONE) != NONE)
        return search.opened(spec, self.searches.of(model, intermediate))

    def tuned_spec(self, model: str, intermediate: str, seed: str, task: str) -> dict[str, Any]:
        """Return the spec of a model tuned on the data of a target in one language."""
        before, path = self.tasks[task].after, (model, intermediate, seed)
        start = ("tuned_spec", *path, before) if before else ("encoder_spec", *path)
        parent = self._digest(*start)
        tuning = self.tuning(task, model)
        spec = self._train_spec(parent, tuning, tuning[0].recipe, None, seed)
        spec |= self._seen(tuning)
        if before:
            goes_on = chains.head_goes_on(self.tasks[task], self.tasks[before])
            spec |= {"after": before} | ({"head": "goes on"} if goes_on else {})
        spec |= self._adapter(model, intermediate != NONE or before is not None)
        return search.opened(spec, self.searches.of(model, intermediate, task))

    def _train_spec(
        self, parent: str, mixture: list[Member], chosen: Recipe, cap: int | None, seed: str
    ) -> dict[str, Any]:
        """Return the spec of a training; `parent` is a digest."""
        encoded = functools.partial(self._digest, "encoded_spec")
        make = training_spec.Maker(self.tasks, encoded, VERSIONS["train"])
        spec = make.of(parent, mixture, chosen, cap, int(seed.removeprefix("seed")))
        retry = self.experiment.settings["on_collapse"] == "retry"
        return spec | ({"on_collapse": "retry"} if retry else {})

    def _seen(self, mixture: list[Member], intermediate: str = NONE) -> dict[str, Any]:
        """Say by which features a training sees the pictures of its tasks: set -> split -> digest,
        and under `shown` whether it sees others or none; nothing of one without pictures.

        Targets are tuned with their own pictures, after whatever intermediate, by one encoder.
        """
        sets, order = self.sets(mixture), self.entry(intermediate).get("images", True)
        told = {} if order is True or not sets else {"shown": order}
        if not sets or order == "none":
            return told
        of = self.vision(intermediate)
        found = {
            name: {split: self._digest("features_spec", of, name, split) for split in SEEN}
            for name in sets
        }
        return {"features": found, **told}

    def _adapter(self, model: str, started: bool) -> dict[str, Any]:
        return adapter.in_spec(self.experiment.settings["models"][model], started)

    def subset(self, model: str, intermediate: str, seed: str) -> subsets.Source:
        """Return what the subset of rows of an intermediate is picked by."""
        settings: Any = self.experiment.settings
        return subsets.source(self.entry(intermediate), model, seed, settings["seeds"], self.tasks)

    def subset_spec(self, model: str, intermediate: str, seed: str) -> dict[str, Any]:
        """Return the spec of the subset of rows that an intermediate is trained on."""
        of, subset = self.subset(model, intermediate, seed), self.entry(intermediate)["subset"]
        task = self.tasks[of.task]
        rows = "rows_at_most" if amounts.at_most(task, self.experiment.settings) else "rows"
        by: dict[str, Any] = {"seed": int(of.seed.removeprefix("seed"))}
        if of.measure:
            measured = self._digest("difficulty_spec", of.model, of.task, of.seed, of.measure)
            by = {"by": of.measure, "measured": measured}
        return {
            "kind": "subset",
            "task": of.task,
            "data": self._digest("data_spec", of.task, of.lang, "train"),
            "keep": subset["keep"],
            rows: subset["rows"],
            "balance": subset.get("balance", True) and task.format == "classification",
            **by,
            "version": VERSIONS["subset"],
        }

    def bag_spec(self, task: str, lang: str) -> dict[str, Any]:
        """Return the spec of what a bag-of-words model tells of the train rows of a task."""
        return {
            "kind": "bag_of_words",
            "task": task,
            "format": self.tasks[task].format,
            "data": self._digest("data_spec", task, lang, "train"),
            "version": VERSIONS["bag_of_words"],
        }

    def difficulty_spec(self, model: str, task: str, seed: str, measure: str) -> dict[str, Any]:
        """Return the spec of what holds a measure of the train rows of a task."""
        member = self.recorded(model, task)
        parent = self._digest("encoder_spec", model, NONE, seed)
        spec = self._train_spec(parent, [member], member.recipe, None, seed)
        spec |= self._adapter(model, False)
        spec |= {"kind": "difficulty", "recorded": VERSIONS["difficulty"]}
        if not difficulty.MEASURES[measure].file:
            return spec
        # Guessing is all that can be learnt without inputs, so it is not trained again for that.
        spec.pop("on_collapse", None)
        return spec | {"empty": self._digest("difficulty_spec", model, task, seed, "loss")}
