"""Nodes of how difficult train rows are, and of the subsets picked by it. Pure."""

import os

from xstilts.data.bag_of_words import FORMATS
from xstilts.experiment import difficulty, subsets
from xstilts.experiment.maker import beside_rows
from xstilts.experiment.measure_nodes import MeasureNodes
from xstilts.experiment.nodes import Node, checkpoint_files
from xstilts.running.files import digest


class SubsetNodes(MeasureNodes):
    """Makes the nodes of recorded trainings and of subsets."""

    def difficulty(self, model: str, task: str, seed: str, measure: str) -> Node:
        """What holds a measure of the train rows of a task: of a training that is recorded or, for
        PVI, of that and one on empty inputs."""

        def make(key: str) -> Node:
            member, start = self.grid.recorded(model, task), self.model(model)
            [lang], length = member.languages, member.recipe.max_length
            splits = ("train", "dev")
            train, dev = (self.encode(model, task, lang, split, length) for split in splits)
            train_rows, dev_rows = (self.prepare(task, lang, split) for split in splits)
            of = difficulty.MEASURES[measure].file
            needs = [start, train, dev, train_rows, dev_rows]
            inputs = {
                "init": checkpoint_files(os.path.dirname(start.key)),
                "train": (train.key,),
                "dev": (dev.key,),
                "dev_rows": (dev_rows.key,),
                "train_rows": (train_rows.key,),
            }
            if of:
                needs.append(self.difficulty(model, task, seed, "loss"))
                inputs["recorded"] = difficulty.rows_of(needs[-1].key), needs[-1].key
            spec = self.grid.difficulty_spec(model, task, seed, measure)
            outputs = {key: digest(spec), difficulty.rows_of(key): None}
            rule, name = measure if of else "difficulty", f"{model}/{task}/{seed}"
            return self._node(rule, name, key, spec, inputs, needs, outputs=outputs)

        return self._once(difficulty.node_key(model, task, seed, measure), make)

    def bag_of_words(self, task: str) -> Node:
        """How right a bag-of-words model is of each train row of a task."""

        def make(key: str) -> Node:
            rows = self.prepare(task, lang, "train")
            spec, inputs = self.grid.bag_spec(task, lang), {"rows": (rows.key,)}
            return self._node(
                "bag_of_words", task, key, spec, inputs, [rows], outputs=beside_rows(key, spec)
            )

        lang = self.grid.tasks[task].home or "en"
        return self._once(f"results/bags/{task}.json", make)

    def bags_of_words(self) -> None:
        """Make the nodes of the tasks of which a subset is trained on."""
        for cell in self.grid.cells:
            for name in self.grid.chain(cell.intermediate):
                entry = self.grid.entry(name)
                task = self.grid.tasks[entry["tasks"][0]] if "subset" in entry else None
                # Of a question about a picture words tell little, and there are answers by the
                # thousand, of each of which the model has a number for each row.
                if task and task.format in FORMATS and not task.images:
                    self.bag_of_words(task.name)

    def subset(self, model: str, intermediate: str, seed: str) -> Node:
        """The rows that an intermediate is trained on, picked by how difficult they are.

        seed: of the recording that they are picked by.
        """
        name = f"{model}/{intermediate}/{seed}"

        def make(key: str) -> Node:
            of = self.grid.subset(model, intermediate, seed)
            spec = self.grid.subset_spec(model, intermediate, seed)
            rows = self.prepare(of.task, of.lang, "train")
            needs, inputs = [rows], {"rows": (rows.key,)}
            if of.measure:
                measured = self.difficulty(of.model, of.task, of.seed, of.measure)
                needs.append(measured)
                inputs |= {
                    "measured": (difficulty.rows_of(measured.key),),
                    "recorded": (measured.key,),
                }
            return self._node(
                "subset", name, key, spec, inputs, needs, outputs=beside_rows(key, spec)
            )

        return self._once(f"results/{subsets.FOLDER}/{name}.json", make)
