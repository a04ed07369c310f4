"""Architectures as modules: which class, and what of its config is set before it is loaded.

`Architecture.of(config)` says what one is. What transformers has no key for is in the object
`xstilts` of config.json, which `tell` writes. For all else its own keys are used, so that a
checkpoint is the same to transformers: `classifier_pooling` (ModernBERT's and EuroBERT's), and
`is_causal: false`, by which a decoder's masks look both ways (`create_causal_mask` of its
`masking_utils`; windows, as Gemma 3's, then reach as far ahead as back).
"""

from typing import Any

from xstilts.experiment.architecture import (
    DECODER,
    ENCODER,
    ENCODER_DECODER,
    LAYERS,
    OWN,
    check_attention,
    parts,
    told_kind,
)
from xstilts.experiment.architecture import Architecture as Architecture
from xstilts.running.errors import UserError

TRIED = 4  # tokens of the pass that shows whether a token sees those after it


def kind(config: Any) -> str:
    """Return the kind of a model's config, where it does not tell by transformers' tables: what
    it has for causal language modelling and not for masked is a decoder."""
    if told := told_kind(config):
        return told
    from transformers.models.auto import modeling_auto as names

    causal, masked = (
        config.model_type in table
        for table in (
            names.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
            names.MODEL_FOR_MASKED_LM_MAPPING_NAMES,
        )
    )
    return DECODER if causal and not masked else ENCODER


def auto_class(config: Any) -> Any:
    """Return the class of transformers that opens a checkpoint: `AutoModel` or, of an
    encoder-decoder, `AutoModelForTextEncoding`, which has its encoder alone.

    Raises:
        UserError: transformers has no class for the encoder alone.
    """
    from transformers import AutoModel, AutoModelForTextEncoding

    if kind(config) != ENCODER_DECODER:
        return AutoModel
    if type(config) not in AutoModelForTextEncoding._model_mapping:
        raise UserError(
            f"{config.model_type}: is an encoder-decoder whose encoder transformers has no class"
            " for (it has for t5, mt5, umt5, t5gemma)"
        )
    config.is_encoder_decoder = False  # T5Gemma's encoder wants it so
    return AutoModelForTextEncoding


def tell(config: Any) -> bool:
    """Write into a config what kind it is and which token stands for a word: a decoder has seen a
    word at its last token. Into that of an encoder nothing; return whether something was."""
    found = kind(config)
    if found != ENCODER:
        setattr(config, OWN, {"kind": found} | ({"word": "last"} if found == DECODER else {}))
    return found != ENCODER


def settle(name: str, encoder: Any, pooling: str | None, attention: str | None) -> None:
    """Set what is pooled and how a decoder attends, in the config of a loaded model.

    Raises:
        UserError: the model `name` cannot have it.
    """
    from huggingface_hub.errors import StrictDataclassFieldValidationError

    config = encoder.config
    if pooling:
        try:
            config.classifier_pooling = pooling
        except StrictDataclassFieldValidationError:
            raise UserError(
                f"model {name}: pooling: {config.model_type} has no `{pooling}`; its config takes"
                " `first` or `mean`"  # ModernBERT's
            ) from None
    check_attention(f"model {name}", attention, kind(config), config.model_type)
    if attention:
        config.is_causal = attention == "causal"
        if sees_later(encoder) != (attention == "bidirectional"):
            raise UserError(
                f"model {name}: attention: {config.model_type} cannot be {attention}: transformers"
                " attends otherwise whatever its config says"
            )


def sees_later(encoder: Any) -> bool:
    """Return whether a token's hidden state depends on what comes after it, by a pass of few."""
    import torch

    ids = torch.arange(TRIED).unsqueeze(0) % encoder.config.vocab_size
    other = ids.clone()
    other[0, -1] = (TRIED + 1) % encoder.config.vocab_size
    training = encoder.training
    encoder.eval()
    with torch.inference_mode():
        states = [
            encoder(input_ids=i, attention_mask=torch.ones_like(i)).last_hidden_state[0, 0]
            for i in (ids, other)
        ]
    encoder.train(training)
    return not torch.equal(*states)


def set_layers(config: Any, layers: int) -> None:
    """Keep so many of the lowest layers. What comes after the layers stays (`load_encoder`)."""
    for part in parts(config):
        for key in LAYERS:
            if getattr(part, key, None) is not None:
                setattr(part, key, layers)
                if getattr(part, "layer_types", None):
                    part.layer_types = part.layer_types[:layers]
                return


def set_dropout(config: Any, dropout: float) -> None:
    """Set the dropout of hidden states and attention, by whichever keys there are."""
    for part in parts(config):
        for key in Architecture.of(config).dropout_keys:
            if getattr(part, key, None) is not None:
                setattr(part, key, dropout)


def set_uncached(config: Any) -> None:
    """Keep a decoder from keeping keys and values for tokens to come."""
    if told_kind(config) == DECODER:
        config.use_cache = False
