"""The gradients of one batch, whatever its micro-batches and the number of ranks."""

from xstilts.encoding import batches
from xstilts.encoding.encoded import Encoded
from xstilts.running import device as devices
from xstilts.running import ranks
from xstilts.scoring import predict
from xstilts.training.tasks import TrainingTask


def accumulate_gradients(
    encoder, task: TrainingTask, data: Encoded, examples, seed, device, max_tokens: int
):
    """Accumulate this rank's share of the gradients of one batch over its micro-batches.

    The loss is the sum over the batch divided by the weight of the *batch*, so that the result does
    not depend on how the batch is cut into micro-batches and dealt to ranks.

    Returns:
        This rank's share of the mean loss (tensor), and the tokens of the batch without padding.
    """
    page, (lengths, counts) = task.page, data.shapes()
    cut, counted = batches.share_of_rank(
        examples, lengths, counts, max_tokens, ranks.rank(), ranks.size()
    )
    micro_batches = [page.collate(data, chosen, seed) for chosen in cut]
    gather = getattr(encoder.get_input_embeddings(), "gather", None)
    if gather:  # of a table with a lazy update: the rows that this step reads
        gather([batch["ids"] for batch in micro_batches])
    own = micro_batches[:counted]
    own_tokens = sum(b["ids"].size if b["mask"] is None else b["mask"].sum() for b in own)
    weight, tokens = ranks.total(sum(b["weight"] for b in own), int(own_tokens))
    total = 0.0
    for number, arrays in enumerate(micro_batches):
        batch = predict.tensors(arrays, device)
        with devices.autocast(device):
            outputs = predict.outputs(encoder, task.head, batch)
        loss = page.loss(outputs, batch) / (weight or 1)  # of a few tokens mlm may choose none
        if number >= counted:
            loss = loss * 0  # only there because the other ranks have one more
        loss.backward()
        total = total + loss.detach()
    return total, int(tokens)
