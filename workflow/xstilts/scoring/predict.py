"""Forward passes without gradients: encoded rows -> what a format's `decode` needs."""

from types import ModuleType
from typing import Any

import numpy as np

from xstilts.encoding import batches
from xstilts.encoding.encoded import Encoded
from xstilts.models import memory, shards
from xstilts.running import device as devices


def tensors(batch: dict[str, Any], device) -> dict[str, Any]:
    """Return a batch of numpy arrays, or tensors, as tensors on a device; other values stay."""
    import torch

    return {
        key: torch.as_tensor(value).to(device, non_blocking=True)
        if isinstance(value, np.ndarray | torch.Tensor)
        else value
        for key, value in batch.items()
    }


def outputs(encoder, head, batch: dict[str, Any]):
    """Return the head's outputs for a batch of tensors."""
    hidden = encoder(input_ids=batch["ids"], attention_mask=batch["mask"]).last_hidden_state
    return head(hidden, batch["mask"])


def reduced(page: ModuleType, encoder, head, data: Encoded, device, max_tokens: int) -> list[Any]:
    """Return `page.reduce` of every example of `data`, in its order.

    Args:
        max_tokens: of a batch, padding included; nothing is kept for gradients, so several times
            what training takes will fit. A batch that does not is halved.

    Raises:
        DoesNotFit: one example alone is too much for the GPU.
    """
    import torch

    lengths, counts = data.shapes()
    results: list[Any] = [None] * len(data)
    encoder.eval()
    head.eval()

    def forward(examples: np.ndarray) -> list[Any]:
        batch = tensors(page.collate(data, examples), device)
        with devices.autocast(device):
            batch_outputs = outputs(encoder, head, batch)
        return page.reduce(batch_outputs, batch)

    # A sharded model keeps what it gathers here for training, which inference mode would forbid.
    with torch.no_grad() if shards.sharded() else torch.inference_mode():
        for examples in batches.micro_batches(np.arange(len(data)), lengths, counts, max_tokens):
            values = memory.retry_in_halves(forward, examples)
            for example, value in zip(examples, values, strict=True):
                results[example] = value
    return results
