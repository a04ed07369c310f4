"""Gradient checkpointing: of each layer only what goes into it is kept for the backward pass, which
computes the layer again. It takes a third more time, and of activations the memory of one layer.

What is computed is the same, dropout too, whose generators are set back for it. So no spec has it.
"""

from xstilts.models import shards
from xstilts.running import ranks

MODES = ("auto", "yes", "no")  # auto: once a single example does not fit without


def is_on(encoder) -> bool:
    """Return whether an encoder is trained with gradient checkpointing."""
    new = "is_activation_checkpointing"  # transformers 5.23; 5.17 has the older names alone
    return getattr(encoder, new if hasattr(encoder, new) else "is_gradient_checkpointing")


def enable(encoder) -> bool:
    """Train an encoder with gradient checkpointing, its layers as they are, not compiled; return
    whether it was without and can be with."""
    if is_on(encoder) or not encoder.supports_gradient_checkpointing:
        return False
    new = "activation_checkpointing_enable"
    begins = getattr(encoder, new if hasattr(encoder, new) else "gradient_checkpointing_enable")
    begins({"use_reentrant": False, "preserve_rng_state": True})
    encoder.disable_input_require_grads()  # a hook that only the other way, reentrant, needs
    for layer in shards.layers(encoder):
        layer._compiled_call_impl = None  # nobody has seen the two together on a GPU
    return True


def begin(encoder) -> None:
    """Train an encoder, as it was loaded, with gradient checkpointing; say it where it has none."""
    if not enable(encoder) and not ranks.rank():
        print(
            f"checkpointing: {type(encoder).__name__} has no gradient checkpointing: it is trained"
            " without",
            flush=True,
        )


def instead(encoder, max_tokens: int) -> int:
    """Go on with gradient checkpointing where a single example does not fit without; return the
    tokens of a micro-batch to try again with, 0 where it is of no use."""
    if not enable(encoder):
        return 0
    print(
        "out of GPU memory with a single example: goes on with gradient checkpointing"
        " (`checkpointing: yes` in the model's entry begins with it)",
        flush=True,
    )
    return max_tokens
