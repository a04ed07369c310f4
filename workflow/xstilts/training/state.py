"""Position: how far a training is, with all that its next step follows from besides spec and data.

What is drawn next follows from the seed and the numbers of batches drawn (`mixture.py`), and what a
format draws from the seed and the step; so only torch's generator, of dropout, has a state.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from xstilts.models import shards
from xstilts.running import ranks
from xstilts.running.energy import Meter
from xstilts.training import mixture
from xstilts.training.mixture import Stream
from xstilts.training.parts import Part, named_heads, snapshot

COUNTERS = ("pieces", "budget", "stale", "history", "best", "resumed_at", "evaluating")


@dataclass
class Position:
    """A training, and how far it is.

    Attributes:
        encoder, parts, optimizer, streams: what is trained, by what, on what.
        budget: pieces of a micro-batch; less than asked for if the memory was too small.
        done: optimizer steps; `pieces`, the real pieces that they have seen.
        history: every evaluation; `best`, the best of them, and `weights` its weights; `stale`,
            evaluations since then.
        recent: task and loss (tensor) of each step since the last evaluation.
        start: on the clock, as if it had never been interrupted; `evaluating`, seconds of
            evaluations.
        energy: counts in all attempts.
        resumed_at: the step at which each attempt went on.
    """

    encoder: Any
    parts: Sequence[Part]
    optimizer: Any
    streams: Sequence[Stream]
    budget: int
    done: int = 0
    pieces: int = 0
    stale: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, dict] = field(default_factory=dict)
    recent: list[tuple[str, Any]] = field(default_factory=list)
    start: float = field(default_factory=time.monotonic)
    evaluating: float = 0.0
    energy: Meter = field(default_factory=Meter)
    resumed_at: list[int] = field(default_factory=list)

    @property
    def modules(self) -> list[Any]:
        """All that has weights: the encoder, then each head once."""
        return [self.encoder, *named_heads(self.parts).values()]

    @property
    def seconds(self) -> float:
        """Seconds spent so far, in all attempts."""
        return time.monotonic() - self.start

    def record(self) -> dict[str, Any]:
        """Return what `node.json` says of the run."""
        seconds = self.seconds
        return {
            "steps": self.done,
            "best": self.best,
            "history": self.history,
            "drawn": mixture.record(self.streams),
            "seconds": round(seconds, 2),
            **self.energy.record(),
            "tokens": self.pieces,
            "tokens_per_second": round(self.pieces / max(seconds - self.evaluating, 1e-9), 1),
            "micro_batch_tokens": self.budget,
            "attempts": len(self.resumed_at) + 1,
            "resumed_at": self.resumed_at,
        }

    def packed(self) -> tuple[dict[str, Any], dict]:
        """Return it as plain data, and as tensors by name."""
        import torch

        record = {name: getattr(self, name) for name in COUNTERS}
        record |= {
            "seconds": self.seconds,
            "joules": self.energy.joules,
            "drawn": [stream.drawn for stream in self.streams],
            "recent": [task for task, _ in self.recent],
        }
        tensors = {"recent": torch.tensor([float(loss) for _, loss in self.recent])}
        for rank, states in enumerate(ranks.every(_generators(self.encoder.device))):
            tensors |= {f"generator {rank} {kind}": value for kind, value in states.items()}
        for kind, states in (("now", snapshot(self.encoder, self.parts)), ("best", self.weights)):
            for name, state in states.items():
                tensors |= {f"{kind} {name} {key}": value for key, value in state.items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {
                f"optimizer {index} {k}": shards.whole(v.detach()).cpu() for k, v in state.items()
            }
        return record, tensors

    def unpack(self, record: dict[str, Any], tensors: dict) -> None:
        """Go to a position that was packed."""
        import torch

        grouped: dict[str, dict] = {}
        for name, value in tensors.items():
            kind, _, key = name.partition(" ")
            grouped.setdefault(kind, {})[key] = value
        now, best = _by_module(grouped["now"]), _by_module(grouped.get("best", {}))
        _load(self.encoder, now["encoder"])
        for name, head in named_heads(self.parts).items():
            prefix = f"{name}." if len(self.parts) > 1 else ""
            own = {k: v for k, v in now["head"].items() if k.startswith(prefix)}
            _load(head, {k.removeprefix(prefix): v for k, v in own.items()})
        groups = self.optimizer.param_groups
        parameters = [p for group in groups for p in group["params"]]
        moments = {
            int(index): {
                k: shards.like(v, parameters[int(index)]) if v.ndim else v for k, v in state.items()
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
        for name in COUNTERS:
            setattr(self, name, record[name])
        for stream, drawn in zip(self.streams, record["drawn"], strict=True):
            stream.drawn.update(drawn)
        losses = grouped["recent"][""].to(self.encoder.device)
        self.recent = list(zip(record["recent"], losses, strict=True))
        self.done, self.weights = record["step"], best
        self.start = time.monotonic() - record["seconds"]
        self.energy = Meter(record["joules"])
        self.resumed_at = [*record["resumed_at"], self.done]


def _generators(device) -> dict[str, Any]:
    import torch

    found = {"cpu": torch.get_rng_state()}
    return found | ({"cuda": torch.cuda.get_rng_state()} if device.type == "cuda" else {})


def _load(module, state: dict) -> None:
    own = module.state_dict()
    module.load_state_dict({key: shards.like(value, own[key]) for key, value in state.items()})


def _by_module(state: dict) -> dict[str, dict]:
    found: dict[str, dict] = {}
    for name, value in state.items():
        module, _, key = name.partition(" ")
        found.setdefault(module, {})[key] = value
    return found
