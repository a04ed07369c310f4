"""The graph of a grid: what each job makes, from what, by which spec. Pure.

The rules in `workflow/rules/` take their inputs from here, and so do the status, the estimate and
the report, which must not start Snakemake.
"""

import dataclasses
import os

from xstilts.experiment.alignment import RECORD, Row
from xstilts.experiment.cells import Cell
from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import Node, checkpoint_files, features_of
from xstilts.experiment.training_nodes import TrainingNodes
from xstilts.running.files import digest


def build(grid: Grid) -> dict[str, Node]:
    """Return key -> node of all that scores and alignment of a grid need, what is needed first."""
    graph = Graph(grid)
    for cell in grid.cells:
        graph.evaluate(cell, grid.experiment.settings["split"])
    graph.alignments()
    graph.bags_of_words()
    graph.overlaps()
    return graph.nodes


def add_test_rows(graph: "Graph") -> list[Node]:
    """Make the nodes of the rows on which the best cells will be scored, whichever these are."""
    tested = graph.grid.experiment.test_languages
    return [
        graph.prepare(target, lang, graph.grid.test_split(target))
        for target, languages in tested.items()
        for lang in languages
    ]


class Graph(TrainingNodes):
    """Makes the nodes that it is asked for, and all that they need, each once."""

    # ---- scores

    def checkpoint(self, cell: Cell) -> Node:
        """The checkpoint that a cell scores."""
        train, row = self.grid.tasks[cell.target].tuned_on, (cell.model, cell.intermediate)
        return self.tune(*row, cell.seed, train) if train else self.encoder(*row, cell.seed)

    def evaluate(self, cell: Cell, split: str) -> Node:
        """The scores of a cell, a file a language."""

        def make(key: str) -> Node:
            folder, made = os.path.dirname(key), self.checkpoint(cell)
            manifests = {"manifest": self.manifest(cell.model, cell.target, split)}
            if self.grid.needs_dev(cell.target, split):
                manifests["dev_manifest"] = self.manifest(cell.model, cell.target, "dev")
            languages = self.grid.languages(cell.target, split)
            scores = {
                f"{folder}/{lang}.json": self.grid.score_digest(cell, lang, split)
                for lang in languages
            }
            images = self.grid.tasks[cell.target].images
            seen = [self.features(self.grid.vision(), images, split)] if images else []
            spec = {"kind": "cell", "scores": dict(zip(languages, scores.values(), strict=True))}
            base, files = self.beside(made, cell.model)
            inputs = {
                **files,
                "model": checkpoint_files(os.path.dirname(made.key), bool(base)),
                **{name: (node.key,) for name, node in manifests.items()},
                **({"features": (features_of(seen[0].key),)} if seen else {}),
            }
            leaks = [] if chosen else [self.overlap(task) for task in self.grid.checked(cell)]
            inputs |= {"overlap": tuple(node.key for node in leaks)} if leaks else {}
            needs = [*base, made, *manifests.values(), *seen]
            log = f"results/logs/{'test' if chosen else 'evaluate'}/{cell}.log"
            node = self._node("evaluate", str(cell), key, spec, inputs, needs, (), scores, log)
            # Overlaps decide whether a score may be, not what it is: their pins, which are of all
            # targets, are none of its own.
            after = (*node.needs, *(leak.key for leak in leaks))
            return dataclasses.replace(node, needs=after)

        chosen = split != self.grid.experiment.settings["split"]
        return self._once(f"{self.grid.scores(split)}/{cell}/cell.json", make)

    # ---- overlap

    def overlaps(self) -> None:
        """Make the nodes that say how much of the targets is in the train rows of stage 1."""
        for task in self.grid.overlapping():
            self.overlap(task)

    def overlap(self, task: str) -> Node:
        """How much of each target in English is in the train rows of a task, a file a target."""

        def make(key: str) -> Node:
            specs, split = self.grid.overlap_specs(task), self.grid.experiment.settings["split"]
            train = self.prepare(task, "en", "train")
            rows = [self.prepare(target, "en", split) for target in specs]
            outputs: dict[str, str | None] = {
                overlap_file(task, target): digest(spec) for target, spec in specs.items()
            }
            spec = {"kind": "overlap of a task", "targets": specs}
            inputs = {"train": (train.key,), "rows": tuple(node.key for node in rows)}
            return self._node("overlap", task, key, spec, inputs, [train, *rows], (), outputs)

        return self._once(f"results/overlap/{task}.json", make)

    # ---- alignment

    def alignments(self) -> list[Node]:
        """The measures of every row on every set."""
        rows, sets = self.grid.alignment_rows(), self.grid.experiment.alignment
        return [self.align(row, name) for row in rows for name in sets]

    def align(self, row: Row, name: str) -> Node:
        """The measures of the encoder of a row on a set, a file a language."""

        def make(key: str) -> Node:
            of, made = self.grid.experiment.alignment[name], self.encoder(*dataclasses.astuple(row))
            specs = {
                lang: digest(spec) for lang, spec in self.grid.alignment_specs(row, name).items()
            }
            sides = specs if of.paired else [*specs, of.pivot]
            rows = [self.prepare(of.task, lang, of.split) for lang in sides]
            base, files = self.beside(made, row.model)
            inputs = {
                **files,
                "model": checkpoint_files(os.path.dirname(made.key), bool(base)),
                "rows": tuple(node.key for node in rows),
            }
            outputs: dict[str, str | None] = {
                f"{row.folder(name)}/{lang}.json": spec for lang, spec in specs.items()
            }
            spec = {"kind": "alignment of a set", "languages": specs}
            at = "/".join(os.path.dirname(key).split("/")[2:])
            return self._node("align", at, key, spec, inputs, [*base, made, *rows], (), outputs)

        return self._once(f"{row.folder(name)}/{RECORD}", make)


def overlap_file(task: str, target: str) -> str:
    """Return the path of how much of a target is in the train rows of a task."""
    return f"results/overlap/{task}/{target}.json"
