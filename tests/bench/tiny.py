"""Tiny encoders of each architecture, of any shape, with random weights and nothing beside them."""

from typing import Any

import torch

from xstilts.experiment.reference import Encoder

POST = ("xlm-roberta", "bert", "xlm-roberta-xl", "deberta-v2", "modernbert")
T5 = ("mt5", "umt5")
DECODERS = ("qwen3", "llama", "gemma3_text", "eurobert")
ARCHITECTURES = (*POST, *T5, *DECODERS, "t5gemma", "xglm", "bloom")
UNGATED = ("xlm-roberta", "bert", "xlm-roberta-xl", "deberta-v2", "xglm", "bloom")
VOCABULARY, RANK = 300, 4


def attention_of(architecture: str) -> bool:
    """Return whether the heads of attention may be of another width than the model in all."""
    return architecture in (*T5, *DECODERS, "t5gemma")


def shape(
    architecture: str, layers: int, width: int, inner: int, heads: int, kv_heads: int, head: int
) -> Encoder:
    """Return a shape, as near to the one asked for as the architecture can be."""
    if not attention_of(architecture):
        head = width // heads
    if architecture in T5 or not attention_of(architecture):
        kv_heads = heads
    inner = 4 * width if architecture == "bloom" else inner
    gated = architecture not in UNGATED
    made = (heads, kv_heads, head, VOCABULARY, 0)
    return Encoder(architecture, "", layers, width, inner, gated, *made)


def encoder(shape: Encoder, dropout: float = 0.1) -> Any:
    """Return an encoder of a shape: dropout of hidden states, where the architecture has it; none
    of attention."""
    import transformers

    transformers.logging.set_verbosity_error()
    torch.manual_seed(0)
    kind, sizes = shape.architecture, {"vocab_size": shape.vocabulary}
    if kind in T5:
        sizes |= {"num_layers": shape.layers, "d_model": shape.width, "d_ff": shape.inner}
        sizes |= {"num_heads": shape.heads, "d_kv": shape.head_width, "dropout_rate": dropout}
        config = transformers.AutoConfig.for_model(kind, feed_forward_proj="gated-gelu", **sizes)
        return getattr(transformers, f"{kind.upper()}EncoderModel")(config)
    if kind == "xglm":
        sizes |= {"num_layers": shape.layers, "d_model": shape.width, "ffn_dim": shape.inner}
        sizes |= {"attention_heads": shape.heads, "dropout": dropout, "attention_dropout": 0.0}
    elif kind == "bloom":
        sizes |= {"n_layer": shape.layers, "hidden_size": shape.width, "n_head": shape.heads}
    else:
        sizes |= {"num_hidden_layers": shape.layers, "hidden_size": shape.width}
        sizes |= {"intermediate_size": shape.inner, "num_attention_heads": shape.heads}
        sizes |= {"attention_probs_dropout_prob": 0.0, "attention_dropout": 0.0}
        sizes |= {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    if kind in (*DECODERS, "t5gemma"):
        sizes |= {"num_key_value_heads": shape.kv_heads, "head_dim": shape.head_width}
    if kind == "modernbert":
        sizes |= {"mlp_dropout": dropout, "cls_token_id": 1, "sep_token_id": 2}
    elif kind == "t5gemma":
        sizes["dropout_rate"] = dropout
        config = transformers.T5GemmaConfig(encoder=sizes, decoder=sizes, is_encoder_decoder=False)
        config.encoder.dropout_rate = dropout
        return transformers.T5GemmaEncoderModel(config)
    elif kind in POST:
        sizes |= {"hidden_dropout_prob": dropout, "type_vocab_size": 0 if "de" in kind else 1}
    if kind == "deberta-v2":
        sizes |= {"relative_attention": True, "position_buckets": 16, "share_att_key": True}
        sizes |= {"pos_att_type": ["p2c", "c2p"], "norm_rel_ebd": "layer_norm"}
        sizes["position_biased_input"] = False
    config = transformers.AutoConfig.for_model(kind, **sizes)
    plain = {"add_pooling_layer": False} if kind in POST[:3] else {}
    return transformers.AutoModel.from_config(config, **plain)


def attach(encoder: Any, rank: int = RANK, half: bool = False) -> None:
    """Freeze an encoder, and put an adapter on all its linear layers; their frozen weights become
    bf16, as on a GPU."""
    import peft

    settings = peft.LoraConfig(r=rank, lora_dropout=0.05, target_modules=_linear(encoder))
    peft.inject_adapter_in_model(settings, encoder)
    for module in encoder.modules():
        if half and isinstance(module, torch.nn.Linear) and not module.weight.requires_grad:
            module.to(torch.bfloat16)


def _linear(encoder: Any) -> list[str]:
    return [name for name, m in encoder.named_modules() if isinstance(m, torch.nn.Linear)]


def forward(encoder: Any, sequences: int, length: int) -> Any:
    """Return the hidden states of random sequences, one of which is padded."""
    ids = torch.randint(3, VOCABULARY - 10, (sequences, length))
    mask = torch.ones_like(ids)
    mask[0, -3:] = 0
    cached = encoder.config.model_type not in (*T5, "t5gemma")
    more = {"use_cache": False} if cached and hasattr(encoder.config, "use_cache") else {}
    return encoder(input_ids=ids, attention_mask=mask, **more).last_hidden_state
