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
from xstilts.running import gpus, ledger
from xstilts.running.errors import UserError
from xstilts.running.files import read_json, split

# Bytes a parameter, fp32: weights, gradients, and Adam's two moments (Rajbhandari et al. 2020,
# arXiv 1910.02054, section 3.1, has 16 too); weights alone. And a copy of the weights in bf16.
TRAINED, LOADED, COPY = 16, 4, 2
# Bytes of a layer's activations that are kept for the backward pass, a token: of its width h and
# the width of its feed-forward network, which is 4 h there, 34 h in 16 bits (Korthikanti et al.
# 2022, arXiv 2205.05198, equation 2, without the scores of attention, which SDPA does not keep).
# In fp32 all but the masks of dropout, 2 h, is twice that: 66 h. Of autocast, which has
# LayerNorm in fp32, it is a bound.
OF_WIDTH, OF_INNER = 34, 8
LOGITS = 3 * 4  # bytes of a score over the vocabulary: itself, its logarithm, its gradient
STATE = 0.75  # of the memory of GPUs that a model is cut over; the rest is for activations
FRAGMENTS = 1.15  # what torch reserves for tensors of changing shapes, to what they take
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
    """

    folder: str
    out: str
    budget: int
    trained: bool = True
    largest: Callable[[], int] | None = None
    masked: bool = False
    searched: bool = False
    shards: int = 1

    @cached_property
    def parameters(self) -> int:
        """Those of the checkpoint; 0 where it cannot be read, as loading it will say."""
        try:
            with open(Path(self.folder, "model.safetensors"), "rb") as file:
                header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
            return sum(math.prod(one["shape"]) for k, one in header.items() if k != "__metadata__")
        except (OSError, ValueError, KeyError, TypeError, MemoryError, OverflowError):
            return 0

    @property
    def least(self) -> int:
        """Bytes of the weights, in training with gradients and moments.

        A model that is cut over several GPUs is first loaded on each. A retrieval loads a part of
        the layers, how much is not known here: 0.
        """
        if self.searched:
            return 0
        return max(LOADED, TRAINED // self.shards if self.trained else 0) * self.parameters

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
        """Return what it should take; None where that is not known."""
        from transformers import AutoConfig

        if self.searched:
            return None
        try:
            config = AutoConfig.from_pretrained(self.folder)
            shape = config.num_hidden_layers, config.hidden_size
        except (OSError, ValueError, AttributeError):
            return None
        inner = getattr(config, "intermediate_size", 4 * shape[1])
        tokens = min(self.budget, self.largest() if self.largest else self.budget)
        kept = activations(*shape, inner, tokens, self.trained)
        if self.trained:  # it is evaluated with four times the tokens, of which no layer is kept
            kept = max(kept, activations(*shape, inner, 4 * self.budget, False))
        logits = MLM_PROBABILITY * tokens * config.vocab_size * LOGITS if self.masked else 0
        return self.least + COPY * self.parameters + kept + round(logits) + gpus.CONTEXT

    def avoided(self) -> set[str]:
        """GPUs of this machine on which a job of these results has just failed."""
        return ledger.broken(self._events(), socket.gethostname(), time.time() - RECENT)

    def too_small(self, gpu: str, memory: int) -> str:
        """Say that a GPU has too little memory for the weights, and what would fit."""
        each = self.least // self.parameters
        what = "the weights" if each == LOADED else "weights, gradients and Adam's moments"
        cut = math.ceil(TRAINED * self.parameters / (STATE * memory))
        several = f"`gpus: {cut}` and `sharding: fsdp` in its entry, "
        fits = self.trained and self.shards == 1 and LOADED * self.parameters < memory
        return (
            f"{self._model}: {what} take {self.least / 1e9:.1f} GB ({self.parameters / 1e6:,.0f} M"
            f" parameters of {each} bytes), and {gpu} has {memory / 1e9:.1f}, room for"
            f" {memory / each / 1e6:,.0f} M: {several if fits else ''}a smaller model or a larger"
            " GPU (on SLURM `gpu_model`) is needed"
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


def activations(layers: int, width: int, inner: int, tokens: int, trained: bool) -> int:
    """Return the bytes of activations: of all layers in training, else of one at a time."""
    return (layers if trained else 1) * tokens * (OF_WIDTH * width + OF_INNER * inner)


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
