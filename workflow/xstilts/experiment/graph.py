"""The nodes of a grid: what each job makes, from what, and which log says how it went. Pure.

What the rules in `workflow/rules/` say to Snakemake, as data, for the status, the estimate and the
report, which must not start Snakemake. `tests/workflow/test_next_run.py` holds the two together.
"""

import dataclasses
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from xstilts.experiment.grid import CELL, TOY_MODEL, Cell, Grid, Lesson
from xstilts.running import lock
from xstilts.running.errors import UserError
from xstilts.running.files import digest

RULES = (
    "toy_world", "toy_model", "pin_data", "pin_model", "prepare", "model", "encode", "intermediate",
    "tune", "evaluate",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Node:
    """One job.

    Attributes:
        rule: one of `RULES`; `evaluate` stands for the rules of all targets.
        name: what its wildcards are, as a path: `xlmr/mnli/seed1`.
        outputs: path -> digest of the spec that it must be made by; None where the file does not
            tell its spec.
        log: path of the log.
        needs: keys of the nodes whose outputs it reads.
    """

    rule: str
    name: str
    outputs: Mapping[str, str | None]
    log: str
    needs: tuple[str, ...]

    @property
    def key(self) -> str:
        """What identifies it: its first output."""
        return next(iter(self.outputs))

    @property
    def state(self) -> str | None:
        """The folder whose lock its job holds; None for a rule without."""
        holds = self.rule in ("intermediate", "tune", "evaluate")
        return str(lock.folder_of(os.path.dirname(self.key))) if holds else None


def build(grid: Grid, lines: Iterable[Mapping[str, str]]) -> dict[str, Node]:
    """Return key -> node of everything that the score files need, what is needed first.

    Args:
        grid: of the resolved config.
        lines: rows of `grid.csv`, which have the digests of the scores.

    Raises:
        UserError: the rows are of another experiment than the config.
    """
    return {node.key: node for node in _Builder(grid).evaluations(lines)}


class _Builder:
    """Makes nodes from the last to the first, each once; lists them from the first to the last."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.made: dict[str, Node] = {}

    def evaluations(self, lines: Iterable[Mapping[str, str]]) -> Iterator[Node]:
        cells: dict[Cell, dict[str, Mapping[str, str]]] = {}
        for line in lines:
            cells.setdefault(Cell(*(line[k] for k in CELL)), {})[line["language"]] = line
        known = set(self.grid.cells)
        for cell, languages in cells.items():
            if cell not in known:
                raise UserError(f"grid.csv has the cell {cell}, which config.yaml has not")
            self.evaluate(cell, languages)
        yield from self.made.values()

    def _add(self, node: Node) -> str:
        return self.made.setdefault(node.key, node).key

    def _one(self, rule: str, name: str, path: str, needs: list[str], spec: Any = None) -> str:
        if path in self.made:
            return path
        found = None if spec is None else digest(spec)
        return self._add(Node(rule, name, {path: found}, _log(rule, name), tuple(needs)))

    def pin_data(self, hub: str) -> str:
        toy = f"results/toy/manifests/{hub}.json"
        needs = [self._one("toy_world", hub, toy, [])] if self.grid.experiment.toy else []
        return self._one("pin_data", hub, f"results/pins/datasets/{hub}.json", needs)

    def model(self, name: str) -> str:
        toy = f"results/toy/models/{TOY_MODEL}/model.safetensors"
        needs = [self._one("toy_model", "", toy, [])] if self.grid.experiment.toy else []
        pin = self._one("pin_model", name, f"results/pins/models/{name}.json", needs)
        return self._checkpoint(
            "model", name, f"results/models/{name}", [pin], self.grid.model_spec(name)
        )

    def rows(self, task: str, lang: str, split: str) -> str:
        path = f"results/data/{task}/{lang}.{split}.parquet"
        if path in self.made:
            return path
        pin = self.pin_data(self.grid.tasks[task].hub)
        spec = self.grid.data_spec(task, lang, split)
        return self._one("prepare", f"{task}/{lang}.{split}", path, [pin], spec)

    def encoded(self, model: str, task: str, lang: str, split: str, length: int) -> str:
        tokenizer = self.grid.tokenizer(model)
        name = f"{tokenizer}/{task}/{lang}.{split}.{length}"
        path = f"results/encoded/{name}.safetensors"
        if path in self.made:
            return path
        needs = [self.rows(task, lang, split), self.model(tokenizer)]
        if self.grid.tasks[task].open_labels:
            needs.append(self.rows(task, "en", "train"))
        spec = self.grid.encoded_spec(task, lang, split, length)
        return self._one("encode", name, path, needs, spec)

    def _checkpoint(self, rule: str, name: str, folder: str, needs: list[str], spec: Any) -> str:
        outputs = {f"{folder}/node.json": digest(spec), f"{folder}/model.safetensors": None}
        return self._add(Node(rule, name, outputs, _log(rule, name), tuple(needs)))

    def _lessons(self, model: str, lessons: list[Lesson]) -> Iterator[str]:
        for one in lessons:
            length = one.recipe.max_length
            for lang in one.languages:
                yield self.encoded(model, one.task, lang, "train", length)
            if one.dev:
                yield self.rows(one.task, one.dev, "dev")
                yield self.encoded(model, one.task, one.dev, "dev", length)

    def checkpoint(self, cell: Cell) -> str:
        """Return the key of the checkpoint that a cell scores."""
        folder = self.grid.checkpoint(cell)
        path = f"{folder}/node.json"
        if path in self.made:
            return path
        train, start = self.grid.tasks[cell.target].tuned_on, (cell.model, cell.intermediate)
        encoder = self.encoder(cell)
        if train is None:
            return encoder
        data = list(self._lessons(cell.model, self.grid.tuning(train)))
        spec = self.grid.tuned_spec(*start, cell.seed, train)
        name = folder.removeprefix("results/tuned/")
        return self._checkpoint("tune", name, folder, [encoder, *data], spec)

    def encoder(self, cell: Cell) -> str:
        folder = self.grid.encoder(cell.model, cell.intermediate, cell.seed)
        path = f"{folder}/node.json"
        if path in self.made:
            return path
        model = self.model(cell.model)
        if path == model:
            return model
        data = list(self._lessons(cell.model, self.grid.lessons(cell.intermediate)))
        spec = self.grid.encoder_spec(cell.model, cell.intermediate, cell.seed)
        name = folder.removeprefix("results/encoders/")
        return self._checkpoint("intermediate", name, folder, [model, *data], spec)

    def evaluate(self, cell: Cell, languages: Mapping[str, Mapping[str, str]]) -> None:
        split, length = self.grid.experiment.settings["split"], self.grid.length(cell.target)
        needs = [self.checkpoint(cell)]
        for lang in languages:
            needs.append(self.rows(cell.target, lang, split))
            needs.append(self.encoded(cell.model, cell.target, lang, split, length))
        outputs = {line["score"]: line["spec"] for line in languages.values()}
        self._add(Node("evaluate", str(cell), outputs, _log("evaluate", str(cell)), tuple(needs)))


def ancestors(nodes: Mapping[str, Node], key: str) -> list[str]:
    """Return the keys of a node and of all that it needs, what is needed first."""
    found: dict[str, None] = {}

    def visit(one: str) -> None:
        if one not in found:
            for need in nodes[one].needs:
                visit(need)
            found[one] = None

    visit(key)
    return list(found)


def _log(rule: str, name: str) -> str:
    return f"results/logs/{rule}/{name}.log" if name else f"results/logs/{rule}.log"
