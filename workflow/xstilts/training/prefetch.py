"""The batches of a training, one a step, ready for the device; a thread may make them ahead.

Which examples come, and what a format draws for them, follows from the seed, the step and the
batches drawn before, so it is the same however far ahead it is made. Only what was trained on is
counted (`TaskStream.drawn`), by the loop.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from xstilts.models.execution import Execution
from xstilts.training import gradients
from xstilts.training.gradients import Share
from xstilts.training.mixture import TaskStream
from xstilts.training.state import TrainingState

DEPTH = 3  # steps ahead: what takes long, the order of an epoch, comes once in many


class Step(NamedTuple):
    """What an optimizer step trains on: a batch of a stream; the seed of what the format draws."""

    number: int
    stream: TaskStream
    examples: np.ndarray
    seed: tuple[int, int]
    share: Share


def steps(
    state: TrainingState,
    schedule: Sequence[int] | np.ndarray,
    seed: int,
    execution: Execution,
    pinned: bool = False,
) -> Iterator[Step]:
    """Yield the steps from that of the state on.

    Args:
        state: of the training; read when the first step is asked for, but for `max_tokens`, which
            is read at each. A share made for more than that is made again by who uses it.
        schedule: the stream of each step, by its number.
        seed: of the training.
        execution, pinned: see `gradients.share`.
    """
    drawn = [stream.drawn["batches"] for stream in state.streams]
    for number in range(state.step, len(schedule)):
        index = int(schedule[number])
        stream, of_step = state.streams[index], (seed, number)
        examples = stream.batch(drawn[index])
        drawn[index] += 1
        share = gradients.share(
            stream.task, stream.data, examples, of_step, state.max_tokens, execution, pinned
        )
        yield Step(number, stream, examples, of_step, share)
