"""What the name of a model stands for: `xlmr/mnli/seed1/xnli` a cell, `xlmr/mnli/seed1` an
intermediate."""

import dataclasses
import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from xstilts.experiment import config, config_files
from xstilts.experiment.cells import CELL, Cell
from xstilts.experiment.grid import Grid
from xstilts.monitoring import claims
from xstilts.running.errors import UserError, nearest
from xstilts.running.files import digest, read_json

FORM = "MODEL/INTERMEDIATE/SEED/TARGET of a cell, or MODEL/INTERMEDIATE/SEED of an intermediate"


@dataclasses.dataclass(frozen=True)
class Named:
    """What a name stands for in the grid of one experiment.

    Attributes:
        grid, experiment: of it, and its name.
        files: the config files by which it was run last, if that is known.
        root: the folder that holds `results`.
        model, intermediate, seed: the first parts of the name.
        task: the target, or the task of the intermediate.
        cell: None for an intermediate.
    """

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

    @property
    def made(self) -> bool:
        """Whether the record of the checkpoint says what the experiment asks for."""
        try:
            node = read_json(self.root / self.path / "node.json")
            return digest(node["spec"]) == digest(self.spec)
        except (UserError, KeyError, TypeError):
            return False


def _written(path: str) -> str:
    """Return a path as one would write it here."""
    below = os.path.relpath(path)
    return shlex.quote(path if below.startswith("..") else below)


def look_up(name: str, given: Sequence[str], root: Path, task: str | None) -> Named:
    """Return what a name stands for.

    Args:
        name: see `FORM`.
        given: config files of the experiment; none for any that has been run in the folder, rather
            one whose checkpoint is there.
        root: the folder that holds `results`.
        task: which of the tasks, of an intermediate that is trained on several.

    Raises:
        UserError: there is no such name or task; the nearest is said.
    """
    named = [_named(name, task, *one, root) for one in _grids(given, root, name)]
    return next((one for one in named if one.made), named[0])


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
    """Yield the name of every trained intermediate, those that others follow on among them."""
    for cell in grid.cells:
        for name in reversed(grid.chain(cell.intermediate)):
            yield f"{cell.model}/{name}/{cell.seed}"


def _named(
    name: str, task: str | None, grid: Grid, experiment: str, files: Sequence[str], root: Path
) -> Named:
    """Return what a name stands for in a grid; UserError saying which part of it is wrong."""
    parts = name.strip("/").split("/")
    if len(parts) not in (3, 4) or not all(parts):
        raise UserError(f"{name}: must be {FORM}")
    cells = [dataclasses.asdict(cell) for cell in grid.cells]
    for axis, part in zip(CELL, parts, strict=False):
        valid = list(dict.fromkeys(cell[axis] for cell in cells))
        if axis == "intermediate" and len(parts) == 3:
            valid += [one.split("/")[1] for one in _intermediates(grid)]
            valid = list(dict.fromkeys(valid))
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
        return Named(grid, experiment, files, root, model, intermediate, seed, cell.target, cell)
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
    return Named(grid, experiment, files, root, model, intermediate, seed, task or tasks[0], None)
