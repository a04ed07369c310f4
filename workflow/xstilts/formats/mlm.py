"""Masked language modelling: pieces of plain text are hidden, and told from those around them.

Trained on only, as one task of a mix; nothing of it is scored.

Arrays: `ordinary` bool [vocabulary], which ids are no special pieces; `hidden` int64 [1], the id of
the piece that hides others (`<mask>`).
Too long: the rest of a text becomes further examples; nothing is lost.
"""

import numpy as np

from xstilts.encoding import encoded

RATE = 0.15  # of the ordinary pieces; also in jiant's templates
# What becomes of a chosen piece (BERT's rule, as in transformers' collator): hidden, replaced by a
# random one, or (the rest) left as it is.
HIDDEN, REPLACED = 0.8, 0.1
IGNORED = -100  # target of a piece that is not to be told


def encode(rows, pieces, labels, max_length):
    """Rows `text` -> a sequence `<s> pieces </s>` for each stretch that fits."""
    found = pieces.encode([row["text"] for row in rows], max_length)
    arrays = encoded.pack([part.ids for text in found for part in (text, *text.overflowing)])
    arrays["ordinary"] = pieces.ordinary
    arrays["hidden"] = np.array([pieces.mask], dtype=np.int64)
    return arrays, 0


def collate(data, examples, seed=()):
    """Some examples as a batch; `targets` int64 [sequences, width], `IGNORED` where none.

    The weight is the number of chosen pieces.
    """
    batch = encoded.pad(data, examples)
    ordinary, hidden = data.arrays["ordinary"], data.arrays["hidden"][0]
    pool = np.flatnonzero(ordinary)
    targets = np.full(batch["ids"].shape, IGNORED, dtype=np.int64)
    for row, example in enumerate(batch["sequences"]):
        ids = data.sequence(example)
        generator = np.random.default_rng([*seed, int(example)])
        chosen = (generator.random(len(ids)) < RATE) & ordinary[ids]
        fate = generator.random(len(ids))
        other = generator.choice(pool, len(ids))
        targets[row, : len(ids)][chosen] = ids[chosen]
        seen = np.where(fate < HIDDEN, hidden, np.where(fate < HIDDEN + REPLACED, other, ids))
        batch["ids"][row, : len(ids)][chosen] = seen[chosen]
    return batch | {"targets": targets, "weight": int((targets != IGNORED).sum())}


def head(encoder, labels):
    """A score of every piece of the vocabulary, by the encoder's own embeddings."""
    from xstilts.formats.heads import TiedPieces

    return TiedPieces(encoder)


def loss(outputs, batch):
    """Summed cross entropy over the chosen pieces."""
    from torch.nn.functional import cross_entropy, linear

    features, embeddings, bias = outputs
    chosen = batch["targets"] != IGNORED
    scores = linear(features[chosen].float(), embeddings, bias)
    return cross_entropy(scores, batch["targets"][chosen], reduction="sum")
