"""The state of a training: all that its next step follows from, besides the spec and the data.

What is drawn next follows from the seed and the numbers of batches drawn (`mixture.py`), and what a
format draws from the seed and the step; so only torch's generator, of dropout, has a state.
"""

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from xstilts.models import adapters, shards
from xstilts.running import ranks
from xstilts.running.energy import Meter
from xstilts.training import host, mixture
from xstilts.training.mixture import TaskStream
from xstilts.training.tasks import TrainingTask, named_heads, snapshot

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
            "attempts": len(self.resumed_at) + 1,
            "resumed_at": self.resumed_at,
        }

    def to_saved(self, beside: bool) -> tuple[dict[str, Any], dict]:
        """Return the record (plain data) and the tensors, by name, of a saved state.

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
        }
        losses = [loss for _, loss in self.recent_losses]
        tensors = {"recent": host.copy(torch.stack(losses) if losses else torch.empty(0))}
        for rank, states in enumerate(ranks.every(_generators(self.encoder.device))):
            tensors |= {f"generator {rank} {kind}": value for kind, value in states.items()}
        weights = {"now": snapshot(self.encoder, self.tasks), "best": self.best_weights}
        for kind, states in weights.items():
            for name, state in states.items():
                tensors |= {f"{kind} {name} {key}": value for key, value in state.items()}
        moments = host.copy if beside else _on_the_host
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer {index} {k}": moments(v) for k, v in state.items()}
        return copy.deepcopy(record), tensors

    def restore(self, record: dict[str, Any], tensors: dict) -> None:
        """Continue from a saved state."""
        import torch

        grouped: dict[str, dict] = {}
        for name, value in tensors.items():
            kind, _, key = name.partition(" ")
            grouped.setdefault(kind, {})[key] = value
        weights = _by_module(grouped["now"])
        _load(self.encoder, weights["encoder"])
        for name, head in named_heads(self.tasks).items():
            prefix = f"{name}." if len(self.tasks) > 1 else ""
            own = {k: v for k, v in weights["head"].items() if k.startswith(prefix)}
            _load(head, {k.removeprefix(prefix): v for k, v in own.items()})
        groups = self.optimizer.param_groups
        parameters = [p for group in groups for p in group["params"]]
        moments = {
            int(index): {
                k: shards.shard_like(v, parameters[int(index)]) if v.ndim else v
                for k, v in state.items()
            }
            for index, state in _by_module(grouped.get("optimizer", {})).items()
        }
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        # Other ranks than those that saved go on with new dropout.
        generators = _by_module(grouped["generator"])
        if len(generators) == ranks.size():
            own = generators[str(ranks.rank())]
            torch.set_rng_state(own["cpu"])
            if "cuda" in own and self.encoder.device.type == "cuda":
                torch.cuda.set_rng_state(own["cuda"])
        for name, key in COUNTERS.items():
            setattr(self, name, record[key])
        for stream, drawn in zip(self.streams, record["drawn"], strict=True):
            stream.drawn.update(drawn)
        losses = grouped["recent"][""].to(self.encoder.device)
        self.recent_losses = list(zip(record["recent"], losses, strict=True))
        self.step, self.best_weights = record["step"], _by_module(grouped.get("best", {}))
        self.start = time.monotonic() - record["seconds"]
        self.energy = Meter(record["joules"])
        self.resumed_at = [*record["resumed_at"], self.step]


def _on_the_host(tensor):
    return shards.full_tensor(tensor.detach()).cpu()


def _generators(device) -> dict[str, Any]:
    import torch

    states = {"cpu": torch.get_rng_state()}
    return states | ({"cuda": torch.cuda.get_rng_state()} if device.type == "cuda" else {})


def _load(module, state: dict) -> None:
    own = adapters.trained(module)
    module.load_state_dict(
        {key: shards.shard_like(state[key], value) for key, value in own.items()},
        strict=len(own) == len(module.state_dict()),
    )


def _by_module(state: dict) -> dict[str, dict]:
    modules: dict[str, dict] = {}
    for name, value in state.items():
        module, _, key = name.partition(" ")
        modules.setdefault(module, {})[key] = value
    return modules
