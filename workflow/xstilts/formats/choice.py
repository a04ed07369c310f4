"""Choice: which of a row's endings goes with its context; the number of choices may vary.

Arrays: `labels` int64 [examples], the index of the right choice. Too long: the context is cut on
the left, so that its end, which the choices continue, and the choices themselves stay whole; only
where a choice alone is too long is the longer text cut instead.
"""

from typing import Any

import numpy as np

from xstilts import metrics
from xstilts.encoding import encoded
from xstilts.formats.classification import by_row as by_row
from xstilts.formats.classification import confidence as confidence


def encode(rows, tokenizer, labels, max_length):
    """Rows `context, choices[], label` -> a sequence `<s> context </s></s> ending </s>` each."""
    pairs = [(row["context"], choice) for row in rows for choice in row["choices"]]
    # A choice that fills half of the room alone would leave no context: then both are cut.
    choices = tokenizer.encode([choice for _, choice in pairs], max_length // 2)
    is_long = [bool(e.overflowing) for e in choices]
    encodings: list[Any] = [None] * len(pairs)
    for flag, strategy in ((False, "only_first"), (True, "longest_first")):
        chosen = [i for i, long in enumerate(is_long) if long is flag]
        texts = [pairs[i] for i in chosen]
        for i, e in zip(chosen, tokenizer.encode(texts, max_length, strategy, "left"), strict=True):
            encodings[i] = e
    counts = [len(row["choices"]) for row in rows]
    arrays = encoded.pack([e.ids for e in encodings], counts)
    arrays["labels"] = np.array([row["label"] for row in rows], dtype=np.int64)
    cut = np.add.reduceat(
        [bool(e.overflowing) for e in encodings], arrays["groups"][:-1], dtype=int
    )
    return arrays, int((cut > 0).sum())


def collate(data, examples, seed=()):
    """Some examples as a batch; `at` int64 [examples, most choices] are the sequences of each.

    Past the choices of an example they are 0, and `present`, bool of the same shape, is false.
    """
    batch = encoded.pad(data, examples)
    counts = np.diff(data.arrays["groups"])[examples]
    places = np.arange(counts.max())
    present = places < counts[:, None]
    return batch | {
        "labels": data.arrays["labels"][examples],
        "at": np.where(present, (np.cumsum(counts) - counts)[:, None] + places, 0),
        "present": present,
        "weight": len(examples),
    }


def head(encoder, labels, train=()):
    """One score a sequence."""
    from xstilts.formats.heads import PooledHead

    return PooledHead(encoder.config, 1)


def loss(outputs, batch):
    """Summed cross entropy over the choices of each example."""
    from torch.nn.functional import cross_entropy

    return cross_entropy(reduce(outputs, batch), batch["labels"], reduction="sum")


def reduce(outputs, batch):
    """The scores of the choices, float32 [examples, most choices]; -inf past those of a row."""
    at = batch["at"]
    scores = outputs.float().squeeze(-1).index_select(0, at.flatten()).view(at.shape)
    return scores.masked_fill(~batch["present"], -float("inf"))


def gold(outputs, batch):
    """What is recorded of each row's right choice among its own, float32 [examples, 4]."""
    from xstilts.formats.gold import among

    return among(reduce(outputs, batch), batch["labels"])


def empty(row):
    """The row without its context: what the choices say by themselves stays."""
    return {**row, "context": ""}


def decode(reduced, data, rows):
    """The index of each row's choice, as text."""
    return [str(scores.argmax()) for scores in reduced]


def score(rows, predictions, metric, lang):
    """Accuracy; a row's value is 1 if its choice is right."""
    gold = [str(row["label"]) for row in rows]
    values = [float(g == p) for g, p in zip(gold, predictions, strict=True)]
    return metrics.score(metric, gold, predictions, lang), values
