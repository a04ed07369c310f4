"""Forward passes without gradients: encoded rows -> what a format's `decode` needs."""

import contextlib
from types import ModuleType
from typing import Any

import numpy as np

from xstilts.encoding import batches
from xstilts.encoding.encoded import Encoded
from xstilts.models import memory, shards
from xstilts.models.execution import Execution, hidden_states
from xstilts.models.execution import tensors as tensors
from xstilts.running import device as devices


def outputs(encoder, head, batch: dict[str, Any]):
    """Return the head's outputs for a batch of tensors, padded or packed."""
    return head(hidden_states(encoder, batch), batch["mask"])


def reduced(
    page: ModuleType,
    encoder,
    head,
    data: Encoded,
    device,
    max_tokens: int,
    execution: Execution | None = None,
) -> list[Any]:
    """Return `page.reduce` of every example of `data`, in its order.

    Args:
        max_tokens: of a batch, padding included; nothing is kept for gradients, so several times
            what training takes will fit. A batch that does not is halved.
        execution: how the encoder is run; by default as `Execution.choose` says.

    Raises:
        DoesNotFit: one example alone is too much for the GPU.
    """
    import torch

    execution = execution or Execution.choose(encoder, device)
    cut = batches.micro_batches(
        np.arange(len(data)), *data.shapes(), max_tokens, execution.tokens(data)
    )
    results: list[Any] = [None] * len(data)
    encoder.eval()
    head.eval()

    def forward(examples: np.ndarray) -> list[Any]:
        batch = tensors(execution.arrange(page.collate(data, examples)), device)
        with devices.autocast(device):
            batch_outputs = outputs(encoder, head, batch)
        return page.reduce(batch_outputs, batch)

    with contextlib.ExitStack() as stack:
        if shards.sharded():  # it keeps what it gathers here for training, so no inference mode
            stack.enter_context(torch.no_grad())
        else:
            stack.enter_context(torch.inference_mode())
            stack.enter_context(devices.autocast(device))  # around all: weights are cast once
        if execution.compiled:  # for training: the larger batches here would be so many shapes more
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        for examples in cut:
            values = memory.retry_in_halves(forward, examples)
            for example, value in zip(examples, values, strict=True):
                results[example] = value
    return results
