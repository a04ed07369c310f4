"""Regression: a text, or a pair of texts, gets a number.

Sequences are classification's. Arrays: `labels` float32 [examples], the numbers as they are in the
data. Too long: as in classification.
"""

import numpy as np

from xstilts import metrics
from xstilts.encoding import encoded
from xstilts.formats import classification


def encode(rows, tokenizer, labels, max_length):
    """Rows `text, text_pair, label` -> arrays; a pair is `<s> a </s></s> b </s>`."""
    arrays, cut = classification.sequences(rows, tokenizer, max_length)
    arrays["labels"] = np.array([row["label"] for row in rows], dtype=np.float32)
    return arrays, cut


def collate(data, examples, seed=()):
    """Some examples as a batch; every example weighs 1."""
    batch = encoded.pad(data, examples)
    return batch | {"labels": data.arrays["labels"][examples], "weight": len(examples)}


def head(encoder, labels, train=()):
    """A number from the pooled hidden states, scaled to the mean and deviation of those to train
    on."""
    from xstilts.formats.heads import NumberHead

    if not train:
        return NumberHead(encoder.config)
    numbers = np.concatenate([data.arrays["labels"][data.chosen] for data in train])
    numbers = numbers.astype(np.float64)
    return NumberHead(encoder.config, float(numbers.mean()), float(numbers.std()) or 1.0)


def loss(outputs, batch):
    """Summed squared error, in standard deviations of the numbers to train on."""
    from torch.nn.functional import mse_loss

    numbers, sd = outputs
    return mse_loss(numbers / sd, batch["labels"] / sd, reduction="sum")


def reduce(outputs, batch):
    """The numbers, float32 [examples]."""
    return outputs[0]


def decode(reduced, data, rows):
    """The number of each row, as the shortest text that reads as the same float32."""
    return [str(np.float32(number)) for number in reduced]


def score(rows, predictions, metric, lang):
    """Both correlations; a row's value is its `closeness`."""
    gold, predicted = [row["label"] for row in rows], [float(text) for text in predictions]
    return metrics.score(metric, gold, predicted, lang), closeness(gold, predicted)


def closeness(gold, predicted) -> list[float]:
    """Return 1 - |gold - predicted| / (max(gold) - min(gold)) of each row, 0 where that is below 0.

    A correlation is no mean over rows, and this is what is tested in its stead. Where all of `gold`
    is one number, 1 for that number, else 0.
    """
    span = max(gold) - min(gold)
    errors = [abs(g - p) for g, p in zip(gold, predicted, strict=True)]
    return [max(0.0, 1 - error / span) if span else float(error == 0) for error in errors]
