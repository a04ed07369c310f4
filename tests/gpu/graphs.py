"""CUDA graphs of an encoder in training: its forward and its backward pass on packed batches, each
captured once a shape and launched as one from then on.

A step of 24 layers is 2,300 launches; where one takes the host 45 us (an H200 in a virtual machine,
docs/performance.md), the GPU waits for six sevenths of the time. Packed batches have few shapes.
What is captured are the same kernels, and dropout goes on from the generator as it does outside: on
a GPU nobody has seen either yet, so the check measures it here, and no training has it.

Gradients are summed into tensors that stay where they are, as a graph knows places alone; they are
the `grad` of the parameters from the forward pass on. Graphs share their memory, so a forward pass
has to be followed by its own backward pass, or none.
"""

import contextlib
import dataclasses
import weakref
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from xstilts.models import checkpointing, execution
from xstilts.running import device as devices

INPUTS = ("ids", "positions", "offsets")
WARM = 2  # passes before a capture, in which libraries make what they need
MOST = 64  # shapes; batches of others are run as they are

_of: weakref.WeakKeyDictionary[Any, "Graphs"] = weakref.WeakKeyDictionary()
_launched = execution.packed_states


def enable(encoder) -> None:
    """Let an encoder that runs packed be replayed in training."""
    _of[encoder] = Graphs(encoder)
    execution.packed_states = packed_states


def packed_states(encoder, batch: dict[str, Any]):
    """As `execution.packed_states`, by a graph, which the backward pass replays too, where the
    encoder has one for the batch."""
    hidden = _replayed(encoder, batch)
    return _launched(encoder, batch) if hidden is None else hidden


def _replayed(encoder, batch: dict[str, Any]):
    import torch

    graphs = _of.get(encoder)
    if graphs is None or not (encoder.training and torch.is_grad_enabled()):
        return None
    if checkpointing.is_on(encoder):  # which sets generators back, and that cannot be captured
        return None
    return graphs(encoder, batch)


@dataclasses.dataclass
class Passes:
    """The passes of one shape: what they read and write, and what replays them."""

    inputs: dict[str, Any]
    hidden: Any
    gradient: Any
    forward: Callable[[], None]
    backward: Callable[[], None]


class Graphs:
    """The graphs of an encoder."""

    def __init__(self, encoder) -> None:
        import torch

        self.parameters = [p for p in encoder.parameters() if p.requires_grad]
        self.gradients: dict[Any, Any] = {}  # of the parameters that have one
        self.passes: dict[tuple[int, ...], Passes] = {}
        self.failed = False
        self.recorder = Recorder(encoder.device)
        self.anchor = torch.zeros((), device=encoder.device, requires_grad=True)

    def __call__(self, encoder, batch: dict[str, Any]):
        """Return the hidden states of a batch; None where nothing is captured for its shape."""
        import torch

        shape = (batch["ids"].shape[1], len(batch["offsets"]), batch["longest"])
        if shape not in self.passes:
            if self.failed or len(self.passes) >= MOST:
                return None
            try:
                self.passes[shape] = self._capture(encoder, batch)
            except torch.OutOfMemoryError:
                raise
            except RuntimeError as error:
                self.failed = True
                line = (str(error).strip() or "-").splitlines()[0]
                print(f"passes are not captured, but launched one by one: {line}", flush=True)
                return None
        passes = self.passes[shape]
        for name, tensor in passes.inputs.items():
            tensor.copy_(batch[name], non_blocking=True)
        self._attach()
        return _replay().apply(self.anchor, passes)

    def _attach(self) -> None:
        """Make the tensors of the gradients those of the parameters, 0 where these have none."""
        import torch

        away = [(p, own) for p, own in self.gradients.items() if p.grad is not own]
        if not away:
            return
        torch._foreach_zero_([own for _, own in away])
        for parameter, own in away:
            if parameter.grad is not None:
                own.copy_(parameter.grad)
            parameter.grad = own

    def _capture(self, encoder, batch: dict[str, Any]) -> Passes:
        import torch

        inputs = {name: batch[name].clone() for name in INPUTS}
        last: list[Any] = []  # the hidden states whose backward pass is next

        def forward():
            with devices.autocast(encoder.device), _uncached():
                last[:] = [_launched(encoder, {**inputs, "longest": batch["longest"]})]
            return last[0].detach()

        def gradients(wanted: Sequence[Any], gradient):
            return torch.autograd.grad(last.pop(), wanted, gradient, allow_unused=True)

        def warm_up() -> None:
            for _ in range(WARM):
                zero = torch.zeros_like(forward())
                found = zip(self.parameters, gradients(self.parameters, zero), strict=True)
                if not self.gradients:
                    self.gradients |= {
                        p: torch.zeros_like(p) for p, gradient in found if gradient is not None
                    }

        self.recorder.warm_up(warm_up)
        hidden, replay_forward = self.recorder.record(forward)
        gradient = torch.zeros_like(hidden)

        def backward() -> None:
            found = gradients(list(self.gradients), gradient)
            torch._foreach_add_(list(self.gradients.values()), found)

        _, replay_backward = self.recorder.record(backward)
        return Passes(inputs, hidden, gradient, replay_forward, replay_backward)


class Recorder:
    """Captures work on a GPU, all on one stream and in one pool of memory."""

    def __init__(self, device) -> None:
        import torch

        self.device, self.pool = device, torch.cuda.graph_pool_handle()
        self.stream = torch.cuda.Stream(device)

    def warm_up(self, work: Callable[[], None]) -> None:
        """Do work on the stream of the captures; generators are afterwards what they were."""
        import torch

        now = torch.cuda.current_stream(self.device)
        self.stream.wait_stream(now)
        with torch.random.fork_rng([self.device]), torch.cuda.stream(self.stream):
            work()
        now.wait_stream(self.stream)

    def record(self, work: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
        """Return what work makes, each time at the same place, and what does it. Other threads may
        use the GPU meanwhile."""
        import torch

        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(
            graph, pool=self.pool, stream=self.stream, capture_error_mode="thread_local"
        ):
            made = work()
        return made, graph.replay


@contextlib.contextmanager
def _uncached() -> Iterator[None]:
    """Cast weights where they are used: casts kept from before would never be made anew."""
    import torch

    before = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(before)


@cache
def _replay():
    """Return the function of autograd that replays; its first argument, which it leaves alone, is
    there so that it has a backward pass."""
    import torch

    class Replay(torch.autograd.Function):
        @staticmethod
        def forward(ctx, anchor, passes):
            ctx.passes = passes
            passes.forward()
            return passes.hidden.detach()

        @staticmethod
        def backward(ctx, gradient):
            ctx.passes.gradient.copy_(gradient)
            ctx.passes.backward()
            return None, None

    return Replay
