"""The spec of a training: all that it follows from, revisions (the pins) excepted. Pure."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from xstilts.experiment.recipe import Member, Recipe
from xstilts.experiment.tasks import Task

Spec = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Maker:
    """Makes specs of trainings.

    Attributes:
        tasks: every task, by name.
        encoded: task, language, split, length limit and, of synthetic rows, their variant -> digest
            of the spec of the encoded rows.
        version: of the step.
    """

    tasks: Mapping[str, Task]
    encoded: Callable[..., str]
    version: int

    def of(
        self, parent: str, mixture: Sequence[Member], chosen: Recipe, cap: int | None, seed: int
    ) -> Spec:
        """Return the spec of a training on some tasks.

        Args:
            parent: digest of the spec of what it starts from.
            mixture: its tasks, each with the languages of its rows.
            chosen: its recipe; batch sizes and length limits are those of each task.
            cap: of the mixture; no matter for one task.
            seed: of what is drawn.
        """
        only = mixture[0] if len(mixture) == 1 else None
        if only and only.languages == ("en",) and only.dev == "en":
            tasks = self._english(only)
        else:
            tasks = {
                "tasks": [self._member(member) for member in mixture],
                "cap": None if only else cap,
            }
        told = {"recipe": chosen.spec(), "seed": seed, "version": self.version}
        return {"kind": "train", "parent": parent, **tasks, **told}

    def _english(self, member: Member) -> Spec:
        """One task in English, which is a training without `tasks`."""
        encoded = {split: self._encoded(member, split, ["en"])["en"] for split in ("train", "dev")}
        return {**self._task(member), **member.sample, **encoded}

    def _member(self, member: Member) -> Spec:
        return {
            **self._task(member),
            "batch_size": member.recipe.batch_size,
            **member.sample,
            "train": self._encoded(member, "train", member.languages),
            "dev": self._encoded(member, "dev", [member.dev] if member.dev else []),
        }

    def _task(self, member: Member) -> Spec:
        task = self.tasks[member.task]
        return {
            "task": member.task,
            "format": task.format,
            "labels": list(task.labels),
            "metric": task.metric,
            **({"images": task.images} if task.images else {}),
        }

    def _encoded(self, member: Member, split: str, languages: Iterable[str]) -> dict[str, str]:
        length, variants = member.recipe.max_length, member.variants if split == "train" else {}
        return {
            lang: self.encoded(
                member.task, lang, split, length, *([variants[lang]] if lang in variants else [])
            )
            for lang in languages
        }
