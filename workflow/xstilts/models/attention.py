"""Attention of packed sequences, for all encoders that take an attention function from outside.

An encoder whose attention is `NAME` can do both: given the offsets of packed sequences, each token
attends within its own; else it does what transformers' `sdpa` does, bit for bit.
"""

from typing import Any

NAME = "packed"
# Kinds of encoders (`model_type`) that ask transformers' AttentionInterface for their attention,
# attend from every token to all, and know places by absolute positions alone -> whether these begin
# after the id of padding (as in fairseq), or at 0. Others stay padded: DeBERTa and MPNet attend by
# relative positions, ModernBERT within windows, X-MOD by the language of each sequence.
AFTER_PADDING = {
    "albert": False,
    "bert": False,
    "camembert": True,
    "electra": False,
    "ernie": False,
    "roberta": True,
    "xlm-roberta": True,
    "xlm-roberta-xl": True,
}


def first_position(config) -> int | None:
    """Return the position of a sequence's first token; None if an encoder cannot be packed."""
    after_padding = AFTER_PADDING.get(config.model_type)
    if after_padding is None or getattr(config, "is_decoder", False):
        return None
    return config.pad_token_id + 1 if after_padding else 0


def install(encoder) -> None:
    """Give an encoder this attention."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(NAME, forward)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    encoder.set_attn_implementation(NAME)


def forward(
    module, query, key, value, attention_mask, dropout: float = 0.0, scaling: float | None = None,
    cu_seq_lens_q=None, max_length_q: int | None = None, **kwargs: Any,
):  # fmt: skip
    """Return the context of every token, [1, tokens, heads, size], and None for the weights.

    Args:
        module: the attention layer that calls.
        query, key, value: [1, heads, tokens, size].
        dropout: of the attention weights; the caller makes it 0 in evaluation.
        scaling: of the products.
        cu_seq_lens_q, max_length_q: offsets int32 [sequences + 1] and the length bound; the names
            are transformers'. Without them the sequences are padded.
    """
    if cu_seq_lens_q is None:
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        arguments = (module, query, key, value, attention_mask)
        return sdpa_attention_forward(*arguments, dropout=dropout, scaling=scaling, **kwargs)
    query, key, value = (tensor[0].transpose(0, 1) for tensor in (query, key, value))
    context = attend(query, key, value, cu_seq_lens_q, max_length_q, dropout, scaling)
    return context[None], None


def attend(query, key, value, offsets, longest, dropout: float = 0.0, scaling=None):
    """Return the context of packed sequences, [tokens, heads, size] as query, key and value.

    On a GPU in 16 bits by the kernel that PyTorch has for it. It is called as SDPA calls it for
    jagged nested tensors; through these, three tensors a layer and their views take the host
    longer than the GPU needs for the layer.
    """
    import torch

    if query.device.type == "cpu":
        return _masked(query, key, value, offsets, dropout, scaling)
    if query.dtype not in (torch.bfloat16, torch.float16) or query.shape[-1] % 8:
        return jagged(query, key, value, offsets, longest, dropout, scaling)
    shared = (offsets, offsets, longest, longest, dropout, False, False)
    return torch.ops.aten._flash_attention_forward(query, key, value, *shared, scale=scaling)[0]


def jagged(query, key, value, offsets, longest, dropout, scaling):
    """Return the same by SDPA on jagged nested tensors, which takes fp32 too."""
    from torch.nested import nested_tensor_from_jagged
    from torch.nn.functional import scaled_dot_product_attention

    starts = offsets.long()
    query, key, value = (
        nested_tensor_from_jagged(
            tensor.contiguous(), starts, min_seqlen=1, max_seqlen=longest
        ).transpose(1, 2)
        for tensor in (query, key, value)
    )
    context = scaled_dot_product_attention(query, key, value, dropout_p=dropout, scale=scaling)
    return context.transpose(1, 2).values()


def _masked(query, key, value, offsets, dropout, scaling):
    """Return the same by SDPA on all tokens, with a mask: for tests on a CPU, where nothing else
    packs."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    places = torch.arange(len(query), device=query.device, dtype=offsets.dtype)
    sequence = torch.bucketize(places, offsets, right=True)
    within = sequence[:, None] == sequence
    query, key, value = (tensor.transpose(0, 1)[None] for tensor in (query, key, value))
    context = scaled_dot_product_attention(query, key, value, within, dropout, scale=scaling)
    return context[0].transpose(0, 1)
