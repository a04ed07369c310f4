"""Retrieval: for each source sentence, the nearest target sentence by cosine. Nothing is trained.

Arrays: none of its own; the sequences are the sentences of both sides, in the order of the rows.
Too long: cut on the right.
"""

import numpy as np

from xstilts import encoded, metrics


def encode(rows, pieces, labels, max_length):
    """Rows `id, side, text, gold` -> a sequence a sentence."""
    found = pieces.encode([row["text"] for row in rows], max_length)
    return encoded.pack([e.ids for e in found]), sum(bool(e.overflowing) for e in found)


def collate(data, examples, seed=()):
    """Some sentences as a batch."""
    return encoded.pad(data, examples) | {"weight": len(examples)}


def head(encoder, labels):
    """The mean over all pieces that are not padding."""
    from xstilts.formats.heads import MeanPool

    return MeanPool()


def reduce(outputs, batch):
    """The embedding of each sentence, float32 [H]."""
    return list(outputs.float().cpu().numpy())


def decode(reduced, data, rows):
    """The id of the nearest target of each source row, in the order of the source rows."""
    vectors = np.stack(reduced)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    sides = np.array([row["side"] for row in rows])
    targets = np.flatnonzero(sides == "target")
    similarity = vectors[sides == "source"] @ vectors[targets].T
    return [rows[targets[i]]["id"] for i in similarity.argmax(1)]


def score(rows, predictions, metric, lang):
    """Share of source sentences whose nearest target is their translation."""
    gold = [row["gold"] for row in rows if row["side"] == "source"]
    values = [float(g == p) for g, p in zip(gold, predictions, strict=True)]
    return metrics.score(metric, gold, predictions, lang), values
