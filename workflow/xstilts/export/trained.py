"""A trained model by the name of its cell (`xlmr/mnli/seed1/xnli`) or intermediate."""

import dataclasses
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xstilts import formats
from xstilts.encoding.header import read_header
from xstilts.experiment import config, config_files
from xstilts.experiment.config import NONE
from xstilts.experiment.graph import HEAD
from xstilts.experiment.grid import CELL, Cell, Grid
from xstilts.experiment.tasks import Task
from xstilts.models import checkpoint
from xstilts.monitoring import claims
from xstilts.running.errors import UserError, nearest
from xstilts.running.files import digest, read_json
from xstilts.running.record import same_spec

FORM = "MODEL/INTERMEDIATE/SEED/TARGET of a cell, or MODEL/INTERMEDIATE/SEED of an intermediate"


@dataclasses.dataclass(frozen=True)
class Trained:
    """A checkpoint, and what is known of it.

    Attributes:
        name: as it was asked for.
        folder: of the checkpoint.
        node: its record, `node.json`.
        base: the public checkpoint that it was made from; None for the toy world's.
        tokenizer_folder: of the public checkpoint that it has its tokenizer from.
        task: the target, or the task of the intermediate.
        labels: of the head's outputs, in their order; empty where they have none.
        max_length: tokens of a sequence, in its training and evaluation.
        head: what the names of the head's weights begin with; None without a head (retrieval).
        layer: retrieval only: the hidden state that is pooled.
        specs: of its trainings, by what they are, in their order; with that of the public
            checkpoint first.
        scores: the score files that were made with these weights, each with its `split`.
    """

    name: str
    folder: Path
    node: Mapping[str, Any]
    base: str | None
    tokenizer_folder: Path
    task: Task
    labels: tuple[str, ...]
    max_length: int
    head: str | None
    layer: int | None
    specs: Mapping[str, Mapping[str, Any]]
    scores: tuple[Mapping[str, Any], ...]

    def load(self) -> tuple[Any, Any]:
        """Return encoder and head in fp32, on the CPU; UserError if they are damaged."""
        encoder = checkpoint.load_encoder(self.folder, layers=self.layer)
        head = formats.page(self.task.format).head(encoder, list(self.labels))
        if self.head is not None:
            checkpoint.load_head(head, self.folder, self.head)
        return encoder.eval(), head.eval()


@dataclasses.dataclass(frozen=True)
class _Asked:
    """What was asked for, in the grid of one experiment."""

    grid: Grid
    experiment: str
    files: Sequence[str]
    root: Path
    model: str
    intermediate: str
    seed: str
    task: str
    cell: Cell | None

    @property
    def train(self) -> str | None:
        """The task that the head is trained on, of one that has a head."""
        return self.grid.tasks[self.task].tuned_on if self.cell else self.task

    @property
    def path(self) -> str:
        """The folder of the checkpoint, from the folder that holds `results`."""
        if self.cell:
            return self.grid.checkpoint(self.cell)
        return self.grid.encoder(self.model, self.intermediate, self.seed)

    @property
    def spec(self) -> dict[str, Any]:
        """The spec of the checkpoint."""
        if self.cell and self.train:
            return self.grid.tuned_spec(self.model, self.intermediate, self.seed, self.train)
        return self.grid.encoder_spec(self.model, self.intermediate, self.seed)

    def command(self, path: str) -> str:
        """Return the command that makes a file of the results."""
        there = self.files and all(map(os.path.exists, self.files))
        files = " ".join(map(_written, self.files)) if there else "CONFIG"
        place = "" if self.root == Path() else f" --directory {shlex.quote(str(self.root))}"
        return f"xstilts run {files}{place} -- --notemp {path}"


def _written(path: str) -> str:
    """Return a path as one would write it here."""
    below = os.path.relpath(path)
    return shlex.quote(path if below.startswith("..") else below)


def find(
    name: str,
    given: Sequence[str] = (),
    directory: str | Path = ".",
    task: str | None = None,
) -> Trained:
    """Return the model of a name.

    Args:
        name: see `FORM`.
        given: config files of the experiment; none for any that has been run in the folder.
        directory: the folder that holds `results`.
        task: which of the tasks, of an intermediate that is trained on several.

    Raises:
        UserError: there is no such name (the nearest is said), the model is not made, or its
            weights were dropped (the command that makes them again is said).
    """
    root = Path(directory)
    asked = [_asked(name, task, *one, root) for one in _grids(given, root, name)]
    found = next((one for one in asked if _is_of(one)), asked[0])
    folder = root / found.path
    needed = ["node.json", "model.safetensors"]
    if not found.path.startswith("results/models/"):
        needed.append(HEAD)
    if missing := [file for file in needed if not (folder / file).exists()]:
        dropped = (folder / "node.json").exists()
        what = "its weights were dropped after their evaluation" if dropped else "is not made yet"
        raise UserError(
            f"{name}: {what} ({folder / missing[0]} is missing); to make it:"
            f" {found.command(f'{found.path}/model.safetensors')}"
        )
    node = read_json(folder / "node.json")
    same_spec(folder, node["spec"], digest(found.spec))
    return _trained(name, found, folder, node)


def _is_of(asked: _Asked) -> bool:
    """Whether the checkpoint of a name is there, as this experiment wants it."""
    try:
        node = read_json(asked.root / asked.path / "node.json")
        return digest(node["spec"]) == digest(asked.spec)
    except (UserError, KeyError, TypeError):
        return False


def _grids(given: Sequence[str], root: Path, name: str) -> list[tuple[Grid, str, Sequence[str]]]:
    """Return grid, experiment and config files of each experiment that may have the name: of those
    that have it, or else of all."""
    if given:
        experiment = config.load(config_files.read(given))
        return [(Grid(experiment), config_files.name(experiment.settings, given), given)]
    folders = [path.parent for path in sorted((root / claims.EXPERIMENTS).glob("*/config.yaml"))]
    if not folders:
        raise UserError(
            f"{root / claims.EXPERIMENTS}: no experiment has been run here; --directory names the"
            " folder that holds `results`, --config the config"
        )
    grids: list[tuple[Grid, str, Sequence[str]]] = []
    errors: list[UserError] = []
    for folder in folders:
        try:
            grid = Grid(config.load(config_files.read([folder / "config.yaml"])))
            grids.append((grid, folder.name, claims.Experiment(folder).configs))
        except UserError as error:  # of another version, or damaged
            errors.append(error)
    if not grids:
        raise errors[0]
    return [one for one in grids if _has(one[0], name)] or grids


def _has(grid: Grid, name: str) -> bool:
    return name in {str(cell) for cell in grid.cells} | set(_intermediates(grid))


def _intermediates(grid: Grid) -> Iterator[str]:
    """Yield the name of every trained intermediate."""
    for cell in grid.cells:
        if grid.experiment.intermediates[cell.intermediate]:
            yield f"{cell.model}/{cell.intermediate}/{cell.seed}"


def _asked(
    name: str, task: str | None, grid: Grid, experiment: str, files: Sequence[str], root: Path
) -> _Asked:
    """Return what a name stands for in a grid; UserError saying which part of it is wrong."""
    parts = name.strip("/").split("/")
    if len(parts) not in (3, 4) or not all(parts):
        raise UserError(f"{name}: must be {FORM}")
    cells = [dataclasses.asdict(cell) for cell in grid.cells]
    for axis, part in zip(CELL, parts, strict=False):
        valid = list(dict.fromkeys(cell[axis] for cell in cells))
        if part not in valid:
            close = nearest(part, valid)
            if f"seed{part}" in valid:
                close = f"; did you mean `seed{part}`?"
            raise UserError(
                f"{name}: experiment `{experiment}` has no {axis} `{part}`{close}"
                f" (it has {', '.join(valid)})"
            )
    valid = [str(cell) for cell in grid.cells] if len(parts) == 4 else [*_intermediates(grid)]
    if "/".join(parts) not in valid:
        why = nearest(name, valid)
        if len(parts) == 3 and not grid.experiment.intermediates[parts[1]]:
            why = ": nothing is trained in that row before the target; name the target too"
        raise UserError(f"{name}: is not in experiment `{experiment}`{why}")
    model, intermediate, seed = parts[:3]
    if len(parts) == 4:
        if task is not None:
            raise UserError(
                f"--task: is for an intermediate of several tasks, and {name} is a cell"
            )
        cell = Cell(model, intermediate, seed, parts[3])
        return _Asked(grid, experiment, files, root, model, intermediate, seed, cell.target, cell)
    tasks = [m.task for m in grid.mixture(intermediate) if m.dev]
    if task is None and len(tasks) > 1:
        raise UserError(
            f"{name}: is trained on several tasks; choose by --task: {', '.join(tasks)}"
        )
    if task is not None and task not in tasks:
        raise UserError(
            f"--task: {name} has no head for `{task}`{nearest(task, tasks)}"
            f" (it has {', '.join(tasks)})"
        )
    return _Asked(grid, experiment, files, root, model, intermediate, seed, task or tasks[0], None)


def _trained(name: str, asked: _Asked, folder: Path, node: Mapping[str, Any]) -> Trained:
    grid, target = asked.grid, asked.grid.tasks[asked.task]
    settings = grid.experiment.settings["models"]
    layer: int | None = None
    head: str | None = None
    labels: tuple[str, ...] = ()
    if asked.train is None:
        length = grid.length(asked.task)
        requested = None if grid.experiment.toy else settings[asked.model]["retrieval_layer"]
        layer = _retrieval_layer(folder, requested)
    else:
        head = f"{node['heads'][asked.train]}." if len(node["heads"]) > 1 else ""
        if asked.cell:
            length = grid.tuned_recipes[asked.train].max_length
        else:
            members = grid.mixture(asked.intermediate)
            length = next(m.recipe.max_length for m in members if m.task == asked.train)
        labels = _labels(asked, node, length)
    cells = [cell for cell in grid.cells if grid.checkpoint(cell) == asked.path]
    tokenizer = f"results/models/{grid.tokenizer(asked.model)}"
    return Trained(
        name=name,
        folder=folder,
        node=node,
        base=None if grid.experiment.toy else settings[asked.model]["from"],
        tokenizer_folder=asked.root / tokenizer,
        task=target,
        labels=labels,
        max_length=length,
        head=head,
        layer=layer,
        specs=_specs(asked),
        scores=tuple(_scores(grid, asked.root, cells, node)),
    )


def _specs(asked: _Asked) -> dict[str, dict[str, Any]]:
    specs = {"the public checkpoint": asked.grid.model_spec(asked.model)}
    if asked.intermediate != NONE:
        stage_1 = asked.grid.encoder_spec(asked.model, asked.intermediate, asked.seed)
        specs[f"the intermediate `{asked.intermediate}`"] = stage_1
    if asked.cell and asked.train:
        specs[f"the tuning on `{asked.train}`"] = asked.spec
    return specs


def _retrieval_layer(folder: Path, requested: int | None) -> int:
    from transformers import AutoConfig

    return checkpoint.retrieval_layer(AutoConfig.from_pretrained(folder), requested)


def _labels(asked: _Asked, node: Mapping[str, Any], length: int) -> tuple[str, ...]:
    """Return the labels of a head's outputs: the task's, or those of its training rows."""
    assert asked.train is not None
    named = asked.grid.labelled_by(asked.train)
    if named is None:
        return asked.grid.tasks[asked.train].labels
    if told := node.get("labels", {}).get(asked.train):
        return tuple(told)
    task, lang, split = named  # a record from before 0.2.0
    rows = f"{asked.grid.tokenizer(asked.model)}/{task}/{lang}.{split}.{length}.safetensors"
    path = f"results/encoded/{rows}"
    try:
        return tuple(read_header(asked.root / path)[1]["labels"])
    except (UserError, KeyError):
        raise UserError(
            f"{asked.root / path}: is missing, which has the labels; to make it:"
            f" {asked.command(path)}"
        ) from None


def _scores(
    grid: Grid, root: Path, cells: Sequence[Cell], node: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the score files that were made with the weights of a checkpoint, with their split."""
    for split in ("dev", "test"):
        for cell in cells:
            for path in sorted((root / grid.scores(split) / str(cell)).glob("*.json")):
                score = read_json(path) if path.stem != "cell" else {}
                if score.get("weights") == node["weights"]:
                    yield {**score, "split": split}
