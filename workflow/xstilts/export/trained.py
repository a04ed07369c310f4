"""A trained model: its checkpoint, and what a run says of it."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xstilts import formats
from xstilts.encoding.header import read_header
from xstilts.experiment.cells import Cell
from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import CHECKPOINT, HEAD, checkpoint_files
from xstilts.experiment.tasks import MASKED, Task
from xstilts.export import names
from xstilts.export.names import Named
from xstilts.models import adapters, checkpoint
from xstilts.running.errors import UserError
from xstilts.running.files import read_json


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

    @property
    def format(self) -> str:
        """The format that its head is of: a retrieval that is tuned is a dual encoder's."""
        tuned = self.head is not None and self.task.format == "retrieval"
        return "dual" if tuned else self.task.format

    @property
    def columns(self) -> dict[str, str]:
        """What the task says of columns: of rows of that format."""
        return dict(self.task.columns) if self.format == self.task.format else {}

    def load(self) -> tuple[Any, Any]:
        """Return encoder and head in fp32, on the CPU; UserError if they are damaged."""
        encoder = checkpoint.load_encoder(self.folder, layers=self.layer)
        head = formats.page(self.format).head(encoder, list(self.labels))
        if self.head is not None:
            checkpoint.load_head(head, self.folder, self.head)
        return encoder.eval(), head.eval()


def find(
    name: str,
    given: Sequence[str] = (),
    directory: str | Path = ".",
    task: str | None = None,
) -> Trained:
    """Return the model of a name.

    Args:
        name: see `names.FORM`.
        given: config files of the experiment; none for any that has been run in the folder.
        directory: the folder that holds `results`.
        task: which of the tasks, of an intermediate that is trained on several.

    Raises:
        UserError: there is no such name (the nearest is said), the model is not made, or its
            weights were dropped (the command that makes them again is said), or its head is for
            no rows of text.
    """
    found = names.look_up(name, given, Path(directory), task)
    folder = found.root / found.path
    if why := _encoder_alone(found):
        raise UserError(
            f"{name}: {why}; what it leaves is its encoder, which {folder} is as transformers loads"
            " it"
        )
    adapter = found.grid.adapter(found.model) is not None
    weights, *rest = checkpoint_files(found.path, adapter)
    record, *heads = (path for path in rest if path.endswith(("/node.json", f"/{HEAD}")))
    needed = [record, weights, *heads]
    if missing := [path for path in needed if not (found.root / path).exists()]:
        dropped = (folder / "node.json").exists()
        what = "its weights were dropped after their evaluation" if dropped else "is not made yet"
        raise UserError(
            f"{name}: {what} ({found.root / missing[0]} is missing); to make it:"
            f" {found.command(weights)}"
        )
    if not found.made:
        raise UserError(
            f"{name}: {folder} is of another spec than experiment `{found.experiment}` asks for; to"
            f" make it: {found.command(weights)}"
        )
    if not (base := adapters.backbone(folder) / CHECKPOINT[0]).exists():
        path = f"results/models/{found.model}/{CHECKPOINT[0]}"
        raise UserError(
            f"{name}: {base} is missing, which its adapter is on; to make it: {found.command(path)}"
        )
    return _trained(name, found, folder, read_json(folder / "node.json"))


def _encoder_alone(named: Named) -> str:
    """Return why the head of a model is of no use without its training, "" where it is."""
    if named.train is None:
        return ""
    task = named.grid.tasks[named.train]
    if task.images and (named.cell or named.grid.entry(named.intermediate).get("images") != "none"):
        return f"`{task.name}` comes with pictures, which only its training and evaluation read"
    if task.format in MASKED:
        return f"`{task.name}` hides tokens and tells them, so there is nothing of a row to predict"
    return ""


def _trained(name: str, named: Named, folder: Path, node: Mapping[str, Any]) -> Trained:
    grid, target = named.grid, named.grid.tasks[named.task]
    settings = grid.experiment.settings["models"]
    layer: int | None = None
    head: str | None = None
    labels: tuple[str, ...] = ()
    if named.train is None:
        length = grid.length(named.task)
        requested = None if grid.experiment.toy else settings[named.model]["retrieval_layer"]
        layer = _retrieval_layer(folder, requested)
    else:
        head = f"{node['heads'][named.train]}." if len(node["heads"]) > 1 else ""
        if named.cell:
            length = grid.tuned_recipes[named.train].max_length
        else:
            members = grid.mixture(named.intermediate)
            length = next(m.recipe.max_length for m in members if m.task == named.train)
        labels = _labels(named, node, length)
    cells = [cell for cell in grid.cells if grid.checkpoint(cell) == named.path]
    tokenizer = f"results/models/{grid.tokenizer(named.model)}"
    return Trained(
        name=name,
        folder=folder,
        node=node,
        base=None if grid.experiment.toy else settings[named.model]["from"],
        tokenizer_folder=named.root / tokenizer,
        task=target,
        labels=labels,
        max_length=length,
        head=head,
        layer=layer,
        specs=_specs(named),
        scores=tuple(_scores(grid, named.root, cells, node)),
    )


def _specs(named: Named) -> dict[str, dict[str, Any]]:
    specs = {"the public checkpoint": named.grid.model_spec(named.model)}
    for name in named.grid.chain(named.intermediate):
        spec = named.grid.encoder_spec(named.model, name, named.seed)
        specs[f"the intermediate `{name}`"] = spec
    if named.cell and named.train:
        specs[f"the tuning on `{named.train}`"] = named.spec
    return specs


def _retrieval_layer(folder: Path, requested: int | None) -> int:
    from transformers import AutoConfig

    return checkpoint.retrieval_layer(
        AutoConfig.from_pretrained(adapters.backbone(folder)), requested
    )


def _labels(named: Named, node: Mapping[str, Any], length: int) -> tuple[str, ...]:
    """Return the labels of a head's outputs: the task's, or those of its training rows."""
    assert named.train is not None
    rows = named.grid.labelled_by(named.train)
    if rows is None:
        return named.grid.tasks[named.train].labels
    if told := node.get("labels", {}).get(named.train):
        return tuple(told)
    task, lang, split = rows  # a record from before 0.2.0
    file = f"{task}/{lang}.{split}.{length}.safetensors"
    path = f"results/encoded/{named.grid.tokenizer(named.model)}/{file}"
    try:
        return tuple(read_header(named.root / path)[1]["labels"])
    except (UserError, KeyError):
        raise UserError(
            f"{named.root / path}: is missing, which has the labels; to make it:"
            f" {named.command(path)}"
        ) from None


def _scores(
    grid: Grid, root: Path, cells: Sequence[Cell], node: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the score files that were made with the weights of a checkpoint, with their split."""
    own = grid.experiment.settings["split"]
    for split in dict.fromkeys((own, "test")):
        for cell in cells:
            for path in sorted((root / grid.scores(split) / str(cell)).glob("*.json")):
                score = read_json(path) if path.stem != "cell" else {}
                if score.get("weights") == node["weights"]:
                    yield {**score, "split": split}
