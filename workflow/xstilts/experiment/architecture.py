"""What an architecture is, as its config says: an object of transformers, or the dict of its file.

By what the config says where that can be, and by the name of the architecture where it says
nothing. No torch, no transformers: it is asked while a config of ours is read.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from xstilts.running.errors import UserError

KINDS = ENCODER, ENCODER_DECODER, DECODER = "encoder", "encoder-decoder", "decoder"
# The object of config.json that the `model` rule writes where an architecture is not an encoder:
# {"kind": ..., "word": "last"}. What is not in it is the default.
OWN = "xstilts"
# Of architectures that have been tried here, for a config that does not tell (`model_type` alone).
KIND_OF = {
    **dict.fromkeys(
        ("bert", "deberta-v2", "eurobert", "modernbert", "xlm-roberta", "xlm-roberta-xl"), ENCODER
    ),
    **dict.fromkeys(("mt5", "t5", "t5gemma", "umt5"), ENCODER_DECODER),
    **dict.fromkeys(("bloom", "gemma3_text", "llama", "qwen3", "xglm"), DECODER),
}
# What the names of transformers' classes end in. A `...EncoderModel` is the encoder of a T5.
CLASSES = {
    "EncoderModel": ENCODER_DECODER,
    "ForConditionalGeneration": ENCODER_DECODER,
    "ForCausalLM": DECODER,
    "ForMaskedLM": ENCODER,
}
# What is pooled, by what a config calls it: `bos` and `late` are EuroBERT's, whose late pooling
# is the mean of scores. And by default: an encoder's first token is trained to stand for all, of a
# T5 there is none such (Ni et al. 2022, arXiv 2108.08877, pool the mean), and the last token alone
# of a decoder has seen all.
POOLING = {"first": "cls", "cls": "cls", "bos": "cls", "mean": "mean", "late": "mean"}
POOLING |= {"last": "last"}
POOLED = {ENCODER: "cls", ENCODER_DECODER: "mean", DECODER: "last"}
# Decoders that could be given another mask, but whose positions have a meaning backwards alone.
ONE_WAY = {"bloom": "by ALiBi, a token would see another the more, the later it comes"}

LAYERS = ("num_hidden_layers", "num_layers", "n_layer", "n_layers", "encoder_layers")
WIDTH = ("hidden_size", "d_model", "n_embd", "dim")
# Dropout of hidden states, and of attention. That of poolers and of heads is not the encoder's.
OF_STATES = (
    "hidden_dropout_prob", "hidden_dropout", "dropout", "dropout_rate", "resid_pdrop",
    "embedding_dropout", "embd_pdrop", "mlp_dropout",
)  # fmt: skip
OF_ATTENTION = ("attention_probs_dropout_prob", "attention_dropout", "attn_pdrop")
DEVIATION = ("initializer_range", "init_std", "initializer_std")
EPSILON = ("layer_norm_eps", "norm_eps", "layer_norm_epsilon", "rms_norm_eps")


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What an encoder, of whichever architecture, is to those that use it.

    Attributes:
        model_type: its name in transformers; "" if not told.
        kind: one of `KINDS`; of an encoder-decoder it is the encoder that is used.
        word: which token stands for a word, `first` or `last`.
        pooling: what stands for a sequence: `cls` (the first token), `mean` or `last`.
        bidirectional: whether tokens see those after them.
        width, layers: of the hidden states, of the encoder; 0 if not told.
        dropout_keys: those of its config that dropout is set by.
        dropout: of hidden states, else of attention, as it is set there; for heads.
        deviation: of the normal distribution that new weights are drawn from.
        epsilon: of its norms.
    """

    model_type: str
    kind: str
    word: str
    pooling: str
    bidirectional: bool
    width: int
    layers: int
    dropout_keys: tuple[str, ...]
    dropout: float
    deviation: float
    epsilon: float

    @classmethod
    def of(cls, config: Any) -> "Architecture":
        """Return the architecture of a config; an encoder where it does not tell."""
        kind = told_kind(config) or ENCODER
        told = POOLING.get(str(value(config, "classifier_pooling")))
        keys = tuple(k for k in (*OF_STATES, *OF_ATTENTION) if value(config, k) is not None)
        width = int(value(config, *WIDTH) or 0)
        sees_later = value(config, "is_causal") is False or value(
            config, "use_bidirectional_attention"
        )
        return cls(
            model_type=value(config, "model_type") or "",
            kind=kind,
            word=own(config).get("word", "first"),
            pooling=told or POOLED[kind],
            bidirectional=kind != DECODER or bool(sees_later),
            width=width,
            layers=int(value(config, *LAYERS) or 0),
            dropout_keys=keys,
            dropout=float(value(config, *keys) or 0.0) if keys else 0.0,
            deviation=_deviation(config, width),
            epsilon=float(value(config, *EPSILON) or 1e-5),
        )


def parts(config: Any) -> tuple[Any, ...]:
    """Return a config, and that of the encoder in it where it holds one (T5Gemma's)."""
    inner = _get(config, "encoder")
    told = isinstance(inner, Mapping) or hasattr(inner, "model_type")
    return (config, inner) if told else (config,)


def value(config: Any, *names: str) -> Any:
    """Return the first of these keys that a config has, or that of its encoder; else None."""
    for part in parts(config):
        for name in names:
            if (found := _get(part, name)) is not None:
                return found
    return None


def own(config: Any) -> Mapping[str, Any]:
    """Return what the `model` rule has written of an architecture."""
    return _get(config, OWN) or {}


def told_kind(config: Any) -> str | None:
    """Return the kind of an architecture that a config tells, else that is known; None if none."""
    if written := own(config).get("kind"):
        return written
    if _get(config, "is_encoder_decoder"):
        return ENCODER_DECODER
    if known := KIND_OF.get(str(_get(config, "model_type"))):
        return DECODER if known == ENCODER and _get(config, "is_decoder") else known
    for name in _get(config, "architectures") or ():
        for end, kind in CLASSES.items():
            if str(name).endswith(end):
                return kind
    return None


def check_attention(key: str, asked: str | None, kind: str, model_type: str) -> None:
    """Refuse an `attention` that an architecture cannot have.

    Raises:
        UserError: `key` (of the config, or the model), and what is wrong.
    """
    if asked and kind != DECODER:
        raise UserError(
            f"{key}: attention: is for decoders, and this is an {kind} ({model_type}), whose tokens"
            " see all others; leave it out"
        )
    if asked == "bidirectional" and model_type in ONE_WAY:
        raise UserError(
            f"{key}: attention: {model_type} cannot be bidirectional: {ONE_WAY[model_type]}"
        )


def _deviation(config: Any, width: int) -> float:
    """Return that of new weights: T5's is by a factor of width ** -0.5, as of its own heads."""
    if (told := value(config, *DEVIATION)) is not None:
        return float(told)
    factor = value(config, "initializer_factor")
    return 0.02 if factor is None or not width else float(factor) * width**-0.5


def _get(config: Any, name: str) -> Any:
    return config.get(name) if isinstance(config, Mapping) else getattr(config, name, None)
