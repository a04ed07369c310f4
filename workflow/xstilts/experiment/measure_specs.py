"""The specs of what models say of synthetic rows, which filters ask for. Pure."""

from collections.abc import Mapping
from typing import Any

from xstilts.experiment import difficulty, filters, translators
from xstilts.experiment.synthetic_specs import BLOCK, LONGEST, SyntheticSpecs
from xstilts.experiment.versions import VERSIONS
from xstilts.running.errors import UserError


class MeasureSpecs(SyntheticSpecs):
    """Specs of measures that are steps of their own: similarity, consistency, round trip."""

    def encoder_spec(self, model: str, intermediate: str, seed: str) -> dict[str, Any]:
        """Return the spec of an encoder (`TrainingSpecs`)."""
        raise NotImplementedError

    def measured(self, variant: str) -> dict[str, Mapping[str, Any]]:
        """Return the measures of a variant's filter that models make -> what the filter says."""
        of = self.filter(variant).items()
        return {name: says for name, says in of if filters.MEASURES[name].needs_model}

    def measure_specs(self, variant: str, task: str, lang: str) -> dict[str, str]:
        """Return measure -> digest of its spec, of the rows of a variant in a language."""
        asked = self.variant(variant)
        stem, found = asked.stem, {}
        for name, says in self.measured(variant).items():
            needs = filters.MEASURES[name].needs
            of: tuple[str, ...] = ("round_trip_spec",)
            if needs == filters.ENCODER:
                of = ("similarity_spec", says["model"])
            elif needs == filters.LABEL:
                of = ("consistency_spec", *self.labeller(says, task, asked.filter))
            found[name] = self._digest(*of, stem, task, lang)
        return found

    def labeller(self, says: Mapping[str, Any], task: str, of: str) -> tuple[str, str, str]:
        """Return model, intermediate and seed of what says how probable a label is: as the filter
        says, else the first intermediate that is trained on the task alone, and the first seed.

        Args:
            says: the filter, of consistency.
            task: whose rows are filtered.
            of: the filter's name.

        Raises:
            UserError: there is none, or the one that is named is trained on another task.
        """
        settings: Any = self.experiment.settings
        if (format := self.tasks[task].format) not in difficulty.ANY.formats:
            raise UserError(
                f"filters: {of}: consistency: rows of `{task}` have no probability of a label:"
                f" {difficulty.NONE[format]}"
            )
        alone = [
            name
            for name, entry in settings["intermediates"].items()
            if entry["tasks"] == [task] and not filters.follows_from_synthetic(name, settings)
        ]
        seed = f"seed{says.get('seed', settings['seeds'][0])}"
        if name := says.get("intermediate", next(iter(alone), "")):
            if (tasks := settings["intermediates"][name]["tasks"]) != [task]:
                raise UserError(
                    f"filters: {of}: consistency: intermediate: `{name}` is trained on"
                    f" {', '.join(tasks)}, so it knows no labels of `{task}`; name one that is"
                    f" trained on `{task}` alone"
                )
            return says["model"], name, seed
        raise UserError(
            f"filters: {of}: consistency: no intermediate is trained on the English rows of"
            f" `{task}` alone, so none can say how probable a label is; add one"
        )

    def _of_rows(self, kind: str, stem: str, task: str, lang: str) -> dict[str, Any]:
        return {
            "kind": kind,
            "task": task,
            "format": self.tasks[task].format,
            "lang": lang,
            "rows": self._digest("synthetic_spec", f"{stem}.{filters.NONE}", task, lang),
        }

    def similarity_spec(self, model: str, stem: str, task: str, lang: str) -> dict[str, Any]:
        """Return the spec of how alike rows and their sources are to an encoder."""
        settings: Any = self.experiment.settings
        layer = None if self.experiment.toy else filters.layer_of(model, settings)
        return {
            **self._of_rows("similarity", stem, task, lang),
            "data": self._digest("data_spec", task, self.home(task), "train"),
            "model": self._digest("model_spec", model),
            "layer": layer,
            "version": VERSIONS["similarity"],
        }

    def labelled_length(self, model: str, intermediate: str, task: str) -> int:
        """Return the tokens of an input of a model that is trained on a task."""
        members = self.mixture(intermediate, model)
        return next(m.recipe.max_length for m in members if m.task == task)

    def consistency_spec(
        self, model: str, intermediate: str, seed: str, stem: str, task: str, lang: str
    ) -> dict[str, Any]:
        """Return the spec of how probable the labels of rows are to a trained model."""
        length, variant = self.labelled_length(model, intermediate, task), f"{stem}.{filters.NONE}"
        return {
            **self._of_rows("consistency", stem, task, lang),
            "model": self._digest("encoder_spec", model, intermediate, seed),
            "encoded": self._digest("encoded_spec", task, lang, "train", length, variant),
            "version": VERSIONS["consistency"],
        }

    def round_trip_spec(self, stem: str, task: str, lang: str) -> dict[str, Any]:
        """Return the spec of how near rows are to their sources when they are translated back."""
        by = self.variant(f"{stem}.{filters.NONE}").by
        entry, home = self.translator(by), self.home(task)
        if not self.rehearsed(task):
            translators.check_both_ways("filters: round_trip", by, entry)
        model = {}
        if self.converted(by, task):
            model = {"model": self._digest("translator_spec", by)}
        return {
            **self._of_rows("round_trip", stem, task, lang),
            "data": self._digest("data_spec", task, home, "train"),
            "translator": translators.engine_spec(entry, self.rehearsed(task), lang, home),
            **model,
            "block": entry.get("block", BLOCK),
            "longest": entry.get("longest", LONGEST),
            "home": home,
            "version": VERSIONS["round_trip"],
        }
