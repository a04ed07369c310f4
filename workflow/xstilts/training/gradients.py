"""The gradients of one batch, whatever its micro-batches and the number of ranks."""

import contextlib
from typing import Any, NamedTuple

import numpy as np

from xstilts.encoding import batches, encoded
from xstilts.encoding.encoded import Encoded
from xstilts.models import pinning, shards
from xstilts.models.execution import Execution
from xstilts.running import device as devices
from xstilts.running import ranks
from xstilts.scoring import predict
from xstilts.training import grad_cache
from xstilts.training.tasks import TrainingTask


class Share(NamedTuple):
    """This rank's share of a batch, cut into micro-batches of at most `max_tokens`: those, how many
    of them count, and the weight and the tokens, without padding, of these."""

    max_tokens: int
    micro_batches: list[dict[str, Any]]
    counted: int
    weight: float
    tokens: int


def share(
    task: TrainingTask,
    data: Encoded,
    examples,
    seed,
    max_tokens: int,
    execution: Execution,
    pinned: bool = False,
) -> Share:
    """Return this rank's share of a batch, ready for the device; a thread may make it.

    `pinned`: whether the micro-batches are tensors in pinned memory instead of numpy arrays.
    """
    pieces = [examples]
    if together(task):
        data, pieces = grad_cache.pieces(data, examples, execution.packed)
    own, others = [], []
    for piece in pieces:
        cut, counted = batches.share_of_rank(
            piece, *data.shapes(), max_tokens, ranks.rank(), ranks.size(), execution.tokens(data)
        )
        micro_batches = [
            encoded.seen(data, task.page.collate(data, chosen, seed)) for chosen in cut
        ]
        own += micro_batches[:counted]
        others += micro_batches[counted:]
    tokens = sum(b["ids"].size if b["mask"] is None else b["mask"].sum() for b in own)
    tokens += data.positions * sum(len(batch["ids"]) for batch in own)
    arranged = [execution.arrange(batch) for batch in own + others]
    if pinned:
        arranged = [
            {k: pinning.pinned(v) if isinstance(v, np.ndarray) else v for k, v in batch.items()}
            for batch in arranged
        ]
    weight = sum(batch["weight"] for batch in own)
    return Share(max_tokens, arranged, len(own), weight, int(tokens))


def together(task: TrainingTask) -> bool:
    """Return whether the loss of a task is of a batch as a whole, no sum over its examples."""
    return hasattr(task.page, "TOGETHER")


def accumulate_gradients(
    encoder,
    task: TrainingTask,
    data: Encoded,
    examples,
    seed,
    device,
    max_tokens: int,
    execution: Execution | None = None,
    made: Share | None = None,
):
    """Accumulate this rank's share of the gradients of one batch over its micro-batches.

    The loss is the sum over the batch divided by the weight of the *batch*, so that the result does
    not depend on how the batch is cut into micro-batches and dealt to ranks.

    Args:
        execution: how the encoder is run; by default as `Execution.choose` says.
        made: the share, if it was made before; it is made anew if it is of other micro-batches.

    Returns:
        This rank's share of the mean loss (tensor), and the tokens of the batch without padding.
    """
    import torch

    execution = execution or Execution.choose(encoder, device)
    own = made
    if own is None or own.max_tokens != max_tokens:
        own = share(task, data, examples, seed, max_tokens, execution)
    weight, tokens = ranks.total(own.weight, own.tokens)
    if together(task):
        return grad_cache.accumulate(encoder, task, own, weight, device), int(tokens)
    total = 0.0
    # Weights stay cast within the outermost context. Those of a sharded model are gathered anew in
    # every micro-batch, so what is cast of them must not stay.
    once = contextlib.nullcontext() if shards.sharded() else devices.autocast(device)
    with once:
        for number, arrays in enumerate(own.micro_batches):
            batch = predict.tensors(arrays, device)
            with devices.autocast(device):
                outputs = predict.outputs(encoder, task.head, batch)
            with torch.autocast(device.type, enabled=False):
                loss = task.page.loss(outputs, batch) / (weight or 1)  # mlm may choose no token
                if number >= own.counted:
                    loss = loss * 0  # only there because the other ranks have one more
                loss.backward()
            total = total + loss.detach()
            del outputs, loss  # which would keep what they are made of through the next pass
    return total, int(tokens)
