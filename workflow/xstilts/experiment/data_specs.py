"""The specs of data and models: everything that they follow from, revisions (the pins) excepted.

Pure.
"""

from typing import Any

from xstilts.data import source as sources
from xstilts.data import strata
from xstilts.data.source import OWN
from xstilts.experiment.ancestry import TOY_VISION, Ancestry
from xstilts.experiment.tasks import POOL, SET
from xstilts.experiment.versions import VERSIONS
from xstilts.experiment.vision import OWN as OWN_FEATURES
from xstilts.running.files import digest
from xstilts.toy import strata as toy_strata


class DataSpecs(Ancestry):
    """Specs of what is there before anything is trained."""

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
            "config": None if lang == POOL else entry.hub_config(lang, split),
            "split": entry.hub_split(lang, split),
            "lang": lang,
            "rows": entry.rows,
            # Only of the tasks that have them, so that the specs of the others stay what they were.
            **{k: v for k, v in (("id_prefix", prefix), ("gold", gold), ("pool", pool)) if v},
            **({"file": dict(entry.file)} if entry.file else {}),
            **({} if entry.context is None else {"context": entry.context}),
            **self._pictures(entry.images, split),
            # Train rows need none, since they are not scored, but where a row function says them.
            **(
                {"strata": dict(entry.strata)}
                if entry.strata and (split != "train" or entry.rows in strata.RETURNED)
                else {}
            ),
            "columns": dict(entry.columns),
            "labels": list(entry.labels) or None,
            **(
                {"most_labels": entry.most_labels} if entry.most_labels and split == "train" else {}
            ),
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

    def _pictures(self, images: str, split: str) -> dict[str, str]:
        """Say which pictures the rows of a task have."""
        if not images:
            return {}
        return {"images": images, "pictures": self._digest("data_spec", images, SET, split)}

    def vision_spec(self, vision: str) -> dict[str, Any]:
        """Return the spec of a frozen vision encoder."""
        entry = self.experiment.settings["vision"][vision]
        return {
            "kind": "vision",
            "from": TOY_VISION if self.experiment.toy else entry["from"],
            "revision": entry["revision"],
            "source": self.source(),
            "version": VERSIONS["vision"],
        }

    def toy_vision_spec(self) -> dict[str, Any]:
        """Return the spec of the vision encoder of the toy world."""
        seed = self.experiment.settings["toy"]["seed"]
        return {"kind": "toy", "version": VERSIONS["toy"], "vision": "vit", "seed": seed}

    def features_spec(self, vision: str, images: str, split: str) -> dict[str, Any]:
        """Return the spec of the features of a split of a set of pictures."""
        spec = {
            "kind": "features",
            "images": images,
            "split": split,
            "data": self._digest("data_spec", images, SET, split),
            "version": VERSIONS["features"],
        }
        if self.sees(vision, images) == OWN_FEATURES:
            return spec | {"vision": OWN_FEATURES}
        positions = self.experiment.settings["vision"][vision]["positions"]
        return spec | {"vision": self._digest("vision_spec", vision), "positions": positions}

    def rows_spec(self, task: str, lang: str, split: str) -> dict[str, Any]:
        """Return the spec of one prepared file as far as what is encoded follows from it."""
        return strata.without(self.data_spec(task, lang, split))

    def encoded_spec(
        self, task: str, lang: str, split: str, length: int, variant: str = ""
    ) -> dict[str, Any]:
        """Return the spec of one encoded file; its tokenizer is an input, known by content.

        variant: of synthetic rows.
        """
        entry = self.tasks[task]
        of = (
            ("synthetic_spec", variant, task, lang) if variant else ("rows_spec", task, lang, split)
        )
        return {
            "kind": "encoded",
            "format": entry.format,
            "labels": list(entry.labels),
            **self._labels_of(task),
            **({"other_labels": True} if entry.other_labels else {}),
            "no_answer": entry.no_answer,
            "max_length": length,
            "data": self._digest(*of),
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
