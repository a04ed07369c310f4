"""A tiny random checkpoint of each architecture: a Hugging Face folder, in about a second.

They stand in for public models of other architectures than XLM-R where an experiment is rehearsed
and in tests: two layers, untrained, with a tokenizer of the kind that the real one has
(`tokenizer_kinds`). Their scores mean nothing. The same arguments give the same bytes.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xstilts.running import files
from xstilts.running.errors import UserError, nearest

# Six scripts, with and without spaces.
TEXTS = (
    "Anna sees the small dog in the garden.", "Who is in the old house?",
    "The teacher reads 12 new books, and they're good.", "Der kleine Hund schläft im Garten.",
    "Анна видит маленькую собаку в саду.", "Кто живёт в старом доме?",
    "ترى آنا الكلب الصغير في الحديقة.", "من في البيت القديم؟",
    "आना बगीचे में छोटा कुत्ता देखती है।", "पुराने घर में कौन है?",
    "แอนนาเห็นสุนัขตัวเล็กในสวน", "ใครอยู่ในบ้านเก่า",
    "安娜在公园里看到一只小狗。", "谁在旧房子里？",
)  # fmt: skip
WORDS = 300  # tokens that a rehearsal learns for a language of the toy world
SPREAD = 0.1  # standard deviation of the weights; at 0.02 so small a model hardly sees its input


@dataclasses.dataclass(frozen=True)
class Backbone:
    """What is particular to an architecture.

    Attributes:
        tokenizer: its kind, a function of `tokenizer_kinds`.
        tokens: the roles that special tokens have, as tokenizer_config.json names them.
        options: keys of config.json, over those of `_shape`. Ids of special tokens come from
            `tokens`, as far as the real config.json has them.
    """

    tokenizer: str
    tokens: Mapping[str, str]
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


_S = {"bos": "<s>", "eos": "</s>", "unk": "<unk>", "pad": "<pad>"}
_XLMR = {**_S, "cls": "<s>", "sep": "</s>", "mask": "<mask>"}
_T5 = {"eos": "</s>", "unk": "<unk>", "pad": "<pad>"}
_BERT = {"unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "pad": "[PAD]", "mask": "[MASK]"}
_GEMMA = {"bos": "<bos>", "eos": "<eos>", "unk": "<unk>", "pad": "<pad>"}
_LLAMA = {"bos": "<|begin_of_text|>", "eos": "<|end_of_text|>"}

BACKBONES = {
    "bert": Backbone("bert", _BERT),
    "bloom": Backbone("bloom", _S),
    "deberta-v2": Backbone(
        "deberta", _BERT | {"bos": "[CLS]", "eos": "[SEP]"},
        # as mDeBERTa-v3's; absolute positions it has none
        {"relative_attention": True, "position_buckets": 16, "norm_rel_ebd": "layer_norm",
         "share_att_key": True, "pos_att_type": ["p2c", "c2p"], "max_relative_positions": -1,
         "position_biased_input": False, "type_vocab_size": 0},
    ),
    "eurobert": Backbone("eurobert", _LLAMA | {"mask": "<|mask|>", "pad": "<|pad|>"}),
    "gemma3_text": Backbone(
        "gemma", _GEMMA,
        {"sliding_window": 16, "sliding_window_pattern": 2,
         "query_pre_attn_scalar": 16},
    ),
    "llama": Backbone("llama", _LLAMA),
    "modernbert": Backbone(
        "modernbert", _BERT,
        {"local_attention": 16, "global_attn_every_n_layers": 2},
    ),
    "mt5": Backbone("mt5", _T5),
    "qwen3": Backbone(
        "qwen3", {"eos": "<|endoftext|>", "pad": "<|endoftext|>"},
    ),
    "t5gemma": Backbone("gemma", _GEMMA),
    "umt5": Backbone("umt5", _T5),
    "xglm": Backbone("xglm", _S | {"cls": "<s>", "sep": "</s>"}),
    "xlm-roberta": Backbone("xlm_roberta", _XLMR),
    "xlm-roberta-xl": Backbone("xlm_roberta", _XLMR),
}  # fmt: skip
# Where the real config.json names no pad token (Qwen3's tokenizer alone does).
NO_PAD = ("qwen3", "llama")
# The encoders of encoder-decoders.
ENCODERS = {
    "mt5": "MT5EncoderModel", "umt5": "UMT5EncoderModel", "t5gemma": "T5GemmaEncoderModel",
}  # fmt: skip


def check(model_type: str) -> None:
    """Raise UserError where there is no such tiny checkpoint."""
    if model_type not in BACKBONES:
        raise UserError(
            f"toy backbone: no architecture `{model_type}`{nearest(model_type, BACKBONES)} "
            f"(there are {', '.join(BACKBONES)})"
        )


def write(
    model_type: str,
    folder: str | Path,
    texts: Sequence[str] = TEXTS,
    *,
    layers: int = 2,
    width: int = 32,
    vocabulary: int = 400,
    seed: int = 1,
    head: bool = False,
) -> None:
    """Write config.json, tokenizer.json, tokenizer_config.json and model.safetensors.

    Args:
        model_type: a key of `BACKBONES`: the `model_type` of transformers.
        folder: made if it is not there.
        texts: what the tokenizer is trained on.
        layers, width: the shape; the width a multiple of 16.
        vocabulary: tokens that the tokenizer learns at most, beside special ones and bytes.
        seed: of the weights.
        head: whether the checkpoint is the whole model with its language modelling head, as public
            ones mostly are (of an encoder-decoder then the decoder too); else what has hidden
            states alone: of an encoder-decoder the encoder.

    Raises UserError: no such architecture.
    """
    import torch
    from safetensors.torch import save_file

    from xstilts.toy import tokenizer_kinds

    check(model_type)
    folder, backbone = Path(folder), BACKBONES[model_type]
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = getattr(tokenizer_kinds, backbone.tokenizer)(list(texts), vocabulary)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {f"{role}_token": token for role, token in backbone.tokens.items()}
    about = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512}
    files.write_json(folder / "tokenizer_config.json", about | names)

    config = _config(model_type, tokenizer, layers, width)
    if model_type == "t5gemma":
        config.is_encoder_decoder = head
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _class(model_type, head)._from_config(config)
    config.architectures, config.dtype = [type(model).__name__], torch.float32
    config.save_pretrained(folder)
    # Tied weights are stored once, under the name from which the others are tied.
    tied = set(getattr(model, "all_tied_weights_keys", None) or {})
    state = {k: v.contiguous() for k, v in model.state_dict().items() if k not in tied}
    with files.atomic(folder / "model.safetensors") as temporary:
        save_file(state, temporary, metadata={"format": "pt"})


def _class(model_type: str, head: bool) -> Any:
    import transformers
    from transformers.models.auto import modeling_auto as auto

    names = auto.MODEL_MAPPING_NAMES
    if head:  # the masked model first, since BERT and XLM-R could be decoders, too
        names = {
            **auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
            **auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES,
            **auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
        }
    encoders = {} if head else ENCODERS
    return getattr(transformers, encoders.get(model_type) or names[model_type])


def _config(model_type: str, tokenizer: Any, layers: int, width: int) -> Any:
    from transformers import AutoConfig

    backbone = BACKBONES[model_type]
    ids = {
        f"{role}_token_id": tokenizer.token_to_id(token)
        for role, token in backbone.tokens.items()
        if role in ("bos", "eos", "pad", "cls", "sep", "mask")
        and not (role == "pad" and model_type in NO_PAD)
    }
    if model_type in NO_PAD:
        ids["pad_token_id"] = None
    # Embeddings for more tokens than there are, as most have.
    size = -(-tokenizer.get_vocab_size() // 8) * 8
    shape = _shape(model_type, layers, width)
    if model_type == "t5gemma":
        module = {**shape, **ids, "vocab_size": size}
        return AutoConfig.for_model(
            model_type, encoder=module, decoder=dict(module), vocab_size=size, **ids
        )
    return AutoConfig.for_model(model_type, vocab_size=size, **shape, **ids, **backbone.options)


def _shape(model_type: str, layers: int, width: int) -> dict[str, Any]:
    """Sizes, by the names that the architecture's config has for them."""
    heads = 2
    if model_type in ("mt5", "umt5"):
        return {
            "d_model": width, "d_kv": width // heads, "d_ff": 2 * width, "num_heads": heads,
            "num_layers": layers, "num_decoder_layers": layers, "feed_forward_proj": "gated-gelu",
            "relative_attention_num_buckets": 8, "relative_attention_max_distance": 32,
            "tie_word_embeddings": False, "decoder_start_token_id": 0,
        }  # fmt: skip
    if model_type == "xglm":
        return {
            "d_model": width, "ffn_dim": 2 * width, "num_layers": layers, "attention_heads": heads,
            "max_position_embeddings": 512, "init_std": SPREAD,
        }  # fmt: skip
    if model_type == "bloom":
        return {
            "hidden_size": width, "n_layer": layers, "n_head": heads, "initializer_range": SPREAD,
        }  # fmt: skip
    shape: dict[str, Any] = {
        "hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads,
        "intermediate_size": 2 * width, "max_position_embeddings": 512, "initializer_range": SPREAD,
    }  # fmt: skip
    if model_type in ("llama", "qwen3", "gemma3_text", "eurobert", "t5gemma"):
        shape |= {"num_key_value_heads": 1, "head_dim": width // heads}
        shape["tie_word_embeddings"] = model_type != "eurobert"
    if model_type == "t5gemma":
        types = ["sliding_attention", "full_attention"]
        shape |= {"sliding_window": 16, "query_pre_attn_scalar": width // heads}
        shape["layer_types"] = [types[i % 2] for i in range(layers)]
    if model_type in ("xlm-roberta", "xlm-roberta-xl"):
        shape |= {"max_position_embeddings": 514, "type_vocab_size": 1}
    return shape
