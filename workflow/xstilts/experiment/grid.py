"""The grid: from a checked config to its cells, nodes, paths and specs. Pure."""

import dataclasses
import functools
import types
from collections.abc import Mapping
from typing import Any

from xstilts.data import source as sources
from xstilts.data import strata
from xstilts.data.source import OWN
from xstilts.experiment import (
    adapter,
    amounts,
    backbones,
    cells,
    chains,
    difficulty,
    recipe,
    search,
    subsets,
    training_spec,
)
from xstilts.experiment.alignment import Row
from xstilts.experiment.cells import NOSEED, Cell
from xstilts.experiment.config import NONE, Experiment
from xstilts.experiment.recipe import Member, Recipe
from xstilts.experiment.search import Values
from xstilts.experiment.searches import Searches
from xstilts.experiment.tasks import POOL
from xstilts.running.errors import UserError
from xstilts.running.files import canonical, digest
from xstilts.toy import backbones as toy_backbones
from xstilts.toy import strata as toy_strata

# Raise a number when a change of the code changes what the step computes: it is part of the spec of
# every node, so exactly the nodes that depend on it are computed again. (Snakemake does not see an
# edited module.)
VERSIONS = {
    "toy": 2, "model": 1, "prepare": 1, "encode": 1, "train": 1, "evaluate": 1, "difficulty": 1,
    "subset": 1, "bag_of_words": 1, "align": 1, "overlap": 1,
}  # fmt: skip
CAP = 131_072  # K of examples-proportional mixing, 2**17 (`training/mixture.py`)
MAX_LENGTH = 512  # tokens of a sentence whose alignment is measured; what is longer is cut
NO_VALUES: Values = types.MappingProxyType({})


class Grid:
    """All cells of an experiment, and the spec and inputs of every node that they need."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.tasks = experiment.tasks
        self.cells = tuple(cells.of(experiment))
        if not self.cells:
            raise UserError("exclude: no cell is left in the grid")
        self.tuned_recipes = recipe.tuned(experiment)
        self.searches = Searches(self)
        self.stratified = any(self.tasks[cell.target].strata for cell in self.cells)
        self._digests: dict[tuple[str, ...], str] = {}

    def _digest(self, spec: str, *names: Any) -> str:
        """Return the digest of a spec, computed once: every score has its ancestry's in it."""
        key = (spec, *names)
        if key not in self._digests:
            self._digests[key] = digest(getattr(self, spec)(*names))
        return self._digests[key]

    def languages(self, target: str, split: str) -> tuple[str, ...]:
        """Return the languages in which a target is scored on a split."""
        chosen = self.experiment.test_languages
        if split == self.experiment.settings["split"] or not chosen:
            return self.experiment.languages[target]
        return chosen[target]

    # ---- intermediates and recipes

    def entry(self, intermediate: str) -> Mapping[str, Any]:
        """Return the config's entry of an intermediate; an empty one of the row without."""
        return self.experiment.settings["intermediates"].get(intermediate, {})

    def chain(self, intermediate: str) -> tuple[str, ...]:
        """Return the intermediates that one follows on (`after`), the first first, and itself."""
        return chains.of(self.experiment.settings["intermediates"], intermediate)

    def start(self, model: str, intermediate: str, seed: str) -> str:
        """Return the folder of the encoder that stage 1 starts from."""
        return self.encoder(model, self.entry(intermediate).get("after", NONE), seed)

    def recipe(self, intermediate: str, model: str = "", values: Values = NO_VALUES) -> Recipe:
        """Return the stage 1 recipe of an intermediate: its only task's, or that of its mix.

        A mix has the learning rate, epochs and so on that are set under its name or under `all`.
        Batch size and length are each task's own (`mixture`). What a `model` says itself is laid
        over it, and the `values` of a trial.
        """
        mixture = self.mixture(intermediate, model, values)
        if len(mixture) == 1:
            return mixture[0].recipe
        return recipe.resolve(*recipe.layers(self.experiment, [intermediate], model), values)

    def mixture(
        self, intermediate: str, model: str = "", values: Values = NO_VALUES
    ) -> list[Member]:
        """Return the tasks of an intermediate, in the order of the config.

        The recipe of each is what it would be for the task alone; what is set under the name of the
        intermediate is for all its tasks. The rest as in `recipe`.
        """
        members, entry = [], self.entry(intermediate)
        for name, languages in self.experiment.intermediates[intermediate].items():
            task = self.tasks[name]
            dev = None if task.format == "mlm" else task.home or languages[0]
            own = recipe.layers(self.experiment, [name, intermediate], model)
            chosen = recipe.resolve(task.recipe, *own, values)
            at_most = amounts.at_most(task, self.experiment.settings)
            dealt, subset = amounts.dealt(entry, task, languages), entry.get("subset", {})
            how = entry.get("rows"), at_most, dealt, subset.get("rows")
            members.append(Member(name, languages, dev, chosen, *how))
        return members

    def tunings(self, target: str) -> tuple[str, ...]:
        """Return the tasks that a target is tuned on, one after another; none without tuning."""
        return chains.tunings(self.tasks, self.tasks[target].tuned_on)

    def tuned_from(self, model: str, intermediate: str, seed: str, task: str) -> str:
        """Return the folder of the checkpoint that the tuning on a task starts from."""
        before, row = self.tasks[task].after, (model, intermediate, seed)
        return self.tuned(*row, before) if before else self.encoder(*row)

    def tuning(self, task: str, model: str = "", values: Values = NO_VALUES) -> list[Member]:
        """Return what stage 2 trains on: a target's data in English or its `train_language`."""
        home = self.tasks[task].home
        assert home  # checked with the config
        target = recipe.first_target(self.experiment, task)
        chosen = recipe.for_task(self.experiment, target, task, model)
        return [Member(task, (home,), home, dataclasses.replace(chosen, **values))]

    def recorded(self, model: str, task: str) -> Member:
        """Return what a training that is recorded is on: a task in English or its `train_language`,
        by the recipe of stage 1 (of a search, what is said beside it)."""
        own = recipe.layers(self.experiment, [task], model)
        chosen = recipe.resolve(self.tasks[task].recipe, *own)
        home = self.tasks[task].home or self.tasks[task].languages[0]
        return Member(task, (home,), home, chosen)

    # ---- specs: everything that a node's content follows from, revisions (the pins) excepted

    def source(self) -> str:
        """What data and models are: `hub`, `folder`, or a digest of the toy world's sizes."""
        if self.experiment.toy:
            return f"toy {digest([VERSIONS['toy'], self.experiment.settings['toy']])}"
        return "hub" if self.experiment.root is None else "folder"

    def toy_spec(self, dataset: str = "") -> dict[str, Any]:
        """Return the spec of a generated data set or, without one, of the toy encoder."""
        toy = self.experiment.settings["toy"]
        sizes = {key: value for key, value in toy.items() if not dataset or key != "pretrain"}
        return {"kind": "toy", "version": VERSIONS["toy"], **sizes} | toy_strata.in_spec(dataset)

    def toy_backbone_spec(self, kind: str) -> dict[str, Any]:
        """Return the spec of a tiny checkpoint of an architecture."""
        toy = self.experiment.settings["toy"]
        told = {"architecture": kind, "seed": toy["seed"], "languages": toy["languages"]}
        return {"kind": "toy", "version": VERSIONS["toy"], **told}

    def pin_spec(self, kind: str, name: str, revision: str) -> dict[str, Any]:
        """Return the spec of the pin of a data set or model: what is looked up, and where."""
        source = OWN if sources.is_of_task(name) else self.source()
        spec = {"kind": "pin", "of": kind, "name": name, "revision": revision, "source": source}
        return spec | (toy_strata.in_spec(name) if self.experiment.toy else {})

    def revision(self, dataset: str) -> str:
        """Return the branch that the tasks of a hub data set ask for."""
        read = (task.of(lang) for task in self.tasks.values() for lang in task.every_language)
        return next((task.revision for task in read if task.hub == dataset), "main")

    def model_spec(self, model: str) -> dict[str, Any]:
        """Return the spec of a public checkpoint."""
        entry = self.experiment.settings["models"][model]
        attention = entry["attention"]
        if self.experiment.toy and not self.toy_backbone(model):
            attention = None  # what stands for it is an encoder
        return {
            "kind": "model",
            "from": self.public(model),
            "revision": entry["revision"],
            "pooling": "cls" if entry["pooling"] == "first" else entry["pooling"],
            **({"attention": attention} if attention else {}),
            "source": self.source(),
            "version": VERSIONS["model"],
        }

    def data_spec(self, task: str, lang: str, split: str) -> dict[str, Any]:
        """Return the spec of one prepared file: a task's rows of one language and split."""
        entry, limits = self.tasks[task].of(lang), self.experiment.settings["limits"]
        limit = {**limits.get("all", {}), **limits.get(task, {})}
        prefix, gold, pool = entry.id_start(lang), entry.gold_file(lang, split), self._pool(task)
        return {
            "kind": "data",
            "task": task,
            "format": entry.format,
            "hub": entry.dataset(lang, split),
            "revision": entry.revision,
            "config": None if lang == POOL else entry.hub_config(lang),
            "split": entry.splits[split],
            "lang": lang,
            "rows": entry.rows,
            # Only of the tasks that have them, so that the specs of the others stay what they were.
            **{k: v for k, v in (("id_prefix", prefix), ("gold", gold), ("pool", pool)) if v},
            **({"file": dict(entry.file)} if entry.file else {}),
            **({} if entry.context is None else {"context": entry.context}),
            # Train rows need none, since they are not scored, but where a row function says them.
            **(
                {"strata": dict(entry.strata)}
                if entry.strata and (split != "train" or entry.rows in strata.RETURNED)
                else {}
            ),
            "columns": dict(entry.columns),
            "labels": list(entry.labels) or None,
            # Candidates are whole: without the right ones there is nothing to find.
            "max_rows": None if lang == POOL else limit.get(split),
            "version": [VERSIONS["prepare"], entry.version],
            "source": OWN if entry.own else self.source(),
        }

    def _pool(self, task: str) -> dict[str, str]:
        """Return language -> the config of its candidates, of all languages of a task whatever is
        scored (in the toy world of those that it has)."""
        entry = self.tasks[task]
        toy = self.experiment.settings["toy"]["languages"] if self.experiment.toy else None
        there = [code for code in entry.languages if toy is None or code in toy or entry.own]
        return entry.pools(there) if entry.pool else {}

    def rows_spec(self, task: str, lang: str, split: str) -> dict[str, Any]:
        """Return the spec of one prepared file as far as what is encoded follows from it."""
        return strata.without(self.data_spec(task, lang, split))

    def encoded_spec(self, task: str, lang: str, split: str, length: int) -> dict[str, Any]:
        """Return the spec of one encoded file; its tokenizer is an input, known by content."""
        entry = self.tasks[task]
        return {
            "kind": "encoded",
            "format": entry.format,
            "labels": list(entry.labels),
            **self._labels_of(task),
            "no_answer": entry.no_answer,
            "max_length": length,
            "data": self._digest("rows_spec", task, lang, split),
            "version": VERSIONS["encode"],
        }

    def _labels_of(self, task: str) -> dict[str, str]:
        """Say which rows open labels are taken from."""
        rows = self.labelled_by(task)
        return {"labels_of": self._digest("rows_spec", *rows)} if rows else {}

    def labelled_by(self, task: str) -> tuple[str, str, str] | None:
        """Return task, language and split of the rows that open labels are those of."""
        entry = self.tasks[task]
        if not entry.open_labels:
            return None
        train = task if "train" in entry.splits else entry.tuned_on or task
        return train, self.tasks[train].home or "en", "train"

    def encoder_spec(self, model: str, intermediate: str, seed: str) -> dict[str, Any]:
        """Return the spec of the encoder that targets start from: stage 1, or the model itself."""
        if intermediate == NONE:
            return self.model_spec(model)
        mixture, entry = self.mixture(intermediate, model), self.entry(intermediate)
        parent = self._digest("encoder_spec", model, entry.get("after", NONE), seed)
        chosen, cap = self.recipe(intermediate, model), entry.get("cap", CAP)
        spec = self._train_spec(parent, mixture, chosen, cap, seed)
        if "steps" in entry:  # in their place
            told = spec["recipe"].items()
            spec["recipe"] = {k: v for k, v in told if k not in amounts.REPLACED}
        spec |= {key: entry[key] for key in ("steps", "after") if key in entry}
        if "subset" in entry:
            spec["subset"] = self._digest("subset_spec", model, intermediate, seed)
        spec |= self._adapter(model, entry.get("after", NONE) != NONE)
        return search.opened(spec, self.searches.of(model, intermediate))

    def subset(self, model: str, intermediate: str, seed: str) -> subsets.Source:
        """Return what the subset of rows of an intermediate is picked by."""
        settings: Any = self.experiment.settings
        return subsets.source(self.entry(intermediate), model, seed, settings["seeds"], self.tasks)

    def subset_spec(self, model: str, intermediate: str, seed: str) -> dict[str, Any]:
        """Return the spec of the subset of rows that an intermediate is trained on."""
        of, subset = self.subset(model, intermediate, seed), self.entry(intermediate)["subset"]
        task = self.tasks[of.task]
        rows = "rows_at_most" if amounts.at_most(task, self.experiment.settings) else "rows"
        by: dict[str, Any] = {"seed": int(of.seed.removeprefix("seed"))}
        if of.measure:
            measured = self._digest("difficulty_spec", of.model, of.task, of.seed, of.measure)
            by = {"by": of.measure, "measured": measured}
        return {
            "kind": "subset",
            "task": of.task,
            "data": self._digest("data_spec", of.task, of.lang, "train"),
            "keep": subset["keep"],
            rows: subset["rows"],
            "balance": subset.get("balance", True) and task.format == "classification",
            **by,
            "version": VERSIONS["subset"],
        }

    def bag_spec(self, task: str, lang: str) -> dict[str, Any]:
        """Return the spec of what a bag-of-words model tells of the train rows of a task."""
        return {
            "kind": "bag_of_words",
            "task": task,
            "format": self.tasks[task].format,
            "data": self._digest("data_spec", task, lang, "train"),
            "version": VERSIONS["bag_of_words"],
        }

    def overlapping(self) -> dict[str, list[str]]:
        """Return the tasks that stage 1 trains on in English -> the targets that are scored in it,
        where `overlap` asks how much of these is in the train rows of those."""
        if not self.experiment.settings["overlap"]:
            return {}
        scored = dict.fromkeys(cell.target for cell in self.cells)
        targets = [name for name in scored if "en" in self.experiment.languages[name]]
        rows = dict.fromkeys(cell.intermediate for cell in self.cells)
        chains = dict.fromkeys(name for row in rows for name in self.chain(row))
        trained = (self.experiment.intermediates[name] for name in chains)
        tasks = {task: None for found in trained for task, langs in found.items() if "en" in langs}
        return {task: targets for task in tasks if targets}

    def overlap_specs(self, task: str) -> dict[str, dict[str, Any]]:
        """Return target -> spec of how much of it is in the train rows of a task."""
        split = self.experiment.settings["split"]
        return {
            target: {
                "kind": "overlap",
                "task": task,
                "target": target,
                "train": self._digest("data_spec", task, "en", "train"),
                "rows": self._digest("data_spec", target, "en", split),
                "version": VERSIONS["overlap"],
            }
            for target in self.overlapping()[task]
        }

    def tuned_spec(self, model: str, intermediate: str, seed: str, task: str) -> dict[str, Any]:
        """Return the spec of a model tuned on the data of a target in one language."""
        before, path = self.tasks[task].after, (model, intermediate, seed)
        start = ("tuned_spec", *path, before) if before else ("encoder_spec", *path)
        parent = self._digest(*start)
        tuning = self.tuning(task, model)
        spec = self._train_spec(parent, tuning, tuning[0].recipe, None, seed)
        if before:
            goes_on = chains.head_goes_on(self.tasks[task], self.tasks[before])
            spec |= {"after": before} | ({"head": "goes on"} if goes_on else {})
        spec |= self._adapter(model, intermediate != NONE or before is not None)
        return search.opened(spec, self.searches.of(model, intermediate, task))

    def difficulty_spec(self, model: str, task: str, seed: str, measure: str) -> dict[str, Any]:
        """Return the spec of what holds a measure of the train rows of a task."""
        member = self.recorded(model, task)
        parent = self._digest("encoder_spec", model, NONE, seed)
        spec = self._train_spec(parent, [member], member.recipe, None, seed)
        spec |= self._adapter(model, False)
        spec |= {"kind": "difficulty", "recorded": VERSIONS["difficulty"]}
        if not difficulty.MEASURES[measure].file:
            return spec
        # Guessing is all that can be learnt without inputs, so it is not trained again for that.
        spec.pop("on_collapse", None)
        return spec | {"empty": self._digest("difficulty_spec", model, task, seed, "loss")}

    def adapter(self, model: str) -> dict[str, Any] | None:
        """Return what the config says of the adapter that is trained of a model; None where all of
        it is trained."""
        return self.experiment.settings["models"][model].get("adapter")

    def _adapter(self, model: str, started: bool) -> dict[str, Any]:
        return adapter.in_spec(self.experiment.settings["models"][model], started)

    def score_spec(self, cell: Cell, lang: str, split: str) -> dict[str, Any]:
        """Return the spec of one score file."""
        target = self.tasks[cell.target]
        path = (cell.model, cell.intermediate, cell.seed)
        train = target.tuned_on
        start = ("tuned_spec", *path, train) if train else ("encoder_spec", *path)
        parent = self._digest(*start)
        # Of the real model: the toy encoder in its place has fewer layers.
        entry = self.experiment.settings["models"][cell.model]
        layer = None if self.experiment.toy else entry["retrieval_layer"]
        length = self.length(cell.target)
        dev = {}
        if self.needs_dev(cell.target, split):
            dev = {"dev": self._digest("encoded_spec", cell.target, lang, "dev", length)}
        return {
            "kind": "score",
            "model": parent,
            "target": cell.target,
            "metric": target.metric,
            "encoded": self._digest("encoded_spec", cell.target, lang, split, length),
            **dev,
            **self._of_pool(cell.target, split),
            **({"strata": dict(target.strata)} if target.strata else {}),
            "retrieval_layer": layer
            if target.format == "retrieval" and not target.tuned_on
            else None,
            "version": VERSIONS["evaluate"],
        }

    def _of_pool(self, target: str, split: str) -> dict[str, str]:
        """Say in which candidates a target is searched for, and that it is by a tuned encoder."""
        task, length = self.tasks[target], self.length(target)
        pool = {"pool": self._digest("encoded_spec", target, POOL, split, length)}
        tuned = task.format == "retrieval" and task.tuned_on
        return {**(pool if task.pool else {}), **({"head": "dual"} if tuned else {})}

    def score_digest(self, cell: Cell, lang: str, split: str) -> str:
        """Return the digest of the spec of one score file."""
        return digest(self.score_spec(cell, lang, split))

    def score_specs(self, cell: Cell, split: str) -> dict[str, dict[str, Any]]:
        """Return language -> spec of its score."""
        languages = self.languages(cell.target, split)
        return {lang: self.score_spec(cell, lang, split) for lang in languages}

    # ---- alignment

    def alignment_rows(self) -> list[Row]:
        """Return the rows whose encoders are measured: all that have a cell, in its order."""
        rows = (
            Row(cell.model, cell.intermediate, NOSEED if cell.intermediate == NONE else cell.seed)
            for cell in self.cells
        )
        return list(dict.fromkeys(rows)) if self.experiment.alignment else []

    def alignment_specs(self, row: Row, name: str) -> dict[str, dict[str, Any]]:
        """Return language -> spec of what is measured of a row on a set."""
        of = self.experiment.alignment[name]
        model = self._digest("encoder_spec", row.model, row.intermediate, row.seed)
        specs = {}
        for lang in of.languages:
            sides = [lang] if of.paired else [lang, of.pivot]
            specs[lang] = {
                "kind": "alignment",
                "model": model,
                "task": of.task,
                "split": of.split,
                "column": of.column,
                "pivot": of.pivot,
                "data": [self._digest("rows_spec", of.task, side, of.split) for side in sides],
                "rows": of.rows,
                "max_length": MAX_LENGTH,
                "layers": list(of.layers) or "all",
                "measures": list(of.measures),
                "version": VERSIONS["align"],
            }
        return specs

    def tasks_of(self, hub: str) -> list[str]:
        """Return the tasks of a data set that a cell of the grid trains on or scores, or a
        set of alignment has its rows of."""
        used = {of.task for of in self.experiment.alignment.values()}
        for cell in self.cells:
            used |= {cell.target, *self.tunings(cell.target)}
            for name in self.chain(cell.intermediate):
                used |= set(self.experiment.intermediates[name])
        if sources.is_of_task(hub):
            return [hub.split("/")[1]]
        read = {task: map(self.tasks[task].of, self.tasks[task].every_language) for task in used}
        return sorted(task for task in used if any(each.hub == hub for each in read[task]))

    def _train_spec(
        self, parent: str, mixture: list[Member], chosen: Recipe, cap: int | None, seed: str
    ) -> dict[str, Any]:
        """Return the spec of a training; `parent` is a digest."""
        encoded = functools.partial(self._digest, "encoded_spec")
        make = training_spec.Maker(self.tasks, encoded, VERSIONS["train"])
        spec = make.of(parent, mixture, chosen, cap, int(seed.removeprefix("seed")))
        retry = self.experiment.settings["on_collapse"] == "retry"
        return spec | ({"on_collapse": "retry"} if retry else {})

    def test_split(self, target: str) -> str:
        """Return the split on which what was chosen by dev is scored; three targets of XTREME
        publish one alone."""
        return "test" if "test" in self.tasks[target].splits else "dev"

    def needs_dev(self, target: str, split: str) -> bool:
        """Whether a split is scored with what its dev split settles: the threshold of mining."""
        return self.tasks[target].metric == "bucc" and split != "dev"

    # ---- where things are

    def length(self, target: str) -> int:
        """Return the piece limit at which a target is encoded for scoring: that of its tuning."""
        train = self.tasks[target].tuned_on
        if train is None:
            return recipe.for_task(self.experiment, target, target).max_length
        return self.tuned_recipes[train].max_length

    def public(self, model: str) -> str:
        """Return the public checkpoint that a model is; in the toy world one of its architecture,
        as far as that is known, else the toy encoder."""
        if not self.experiment.toy:
            return self.experiment.settings["models"][model]["from"]
        kind = self.toy_backbone(model)
        return f"toy/{kind}" if kind else TOY_MODEL

    def toy_backbone(self, model: str) -> str:
        """Return the architecture of the tiny checkpoint that stands for a model in the toy world;
        "" where it is the toy encoder."""
        settings = self.experiment.settings
        kind = backbones.config(settings["models"][model], settings).get("model_type", "")
        return kind if kind in toy_backbones.BACKBONES and kind != "xlm-roberta" else ""

    def tokenizer(self, model: str) -> str:
        """Return the model whose tokenizer a model uses: its own, or the one it names. What stands
        for the two in the toy world may have tokenizers of two kinds."""
        named = self.experiment.settings["models"][model]["tokenizer"] or model
        return (
            named if self.public(named) == self.public(model) or not self.experiment.toy else model
        )

    def encoder(self, model: str, intermediate: str, seed: str) -> str:
        """Return the folder of the encoder that a target starts from."""
        if intermediate == NONE:
            return f"results/models/{model}"
        return f"results/encoders/{model}/{intermediate}/{seed}"

    def checkpoint(self, cell: Cell) -> str:
        """Return the folder of the checkpoint that a cell scores."""
        train = self.tasks[cell.target].tuned_on
        if train is None:
            return self.encoder(cell.model, cell.intermediate, cell.seed)
        return self.tuned(cell.model, cell.intermediate, cell.seed, train)

    def tuned(self, model: str, intermediate: str, seed: str, task: str) -> str:
        """Return the folder of a model tuned on a task."""
        return f"results/tuned/{model}/{intermediate}/{seed}/{task}"

    def scores(self, split: str) -> str:
        """Return the folder of the scores on a split: what is chosen by dev has its test apart."""
        return "results/scores" if split == self.experiment.settings["split"] else "results/test"

    def score(self, cell: Cell, lang: str, split: str) -> str:
        """Return the path of a score file."""
        return f"{self.scores(split)}/{cell}/{lang}.json"


TOY_MODEL = "toy/xlmr"  # what stands for an XLM-R, and for what is not known, in the toy world


def spec_text(spec: dict[str, Any]) -> str:
    """Return the text in which a spec is handed to a step and compared by Snakemake."""
    return canonical(spec)
