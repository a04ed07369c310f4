"""Which GPUs the trainings of a grid fit, and what makes them fit others."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from xstilts.experiment import search
from xstilts.experiment.grid import Grid
from xstilts.experiment.recipe import Member, Recipe
from xstilts.models.gpu_memory import GpuMemory, of_adapter
from xstilts.monitoring.estimate.model_sizes import ModelSize

MEMORIES = (24.0, 40.0, 80.0)  # GB, of common GPUs
CHOICES = 5  # that an example may have, each as long as the recipe says
NO = "no"


@dataclasses.dataclass(frozen=True)
class Longest:
    """The training of a model that takes most: of which task, the tokens of its longest example,
    its optimizer."""

    task: str
    length: int
    optimizer: str


def longest(model: str, grid: Grid) -> Longest | None:
    """Return the training of a model whose examples are longest; None where none is trained."""
    most = lambda *of: search.most(grid.searches.of(model, *of))  # noqa: E731
    members: list[Member] = []
    cells = [cell for cell in grid.cells if cell.model == model]
    for name in dict.fromkeys(one for cell in cells for one in grid.chain(cell.intermediate)):
        members += grid.mixture(name, model, most(name))
    tuned = {(c.intermediate, task): None for c in cells for task in grid.tunings(c.target)}
    for intermediate, task in tuned:
        members += grid.tuning(task, model, most(intermediate, task))
    each = [Longest(m.task, _tokens(m.task, m.recipe, grid), _optimizer(m.recipe)) for m in members]
    return max(each, key=lambda one: (one.length, one.optimizer == "adamw"), default=None)


def _tokens(task: str, recipe: Recipe, grid: Grid) -> int:
    times = CHOICES if grid.experiment.tasks[task].format == "choice" else 1
    return times * recipe.max_length


def _optimizer(recipe: Recipe) -> str:
    return getattr(recipe, "optimizer", "adamw")


def adapter_of(entry: Mapping[str, Any], size: ModelSize) -> int:
    """Return the parameters of the adapters of a model's entry, as if they were on all linear
    layers; 0 where it has none."""
    adapter = entry.get("adapter")
    if adapter is None or size.shape is None:
        return 0
    return of_adapter(size.shape, adapter["rank"])


def memory_of(entry: Mapping[str, Any], size: ModelSize, optimizer: str) -> GpuMemory | None:
    """Return what a GPU holds in a training of a model, as its entry in the config asks for."""
    if size.shape is None:
        return None
    return GpuMemory(
        size.shape,
        adapter=adapter_of(entry, size),
        checkpointing=entry.get("checkpointing") in ("yes", True),
        optimizer=optimizer,
        shards=entry["gpus"] if entry.get("sharding") == "fsdp" else 1,
    )


def cell(memory: GpuMemory, size: float, length: int, budget: int, automatic: bool) -> str:
    """Return what is to be said of a model and a GPU of so many bytes.

    Args:
        length: tokens of the longest example.
        budget: tokens of a micro-batch, which are fewer where these do not fit.
        automatic: whether `checkpointing: auto` comes to help.

    Returns:
        `yes`, the tokens of a micro-batch where there is no room for the whole, what would have to
        be changed, or `no`.
    """
    evaluated = dataclasses.replace(memory, trained=False, shards=1)
    if not evaluated.room(size, length, length):
        return f"{NO}: evaluation takes {evaluated.peak(length, length) / 1e9:.0f} GB"
    if room := memory.room(size, length, budget):
        return "yes" if room >= budget else f"{room:,} tokens"
    if automatic and dataclasses.replace(memory, checkpointing=True).room(size, length, length):
        return "by checkpointing"
    fitting = [(key, way) for key, way in memory.ways() if way.room(size, length, length)]
    whole = next((key for key, way in fitting if not way.adapter or memory.adapter), None)
    adapter = next((key for key, way in fitting if way.adapter and not memory.adapter), None)
    return " or ".join(key for key in (whole, adapter) if key).replace("`", "") or NO


def table(
    grid: Grid, sizes: Mapping[str, ModelSize], memories: Sequence[float] = MEMORIES
) -> list[list[str]]:
    """Return a table of text: the memory of each model's trainings, and whether GPUs of so many GB
    have it; empty where nothing is trained, and in the toy world."""
    if grid.experiment.toy:
        return []
    settings: Any = grid.experiment.settings
    head = ["GPU memory", "GB", "longest example", *(f"{memory:g} GB" for memory in memories)]
    rows = []
    for model, entry in settings["models"].items():
        most = longest(model, grid)
        memory = most and memory_of(entry, sizes[model], most.optimizer)
        if not most or not memory:
            continue
        shown = (memory.least + memory.beside) / 1e9, memory.peak(most.length, most.length) / 1e9
        example = f"{most.task}, {most.length} tokens: {shown[1]:.1f} GB"
        budget, automatic = settings["micro_batch_tokens"], entry.get("checkpointing") == "auto"
        cells = [cell(memory, one * 1e9, most.length, budget, automatic) for one in memories]
        rows.append([model, f"{shown[0]:.1f}", example, *cells])
    return [head, *rows] if rows else []
