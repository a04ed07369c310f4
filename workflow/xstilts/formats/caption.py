"""Masked captioning: half of the pieces of a caption are hidden, and told from the others and the
picture.

An encoder does not write captions, but what it tells of the hidden half it can have from the
picture alone, as far as the other half does not say it.

Arrays: those of `mlm`, but for `row`: an example is a row. Too long: the end of a caption is cut.
"""

import numpy as np

from xstilts import metrics
from xstilts.encoding import encoded
from xstilts.formats import mlm

MASKED = 0.5  # share of the ordinary pieces; 15% of a dozen would be one or two
head, loss = mlm.head, mlm.loss


def encode(rows, tokenizer, labels, max_length):
    """Rows `text` -> a sequence `<s> tokens </s>` each."""
    encodings = tokenizer.encode([row["text"] for row in rows], max_length)
    arrays = encoded.pack([e.ids for e in encodings])
    arrays["ordinary"] = tokenizer.ordinary
    arrays["hidden"] = np.array([tokenizer.mask_token_id], dtype=np.int64)
    return arrays, sum(bool(e.overflowing) for e in encodings)


def collate(data, examples, seed=()):
    """Some examples as a batch, as `mlm` has it; a hidden piece is always the mask, and one is
    hidden where chance has left all. `of` int64 [chosen tokens] says of which sequence each is.

    Without a seed, as in scoring, what is hidden follows from the number of the example alone.
    """
    batch = encoded.pad(data, examples)
    ordinary, mask_token_id = data.arrays["ordinary"], data.arrays["hidden"][0]
    targets = np.full(batch["ids"].shape, mlm.IGNORE_INDEX, dtype=np.int64)
    for row, example in enumerate(batch["sequences"]):
        ids = data.sequence(example)
        drawn = np.random.default_rng([*seed, int(example)]).random(len(ids))
        drawn[~ordinary[ids]] = 1.0
        chosen = drawn < MASKED
        if not chosen.any() and ordinary[ids].any():
            chosen[drawn.argmin()] = True
        targets[row, : len(ids)][chosen] = ids[chosen]
        batch["ids"][row, : len(ids)][chosen] = mask_token_id
    chosen_tokens = np.flatnonzero(targets != mlm.IGNORE_INDEX)
    of = chosen_tokens // targets.shape[1]
    return batch | {
        "targets": targets,
        "chosen": chosen_tokens,
        "of": of,
        "weight": len(chosen_tokens),
    }


def reduce(outputs, batch):
    """How many of the hidden pieces are told, and how many are hidden, int64 [examples, 2]."""
    from torch.nn.functional import linear

    features, embeddings, bias = outputs
    chosen, of = batch["chosen"], batch["of"]
    scores = linear(features.flatten(0, 1).index_select(0, chosen).float(), embeddings, bias)
    right = scores.argmax(-1) == batch["targets"].flatten().index_select(0, chosen)
    counts = batch["targets"].new_zeros((len(batch["targets"]), 2))
    counts[:, 0].index_add_(0, of, right.long())
    counts[:, 1].index_add_(0, of, right.new_ones(len(of)).long())
    return counts


def decode(reduced, data, rows):
    """What is told of each row's hidden pieces: `7/9`."""
    return [f"{told}/{hidden}" for told, hidden in reduced]


def score(rows, predictions, metric, lang):
    """The share of all hidden pieces that are told; a row's value is that of its own (0 for a text
    without a piece to hide)."""
    counts = [tuple(map(int, told.split("/"))) for told in predictions]
    values = [told / hidden if hidden else 0.0 for told, hidden in counts]
    return metrics.score(metric, [h for _, h in counts], [t for t, _ in counts], lang), values
