"""The gradients of one batch, however it is cut, and over however many ranks."""

from xstilts.encoding import batches
from xstilts.encoding.encoded import Encoded
from xstilts.running import device, ranks
from xstilts.scoring import predict
from xstilts.training.parts import Part


def gradients(encoder, part: Part, data: Encoded, examples, seed, where, budget: int):
    """Accumulate this rank's share of the gradients of one batch.

    The loss is the sum over the batch divided by the weight of the *batch*, so that the result does
    not depend on how the batch is cut into micro-batches and dealt to ranks.

    Returns:
        This rank's share of the mean loss (tensor), and the real pieces of the batch.
    """
    page, (lengths, counts) = part.page, data.shapes()
    cut, real = batches.share_of_rank(examples, lengths, counts, budget, ranks.rank(), ranks.size())
    parts = [page.collate(data, some, seed) for some in cut]
    mine = parts[:real]
    seen = [batch["ids"].size if batch["mask"] is None else batch["mask"].sum() for batch in mine]
    weight, pieces = ranks.total(sum(batch["weight"] for batch in mine), int(sum(seen)))
    total = 0.0
    for number, arrays in enumerate(parts):
        batch = predict.tensors(arrays, where)
        with device.autocast(where):
            scores = predict.outputs(encoder, part.head, batch)
        loss = page.loss(scores, batch) / (weight or 1)  # of a few pieces mlm may choose none
        if number >= real:
            loss = loss * 0  # only there because the other ranks have one more
        loss.backward()
        total = total + loss.detach()
    return total, int(pieces)
