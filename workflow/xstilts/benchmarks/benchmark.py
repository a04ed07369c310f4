"""A benchmark: its tasks, their languages and files in a submission, averages of scores."""

import dataclasses
from collections.abc import Collection, Mapping

from xstilts.experiment import suites, tasks

SUFFIXES = {"answers": "json", "ranked": "json", "choices": "jsonl"}  # of a kind; others: tsv


@dataclasses.dataclass(frozen=True)
class Task:
    """A task of a benchmark.

    Attributes:
        folder: the benchmark's name of it, and its folder in a submission.
        kind: what a file of predictions holds: labels, tags, answers, pairs, indices, choices or
            ranked; "" for a task of which a submission has none.
        languages: those that a submission must have.
        split: of our rows that the benchmark calls test; some tasks publish one split only.
    """

    folder: str
    kind: str
    languages: tuple[str, ...]
    split: str = "test"

    def file(self, language: str) -> str:
        """Return the path of a language's predictions in a submission."""
        return f"{self.folder}/test-{language}.{SUFFIXES.get(self.kind, 'tsv')}"


@dataclasses.dataclass(frozen=True, eq=False)
class Benchmark:
    """A benchmark. The keys are our names of the targets.

    Attributes:
        suite: its name in a config, and in `reference/suites.csv`, which has its languages.
        title: its name for readers.
        groups: group -> its targets.
        tasks: target -> what is known of it.
    """

    suite: str
    title: str
    groups: Mapping[str, tuple[str, ...]]
    tasks: Mapping[str, Task]

    @property
    def table(self) -> str:
        """The name of the table of its averages."""
        return f"groups{self._suffix}"

    @property
    def submission(self) -> str:
        """The name of the rule that makes its submissions, and of their folder."""
        return f"submission{self._suffix}"

    @property
    def _suffix(self) -> str:
        return "" if self.suite == "xtreme" else f"_{self.suite.replace('-', '_')}"

    @property
    def files(self) -> dict[str, Task]:
        """The tasks of which a submission has files."""
        return {target: task for target, task in self.tasks.items() if task.kind}

    def averages(self, scores: Mapping[str, float]) -> dict[str, float | None]:
        """Return the score of each group, and `overall`: unweighted means over their tasks.

        Args:
            scores: target -> score, averaged over all languages, English included; of questions
                the mean of F1 and exact match.

        Returns:
            None for a mean with a missing task; `overall` is the mean of all tasks, not of the
            groups.
        """
        means = {group: _mean(scores, targets) for group, targets in self.groups.items()}
        return {**means, "overall": _mean(scores, tuple(self.tasks))}

    def scored_groups(self, targets: Collection[str]) -> list[str]:
        """Return the groups of which all tasks are among some targets."""
        return [group for group, members in self.groups.items() if set(members) <= set(targets)]

    def own(self, languages: Mapping[str, Collection[str]], others: Collection[str]) -> bool:
        """Whether any of some targets, in some languages, is of this benchmark and of none of the
        other suites."""
        elsewhere = [suites.languages(suite) for suite in others]
        return any(
            code in task.languages and not any(code in o.get(target, ()) for o in elsewhere)
            for target, task in self.tasks.items()
            for code in languages.get(target, ())
        )

    def has(self, target: str, language: str) -> bool:
        """Whether a language of a target counts in its averages; of a target of others any."""
        return target not in self.tasks or language in self.tasks[target].languages


def make(
    suite: str, title: str, groups: Mapping[str, tuple[str, ...]], files: Mapping[str, str]
) -> Benchmark:
    """Return a benchmark.

    files: target -> `folder kind` of its submission; without a kind it has no file there.
    """
    found = {}
    for target, languages in suites.languages(suite).items():
        folder, _, kind = files[target].partition(" ")
        splits = tasks.known().get(target, {}).get("splits", {"test": ""})
        split = "test" if "test" in splits else "dev"
        found[target] = Task(folder, kind, languages, split)
    return Benchmark(suite, title, groups, found)


def _mean(scores: Mapping[str, float], targets: tuple[str, ...]) -> float | None:
    if any(target not in scores for target in targets):
        return None
    return sum(scores[target] for target in targets) / len(targets)
