"""Dual encoder: a query finds its passage; one encoder embeds both, each by itself.

Arrays: two sequences an example, the query, then the passage; `group` and `passage` int64
[examples], numbers of the rows' groups (each its own where it has none) and of their different
passages. Too long: cut on the right.

A passage is compared with all queries of a batch, so the loss is no sum over its examples, and it
is taken of a batch as a whole (`training/grad_cache.py`).
"""

import json

import numpy as np

from xstilts import metrics
from xstilts.encoding import encoded
from xstilts.metrics import mining, nearest, ranking

# What `loss` reads of a batch, beside the outputs. Its micro-batches may have sequences of pairs
# that are not whole; `loss` is given them all, in any order.
TOGETHER = ("sequences", "group", "passage")


def encode(rows, tokenizer, labels, max_length):
    """Rows `text, text_pair, group` -> a sequence each of query and passage."""
    encodings = tokenizer.encode(
        [text for row in rows for text in (row["text"], row["text_pair"])], max_length
    )
    arrays = encoded.pack([e.ids for e in encodings], [2] * len(rows))
    groups = [row.get("group") for row in rows]
    arrays["group"] = _numbered(
        [(g, None) if g is not None else (g, i) for i, g in enumerate(groups)]
    )
    arrays["passage"] = _numbered([row["text_pair"] for row in rows])
    cut = [bool(e.overflowing) for e in encodings]
    return arrays, int(np.logical_or(cut[::2], cut[1::2]).sum())


def _numbered(values) -> np.ndarray:
    """Return the number of each value, int64: equal ones have the same."""
    numbers: dict = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)


def collate(data, examples, seed=()):
    """Some examples as a batch, or, of data in which each sequence is an example, some sequences;
    a query weighs 1."""
    batch = encoded.pad(data, examples)
    of = batch["sequences"] // 2
    arrays = {name: data.arrays[name][of] for name in ("group", "passage")}
    return batch | arrays | {"weight": int((batch["sequences"] % 2 == 0).sum())}


def head(encoder, labels, train=(), scale=None):
    """Embeddings from the pooled hidden states, and the scale of their cosines."""
    from xstilts.formats.heads import DualHead

    return DualHead(encoder.config, scale)


def loss(outputs, batch):
    """Summed cross entropy of the cosines times the scale: of each query with all passages, of
    which its own is right, and those of its group and its own again are left out.

    In-batch sampled softmax (Gillick et al. 2019, arXiv 1909.10506), as `BertForRetrieval` of
    XTREME-R has it, which leaves nothing out.
    """
    import torch
    from torch.nn.functional import cross_entropy

    embeddings, scale = outputs
    order = batch["sequences"].argsort()
    queries, passages = embeddings.float()[order].view(len(order) // 2, 2, -1).unbind(1)
    same = torch.zeros((len(queries), len(queries)), dtype=torch.bool, device=queries.device)
    for name in ("group", "passage"):
        numbers = batch[name][order][::2]
        same |= numbers[:, None] == numbers
    same.fill_diagonal_(False)
    scores = (queries @ passages.T * scale).masked_fill(same, -torch.inf)
    return cross_entropy(scores, torch.arange(len(scores), device=scores.device), reduction="sum")


def reduce(outputs, batch):
    """The embeddings of query and passage, float32 [examples, 2, H]."""
    return outputs[0].float().unflatten(0, (-1, 2))


def decode(reduced, data, rows):
    """The passages that are nearest to each query, of all different ones of the rows: the ids of
    the first rows that have them, `metrics.ranking.RANKS` of them, as a JSON list."""
    vectors = np.stack(reduced)
    first, _ = mining.distinct([row["text_pair"] for row in rows])
    found = nearest.search(vectors[:, 0], [vectors[first, 1]])
    return [json.dumps([rows[first[i]]["id"] for i in places]) for places in found.position]


def score(rows, predictions, metric, lang):
    """mAP@20; a row's value is its AP@20, which is 1 / rank of its passage."""
    first: dict[str, str] = {}
    gold = [{first.setdefault(row["text_pair"], row["id"])} for row in rows]
    ranked = [json.loads(prediction) for prediction in predictions]
    values = [ranking.average_precision(g, p) for g, p in zip(gold, ranked, strict=True)]
    return metrics.score(metric, gold, ranked, lang), values
