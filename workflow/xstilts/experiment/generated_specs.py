"""The specs of generated rows, and of the decoders that write them. Pure."""

from typing import Any

from xstilts.experiment import generated, generators
from xstilts.experiment.data_specs import DataSpecs
from xstilts.experiment.synthetic import GENERATED
from xstilts.experiment.versions import VERSIONS
from xstilts.generation import toy


class GeneratedSpecs(DataSpecs):
    """Specs of rows that a decoder writes."""

    def generator(self, name: str) -> dict[str, Any]:
        """Return the config's entry of a generator."""
        return self.experiment.settings["generators"][name]

    def writes(self, generator: str) -> bool:
        """Whether a generator is a decoder, and not the grammar of the toy world."""
        settings = self.experiment.settings
        return generators.engine(self.generator(generator), settings) != generators.TOY

    def generator_spec(self, generator: str) -> dict[str, Any]:
        """Return the spec of the decoder of a generator."""
        of = generators.checkpoint(self.generator(generator), self.experiment.settings)
        return {
            "kind": "generator",
            "from": of["from"],
            "revision": of["revision"],
            "source": self.source(),
            "version": VERSIONS["generator"],
        }

    def generator_folder(self, generator: str) -> str:
        """Return the folder of a decoder of one's own, absolute; "" for any other."""
        return generators.folder(self.generator(generator), self.experiment.settings)

    def generated_spec(self, by: str, task: str, lang: str, rows: int) -> dict[str, Any]:
        """Return the spec of rows that a generator writes in a language."""
        entry, of = self.generator(by), self.tasks[task]
        how: dict[str, Any] = {
            "engine": generators.engine(entry, self.experiment.settings),
            "shots": entry.get("shots", generators.SHOTS),
            "tries": entry.get("tries", generators.TRIES),
            "seed": entry.get("seed", generators.SEED),
        }
        if self.writes(by):
            how |= {key: entry.get(key, usual) for key, usual in generators.DRAWN.items()}
            how["generator"] = self._digest("generator_spec", by)
        else:
            how["mistakes"] = {**toy.MISTAKES, **entry.get("mistakes", {})}
        return {
            "kind": "generated",
            "task": task,
            "format": of.format,
            "labels": list(of.labels),
            "lang": lang,
            "language": generated.names()[lang],
            "rows": rows,
            "prompt": self._prompt(by, task),
            **how,
            "data": self._digest("data_spec", task, of.home or "en", "train"),
            "version": VERSIONS["generate"],
        }

    def _prompt(self, by: str, task: str) -> str:
        """Return the template of a generator for a task; there is one (`check_prompts`)."""
        made = [v.options for v in self.experiment.variants.values() if v.made == GENERATED]
        return next(o["prompts"][task] for o in made if o["by"] == by and task in o["prompts"])
