"""Retrieval: for each source sentence, the nearest target sentence by cosine.

Nothing is trained, or a dual encoder (`dual.py`), whose head is then the one that embeds.

Where the candidates of all languages are in a pool, the nearest `metrics.ranking.RANKS` of them are
found (`scoring/pooled.py`), of which several may be right.

Where some source sentences have no translation (BUCC), pairs are mined (`metrics/mining.py`), and
kept above a threshold: the one that is best on the dev rows.

Arrays: none of its own; the sequences are the sentences of both sides, in the order of the rows.
Too long: cut on the right.
"""

import json

import numpy as np

from xstilts import metrics
from xstilts.encoding import encoded
from xstilts.metrics import mining, ranking


def encode(rows, tokenizer, labels, max_length):
    """Rows `id, side, text, gold` -> a sequence a sentence."""
    encodings = tokenizer.encode([row["text"] for row in rows], max_length)
    return encoded.pack([e.ids for e in encodings]), sum(bool(e.overflowing) for e in encodings)


def collate(data, examples, seed=()):
    """Some sentences as a batch."""
    return encoded.pad(data, examples) | {"weight": len(examples)}


def head(encoder, labels, train=()):
    """The mean over all tokens that are not padding."""
    from xstilts.formats.heads import MeanPoolHead

    return MeanPoolHead()


def reduce(outputs, batch):
    """The embeddings, float32 [sentences, H]; the outputs of a dual encoder have a scale beside."""
    return (outputs[0] if isinstance(outputs, tuple) else outputs).float()


def decode(reduced, data, rows):
    """The id of the target of each source row, in the order of the source rows; "" for none."""
    return search(reduced, rows)[0]


def search(reduced, rows, threshold=None, device="cpu"):
    """What `decode` returns, and the threshold of mined pairs: as given, or the best on these rows.

    None where nothing is mined, because every source row has its translation. A torch device
    compares the embeddings.
    """
    vectors = np.stack(reduced)
    sides = np.array([row["side"] for row in rows])
    sources, targets = np.flatnonzero(sides == "source"), np.flatnonzero(sides == "target")
    if any(rows[i]["gold"] is None for i in sources):
        pairs, scores = _mined(vectors, rows, sources, targets, device)
        if threshold is None:
            threshold = mining.threshold(pairs, scores.tolist(), _gold(rows))
        kept = dict(pair for pair, keep in zip(pairs, scores >= threshold, strict=True) if keep)
        return [kept.get(rows[i]["id"], "") for i in sources], threshold
    pools = mining.unit(vectors[sources]), mining.unit(vectors[targets])
    nearest = mining.neighbours(*pools, k=1, device=device)[0].position[:, 0]
    return [rows[targets[i]]["id"] for i in nearest], None


def _mined(vectors, rows, sources, targets, device):
    """Return (source id, target id) of the mined pairs, and the margin of each, float64 [pairs]."""
    first_source, repeated_source = mining.distinct([rows[i]["text"] for i in sources])
    first_target, repeated_target = mining.distinct([rows[i]["text"] for i in targets])
    sources, targets = sources[first_source], targets[first_target]
    mined = mining.mine(vectors[sources], vectors[targets], device=device)
    unique = ~(repeated_source[mined.source] | repeated_target[mined.target])
    pairs = [
        (rows[sources[s]]["id"], rows[targets[t]]["id"])
        for s, t in zip(mined.source[unique], mined.target[unique], strict=True)
    ]
    return pairs, mined.score[unique]


def _gold(rows) -> list[tuple[str, str]]:
    return [(row["id"], row["gold"]) for row in rows if row["side"] == "source" and row["gold"]]


def score(rows, predictions, metric, lang):
    """Share of source sentences whose target is their translation; of mined pairs, their F1; of
    ranked candidates mAP@20, and AP@20 of each row."""
    if metric == "map20":
        golds = [row["golds"] or () for row in rows]
        ranked = [json.loads(prediction) for prediction in predictions]
        each = [ranking.average_precision(g, p) for g, p in zip(golds, ranked, strict=True)]
        return metrics.score(metric, golds, ranked, lang), each
    sources = [row for row in rows if row["side"] == "source"]
    gold = [row["gold"] or "" for row in sources]
    values = [float(g == p) for g, p in zip(gold, predictions, strict=True)]
    if metric == "bucc":
        pairs = [(row["id"], p) for row, p in zip(sources, predictions, strict=True) if p]
        return metrics.score(metric, _gold(rows), pairs, lang), values
    return metrics.score(metric, gold, predictions, lang), values
