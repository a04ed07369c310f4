"""Floating-point operations of a model's matrix products."""


def training_flop(adapter: bool = False, checkpointing: bool = False) -> int:
    """Return the operations of a training, per parameter of matrix products and token.

    2 forward and 4 backward (Kaplan et al. 2020, arXiv 2001.08361, section 2.1): half of the latter
    for the gradients of the weights, which a model that an adapter is trained on does not need. Two
    more where layers are run again. Without attention over the sequence, embeddings, and what an
    adapter itself takes, in all some hundredths.
    """
    return 2 + (2 if adapter else 4) + (2 if checkpointing else 0)
