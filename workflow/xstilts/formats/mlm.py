"""Masked language modelling: tokens of plain text are masked, and predicted from those around them.

Trained on only, as one task of a mixture; nothing of it is scored.

Arrays: `ordinary` bool [vocabulary], which ids are no special tokens; `hidden` int64 [1], the id of
the mask token (`<mask>`); `row` int64 [examples], which row an example is of.
Too long: the rest of a text becomes further examples; nothing is lost.
"""

import numpy as np

from xstilts.encoding import encoded
from xstilts.experiment.architecture import ENCODER, Architecture
from xstilts.running.errors import UserError

MASKED = 0.15  # of the ordinary tokens; also in jiant's templates
# What becomes of a chosen token (BERT's rule, as in transformers' collator): the mask token, a
# random one, or (the rest) itself.
MASK_PROBABILITY, RANDOM_PROBABILITY = 0.8, 0.1
IGNORE_INDEX = -100  # target of a token that is not predicted, as in PyTorch


def encode(rows, tokenizer, labels, max_length):
    """Rows `text` -> a sequence `<s> tokens </s>` for each stretch that fits."""
    encodings = tokenizer.encode([row["text"] for row in rows], max_length)
    stretches = [(i, e) for i, text in enumerate(encodings) for e in (text, *text.overflowing)]
    arrays = encoded.pack([e.ids for _, e in stretches])
    arrays["row"] = np.array([i for i, _ in stretches], dtype=np.int64)
    arrays["ordinary"] = tokenizer.ordinary
    arrays["hidden"] = np.array([tokenizer.mask_token_id], dtype=np.int64)
    return arrays, 0


def collate(data, examples, seed=()):
    """Some examples as a batch; `targets` int64 [sequences, width], `IGNORE_INDEX` where none.

    `chosen` int64 [chosen tokens] says where in these, flattened, the tokens are that are
    predicted; the weight is their number.
    """
    batch = encoded.pad(data, examples)
    ordinary, mask_token_id = data.arrays["ordinary"], data.arrays["hidden"][0]
    ordinary_ids = np.flatnonzero(ordinary)
    targets = np.full(batch["ids"].shape, IGNORE_INDEX, dtype=np.int64)
    for row, example in enumerate(batch["sequences"]):
        ids = data.sequence(example)
        generator = np.random.default_rng([*seed, int(example)])
        chosen = (generator.random(len(ids)) < MASKED) & ordinary[ids]
        draw = generator.random(len(ids))
        random_ids = generator.choice(ordinary_ids, len(ids))
        targets[row, : len(ids)][chosen] = ids[chosen]
        unmasked = np.where(draw < MASK_PROBABILITY + RANDOM_PROBABILITY, random_ids, ids)
        inputs = np.where(draw < MASK_PROBABILITY, mask_token_id, unmasked)
        batch["ids"][row, : len(ids)][chosen] = inputs[chosen]
    chosen_tokens = np.flatnonzero(targets != IGNORE_INDEX)
    return batch | {"targets": targets, "chosen": chosen_tokens, "weight": len(chosen_tokens)}


def head(encoder, labels, train=()):
    """A score of every token of the vocabulary, by the encoder's own embeddings.

    Raises:
        UserError: it is no encoder (said when the config is read, where that is known then).
    """
    from xstilts.formats.heads import MaskedLMHead

    if (kind := Architecture.of(encoder.config).kind) != ENCODER:
        raise UserError(
            f"masked language modelling is for encoders, and this model is of the kind {kind}"
        )
    return MaskedLMHead(encoder)


def loss(outputs, batch):
    """Summed cross entropy over the chosen tokens."""
    from torch.nn.functional import cross_entropy, linear

    features, embeddings, bias = outputs
    chosen = batch["chosen"]
    scores = linear(features.flatten(0, 1).index_select(0, chosen).float(), embeddings, bias)
    targets = batch["targets"].flatten().index_select(0, chosen)
    return cross_entropy(scores, targets, reduction="sum")
