"""Nodes of synthetic rows: a translator, shards of translations, the rows that pass. Pure."""

import dataclasses

from xstilts.experiment import translators
from xstilts.experiment.generated_nodes import GeneratedNodes
from xstilts.experiment.maker import beside_rows
from xstilts.experiment.nodes import Node
from xstilts.experiment.synthetic import GENERATED, rows_file
from xstilts.running.files import digest

RECORD = ".json"
WEIGHTS = "model.bin"  # of a converted checkpoint


class SyntheticNodes(GeneratedNodes):
    """Makes the nodes of rows that are made from prepared ones."""

    def rows(self, task: str, lang: str, split: str, variant: str = "") -> Node:
        """The rows of a task in a language: as prepared, or of a variant."""
        return self.synthetic(variant, task, lang) if variant else self.prepare(task, lang, split)

    def pin_translator(self, by: str) -> Node:
        """What exactly the checkpoint of a translator is."""

        def make(key: str) -> Node:
            of = self.grid.translator_spec(by)
            spec = self.grid.pin_spec("models", of["from"], of["revision"])
            node = self._node("pin_translator", by, key, spec, {}, [])
            return dataclasses.replace(node, folder=self.grid.experiment.translator_folder(by))

        return self._once(f"results/pins/translators/{by}.json", make)

    def translator(self, by: str) -> Node:
        """The checkpoint of a translator, converted."""

        def make(key: str) -> Node:
            pin, spec = self.pin_translator(by), self.grid.translator_spec(by)
            outputs = {key: digest(spec), f"{translators.FOLDER}/{by}/{WEIGHTS}": None}
            pins, inputs = [f"models/{spec['from']}"], {"pin": (pin.key,)}
            return self._node("translator", by, key, spec, inputs, [pin], pins, outputs)

        return self._once(f"{translators.FOLDER}/{by}/node.json", make)

    def translate(self, by: str, task: str, lang: str, shard: int | str) -> Node:
        """A shard of the rows of a task, translated into a language."""
        name, shard = f"{by}/{task}/{lang}/{shard}", int(shard)

        def make(key: str) -> Node:
            rows = self.prepare(task, self.grid.home(task), "train")
            spec = self.grid.translated_spec(by, task, lang, shard)
            needs, inputs = [rows], {"rows": (rows.key,)}
            if self.grid.converted(by, task):
                needs.append(self.translator(by))
                weights = f"{translators.FOLDER}/{by}/{WEIGHTS}"
                inputs["translator"] = (needs[-1].key, weights)
            return self._node(
                "translate", name, key, spec, inputs, needs, outputs=beside_rows(key, spec)
            )

        return self._once(f"results/translated/{name}.json", make)

    def synthetic(self, variant: str, task: str, lang: str) -> Node:
        """The rows of a variant in a language."""
        name = f"{variant}/{task}/{lang}"

        def make(key: str) -> Node:
            of = self.grid.variant(variant)
            rows = self.prepare(task, self.grid.home(task), "train")
            if of.made == GENERATED:
                count = self.grid.generated_rows(variant, task)[lang]
                parts = [self.generate(of.by, task, lang, count)]
            else:
                shards = range(self.grid.shards(of.by))
                parts = [self.translate(of.by, task, lang, shard) for shard in shards]
            spec = self.grid.synthetic_spec(variant, task, lang)
            inputs = {
                "rows": (rows.key,),
                "parts": tuple(part.key.removesuffix(RECORD) + ".parquet" for part in parts),
                "made": tuple(part.key for part in parts),
            }
            outputs = beside_rows(key, spec) | {
                key.removesuffix(RECORD) + ".measures.parquet": None
            }
            return self._node("filter", name, key, spec, inputs, [rows, *parts], outputs=outputs)

        path = rows_file(variant, task, lang).removesuffix(".parquet")
        return self._once(path + RECORD, make)
