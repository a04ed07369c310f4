"""Memory of a GPU: what does not fit is done again in smaller pieces."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from xstilts.models import shards
from xstilts.running import ranks
from xstilts.running.errors import DoesNotFit

Result = TypeVar("Result")


def fitted(
    work: Callable[[int], Result],
    budget: int,
    undo: Callable[[], None],
    least: Callable[[int], bool],
) -> tuple[Result, int]:
    """Return what `work` makes with a budget of pieces that fits, and that budget.

    Args:
        work: may run out of memory; its result must not depend on the budget.
        budget: pieces to try first; halved each time.
        undo: takes back what an attempt that failed has left.
        least: whether a budget cuts as finely as can be.

    Raises:
        DoesNotFit: even the finest cut does not.
    """
    import torch

    while True:
        failed = ""
        try:
            result = work(budget)
        except torch.OutOfMemoryError as error:
            failed = str(error).splitlines()[0]
            if shards.sharded():  # the others wait for this one in the middle of their passes
                raise
        # Out of the `except`, which would keep alive the tensors of the attempt.
        if not any(ranks.most(bool(failed))):
            return result, budget
        if least(budget):
            raise _too_much(failed or "on another rank")
        undo()
        _empty()
        budget //= 2
        print(f"out of GPU memory: goes on with micro-batches of {budget} tokens", flush=True)


def halved(work: Callable[[np.ndarray], list[Any]], examples: np.ndarray) -> list[Any]:
    """Return what `work` finds of each example, all at once or, where they do not fit, by halves.

    Raises:
        DoesNotFit: one example alone is too much.
    """
    import torch

    try:
        return list(work(examples))
    except torch.OutOfMemoryError as error:
        if len(examples) == 1:
            raise _too_much(str(error)) from None
    _empty()
    middle = len(examples) // 2
    return halved(work, examples[:middle]) + halved(work, examples[middle:])


def _too_much(said: str) -> DoesNotFit:
    first = said.splitlines()[0]
    return DoesNotFit(
        f"one example alone does not fit the GPU's memory ({first}); a smaller max_length, a"
        " smaller model or a larger GPU is needed"
    )


def _empty() -> None:
    """Give back what torch holds in reserve."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
