"""The specs of synthetic rows: translators, translations, what passes a filter, controls. Pure."""

from typing import Any

from xstilts.data import source as sources
from xstilts.data.source import OWN
from xstilts.experiment import filters, generated, translated, translators
from xstilts.experiment.generated_specs import GeneratedSpecs
from xstilts.experiment.synthetic import GENERATED, Variant
from xstilts.experiment.versions import VERSIONS

WORDS = 20_000  # of a lexicon, the most frequent ones
BLOCK, LONGEST = 1000, 300  # segments of a block; characters of a line that is one segment


class SyntheticSpecs(GeneratedSpecs):
    """Specs of rows that are made from prepared ones."""

    def variant(self, name: str) -> Variant:
        """Return a variant by its name."""
        return self.experiment.variants[name]

    def home(self, task: str) -> str:
        """Return the language that a task is translated from."""
        return self.tasks[task].home or "en"

    def translator(self, name: str) -> dict[str, Any]:
        """Return the config's entry of a translator."""
        return self.experiment.settings["translators"][name]

    def rehearsed(self, task: str) -> bool:
        """Whether the toy world's grammars stand for the translators of a task."""
        return translators.stood_for(self.experiment.settings, self.tasks[task])

    def shards(self, translator: str) -> int:
        """Return the jobs in which a task is translated into a language."""
        return self.translator(translator).get("shards", 1)

    def translated_into(self, variant: Variant, task: str) -> tuple[str, ...]:
        """Return the languages that the rows of a task are translated into for a variant."""
        settings = self.experiment.settings
        least = translated.least(variant.control)
        return translated.languages_of(variant.languages, self.tasks[task], settings, least)

    def generated_rows(self, variant: str, task: str) -> dict[str, int]:
        """Return language -> rows that are generated in it for a variant."""
        return generated.shares(self.variant(variant), self.tasks[task], self.experiment.settings)

    def converted(self, translator: str, task: str) -> bool:
        """Whether a task's translator is a checkpoint, which is converted first."""
        engine = self.translator(translator)["engine"]
        return engine == translators.CTRANSLATE2 and not self.rehearsed(task)

    def translator_gpus(self, translator: str, task: str) -> int:
        """Return the GPUs of a shard of a task: one of a checkpoint, unless its entry has none."""
        entry = self.translator(translator)
        return entry.get("gpus", 1) if self.converted(translator, task) else 0

    def translator_spec(self, translator: str) -> dict[str, Any]:
        """Return the spec of the converted checkpoint of a translator."""
        entry = self.translator(translator)
        return {
            "kind": "translator",
            "from": entry["from"],
            "revision": entry.get("revision", "main"),
            "precision": entry.get("precision", "int8"),
            "source": OWN if sources.is_path(entry["from"]) else self.source(),
            "version": VERSIONS["translator"],
        }

    def aligner(self, translator: str, task: str) -> str:
        """Return the model by which words are aligned where a task is translated; "" for none."""
        entry, format = self.translator(translator), self.tasks[task].format
        return entry.get("aligner", "") if format in translators.ALIGNED else ""

    def _aligner(self, translator: str, task: str) -> dict[str, Any]:
        if not (model := self.aligner(translator, task)):
            return {}
        # Of the real model: the toy encoder in its place has fewer layers.
        layer = None if self.experiment.toy else self.translator(translator).get("aligner_layer")
        of = {"model": self._digest("model_spec", model), "layer": layer}
        return {"aligner": {**of, "version": VERSIONS["projection"]}}

    def translated_spec(self, by: str, task: str, lang: str, shard: int) -> dict[str, Any]:
        """Return the spec of a shard of the rows of a task in a language."""
        entry, source = self.translator(by), self.home(task)
        model = {}
        if self.converted(by, task):
            model = {"model": self._digest("translator_spec", by)}
        return {
            "kind": "translated",
            "task": task,
            "format": self.tasks[task].format,
            "lang": lang,
            "shard": [shard, self.shards(by)],
            "translator": translators.engine_spec(entry, self.rehearsed(task), source, lang),
            **model,
            **self._aligner(by, task),
            "block": entry.get("block", BLOCK),
            "longest": entry.get("longest", LONGEST),
            "data": self._digest("data_spec", task, source, "train"),
            "version": VERSIONS["translate"],
        }

    def translated_back_spec(
        self, variant: str, task: str, lang: str, shard: int
    ) -> dict[str, Any]:
        """Return the spec of a shard of the rows of a round trip, from a language."""
        of, home = self.variant(variant), self.home(task)
        entry, languages = self.translator(of.by), self.translated_into(of, task)
        keep = {"keep_english": True} if of.control.get("keep_english") else {}
        return {
            **self.translated_spec(of.by, task, lang, shard),
            "lang": home,
            "translator": translators.engine_spec(entry, self.rehearsed(task), lang, home),
            "data": self._digest("synthetic_spec", of.plain, task, lang),
            "dealt": list(languages),
            **({"others": self._passed(of, task, languages)} if len(languages) > 1 else {}),
            **keep,
        }

    def lexicon_spec(self, by: str, task: str, lang: str) -> dict[str, Any]:
        """Return the spec of what a translator makes of the words of a task."""
        spec = self.translated_spec(by, task, lang, 0)
        other = ("shard", "longest", "aligner")  # of whole texts alone
        kept = {k: v for k, v in spec.items() if k not in other}
        version = VERSIONS["lexicon"]
        return kept | {"kind": "lexicon", "words": WORDS, "version": version}

    def _passed(self, of: Variant, task: str, languages: tuple[str, ...]) -> dict[str, str]:
        """Return language -> digest of the spec of the rows that pass."""
        return {lang: self._digest("synthetic_spec", of.plain, task, lang) for lang in languages}

    def _control_spec(self, of: Variant, task: str, lang: str) -> dict[str, Any]:
        kind, languages = of.control["kind"], self.translated_into(of, task)
        made: dict[str, list[str]] = {}
        passed = self._passed(of, task, (lang,) if kind == "noise" else languages)
        if kind == "round_trip":
            shards = range(self.shards(of.by))
            back = ("translated_back_spec", of.name, task)
            made = {code: [self._digest(*back, code, n) for n in shards] for code in languages}
        elif kind == "code_switched":
            made = {code: [self._digest("lexicon_spec", of.by, task, code)] for code in languages}
        return {
            "control": {**of.control, "from": self.home(task)},
            "passed": passed,
            **({"made": made} if made else {}),
            "version": VERSIONS["control"],
        }

    def filter(self, variant: str) -> dict[str, Any]:
        """Return the bounds of a variant's filter, by measure; of generated rows, which have no
        source, those of measures without."""
        of = self.variant(variant)
        bounds = filters.resolved(of.filter, self.experiment.settings)
        sourced = of.made != GENERATED
        return {k: v for k, v in bounds.items() if sourced or not filters.MEASURES[k].source}

    def measure_specs(self, variant: str, task: str, lang: str) -> dict[str, str]:
        """Return measure -> digest of its spec, of those that models make (`MeasureSpecs`)."""
        raise NotImplementedError

    def synthetic_spec(self, variant: str, task: str, lang: str) -> dict[str, Any]:
        """Return the spec of the rows of a variant in a language."""
        of = self.variant(variant)
        spec = {
            "kind": "synthetic",
            "task": task,
            "format": self.tasks[task].format,
            "lang": lang,
            "data": self._digest("data_spec", task, self.home(task), "train"),
        }
        if of.control:
            return spec | self._control_spec(of, task, lang)
        if of.made == GENERATED:
            rows = self.generated_rows(variant, task)[lang]
            made = {"made": GENERATED}
            parts = [self._digest("generated_spec", of.options["by"], task, lang, rows)]
        else:
            shards, made = range(self.shards(of.by)), {}
            parts = [self._digest("translated_spec", of.by, task, lang, shard) for shard in shards]
        passes = self.filter(variant)
        said = self.measure_specs(variant, task, lang)
        told = {"parts": parts, "filter": passes, **({"measured": said} if said else {})}
        return spec | made | told | {"version": VERSIONS["filter"]}
