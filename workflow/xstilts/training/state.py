"""The state of a training: all that its next step follows from, besides the spec and the data.

What is drawn next follows from the seed and the numbers of batches drawn (`mixture.py`), and what a
format draws from the seed and the step; so only torch's generator, of dropout, has a state.
"""

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xstilts.models import checkpointing, shards
from xstilts.running import ranks
from xstilts.running.energy import Meter
from xstilts.training import host, mixture
from xstilts.training import optimizer as optimizers
from xstilts.training.mixture import TaskStream
from xstilts.training.storage import Tensors
from xstilts.training.tasks import TrainingTask, named_heads, snapshot, weights

# Attributes of plain data -> their names in a saved state.
COUNTERS = {
    "tokens": "pieces",
    "max_tokens": "budget",
    "stale_evaluations": "stale",
    "history": "history",
    "best": "best",
    "resumed_at": "resumed_at",
    "evaluation_seconds": "evaluating",
}


@dataclass
class TrainingState:
    """A training and its progress.

    Attributes:
        encoder, tasks, optimizer, streams: what is trained, by what, on what.
        max_tokens: of a micro-batch, with padding; less than asked for if memory was too small.
        step: optimizer steps done; `tokens`, those of all their batches, without padding.
        history: every evaluation; `best`, the best of them, and `best_weights` its weights;
            `stale_evaluations`, those since then, for early stopping.
        recent_losses: task and loss (tensor) of each step since the last evaluation.
        start: on the clock, as if it had never been interrupted; `evaluation_seconds`, of those
            since.
        energy: counts in all attempts.
        resumed_at: the step at which each attempt resumed.
        recorded: step -> what is recorded of each train row after it (`gold.of_rows`).
    """

    encoder: Any
    tasks: Sequence[TrainingTask]
    optimizer: Any
    streams: Sequence[TaskStream]
    max_tokens: int
    step: int = 0
    tokens: int = 0
    stale_evaluations: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] = field(default_factory=dict)
    best_weights: dict[str, dict] = field(default_factory=dict)
    recent_losses: list[tuple[str, Any]] = field(default_factory=list)
    start: float = field(default_factory=time.monotonic)
    evaluation_seconds: float = 0.0
    energy: Meter = field(default_factory=Meter)
    resumed_at: list[int] = field(default_factory=list)
    recorded: dict[int, np.ndarray] = field(default_factory=dict)

    @property
    def modules(self) -> list[Any]:
        """The modules with weights: the encoder, then each head once."""
        return [self.encoder, *named_heads(self.tasks).values()]

    @property
    def seconds(self) -> float:
        """Seconds spent so far, in all attempts."""
        return time.monotonic() - self.start

    def record(self) -> dict[str, Any]:
        """Return what `node.json` says of the run."""
        seconds = self.seconds
        return {
            "steps": self.step,
            "best": self.best,
            "history": self.history,
            "drawn": mixture.record(self.streams),
            "seconds": round(seconds, 2),
            **self.energy.record(),
            "tokens": self.tokens,
            "tokens_per_second": round(
                self.tokens / max(seconds - self.evaluation_seconds, 1e-9), 1
            ),
            "micro_batch_tokens": self.max_tokens,
            **({"checkpointing": True} if self.encoder.is_activation_checkpointing else {}),
            "attempts": len(self.resumed_at) + 1,
            "resumed_at": self.resumed_at,
        }

    def to_saved(self, beside: bool) -> tuple[dict[str, Any], dict]:
        """Return the record (plain data) and the tensors, by name, of a saved state: of what is cut
        this rank's pieces, all else in the first rank alone. All ranks have to call this.

        With `beside` they stay what they are while training goes on; see `host.copy` for when the
        tensors may be read.
        """
        import torch

        record = {key: getattr(self, name) for name, key in COUNTERS.items()}
        record |= {
            "seconds": self.seconds,
            "joules": self.energy.joules,
            "drawn": [stream.drawn for stream in self.streams],
            "recent": [task for task, _ in self.recent_losses],
            "checkpointing": self.encoder.is_activation_checkpointing,
        }
        losses = [loss for _, loss in self.recent_losses]
        tensors = {"recent": host.copy(torch.stack(losses) if losses else torch.empty(0))}
        if ranks.rank() == 0:
            tensors |= {f"recorded {n}": torch.from_numpy(v) for n, v in self.recorded.items()}
        generators = enumerate(ranks.every(_generators(self.encoder.device)))
        for rank, states in generators if ranks.rank() == 0 else ():
            tensors |= {f"generator {rank} {kind}": value for kind, value in states.items()}
        kinds = {"now": snapshot(self.encoder, self.tasks), "best": self.best_weights}
        for kind, states in kinds.items():
            for name, state in states.items():
                tensors |= {f"{kind} {name} {key}": value for key, value in state.items()}
        moments = host.copy if beside else _on_the_host
        for name, value in optimizers.moments(self.optimizer).items():
            tensors[f"optimizer {name}"] = moments(value)
        own = {name: value for name, value in tensors.items() if value is not None}
        return copy.deepcopy(record), own

    def restore(self, record: dict[str, Any], tensors: Tensors) -> None:
        """Continue from a saved state, of any number of ranks."""
        import torch

        best: dict[str, dict] = {}
        with torch.no_grad():
            for name, state in weights(self.encoder, self.tasks).items():
                for key, value in state.items():
                    now = shards.saved_piece(value, tensors, f"now {name} {key}")
                    shards.local_tensor(value).copy_(now)
                    if record["best"]:
                        own = best.setdefault(name, {})
                        own[key] = None
                        if host.saved(value) is not None:
                            own[key] = shards.saved_piece(value, tensors, f"best {name} {key}")
        optimizers.restore(self.optimizer, tensors)
        if record.get("checkpointing"):
            checkpointing.enable(self.encoder)
        # Other ranks than those that saved go on with new dropout.
        generators = {name for name in tensors if name.startswith("generator")}
        if sum(name.endswith("cpu") for name in generators) == ranks.size():
            on_cpu, on_gpu = (f"generator {ranks.rank()} {kind}" for kind in ("cpu", "cuda"))
            torch.set_rng_state(tensors[on_cpu])
            if on_gpu in tensors and self.encoder.device.type == "cuda":
                torch.cuda.set_rng_state(tensors[on_gpu])
        for name, key in COUNTERS.items():
            setattr(self, name, record[key])
        for stream, drawn in zip(self.streams, record["drawn"], strict=True):
            stream.drawn.update(drawn)
        of = {int(n.split()[1]): tensors[n].numpy() for n in tensors if n.startswith("recorded ")}
        self.recorded = dict(sorted(of.items()))
        losses = tensors["recent"].to(self.encoder.device)
        self.recent_losses = list(zip(record["recent"], losses, strict=True))
        self.step, self.best_weights = record["step"], best
        self.start = time.monotonic() - record["seconds"]
        self.energy = Meter(record["joules"])
        self.resumed_at = [*record["resumed_at"], self.step]


def _on_the_host(tensor):
    own = host.saved(tensor)
    return None if own is None else own.cpu()


def _generators(device) -> dict[str, Any]:
    import torch

    states = {"cpu": torch.get_rng_state()}
    return states | ({"cuda": torch.cuda.get_rng_state()} if device.type == "cuda" else {})
