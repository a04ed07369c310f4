"""Nodes of rows: generated, pinned, prepared, encoded. Pure."""

import dataclasses

from xstilts.experiment.maker import rows_of
from xstilts.experiment.model_nodes import ModelNodes
from xstilts.experiment.nodes import VISION, Node, features_of
from xstilts.experiment.tasks import POOL, SET
from xstilts.experiment.vision import OWN as OWN_FEATURES
from xstilts.running.files import digest


class DataNodes(ModelNodes):
    """Makes the nodes of data sets."""

    def toy_world(self, hub: str) -> Node:
        """The generated data set."""

        def make(key: str) -> Node:
            return self._node("toy_world", hub, key, self.grid.toy_spec(hub), {}, [])

        return self._once(f"results/toy/manifests/{hub}.json", make)

    def pin_data(self, hub: str) -> Node:
        """What exactly a data set is."""

        def make(key: str) -> Node:
            folder, paths = self.grid.experiment.place(hub)
            toy = [self.toy_world(hub)] if self.grid.experiment.toy and not folder else []
            spec = self.grid.pin_spec("datasets", hub, self.grid.revision(hub))
            inputs = {"toy": tuple(node.key for node in toy)}
            node = self._node("pin_data", hub, key, spec, inputs, toy)
            return dataclasses.replace(node, folder=folder, files=tuple(paths))

        return self._once(f"results/pins/datasets/{hub}.json", make)

    def prepare(self, task: str, lang: str, split: str) -> Node:
        """The unified rows of a task in one language and split."""

        def make(key: str) -> Node:
            pin = self.pin_data(self.grid.tasks[task].of(lang).dataset(lang, split))
            spec = self.grid.data_spec(task, lang, split)
            pins = [f"datasets/{spec['hub']}"]
            name, inputs, needs = f"{task}/{lang}.{split}", {"pin": (pin.key,)}, [pin]
            if images := self.grid.tasks[task].images:
                needs.append(self.prepare(images, SET, split))
                inputs["images"] = (needs[-1].key,)
            return self._node("prepare", name, key, spec, inputs, needs, pins)

        return self._once(f"results/data/{task}/{lang}.{split}.parquet", make)

    def features(self, vision: str, images: str, split: str) -> Node:
        """What a vision encoder makes of the pictures of a set, or one's own features of them."""
        vision = self.grid.sees(vision, images)
        name = f"{vision}/{images}/{split}"

        def make(key: str) -> Node:
            rows = self.prepare(images, SET, split)
            needs = [rows, pin := self.nodes[rows.pin]]
            spec = self.grid.features_spec(vision, images, split)
            inputs: dict[str, tuple[str, ...]] = {"rows": (rows.key,), "pin": (pin.key,)}
            if vision != OWN_FEATURES:
                needs.append(self.vision(vision))
                inputs["vision"] = tuple(f"results/vision/{vision}/{file}" for file in VISION)
            outputs = {key: digest(spec), features_of(key): None}
            return self._node("features", name, key, spec, inputs, needs, (), outputs)

        return self._once(f"results/features/{name}.json", make)

    def rows(self, task: str, lang: str, split: str, variant: str = "") -> Node:
        """The rows of a task in a language: as prepared or (`SyntheticNodes`) of a variant."""
        raise NotImplementedError

    def encode(
        self, model: str, task: str, lang: str, split: str, length: int, variant: str = ""
    ) -> Node:
        """The same rows for one tokenizer and length limit; `variant`: of synthetic rows."""
        tokenizer = self.grid.tokenizer(model)
        place = f"synthetic/{variant}/{task}" if variant else task
        name = f"{tokenizer}/{place}/{lang}.{split}.{length}"

        def make(key: str) -> Node:
            rows, of = self.rows(task, lang, split, variant), self.model(tokenizer)
            of_labels = self.grid.labelled_by(task)
            labels = [self.prepare(*of_labels)] if of_labels else []
            images = self.grid.tasks[task].images
            pictures = [self.prepare(images, SET, split)] if images else []
            spec = self.grid.encoded_spec(task, lang, split, length, variant)
            inputs = {
                "rows": (rows_of(rows),),
                "tokenizer": (f"results/models/{tokenizer}/tokenizer.json",),
                "model": (of.key,),  # beside it, for its pins
                "labels_of": tuple(node.key for node in labels),
                **({"images": (pictures[0].key,)} if pictures else {}),
            }
            needs = [rows, of, *labels, *pictures]
            return self._node("encode", name, key, spec, inputs, needs)

        return self._once(f"results/encoded/{name}.safetensors", make)

    def manifest(self, model: str, target: str, split: str) -> Node:
        """The list of the rows and encoded rows of every language in which a target is scored."""
        length, languages = self.grid.length(target), self.grid.languages(target, split)
        name = f"{self.grid.tokenizer(model)}/{target}/{split}.{length}"

        def make(key: str) -> Node:
            parts = [*languages, POOL] if self.grid.tasks[target].pool else languages
            rows = [self.prepare(target, lang, split) for lang in parts]
            encoded = [self.encode(model, target, lang, split, length) for lang in parts]
            files = {
                lang: [node.key, other.key, other.outputs[other.key]]
                for lang, node, other in zip(parts, rows, encoded, strict=True)
            }
            pool = {POOL: files.pop(POOL)} if POOL in files else {}
            spec = {"kind": "manifest", "languages": files, **pool}
            inputs = {
                "rows": tuple(node.key for node in rows),
                "encoded": tuple(node.key for node in encoded),
            }
            return self._node("manifest", name, key, spec, inputs, [*rows, *encoded])

        return self._once(f"results/manifests/{name}.json", make)
