"""Nodes of generated rows, and of the decoders that write them. Pure."""

import dataclasses

from xstilts.experiment import generators
from xstilts.experiment.data_nodes import DataNodes
from xstilts.experiment.maker import beside_rows
from xstilts.experiment.nodes import Node


class GeneratedNodes(DataNodes):
    """Makes the nodes of rows that a decoder writes."""

    def pin_generator(self, generator: str) -> Node:
        """What exactly a decoder is."""

        def make(key: str) -> Node:
            of = self.grid.generator_spec(generator)
            spec = self.grid.pin_spec("models", of["from"], of["revision"])
            node = self._node("pin_generator", generator, key, spec, {}, [])
            return dataclasses.replace(node, folder=self.grid.generator_folder(generator))

        return self._once(f"results/pins/generators/{generator}.json", make)

    def generator(self, generator: str) -> Node:
        """The files of a decoder."""

        def make(key: str) -> Node:
            pin, spec = self.pin_generator(generator), self.grid.generator_spec(generator)
            pins, inputs = [f"models/{spec['from']}"], {"pin": (pin.key,)}
            return self._node("generator", generator, key, spec, inputs, [pin], pins)

        return self._once(f"{generators.FOLDER}/{generator}/node.json", make)

    def generate(self, by: str, task: str, lang: str, count: int | str) -> Node:
        """So many rows of a task in a language."""
        name = f"{by}/{task}/{lang}.{count}"

        def make(key: str) -> Node:
            rows = self.prepare(task, self.grid.tasks[task].home or "en", "train")
            writer = [self.generator(by)] if self.grid.writes(by) else []
            spec = self.grid.generated_spec(by, task, lang, int(count))
            inputs = {"rows": (rows.key,), "generator": tuple(node.key for node in writer)}
            needs = [rows, *writer]
            return self._node(
                "generate", name, key, spec, inputs, needs, outputs=beside_rows(key, spec)
            )

        return self._once(f"results/generated/{name}.json", make)
