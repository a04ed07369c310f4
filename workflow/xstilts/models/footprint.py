"""The GPU memory of a job: what it takes in any case, and in all, by formula and as measured."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from xstilts.experiment import search
from xstilts.experiment.reference import Encoder
from xstilts.models import shape
from xstilts.models.activations import Activations
from xstilts.models.gpu_memory import (
    COPY,
    FRAGMENTS,
    GRADIENT,
    MOMENTS,
    WEIGHT,
    GpuMemory,
    of_adapter,
)
from xstilts.running import device as devices
from xstilts.running import gpus, ledger, weights
from xstilts.running.errors import UserError
from xstilts.running.files import read_json, split

LOGITS = 3 * 4  # bytes of a score over the vocabulary: itself, its logarithm, its gradient
RECENT = 3600.0  # seconds in which a GPU that has failed is avoided


@dataclass(frozen=True)
class Footprint:
    """A job's, of one process (`running.gpus.Need`).

    Attributes:
        folder: the checkpoint that it loads.
        out: what it makes, by which its model, its ledger and records of the like are known.
        budget: tokens of a micro-batch, padding included.
        trained: whether it trains.
        largest: tokens of the largest batch that is cut into micro-batches; asked where needed.
        masked: share of the tokens that are masked and told, if any are.
        searched: whether it holds embeddings to search in, of which no formula is here.
        shards: processes over which weights, gradients and moments are cut.
        rank: of the adapter that is trained in place of the model, counted as if it were on all
            linear layers; 0 for none.
        checkpointing: whether layers are run again in the backward pass.
        optimizer: of the recipe.
        length: tokens of the longest example.
    """

    folder: str
    out: str
    budget: int
    trained: bool = True
    largest: Callable[[], int] | None = None
    masked: float = 0.0
    searched: bool = False
    shards: int = 1
    rank: int = 0
    checkpointing: bool = False
    optimizer: str = "adamw"
    length: int = 512

    @cached_property
    def parameters(self) -> int:
        """Those of the checkpoint; 0 where it cannot be read, as loading it will say."""
        try:
            return weights.parameters(Path(self.folder, "model.safetensors"))
        except OSError:
            return 0

    @property
    def memory(self) -> GpuMemory | None:
        """What a GPU holds of the model, by formula; None where its config does not tell enough."""
        found = self._shape
        return (
            None
            if found is None
            else GpuMemory(
                found.with_parameters(self.parameters),
                self.trained,
                of_adapter(found, self.rank),
                self.checkpointing,
                self.optimizer,
                self.shards,
                devices.precision(),
            )
        )

    @cached_property
    def _shape(self) -> Encoder | None:
        try:
            return shape.of_config(read_json(Path(self.folder, "config.json")))
        except (UserError, OSError, AttributeError):
            return None

    @property
    def least(self) -> int:
        """Bytes of the weights, in training with gradients and moments.

        A retrieval loads a part of the layers, how much is not known here: 0. Of a model whose
        config does not tell its shape, all that goes with its parameters in any case: of an adapter
        the frozen weights in bf16, of 8-bit moments all of them so.
        """
        if self.searched:
            return 0
        if self.memory is not None:
            return self.memory.least
        each = WEIGHT if not self.trained else COPY if self.rank else self._each
        return round(each * self.parameters / self.shards)

    @property
    def _each(self) -> float:
        return WEIGHT + GRADIENT + MOMENTS[self.optimizer]

    @property
    def ran_out(self) -> bool:
        """Whether the last attempt ran out of GPU memory."""
        return ledger.ran_out(self._events(), self.out)

    def likely(self) -> int | None:
        """Return the bytes that it takes in all; None where it wants a device for itself: it ran
        out of memory, or nothing is known."""
        if self.ran_out:
            return None
        return self.measured() or self.expected()

    def measured(self) -> int | None:
        """Return the most that a like job took: a training of the model, of a search too, with the
        same optimizer and checkpointing; an evaluation of it on the same target. Activations go
        with the tokens of a micro-batch."""
        found = [
            self.least + (peak - self.least) * self.budget / (tokens or self.budget)
            for peak, tokens in map(self._peak, self._records())
            if peak
        ]
        return round(FRAGMENTS * max(found)) + gpus.CONTEXT if found else None

    def expected(self) -> int | None:
        """Return what it should take; None where that is not known. Activations are those of fp32,
        of which those of autocast are a half to two thirds."""
        if self.searched or self.memory is None:
            return None
        kept = Activations(self.memory.shape, bool(self.rank), "fp32", self.checkpointing)
        tokens = min(self.budget, self.largest() if self.largest else self.budget)
        # In training it is evaluated with four times the tokens.
        most = kept.of_evaluation((4 if self.trained else 1) * self.budget, self.length)
        if self.trained:
            most = max(most, kept.bytes(tokens, self.length))
        vocabulary = self.memory.shape.vocabulary
        logits = self.masked * tokens * vocabulary * LOGITS
        return self.least + self.memory.beside + most + round(logits) + gpus.CONTEXT

    def avoided(self) -> set[str]:
        """GPUs of this machine on which a job of these results has just failed."""
        return ledger.broken(self._events(), socket.gethostname(), time.time() - RECENT)

    def too_small(self, gpu: str, memory: int) -> str:
        """Say that a GPU has too little memory for the weights, and the first that would fit."""
        what = "weights, gradients and moments" if self.trained else "the weights"
        ways = self.memory.ways() if self.trained and self.memory else ()
        fits = next((key for key, way in ways if way.room(memory, self.length, self.length)), "")
        several = f" on each of {self.shards} GPUs" if self.shards > 1 else ""
        return (
            f"{self._model}: {what} take {self.least / 1e9:.1f} GB{several}"
            f" ({self.parameters / 1e6:,.0f} M parameters), and {gpu} has {memory / 1e9:.1f}:"
            f" {f'{fits}, ' if fits else ''}a smaller model or a larger GPU (on SLURM `gpu_model`)"
            " is needed"
        )

    @property
    def _model(self) -> str:
        found = split(self.out)
        return found[1].parts[1] if found and len(found[1].parts) > 1 else Path(self.folder).name

    def _events(self) -> list[dict[str, Any]]:
        path = ledger.path_of(self.out)
        return ledger.read(path) if path else []

    def _records(self) -> list[Path]:
        found = split(self.out)
        if not found:
            return []
        root, kind, target = found[0], found[1].parts[0], found[1].name
        if not self.trained:
            paths = root.glob(f"{kind}/{self._model}/*/*/{target}/*.json")
            return [path for path in paths if path.name != "cell.json"]
        made = f"encoders/{self._model}/*/*", f"tuned/{self._model}/*/*/*"
        tried = f"trials/{self._model}/*/*/*", f"trials/{self._model}/*/*/*/*"
        return [path for one in (*made, *tried) for path in root.glob(f"{one}/node.json")]

    def _peak(self, path: Path) -> tuple[int, int]:
        """Return the peak memory of a record that was made on one GPU, as this job would be, in
        bytes, and the tokens of its micro-batches (0: not told); zeros of any other."""
        try:
            record = read_json(path)
            alone = record["device"] != "cpu" and record.get("ranks", 1) == 1
            if not alone or (self.trained and _way(record) != (self.checkpointing, self.optimizer)):
                return 0, 0
            return int(record["peak_memory"]), int(record.get("micro_batch_tokens", 0))
        except (UserError, KeyError, TypeError, ValueError, AttributeError):
            return 0, 0


def _way(record: dict[str, Any]) -> tuple[bool, str]:
    """Return whether layers were run again, and the optimizer, of the record of a training."""
    recipe = record.get("spec", {}).get("recipe", {}) | record.get(search.CHOSEN, {})
    return record.get("checkpointing", False), recipe.get("optimizer", "adamw")
