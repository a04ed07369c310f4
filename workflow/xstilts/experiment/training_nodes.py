"""Nodes of trainings, stage 1 and 2, and of the searches for their recipes. Pure."""

import dataclasses
import os
from collections.abc import Iterable
from typing import Any

from xstilts.experiment import difficulty, search
from xstilts.experiment.config import NONE
from xstilts.experiment.grid import Leak
from xstilts.experiment.maker import outputs_of, rows_of
from xstilts.experiment.nodes import TRIALS, Node, checkpoint_files, features_of
from xstilts.experiment.recipe import Member
from xstilts.experiment.subset_nodes import SubsetNodes
from xstilts.experiment.tasks import SEEN
from xstilts.running.files import digest


class TrainingNodes(SubsetNodes):
    """Makes the nodes of checkpoints."""

    def intermediate(self, model: str, intermediate: str, seed: str) -> Node:
        """The encoder after stage 1."""

        def make(key: str) -> Node:
            spec = self.grid.encoder_spec(model, intermediate, seed)
            return self._training("intermediate", key, spec, model, intermediate, seed)

        return self._once(f"{self.grid.encoder(model, intermediate, seed)}/node.json", make)

    def encoder(self, model: str, intermediate: str, seed: str) -> Node:
        """The encoder that a target starts from: that of stage 1, or the model itself."""
        if self.grid.encoder(model, intermediate, seed) == f"results/models/{model}":
            return self.model(model)
        return self.intermediate(model, intermediate, seed)

    def tune(self, model: str, intermediate: str, seed: str, task: str) -> Node:
        """The encoder and head after stage 2."""

        def make(key: str) -> Node:
            spec = self.grid.tuned_spec(model, intermediate, seed, task)
            return self._training("tune", key, spec, model, intermediate, seed, task)

        return self._once(f"{self.grid.tuned(model, intermediate, seed, task)}/node.json", make)

    # ---- searches: trials, and the choice between them

    def trial(self, model: str, intermediate: str, seed: str, trial: str, task: str = "") -> Node:
        """The record of a training with one of the values that are tried; its weights are in its
        state folder, for the training of the same seed if they win."""

        def make(key: str) -> Node:
            rule = "trial_tune" if task else "trial_intermediate"
            spec = self.grid.searches.trials(model, intermediate, task)[trial]
            node = self._training(rule, key, spec, model, intermediate, seed, task)
            return dataclasses.replace(node, outputs={key: digest(spec)})

        place = "/".join(filter(None, (model, intermediate, seed, task, trial)))
        return self._once(f"results/{search.TRIALS}/{place}/node.json", make)

    def choose(self, of: str) -> Node:
        """Which values of a search, by its name, are the best."""

        def make(key: str) -> Node:
            model, intermediate, *task = of.split("/")
            spec = self.grid.searches.choice(model, intermediate, *task)
            seed = self.grid.searches.seed
            nodes = [self.trial(model, intermediate, seed, name, *task) for name in spec["trials"]]
            inputs = {"trials": tuple(node.key for node in nodes)}
            return self._node("choose", of, key, spec, inputs, nodes)

        return self._once(search.path(of), make)

    # ---- what a training reads

    def _training(
        self,
        rule: str,
        key: str,
        spec: Any,
        model: str,
        intermediate: str,
        seed: str,
        task: str = "",
    ) -> Node:
        if task:
            before_it, members = self.grid.tasks[task].after, self.grid.tuning(task, model)
            row = (model, intermediate, seed)
            start = self.tune(*row, before_it) if before_it else self.encoder(*row)
        else:
            before = self.grid.entry(intermediate).get("after", NONE)
            start = self.encoder(model, before, seed)
            members = self.grid.mixture(intermediate, model)
        train, dev, rows, dealt = [], [], [], []
        for member in members:
            length = member.recipe.max_length
            for lang in member.languages:
                made = member.variants.get(lang, "")
                train.append(self.encode(model, member.task, lang, "train", length, made))
                if member.dealt:
                    dealt.append(self.rows(member.task, lang, "train", made))
            if member.dev:
                dev.append(self.encode(model, member.task, member.dev, "dev", length))
                rows.append(self.prepare(member.task, member.dev, "dev"))
        seen = self._seen(members, NONE if task else intermediate)
        base, files = self.beside(start, model)
        picked = []
        if not task and "subset" in self.grid.entry(intermediate):
            by = self.grid.subset(model, intermediate, seed)
            picked = [self.subset(model, intermediate, by.seed)]
            files = {**files, "subset": (picked[0].key, difficulty.rows_of(picked[0].key))}
        inputs = {
            **files,
            "init": checkpoint_files(os.path.dirname(start.key), bool(base)),
            "train": tuple(node.key for node in train),
            "dev": tuple(node.key for node in dev),
            "dev_rows": tuple(node.key for node in rows),
            **({"train_rows": tuple(map(rows_of, dealt))} if dealt else {}),
            **({"features": tuple(features_of(node.key) for node in seen)} if seen else {}),
        }
        name = "/".join(os.path.dirname(key).split("/")[2:])
        needs, pins = [*base, start, *train, *dev, *rows, *dealt, *picked, *seen], []
        of = (model, intermediate, task)
        if rule not in TRIALS and self.grid.searches.of(*of):
            # What it follows from, and its spec does not say: a pin.
            choice = self.choose(search.of(*of))
            inputs["chosen"] = (choice.key,)
            needs.append(choice)
            pins.append(search.pin(choice.name))
        node = self._node(rule, name, key, spec, inputs, needs, pins, outputs_of(key, spec))
        return self.checked(node, self.grid.leaks_into(intermediate, task))

    def overlap(self, task: str) -> Node:
        """How much of each target is in the train rows of a task (`Graph`)."""
        raise NotImplementedError

    def checked(self, node: Node, leaks: Iterable[Leak]) -> Node:
        """Return a node that is not made where rows of targets are in what was translated. It does
        not follow from these: so what it is pinned to stays, and where it is made it is not made
        anew as other targets are looked at."""
        before = [self.overlap(task) for task in dict.fromkeys(leak.task for leak in leaks)]
        if not before:
            return node
        keys = tuple(overlap.key for overlap in before)
        return dataclasses.replace(
            node, inputs={**node.inputs, "overlap": keys}, needs=(*node.needs, *keys)
        )

    def _seen(self, members: Iterable[Member], intermediate: str = NONE) -> list[Node]:
        """The features of the pictures that a training sees: of each set those of train, then of
        dev."""
        if self.grid.entry(intermediate).get("images") == "none":
            return []
        return [
            self.features(self.grid.vision(intermediate), images, split)
            for images in self.grid.sets(members)
            for split in SEEN
        ]

    def beside(self, made: Node, model: str) -> tuple[list[Node], dict[str, tuple[str, ...]]]:
        """Return what is read beside a checkpoint, node and files: the backbone of an adapter."""
        if self.grid.adapter(model) is None or made.rule == "model":
            return [], {}
        base = self.model(model)
        return [base], {"base": checkpoint_files(os.path.dirname(base.key))}
