"""Out of GPU memory: what does not fit is done again in smaller micro-batches."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from xstilts.models import shards
from xstilts.running import ranks
from xstilts.running.errors import DoesNotFit

Result = TypeVar("Result")


def retry_with_fewer_tokens(
    work: Callable[[int], Result],
    max_tokens: int,
    undo: Callable[[], None],
    is_finest: Callable[[int], bool],
    otherwise: Callable[[], int] = lambda: 0,
) -> tuple[Result, int]:
    """Return what `work` makes with as many tokens a micro-batch as fit, and that number.

    Args:
        work: may run out of memory; its result must not depend on `max_tokens`.
        max_tokens: tried first; halved each time.
        undo: takes back what an attempt that failed has left.
        is_finest: whether with so many tokens every micro-batch is a single example.
        otherwise: called where not even that fits; makes the work take less memory, and returns
            the tokens to go on with, or 0 if it cannot.

    Raises:
        DoesNotFit: not even a single example fits.
    """
    import torch

    while True:
        message = ""
        try:
            result = work(max_tokens)
        except torch.OutOfMemoryError as error:
            message = str(error).splitlines()[0]
            if shards.sharded():  # the others wait for this one in the middle of their passes
                raise
        # Out of the `except`, which would keep alive the tensors of the attempt.
        if not any(ranks.most(bool(message))):
            return result, max_tokens
        halved = 0 if is_finest(max_tokens) else max_tokens // 2
        undo()
        _empty_cache()
        max_tokens = halved or otherwise()
        if not max_tokens:
            raise _does_not_fit(message or "on another rank")
        if halved:
            print(f"out of GPU memory: goes on with micro-batches of {halved} tokens", flush=True)


def retry_in_halves(work: Callable[[np.ndarray], list[Any]], examples: np.ndarray) -> list[Any]:
    """Return what `work` makes of each example, all at once or, where they do not fit, by halves.

    Raises:
        DoesNotFit: one example alone is too much.
    """
    import torch

    try:
        return list(work(examples))
    except torch.OutOfMemoryError as error:
        if len(examples) == 1:
            raise _does_not_fit(str(error)) from None
    _empty_cache()
    middle = len(examples) // 2
    return retry_in_halves(work, examples[:middle]) + retry_in_halves(work, examples[middle:])


def _does_not_fit(message: str) -> DoesNotFit:
    line = message.splitlines()[0]
    return DoesNotFit(
        f"one example alone does not fit the GPU's memory ({line}); `adapter`, `sharding:"
        " fsdp` over several `gpus`, a smaller max_length or model, or a larger GPU is needed"
        " (`xstilts estimate` says which fits)"
    )


def _empty_cache() -> None:
    """Give back what torch holds in reserve."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
