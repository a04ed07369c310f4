"""The shape of a model by its `config.json`."""

from collections.abc import Mapping
from typing import Any

from xstilts.experiment import reference
from xstilts.experiment.reference import Encoder

# What an architecture calls its layers, its width, and so on.
LAYERS = ("num_hidden_layers", "num_layers", "n_layer", "n_layers", "encoder_layers")
WIDTH = ("hidden_size", "d_model", "n_embd", "dim")
INNER = ("intermediate_size", "d_ff", "ffn_dim", "encoder_ffn_dim", "hidden_dim")
HEADS = ("num_attention_heads", "num_heads", "attention_heads", "n_head", "encoder_attention_heads")
KV_HEADS, HEAD_WIDTH = ("num_key_value_heads",), ("head_dim", "d_kv")
PARTS = ("encoder", "text_config")  # where a config has one of several models


def of_config(config: Mapping[str, Any]) -> Encoder | None:
    """Return the shape that a config tells, its parameters without norms, biases and positions;
    None if it has no layers or no width."""
    architecture = str(config.get("model_type", ""))
    for part in PARTS:
        if isinstance(config.get(part), Mapping):
            config = {**config, **config[part]}

    def first(names: tuple[str, ...]) -> int | None:
        return next((config[name] for name in names if isinstance(config.get(name), int)), None)

    layers, width = first(LAYERS), first(WIDTH)
    if layers is None or width is None:
        return None
    heads = first(HEADS) or max(1, width // 64)
    shape = Encoder(
        architecture=architecture,
        kind="",
        layers=layers,
        width=width,
        inner=first(INNER) or 4 * width,
        gated=_gated(architecture, config),
        heads=heads,
        kv_heads=first(KV_HEADS) or heads,
        head_width=first(HEAD_WIDTH) or width // heads,
        vocabulary=first(("vocab_size",)) or 0,
        parameters=0,
    )
    return shape.with_parameters(shape.matmul + shape.vocabulary * width)


def _gated(architecture: str, config: Mapping[str, Any]) -> bool:
    """Whether the feed-forward network has a gate: as the reference knows of the architecture, or
    as what came after T5 1.1 and LLaMA has one."""
    for row in reference.table("encoders"):
        if row["architecture"] == architecture:
            return row["gated"] == "yes"
    told = str(config.get("feed_forward_proj", ""))
    return told.startswith("gated") or "num_key_value_heads" in config
