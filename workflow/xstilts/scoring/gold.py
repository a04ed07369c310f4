"""What a model makes of the gold answer of every row: one pass in evaluation mode."""

from types import ModuleType

import numpy as np

from xstilts.encoding.encoded import Encoded
from xstilts.models import shards
from xstilts.models.execution import Execution
from xstilts.running import ranks
from xstilts.scoring import predict


def of_rows(
    page: ModuleType,
    encoder,
    head,
    data: Encoded,
    device,
    max_tokens: int,
    execution: Execution | None = None,
) -> np.ndarray:
    """Return `metrics.dynamics.VALUES` of each row, float32 [rows, 4]; all ranks have to call this.

    Each rank reads its part of the examples; of a sharded model, whose ranks wait for each other in
    every pass, all of them.

    Args: as of `predict.reduced`.
    """
    own = None if shards.sharded() else np.arange(len(data))[ranks.rank() :: ranks.size()]
    of = page, encoder, head, data, device, max_tokens, execution
    found = predict.reduced(*of, what="gold", examples=own)
    if own is not None and ranks.size() > 1:
        for rank, part in enumerate(ranks.every([found[example] for example in own])):
            found[rank :: ranks.size()] = part
    return page.by_row(found, data).astype(np.float32)
