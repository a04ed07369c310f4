"""Classification: a text, or a pair of texts, gets one of the task's labels.

Arrays: `labels` int64 [examples], `IGNORED` of a row whose label is none of the task's. Too long:
the longer text of the pair is cut first, on the right.
"""

import numpy as np

from xstilts import metrics
from xstilts.encoding import encoded
from xstilts.running.errors import UserError

IGNORED = -100  # torch's: a label that counts in no loss


def encode(rows, tokenizer, labels, max_length):
    """Rows `text, text_pair, label` -> arrays; a pair is `<s> a </s></s> b </s>`."""
    arrays, cut = sequences(rows, tokenizer, max_length)
    places = {label: place for place, label in enumerate(labels)}
    found = [_index(r["label"], places) for r in rows]
    arrays["labels"] = np.array(found, dtype=np.int64)
    return arrays, cut


def sequences(rows, tokenizer, max_length):
    """Return the arrays of a sequence a row, without labels, and how many rows were cut."""
    texts = [r["text"] if r["text_pair"] is None else (r["text"], r["text_pair"]) for r in rows]
    encodings = tokenizer.encode(texts, max_length, strategy="longest_first")
    return encoded.pack([e.ids for e in encodings]), sum(bool(e.overflowing) for e in encodings)


def _index(label, places) -> int:
    if label is None:
        return IGNORED
    if label not in places:
        raise UserError(f"label `{label}` is none of the task's ({', '.join(places)})")
    return places[label]


def collate(data, examples, seed=()):
    """Some examples as a batch; every example weighs 1, without a label 0."""
    batch, labels = encoded.pad(data, examples), data.arrays["labels"][examples]
    return batch | {"labels": labels, "weight": int(np.count_nonzero(labels != IGNORED))}


def head(encoder, labels, train=()):
    """Scores of the labels from the pooled hidden states."""
    from xstilts.formats.heads import PooledHead

    return PooledHead(encoder.config, len(labels))


def loss(outputs, batch):
    """Summed cross entropy."""
    from torch.nn.functional import cross_entropy

    return cross_entropy(outputs.float(), batch["labels"], reduction="sum")


def reduce(outputs, batch):
    """The scores of the labels, float32 [examples, labels]."""
    return outputs.float()


def gold(outputs, batch):
    """What is recorded of each row's label among all, float32 [examples, 4]; see `gold.py`."""
    from xstilts.formats.gold import among

    return among(outputs.float(), batch["labels"])


def by_row(recorded, data):
    """The same of each row, float32 [rows, 4]: an example is a row."""
    return np.stack(recorded)


def empty(row):
    """The row without its texts."""
    return {**row, "text": "", "text_pair": None if row["text_pair"] is None else ""}


def decode(reduced, data, rows):
    """The name of each row's label."""
    return [data.labels[scores.argmax()] for scores in reduced]


def confidence(reduced) -> list[float]:
    """The probability of each row's prediction: the softmax of its scores."""
    return [float(1 / np.exp(scores - scores.max()).sum()) for scores in reduced]


def score(rows, predictions, metric, lang):
    """The metric, accuracy beside it; a row's value is 1 if its label is right."""
    gold = [row["label"] for row in rows]
    values = [float(g == p) for g, p in zip(gold, predictions, strict=True)]
    return metrics.score(metric, gold, predictions, lang), values
