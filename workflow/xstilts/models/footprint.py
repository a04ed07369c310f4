"""The GPU memory of a job: what it takes in any case, and in all, by formula and as measured."""

import json
import math
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from xstilts.formats.mlm import MLM_PROBABILITY
from xstilts.models import shape
from xstilts.models.activations import Activations
from xstilts.models.gpu_memory import FRAGMENTS, GpuMemory, of_adapter
from xstilts.running import gpus, ledger
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
        masked: whether it trains masked language modelling.
        searched: whether it holds embeddings to search in, of which no formula is here.
        shards: processes over which weights, gradients and moments are cut.
        rank: of the adapter that is trained in place of the model; 0 for none.
        checkpointing: whether layers are run again in the backward pass.
        optimizer: of the recipe.
        length: tokens of the longest example.
    """

    folder: str
    out: str
    budget: int
    trained: bool = True
    largest: Callable[[], int] | None = None
    masked: bool = False
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
            with open(Path(self.folder, "model.safetensors"), "rb") as file:
                header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
            return sum(math.prod(one["shape"]) for k, one in header.items() if k != "__metadata__")
        except (OSError, ValueError, KeyError, TypeError, MemoryError, OverflowError):
            return 0

    @cached_property
    def memory(self) -> GpuMemory | None:
        """What a GPU holds of the model, by formula; None where its config does not tell enough."""
        try:
            found = shape.of_config(read_json(Path(self.folder, "config.json")))
        except (UserError, OSError, AttributeError):
            return None
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
            )
        )

    @property
    def least(self) -> int:
        """Bytes of the weights, in training with gradients and moments.

        A retrieval loads a part of the layers, how much is not known here: 0.
        """
        return 0 if self.searched or self.memory is None else self.memory.least

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
        """Return the most that a like job took: a training of the model, an evaluation of it on the
        same target. Activations go with the tokens of a micro-batch."""
        found = [
            self.least + (peak - self.least) * self.budget / (tokens or self.budget)
            for peak, tokens in map(_peak, self._records())
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
        logits = MLM_PROBABILITY * tokens * vocabulary * LOGITS if self.masked else 0
        return self.least + self.memory.beside + most + round(logits) + gpus.CONTEXT

    def avoided(self) -> set[str]:
        """GPUs of this machine on which a job of these results has just failed."""
        return ledger.broken(self._events(), socket.gethostname(), time.time() - RECENT)

    def too_small(self, gpu: str, memory: int) -> str:
        """Say that a GPU has too little memory for the weights, and the first that would fit."""
        assert self.memory
        what = "weights, gradients and moments" if self.trained else "the weights"
        ways = self.memory.ways() if self.trained else ()
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
        patterns = f"encoders/{self._model}/*/*", f"tuned/{self._model}/*/*/*"
        return [path for one in patterns for path in root.glob(f"{one}/node.json")]


def _peak(path: Path) -> tuple[int, int]:
    """Return the peak memory of a record that was made on one GPU, in bytes, and the tokens of its
    micro-batches (0: not told); zeros of any other."""
    try:
        record = read_json(path)
        if record["device"] == "cpu" or record.get("ranks", 1) > 1:
            return 0, 0
        return int(record["peak_memory"]), int(record.get("micro_batch_tokens", 0))
    except (UserError, KeyError, TypeError, ValueError):
        return 0, 0
