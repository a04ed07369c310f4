"""The gradients of a loss that is of a batch as a whole, in micro-batches (GradCache).

Gao, Zhang, Han and Callan (2021, arXiv 2101.06983): embed the batch without keeping anything for
gradients; take the loss of all embeddings, and its gradient by each of them; embed each micro-batch
again, from the same random numbers, and go back from these gradients. That costs a forward pass
more, so it is not done where the batch fits at once.
"""

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from xstilts.encoding.encoded import Encoded
from xstilts.models import shards
from xstilts.running import device as devices
from xstilts.running import ranks
from xstilts.scoring import predict


def pieces(data: Encoded, examples: np.ndarray, packed: bool) -> tuple[Encoded, list[np.ndarray]]:
    """Return data in which each sequence is an example, and those of some pairs, as int64 arrays:
    queries and passages apart, which are of another length, unless there is no padding."""
    queries = data.arrays["groups"][examples]
    sides = [queries, queries + 1]
    return data.separate, [np.concatenate(sides)] if packed else sides


def accumulate(encoder, task, own, weight: float, device):
    """Accumulate the gradients of this rank's share of a batch; return its share of the loss.

    Args:
        encoder, task: what is trained; the page's `loss` is of a batch as a whole (`TOGETHER`).
        own: the share (`gradients.Share`).
        weight: of the batch, on all ranks.
    """
    import torch

    def embed(arrays: dict[str, Any]):
        batch = predict.tensors(arrays, device)
        with devices.autocast(device):
            rows, scale = predict.outputs(encoder, task.head, batch)
        return rows, scale, {name: batch[name] for name in task.page.TOGETHER}

    (size,) = ranks.most(sum(math.prod(batch["ids"].shape) for batch in own.micro_batches))
    # Sharded layers have to go back before they go forward again.
    fits = size <= own.max_tokens and not shards.sharded()
    made, generators = [], []
    # A context of its own: what weights are cast to here has no gradients.
    with contextlib.nullcontext() if fits else torch.no_grad(), _cast_once(device):
        for arrays in own.micro_batches:
            generators.append(_generators(device))
            made.append(embed(arrays))
    loss, of_rows, of_scale = _loss(task.page, made, own.counted, weight, device)
    with _cast_once(device):
        for number, arrays in enumerate(own.micro_batches):
            if fits:
                rows, scale, _ = made[number]
            else:
                with _drawing(generators[number], device):
                    rows, scale, _ = embed(arrays)
            # Those that do not count are there because the other ranks have one more.
            ends = [(rows, of_rows[number] if number < own.counted else torch.zeros_like(rows))]
            if scale.requires_grad:
                ends.append((scale, of_scale if number == 0 else torch.zeros_like(scale)))
            torch.autograd.backward(*zip(*ends, strict=True))
    return loss


def _loss(page, made: list[tuple], counted: int, weight: float, device):
    """Return this rank's share of the loss, its gradients by the rows of each micro-batch that
    counts, and its share of the gradient by the scale."""
    import torch

    # A rank may have none that counts.
    rows = [rows.detach() for rows, _, _ in made[:counted]]
    mine = torch.cat([*rows, made[0][0][:0].detach()]).requires_grad_()
    arrays = {
        name: torch.cat([*(of[name] for _, _, of in made[:counted]), made[0][2][name][:0]])
        for name in page.TOGETHER
    }
    scale, parts = made[0][1].detach().requires_grad_(), [mine]
    if ranks.size() > 1:
        every = ranks.every((mine.detach().cpu(), {n: array.cpu() for n, array in arrays.items()}))
        parts = [theirs.to(device) for theirs, _ in every]
        parts[ranks.rank()] = mine
        arrays = {name: torch.cat([of[name] for _, of in every]).to(device) for name in arrays}
    with torch.autocast(device.type, enabled=False):
        loss = page.loss((torch.cat(parts), scale), arrays) / weight
    of_rows, of_scale = torch.autograd.grad(loss, [mine, scale])
    # Each rank has found loss and scale's gradient whole.
    share = 1 / ranks.size()
    return loss.detach() * share, of_rows.split([len(part) for part in rows]), of_scale * share


def _cast_once(device) -> contextlib.AbstractContextManager:
    """Return the context within which weights stay cast; see `accumulate_gradients`."""
    return contextlib.nullcontext() if shards.sharded() else devices.autocast(device)


def _generators(device) -> list[Any]:
    """Return the states of torch's generators: of the CPU, and of a GPU that is used."""
    import torch

    of_gpu = [torch.cuda.get_rng_state(device)] if device.type == "cuda" else []
    return [torch.get_rng_state(), *of_gpu]


@contextlib.contextmanager
def _drawing(generators: list[Any], device) -> Iterator[None]:
    """Draw from such states meanwhile."""
    import torch

    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.set_rng_state(generators[0])
        for state in generators[1:]:
            torch.cuda.set_rng_state(state, device)
        yield
