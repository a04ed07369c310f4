"""The searches of a grid: what is tried for which training, by which specs. Pure."""

import functools
from typing import TYPE_CHECKING

from xstilts.experiment import amounts, recipe, search
from xstilts.experiment.search import Candidates, Spec
from xstilts.running.errors import UserError
from xstilts.running.files import digest

if TYPE_CHECKING:
    from xstilts.experiment.grid import Grid

# Raise it when a change of the code changes what is chosen of the same trials.
VERSION = 1


class Searches:
    """Every search that the cells of a grid need. A training is named by its model, intermediate
    and, of stage 2, the task that it is tuned on."""

    def __init__(self, grid: "Grid") -> None:
        self.grid, self.experiment = grid, grid.experiment
        for model in self.experiment.settings["models"]:
            recipe.tuned(self.experiment, model)  # targets that share a training must agree
            self._check_mixes(model)
        # Of all trials.
        self.seed = f"seed{self.experiment.settings['seeds'][0]}"

    def of(self, model: str, intermediate: str, task: str = "") -> Candidates:
        """Return key -> values that are tried for a training; {} where nothing is searched."""
        replaced: tuple[str, ...] = ()
        if task:
            names = [recipe.first_target(self.experiment, task)]
        else:
            tasks = list(self.experiment.intermediates[intermediate])
            names = [*(tasks if len(tasks) == 1 else []), intermediate]
            replaced = amounts.REPLACED if "steps" in self.grid.entry(intermediate) else ()
        found = search.candidates(recipe.layers(self.experiment, names, model))
        return {key: values for key, values in found.items() if key not in replaced}

    def _check_mixes(self, model: str) -> None:
        """Refuse a search under `all` of the batch size of a mix of which a task sets its own."""
        for mix, tasks in self.experiment.intermediates.items():
            if len(tasks) < 2 or "batch_size" not in self.of(model, mix):
                continue
            for task in tasks:
                own = recipe.layers(self.experiment, [task, mix], model)
                if "batch_size" not in search.candidates(own):
                    of_model = self.experiment.settings["models"][model].get("recipes", {})
                    its = search.KEY in of_model.get("all", {})
                    where = f"models: {model}: recipes" if its else "recipes"
                    raise UserError(
                        f"{where}: all: {search.KEY}: batch_size: `{task}`, a part of the mix"
                        f" `{mix}`, sets its own; search it under `{mix}`, or set it there"
                    )

    @functools.cached_property
    def all(self) -> dict[str, Candidates]:
        """Every one, by its name (`search.of`), with what is tried."""
        found = {}
        for cell in self.grid.cells:
            stages = [(cell.model, name, "") for name in self.grid.chain(cell.intermediate)]
            tuned = self.grid.tunings(cell.target)
            stages += [(cell.model, cell.intermediate, task) for task in tuned]
            for stage in stages:
                if wanted := self.of(*stage):
                    found[search.of(*stage)] = wanted
        return found

    def trials(self, model: str, intermediate: str, task: str = "") -> dict[str, Spec]:
        """Return the name of each trial of a training -> its spec."""
        at = (model, intermediate, self.seed)
        spec = self.grid.tuned_spec(*at, task) if task else self.grid.encoder_spec(*at)
        tried = search.trials(self.of(model, intermediate, task))
        return {name: search.filled(spec, values) for name, values in tried.items()}

    def choice(self, model: str, intermediate: str, task: str = "") -> Spec:
        """Return the spec of a choice: of which trials."""
        row = (model, intermediate, task)
        return {
            "kind": "choice",
            "searched": {key: list(values) for key, values in self.of(*row).items()},
            "trials": {name: digest(spec) for name, spec in self.trials(*row).items()},
            "version": VERSION,
        }
