"""Nodes of synthetic rows: a translator, shards of translations, the rows that pass. Pure."""

import dataclasses
import os
from collections.abc import Iterable
from typing import Any

from xstilts.experiment import translators
from xstilts.experiment.generated_nodes import GeneratedNodes
from xstilts.experiment.maker import beside_rows, rows_of
from xstilts.experiment.nodes import Files, Node, checkpoint_files
from xstilts.experiment.synthetic import GENERATED, Variant, rows_file
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
            return self._by(by, task, "translate", name, key, spec, [rows], {"rows": (rows.key,)})

        return self._once(f"results/translated/{name}.json", make)

    def measures(self, variant: str, task: str, lang: str) -> dict[str, Node]:
        """What the filter of a variant asks models for, by measure (`MeasureNodes`)."""
        raise NotImplementedError

    def synthetic(self, variant: str, task: str, lang: str) -> Node:
        """The rows of a variant in a language."""
        name = f"{variant}/{task}/{lang}"

        def make(key: str) -> Node:
            of = self.grid.variant(variant)
            if of.control:
                return self._control(key, name, variant, task, lang)
            rows = self.prepare(task, self.grid.home(task), "train")
            if of.made == GENERATED:
                count = self.grid.generated_rows(variant, task)[lang]
                parts = [self.generate(of.options["by"], task, lang, count)]
            else:
                shards = range(self.grid.shards(of.by))
                parts = [self.translate(of.by, task, lang, shard) for shard in shards]
            spec = self.grid.synthetic_spec(variant, task, lang)
            inputs = {
                "rows": (rows.key,),
                "parts": tuple(part.key.removesuffix(RECORD) + ".parquet" for part in parts),
                "made": tuple(part.key for part in parts),
            }
            said = self.measures(variant, task, lang)
            if said:
                inputs["measured"] = tuple(map(rows_of, said.values()))
            outputs = beside_rows(key, spec) | {
                key.removesuffix(RECORD) + ".measures.parquet": None
            }
            needs = [rows, *parts, *said.values()]
            return self._node("filter", name, key, spec, inputs, needs, outputs=outputs)

        path = rows_file(variant, task, lang).removesuffix(".parquet")
        return self._once(path + RECORD, make)

    def translate_back(self, variant: str, task: str, lang: str, shard: int | str) -> Node:
        """A shard of the rows of a round trip, translated back from a language."""
        name, shard = f"back/{variant}/{task}/{lang}/{shard}", int(shard)

        def make(key: str) -> Node:
            of = self.grid.variant(variant)
            passed = self._passed(of, task, self.grid.translated_into(of, task))
            spec = self.grid.translated_back_spec(variant, task, lang, shard)
            inputs = {
                "rows": (rows_of(passed[lang]),),
                "others": tuple(map(rows_of, passed.values())),
            }
            return self._by(of.by, task, "translate", name, key, spec, [*passed.values()], inputs)

        return self._once(f"results/translated/{name}.json", make)

    def lexicon(self, by: str, task: str, lang: str) -> Node:
        """What a translator makes of the words of a task."""
        name = f"{by}/{task}/{lang}"

        def make(key: str) -> Node:
            rows = self.prepare(task, self.grid.home(task), "train")
            spec = self.grid.lexicon_spec(by, task, lang)
            return self._by(by, task, "lexicon", name, key, spec, [rows], {"rows": (rows.key,)})

        return self._once(f"results/translated/words/{name}.json", make)

    def _by(
        self,
        by: str,
        task: str,
        rule: str,
        name: str,
        key: str,
        spec: Any,
        needs: list[Node],
        inputs: Files,
    ) -> Node:
        """The node of what a translator does with the rows of a task."""
        if self.grid.converted(by, task):
            needs = [*needs, self.translator(by)]
            weights = f"{translators.FOLDER}/{by}/{WEIGHTS}"
            inputs = {**inputs, "translator": (needs[-1].key, weights)}
        if rule == "translate" and (aligner := self.grid.aligner(by, task)):
            needs = [*needs, self.model(aligner)]
            inputs = {**inputs, "aligner": checkpoint_files(os.path.dirname(needs[-1].key))}
        return self._node(rule, name, key, spec, inputs, needs, outputs=beside_rows(key, spec))

    def _passed(self, of: Variant, task: str, languages: Iterable[str]) -> dict[str, Node]:
        """The rows that pass, by language, of which a control is made."""
        return {lang: self.synthetic(of.plain, task, lang) for lang in languages}

    def _control(self, key: str, name: str, variant: str, task: str, lang: str) -> Node:
        of, rows = self.grid.variant(variant), self.prepare(task, self.grid.home(task), "train")
        spec = self.grid.synthetic_spec(variant, task, lang)
        passed = self._passed(of, task, spec["passed"])
        made: list[Node] = []
        if of.control["kind"] == "round_trip":
            shards = range(self.grid.shards(of.by))
            made = [self.translate_back(variant, task, c, n) for c in passed for n in shards]
        elif of.control["kind"] == "code_switched":
            made = [self.lexicon(of.by, task, code) for code in passed]
        inputs = {
            "rows": (rows.key,),
            "passed": tuple(map(rows_of, passed.values())),
            "made": tuple(node.key if node.rule == "lexicon" else rows_of(node) for node in made),
        }
        needs = [rows, *passed.values(), *made]
        return self._node("control", name, key, spec, inputs, needs, outputs=beside_rows(key, spec))
