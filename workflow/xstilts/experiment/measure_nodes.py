"""Nodes of what models say of synthetic rows, which filters ask for. Pure."""

import os

from xstilts.experiment import filters
from xstilts.experiment.maker import beside_rows, rows_of
from xstilts.experiment.nodes import Node, checkpoint_files
from xstilts.experiment.synthetic_nodes import SyntheticNodes

FOLDER = "results/measures"


class MeasureNodes(SyntheticNodes):
    """Makes the nodes of measures. They are of all rows, before any filter, so that filters of
    other bounds share them."""

    def intermediate(self, model: str, intermediate: str, seed: str) -> Node:
        """The encoder after stage 1 (`TrainingNodes`)."""
        raise NotImplementedError

    def beside(self, start: Node, model: str) -> tuple[list[Node], dict[str, tuple[str, ...]]]:
        """What is read beside a checkpoint (`TrainingNodes`)."""
        raise NotImplementedError

    def measures(self, variant: str, task: str, lang: str) -> dict[str, Node]:
        """The measures that the filter of a variant asks models for, by name."""
        of = self.grid.variant(variant)
        stem, found = of.stem, {}
        for name, says in self.grid.measured(variant).items():
            needs = filters.MEASURES[name].needs
            if needs == filters.ENCODER:
                found[name] = self.similarity(says["model"], stem, task, lang)
            elif needs == filters.LABEL:
                labeller = self.grid.labeller(says, task, of.filter)
                found[name] = self.consistency(*labeller, stem, task, lang)
            else:
                found[name] = self.round_trip(stem, task, lang)
        return found

    def _plain(self, stem: str, task: str, lang: str) -> Node:
        """All rows that are made in one way."""
        return self.synthetic(f"{stem}.{filters.NONE}", task, lang)

    def similarity(self, model: str, stem: str, task: str, lang: str) -> Node:
        """How alike rows and their sources are to an encoder."""
        name = f"{model}/{stem}/{task}/{lang}"

        def make(key: str) -> Node:
            rows, home = self._plain(stem, task, lang), self.grid.home(task)
            source, of = self.prepare(task, home, "train"), self.model(model)
            spec = self.grid.similarity_spec(model, stem, task, lang)
            inputs = {
                "model": checkpoint_files(os.path.dirname(of.key)),
                "rows": (rows_of(rows),),
                "source": (source.key,),
            }
            return self._node(
                "similarity", name, key, spec, inputs, [rows, source, of],
                outputs=beside_rows(key, spec),
            )  # fmt: skip

        return self._once(f"{FOLDER}/similarity/{name}.json", make)

    def consistency(
        self, model: str, intermediate: str, seed: str, stem: str, task: str, lang: str
    ) -> Node:
        """How probable the labels of rows are to a trained model."""
        name = f"{model}/{intermediate}/{seed}/{stem}/{task}/{lang}"

        def make(key: str) -> Node:
            rows, of = self._plain(stem, task, lang), self.intermediate(model, intermediate, seed)
            length = self.grid.labelled_length(model, intermediate, task)
            variant = f"{stem}.{filters.NONE}"
            encoded = self.encode(model, task, lang, "train", length, variant)
            spec = self.grid.consistency_spec(model, intermediate, seed, stem, task, lang)
            base, files = self.beside(of, model)
            inputs = {
                **files,
                "model": checkpoint_files(os.path.dirname(of.key), bool(base)),
                "rows": (rows_of(rows),),
                "encoded": (encoded.key,),
            }
            return self._node(
                "consistency", name, key, spec, inputs, [*base, rows, of, encoded],
                outputs=beside_rows(key, spec),
            )  # fmt: skip

        return self._once(f"{FOLDER}/consistency/{name}.json", make)

    def round_trip(self, stem: str, task: str, lang: str) -> Node:
        """How near rows are to their sources when they are translated back."""
        name = f"{stem}/{task}/{lang}"

        def make(key: str) -> Node:
            rows, home = self._plain(stem, task, lang), self.grid.home(task)
            source = self.prepare(task, home, "train")
            spec = self.grid.round_trip_spec(stem, task, lang)
            inputs = {"rows": (rows_of(rows),), "source": (source.key,)}
            by = self.grid.variant(f"{stem}.{filters.NONE}").by
            return self._by(by, task, "round_trip", name, key, spec, [rows, source], inputs)

        return self._once(f"{FOLDER}/round_trip/{name}.json", make)
