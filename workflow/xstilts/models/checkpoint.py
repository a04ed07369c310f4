"""Checkpoints: an encoder as an ordinary Hugging Face folder, with the head in a file beside it."""

import inspect
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from xstilts.experiment.architecture import OWN
from xstilts.models import adapters, architecture, lean, shared_file
from xstilts.models.architecture import Architecture
from xstilts.running import garbage, ranks
from xstilts.running.errors import UserError
from xstilts.running.files import atomic, read_json, write_json

Layers = int | Callable[[Any], int] | None
# Keys of a config that make of a checkpoint something else than one file of plain weights.
SPECIAL = {
    "auto_map", "configuration_files", "fusion_config", "layer_types", "quantization_config",
    "transformers_weights", OWN,
}  # fmt: skip
FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")  # beside the weights


def load_encoder(folder: str | Path, layers: Layers = None, dropout: float | None = None):
    """Load the encoder of a checkpoint in fp32, without a pooler.

    Args:
        folder: `model.safetensors` and `config.json`, or an adapter, which is merged into its
            backbone.
        layers: keep only so many of the lowest layers, or what this makes of the config. The output
            is then the hidden state of that index in architectures that normalise after each layer
            (XLM-R base and large). In those that normalise before (XLM-R XL, ModernBERT, T5, all
            decoders here) it is that under the norm that ends the model, since no inner layer has
            one: what layers add up to grows with the depth, a few dimensions most, and no later
            layer ever reads it without a norm of its own.
        dropout: of hidden states and attention; None keeps the checkpoint's own.

    Raises:
        UserError: the folder has no weights, or not this model's.
    """
    folder = Path(folder)
    if adapters.is_adapter(folder):
        encoder = load_encoder(adapters.backbone(folder), layers, dropout)
        return adapters.merge(encoder, folder, whole=layers is None)
    if not (folder / "model.safetensors").exists():
        raise UserError(
            f"{folder}: a checkpoint without model.safetensors; delete it to have it made anew"
        )
    encoder = _direct(folder, layers, dropout)
    if encoder is None:
        lean.undo()
        encoder = _automatic(folder, layers, dropout)
    garbage.collect_from_here()
    return encoder


def _direct(folder: Path, layers: Layers, dropout: float | None):
    """Return the encoder with the weights as they are in the file; None where names, shapes, config
    or file are not as plain as those of our own checkpoints: `_automatic` loads it or says why not.
    """
    import torch
    from safetensors import safe_open

    try:
        content = read_json(folder / "config.json")
        if SPECIAL & content.keys() or (folder / "adapter_config.json").exists():
            return None
        config_class, model_class = lean.classes(content["model_type"])
        config = _set(config_class.from_dict(content), layers, dropout)
        config.name_or_path, config.dtype = str(folder), torch.float32
        from transformers.initialization import no_init_weights

        with no_init_weights():
            encoder = model_class(config, **_options(model_class))
        if encoder.all_tied_weights_keys:
            return None
        with safe_open(folder / "model.safetensors", "pt") as file:
            names = set(file.keys())
            for name, tensor in encoder.state_dict().items():
                if name not in names or file.get_slice(name).get_shape() != list(tensor.shape):
                    return None
            weights = {name: file.get_tensor(name).float() for name in encoder.state_dict()}
        encoder.load_state_dict(weights, assign=True)
        return encoder.eval()
    except Exception:
        return None


def _automatic(folder: Path, layers: Layers, dropout: float | None):
    import torch
    from safetensors import SafetensorError
    from transformers import AutoConfig
    from transformers.utils import logging

    logging.set_verbosity_error()  # layers left out on purpose would be reported as unexpected
    logging.disable_progress_bar()
    try:
        config = _set(AutoConfig.from_pretrained(folder), layers, dropout)
        auto_class = architecture.auto_class(config)
        model_class = auto_class._model_mapping[type(config)]
        encoder, loading_info = auto_class.from_pretrained(
            folder, config=config, dtype=torch.float32, use_safetensors=True,
            output_loading_info=True, **_options(model_class),
        )  # fmt: skip
        if loading_info["missing_keys"]:  # they would be random
            raise ValueError(f"it lacks {sorted(loading_info['missing_keys'])[0]}")
        return encoder
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"{folder}: cannot be loaded as a model ({line})") from None


def _set(config, layers: Layers, dropout: float | None):
    if layers is not None:
        architecture.set_layers(config, layers(config) if callable(layers) else layers)
    if dropout is not None:
        architecture.set_dropout(config, dropout)
    architecture.set_uncached(config)
    return config


def _options(model_class) -> dict[str, bool]:
    parameters = inspect.signature(model_class.__init__).parameters
    return {"add_pooling_layer": False} if "add_pooling_layer" in parameters else {}


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


def save(
    weights: dict[str, dict],
    init: str | Path,
    folder: str | Path,
    adapter: Mapping[str, Any] | None = None,
) -> None:
    """Write `encoder` and `head` weights into a folder; config and tokenizer are those of `init`.

    Each file is written whole or not at all, the encoder's last. It has the names of `init`: what
    is tied (the embeddings of a T5) is there once. With what the spec says of an adapter, the
    encoder's weights are those of it, and its config is what peft has. All ranks have to call this.
    """
    from safetensors import safe_open

    folder = Path(folder)
    if ranks.rank() == 0:
        _copy_files(Path(init), folder, adapter is not None)
    shared_file.save(weights["head"], folder / "head.safetensors")
    encoder, name = weights["encoder"], "model.safetensors"
    source = Path(init) / name
    if adapter is not None:  # of which the first rank has all
        first = ranks.rank() == 0
        encoder = adapters.save_config(encoder, init, folder, adapter) if first else {}
        name = adapters.WEIGHTS
    elif source.exists():
        with safe_open(source, "pt") as file:
            encoder = {key: encoder[key] for key in encoder.keys() & set(file.keys())}
    shared_file.save(encoder, folder / name, {"format": "pt"})


def _copy_files(init: Path, folder: Path, adapted: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES[1:] if adapted else FILES:
        if (init / name).exists():
            with atomic(folder / name) as temporary:
                shutil.copyfile(init / name, temporary)
    if adapted:
        return
    config = read_json(folder / "config.json")
    if config.get("dtype") != "float32":
        write_json(folder / "config.json", config | {"dtype": "float32"})


def retrieval_layer(config, requested: int | None) -> int:
    """Return the layer whose hidden states are pooled for retrieval: the requested one, or that of
    the paper (`pooled_layer`)."""
    depth = Architecture.of(config).layers
    if requested is not None and requested > depth:
        raise UserError(f"retrieval_layer: {requested} is above the {depth} layers of the model")
    return requested if requested is not None else pooled_layer(depth)


def pooled_layer(depth: int) -> int:
    """Return the layer that is pooled of an encoder of `depth` layers, where none is asked for.

    Phang et al. 2020 and jiant pool hidden state 14 of the 24 layers of XLM-R Large; other depths
    take the same fraction, rounded (12 layers: 7, 6 layers: 4).
    """
    return max(1, int(depth * 14 / 24 + 0.5))
