"""The graph of a grid: what each job makes, from what, by which spec. Pure.

The rules in `workflow/rules/` take their inputs from here, and so do the status, the estimate and
the report, which must not start Snakemake.
"""

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from xstilts.data.bag_of_words import FORMATS
from xstilts.experiment import difficulty, search, subsets
from xstilts.experiment.alignment import RECORD, Row
from xstilts.experiment.cells import Cell
from xstilts.experiment.config import NONE
from xstilts.experiment.grid import TOY_MODEL, Grid
from xstilts.experiment.nodes import ADAPTER, CHECKPOINT, TRIALS, Files, Node, checkpoint_files
from xstilts.experiment.tasks import POOL
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


class Graph:
    """Makes the nodes that it is asked for, and all that they need, each once."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.nodes: dict[str, Node] = {}

    def _once(self, key: str, make: Callable[[str], Node]) -> Node:
        if key not in self.nodes:
            node = make(key)  # which first makes what it needs
            self.nodes[key] = node
        return self.nodes[key]

    def _node(
        self,
        rule: str,
        name: str,
        key: str,
        spec: Mapping[str, Any],
        inputs: Files,
        needs: Iterable[Node],
        pins: Iterable[str] = (),
        outputs: Mapping[str, str | None] | None = None,
        log: str = "",
    ) -> Node:
        parents = list(needs)
        return Node(
            rule=rule,
            name=name,
            key=key,
            spec=spec,
            outputs={key: digest(spec)} if outputs is None else outputs,
            inputs=inputs,
            needs=tuple(dict.fromkeys(parent.key for parent in parents)),
            pins=frozenset(pins).union(*(parent.pins for parent in parents)),
            log=log or (f"results/logs/{rule}/{name}.log" if name else f"results/logs/{rule}.log"),
        )

    # ---- data

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
            name = f"{task}/{lang}.{split}"
            return self._node("prepare", name, key, spec, {"pin": (pin.key,)}, [pin], pins)

        return self._once(f"results/data/{task}/{lang}.{split}.parquet", make)

    def encode(self, model: str, task: str, lang: str, split: str, length: int) -> Node:
        """The same rows for one tokenizer and length limit."""
        tokenizer = self.grid.tokenizer(model)
        name = f"{tokenizer}/{task}/{lang}.{split}.{length}"

        def make(key: str) -> Node:
            rows, of = self.prepare(task, lang, split), self.model(tokenizer)
            of_labels = self.grid.labelled_by(task)
            labels = [self.prepare(*of_labels)] if of_labels else []
            spec = self.grid.encoded_spec(task, lang, split, length)
            inputs = {
                "rows": (rows.key,),
                "tokenizer": (f"results/models/{tokenizer}/tokenizer.json",),
                "model": (of.key,),  # beside it, for its pins
                "labels_of": tuple(node.key for node in labels),
            }
            return self._node("encode", name, key, spec, inputs, [rows, of, *labels])

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

    # ---- subsets of train rows

    def bag_of_words(self, task: str) -> Node:
        """How right a bag-of-words model is of each train row of a task."""

        def make(key: str) -> Node:
            rows = self.prepare(task, lang, "train")
            spec, inputs = self.grid.bag_spec(task, lang), {"rows": (rows.key,)}
            return self._node(
                "bag_of_words", task, key, spec, inputs, [rows], outputs=_both(key, spec)
            )

        lang = self.grid.tasks[task].home or "en"
        return self._once(f"results/bags/{task}.json", make)

    def bags_of_words(self) -> None:
        """Make the nodes of the tasks of which a subset is trained on."""
        for cell in self.grid.cells:
            for name in self.grid.chain(cell.intermediate):
                entry = self.grid.entry(name)
                if (
                    "subset" in entry
                    and self.grid.tasks[task := entry["tasks"][0]].format in FORMATS
                ):
                    self.bag_of_words(task)

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
            return self._node("subset", name, key, spec, inputs, needs, outputs=_both(key, spec))

        return self._once(f"results/{subsets.FOLDER}/{name}.json", make)

    # ---- models and trainings

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
            pins, outputs = [f"models/{spec['from']}"], _outputs(key, spec)
            inputs = {"pin": (pin.key,)}
            return self._node("model", model, key, spec, inputs, [pin], pins, outputs)

        return self._once(f"results/models/{model}/node.json", make)

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
                train.append(self.encode(model, member.task, lang, "train", length))
                if member.dealt:
                    dealt.append(self.prepare(member.task, lang, "train"))
            if member.dev:
                dev.append(self.encode(model, member.task, member.dev, "dev", length))
                rows.append(self.prepare(member.task, member.dev, "dev"))
        base, files = self._beside(start, model)
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
            **({"train_rows": tuple(node.key for node in dealt)} if dealt else {}),
        }
        name = "/".join(os.path.dirname(key).split("/")[2:])
        needs, pins = [*base, start, *train, *dev, *rows, *dealt, *picked], []
        of = (model, intermediate, task)
        if rule not in TRIALS and self.grid.searches.of(*of):
            # What it follows from, and its spec does not say: a pin.
            choice = self.choose(search.of(*of))
            inputs["chosen"] = (choice.key,)
            needs.append(choice)
            pins.append(search.pin(choice.name))
        return self._node(rule, name, key, spec, inputs, needs, pins, _outputs(key, spec))

    def _beside(self, made: Node, model: str) -> tuple[list[Node], dict[str, tuple[str, ...]]]:
        """Return what is read beside a checkpoint, node and files: the backbone of an adapter."""
        if self.grid.adapter(model) is None or made.rule == "model":
            return [], {}
        base = self.model(model)
        return [base], {"base": checkpoint_files(os.path.dirname(base.key))}

    # ---- difficulty of train rows

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
            spec = {"kind": "cell", "scores": dict(zip(languages, scores.values(), strict=True))}
            base, files = self._beside(made, cell.model)
            inputs = {
                **files,
                "model": checkpoint_files(os.path.dirname(made.key), bool(base)),
                **{name: (node.key,) for name, node in manifests.items()},
            }
            needs = [*base, made, *manifests.values()]
            log = f"results/logs/{'test' if chosen else 'evaluate'}/{cell}.log"
            return self._node("evaluate", str(cell), key, spec, inputs, needs, (), scores, log)

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
            base, files = self._beside(made, row.model)
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


def _outputs(key: str, spec: Any) -> dict[str, str | None]:
    """What a checkpoint's node makes: the record, and weights that do not tell their spec."""
    weights = (ADAPTER if "adapter" in spec else CHECKPOINT)[0]
    return {key: digest(spec), f"{os.path.dirname(key)}/{weights}": None}


def _both(key: str, spec: Any) -> dict[str, str | None]:
    """What a node makes whose record is beside its rows."""
    return {key: digest(spec), difficulty.rows_of(key): None}
