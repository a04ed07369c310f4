"""Nodes of public checkpoints, and of what stands for them in the toy world. Pure."""

import dataclasses

from xstilts.experiment.ancestry import TOY_MODEL
from xstilts.experiment.maker import Maker, outputs_of
from xstilts.experiment.nodes import Node
from xstilts.running.files import digest


class ModelNodes(Maker):
    """Makes the nodes of models."""

    def toy_model(self) -> Node:
        """The generated encoder."""

        def make(key: str) -> Node:
            weights = {f"results/toy/models/{TOY_MODEL}/model.safetensors": None}
            spec = self.grid.toy_spec()
            outputs = {key: digest(spec), **weights}
            return self._node("toy_model", "", key, spec, {}, [], outputs=outputs)

        return self._once(f"results/toy/models/{TOY_MODEL}.json", make)

    def toy_backbone(self, kind: str) -> Node:
        """The tiny checkpoint of an architecture."""

        def make(key: str) -> Node:
            weights = {f"results/toy/models/toy/{kind}/model.safetensors": None}
            spec = self.grid.toy_backbone_spec(kind)
            outputs = {key: digest(spec), **weights}
            return self._node("toy_backbone", kind, key, spec, {}, [], outputs=outputs)

        return self._once(f"results/toy/models/toy/{kind}.json", make)

    def _toy(self, model: str) -> Node:
        """What stands for a model in the toy world."""
        kind = self.grid.toy_backbone(model)
        return self.toy_backbone(kind) if kind else self.toy_model()

    def pin_model(self, model: str) -> Node:
        """What exactly a public checkpoint is."""

        def make(key: str) -> Node:
            toy = [self._toy(model)] if self.grid.experiment.toy else []
            model_spec = self.grid.model_spec(model)
            spec = self.grid.pin_spec("models", model_spec["from"], model_spec["revision"])
            inputs = {"toy": tuple(node.key for node in toy)}
            node = self._node("pin_model", model, key, spec, inputs, toy)
            return dataclasses.replace(node, folder=self.grid.experiment.model_folder(model))

        return self._once(f"results/pins/models/{model}.json", make)

    def model(self, model: str) -> Node:
        """The encoder and tokenizer of a public checkpoint."""

        def make(key: str) -> Node:
            pin, spec = self.pin_model(model), self.grid.model_spec(model)
            pins, outputs = [f"models/{spec['from']}"], outputs_of(key, spec)
            inputs = {"pin": (pin.key,)}
            return self._node("model", model, key, spec, inputs, [pin], pins, outputs)

        return self._once(f"results/models/{model}/node.json", make)
