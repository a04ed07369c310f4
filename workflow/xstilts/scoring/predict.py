"""Forward passes without gradients: encoded rows -> what a format's `decode` needs."""

import contextlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from xstilts.encoding import batches, encoded
from xstilts.encoding.encoded import Encoded
from xstilts.encoding.features import PART
from xstilts.models import memory, shards
from xstilts.models.execution import Execution, hidden_states
from xstilts.models.execution import tensors as tensors
from xstilts.running import device as devices

# Tokens of a batch on a CPU at most: from there on memory is fetched from the system for every
# layer anew (65,536 instead of 2,048 are half as fast, at 384 wide).
CPU_TOKENS = 4096


def outputs(encoder, head, batch: dict[str, Any]):
    """Return the head's outputs for a batch of tensors, padded or packed; with its pictures before
    the text, if it has any, which the head does not see."""
    projector = getattr(head, PART, None)
    before = projector(batch["visual"]) if projector is not None and "visual" in batch else None
    return head(hidden_states(encoder, batch, before), batch["mask"])


def reduced(
    page: ModuleType,
    encoder,
    head,
    data: Encoded,
    device,
    max_tokens: int,
    execution: Execution | None = None,
    what: str = "reduce",
    examples: np.ndarray | None = None,
) -> list[Any]:
    """Return `page.reduce` of every example of `data`, as numpy, in its order.

    The device goes on with the next batch while the results of one are fetched; no more is kept.

    Args:
        max_tokens: of a batch, with its padding if it has any; nothing is kept for gradients, so
            several times what training takes will fit. A batch that does not is halved. See also
            `CPU_TOKENS`.
        execution: how the encoder is run; by default as `Execution.choose` says.
        what: the name of `reduce`, or of what else of the page takes its place.
        examples: of which it is asked, int; None for all. Of others it is None.

    Raises:
        DoesNotFit: one example alone is too much for the GPU.
    """
    import torch

    if device.type == "cpu":
        max_tokens = min(max_tokens, CPU_TOKENS)
    execution = execution or Execution.choose(encoder, device)
    cut = batches.micro_batches(
        np.arange(len(data)) if examples is None else examples,
        *data.shapes(),
        max_tokens,
        execution.tokens(data),
    )
    results: list[Any] = [None] * len(data)
    encoder.eval()
    head.eval()

    def forward(examples: np.ndarray) -> list[tuple[np.ndarray, Callable[[], np.ndarray]]]:
        batch = encoded.seen(data, page.collate(data, examples))
        batch = tensors(execution.arrange(batch), device)
        with devices.autocast(device):
            batch_outputs = outputs(encoder, head, batch)
        return [(examples, _fetch(getattr(page, what)(batch_outputs, batch)))]

    def keep(pieces: list[tuple[np.ndarray, Callable[[], np.ndarray]]]) -> None:
        for examples, fetched in pieces:
            for example, value in zip(examples, fetched(), strict=True):
                results[example] = value

    with contextlib.ExitStack() as stack:
        if shards.sharded():  # it keeps what it gathers here for training, so no inference mode
            stack.enter_context(torch.no_grad())
        else:
            stack.enter_context(torch.inference_mode())
            stack.enter_context(devices.autocast(device))  # around all: weights are cast once
        if execution.compiled:  # for training: the larger batches here would be so many shapes more
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        in_flight: list[tuple[np.ndarray, Callable[[], np.ndarray]]] = []
        for examples in cut:
            launched = memory.retry_in_halves(forward, examples)
            keep(in_flight)
            in_flight = launched
        keep(in_flight)
    return results


def _fetch(tensor) -> Callable[[], np.ndarray]:
    """Start to copy a tensor to the host; return what waits for the copy and returns it."""
    import torch

    host = tensor.to("cpu", non_blocking=True)  # from a GPU, into pinned memory
    if tensor.device.type != "cuda":
        return host.numpy
    copied = torch.cuda.Event()
    copied.record()

    def fetched() -> np.ndarray:
        copied.synchronize()
        return host.numpy().copy()  # of pinned memory, there is little

    return fetched
