"""Checkpoints: an encoder as an ordinary Hugging Face folder, with the head in a file beside it."""

import inspect
import shutil
from pathlib import Path

from xstilts.running import garbage
from xstilts.running.errors import UserError
from xstilts.running.files import atomic, read_json, write_json

FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")  # beside the weights


def load_encoder(folder: str | Path, layers: int | None = None, dropout: float | None = None):
    """Load the encoder of a checkpoint in fp32, without a pooler.

    Args:
        folder: `model.safetensors` and `config.json`.
        layers: keep only so many of the lowest layers; the output is then the hidden state of that
            index in architectures that normalise inside each layer (XLM-R base and large).
        dropout: of hidden states and attention; None keeps the checkpoint's own.

    Raises:
        UserError: the folder has no weights, or not this model's.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoConfig, AutoModel
    from transformers.utils import logging

    folder = Path(folder)
    if not (folder / "model.safetensors").exists():
        raise UserError(
            f"{folder}: a checkpoint without model.safetensors; delete it to have it made anew"
        )
    logging.set_verbosity_error()  # layers left out on purpose would be reported as unexpected
    logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(folder)
        if layers is not None:
            config.num_hidden_layers = layers
        if dropout is not None:
            config.hidden_dropout_prob = config.attention_probs_dropout_prob = dropout
        model_class = AutoModel._model_mapping[type(config)]
        parameters = inspect.signature(model_class.__init__).parameters
        options = {"add_pooling_layer": False} if "add_pooling_layer" in parameters else {}
        encoder, loading_info = AutoModel.from_pretrained(
            folder, config=config, dtype=torch.float32, use_safetensors=True,
            output_loading_info=True, **options,
        )  # fmt: skip
        if loading_info["missing_keys"]:  # they would be random
            raise ValueError(f"it lacks {sorted(loading_info['missing_keys'])[0]}")
        garbage.collect_from_here()
        return encoder
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"{folder}: cannot be loaded as a model ({line})") from None


def load_head(head, folder: str | Path, prefix: str = "") -> None:
    """Load the weights of a head that was saved beside an encoder; UserError if they do not fit.

    `prefix` is what their names begin with where several heads are in the file (`mnli.`).
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = Path(folder) / "head.safetensors"
    try:
        weights = load_file(path)
        own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        head.load_state_dict(own)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise UserError(f"{path}: cannot be loaded ({str(error).splitlines()[0]})") from None


def save(weights: dict[str, dict], init: str | Path, folder: str | Path) -> None:
    """Write `encoder` and `head` weights into a folder; config and tokenizer are those of `init`.

    Each file is written whole or not at all, the encoder's last.
    """
    from safetensors.torch import save_file

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        if (Path(init) / name).exists():
            with atomic(folder / name) as temporary:
                shutil.copyfile(Path(init) / name, temporary)
    config = read_json(folder / "config.json")
    if config.get("dtype") != "float32":
        write_json(folder / "config.json", config | {"dtype": "float32"})
    with atomic(folder / "head.safetensors") as temporary:
        save_file(weights["head"], temporary)
    with atomic(folder / "model.safetensors") as temporary:
        save_file(weights["encoder"], temporary, metadata={"format": "pt"})


def retrieval_layer(config, requested: int | None) -> int:
    """Return the layer whose hidden states are pooled for retrieval: the requested one, or 14/24
    of the depth.

    Phang et al. 2020 and jiant pool hidden state 14 of the 24 layers of XLM-R Large; other depths
    take the same fraction, rounded (12 layers: 7, 6 layers: 4).
    """
    depth = config.num_hidden_layers
    if requested is not None and requested > depth:
        raise UserError(f"retrieval_layer: {requested} is above the {depth} layers of the model")
    return requested if requested is not None else max(1, int(depth * 14 / 24 + 0.5))
