"""Whether a model's repository or folder can be used, said before its weights are fetched or read.

By the names of its files and by its `config.json`; torch is imported only where these cannot tell.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from xstilts.data import source as sources
from xstilts.running.errors import UserError, nearest
from xstilts.running.files import read_json

# One of these is what a fast tokenizer is made from.
TOKENIZERS = ("tokenizer.json", "*.model", "vocab.txt", "vocab.json")
SETTINGS = ("config.json", "tokenizer_config.json")  # small; what is fetched and checked first
# Parts of a config for what is no text.
OTHER_SENSES = {"vision_config": "images", "audio_config": "sound", "speech_config": "sound"}


def check_folder(folder: Path, name: str) -> None:
    """Refuse a folder that holds no model that can be used, as far as that costs nothing to see."""
    names = {path.name for path in folder.iterdir()}
    check_names(name, names)
    for pattern in sources.model_files(names):
        for file in filter(sources.is_pointer, filter(Path.is_file, folder.glob(pattern))):
            raise UserError(f"model {name}: {file} {sources.POINTER}")
    check_config(name, read_config(folder, name))


def read_config(folder: Path, name: str) -> dict[str, Any]:
    """Return the `config.json` of a folder."""
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"model {name}: {path} is damaged ({error}); fetch it again") from None
    if not isinstance(config, dict):
        raise UserError(f"model {name}: {path} is no config of a model, which is a JSON object")
    return config


def check_names(name: str, files: Iterable[str]) -> None:
    """Refuse a model's folder that lacks what is needed, judged by its file names."""
    files = {file for file in files if "/" not in file}  # exports to other frameworks are deeper
    if "config.json" not in files:
        raise UserError(
            f"model {name}: no config.json; a model folder holds config, weights, tokenizer"
        )
    if not sources.has_safetensors(files) and not sources.has_pickles(files):
        raise UserError(
            f"model {name}: no weights; model.safetensors (or pytorch_model.bin) is missing"
        )
    if not any(Path(f).match(pattern) for f in files for pattern in TOKENIZERS):
        raise UserError(f"model {name}: no tokenizer; one of {', '.join(TOKENIZERS)} is needed")


def check_config(name: str, config: Mapping[str, Any]) -> None:
    """Refuse what a config says cannot be trained on text: code of the repository's own, quantised
    weights, an architecture that reads something else."""
    if config.get("auto_map") and (unknown := _unknown(config.get("model_type"))) is not None:
        raise UserError(
            f"model {name}: needs code of its own repository (`auto_map`), which is not run, "
            f"and {unknown}"
        )
    if "quantization_config" in config:
        how = (config["quantization_config"] or {}).get("quant_method", "quantization_config")
        raise UserError(
            f"model {name}: its weights are quantised ({how}), which are not trained; give the "
            "checkpoint that they were made from"
        )
    for key, sense in OTHER_SENSES.items():
        if isinstance(config.get(key), Mapping):
            raise UserError(
                f"model {name}: reads {sense}, too ({config.get('model_type')}){_text_part(config)}"
            )
    if "image_size" in config and "vocab_size" not in config:
        raise UserError(f"model {name}: reads images ({config.get('model_type')}), not text")


def _text_part(config: Mapping[str, Any]) -> str:
    """What can be done about a model of several senses."""
    text = config.get("text_config")
    if not isinstance(text, Mapping) or not text.get("model_type"):
        return ", and has no text part that could be taken alone; give a model of text"
    return (
        f"; its text part alone, {text['model_type']}, could be used: save that part of "
        "transformers' AutoModel (mostly `.language_model`) and the tokenizer into a folder, and "
        "give that; or a model of text"
    )


def check_classes(folder: Path, name: str, files: Iterable[str]) -> None:
    """Refuse what transformers has no class for, has one that reads no text, or no fast tokenizer.

    Imports transformers and the architecture, so for the step that loads the model.

    Args:
        folder: holds `SETTINGS`, as far as the model has them.
        files: the names of all files of the model.
    """
    import transformers

    config = read_config(folder, name)
    kind = config.get("model_type")
    if (unknown := _unknown(kind)) is not None:
        raise UserError(f"model {name}: {unknown}")
    config_class = transformers.CONFIG_MAPPING[kind]
    if config_class not in transformers.MODEL_MAPPING:
        raise UserError(f"model {name}: transformers has no model with hidden states for `{kind}`")
    model_class = transformers.MODEL_MAPPING[config_class]
    model_class = model_class[0] if isinstance(model_class, tuple) else model_class
    if model_class.main_input_name != "input_ids":
        raise UserError(f"model {name}: reads {model_class.main_input_name} ({kind}), not text")
    if "tokenizer.json" not in files:
        _check_tokenizer_class(folder, name, str(kind))


def _check_tokenizer_class(folder: Path, name: str, kind: str) -> None:
    import transformers
    from transformers.models.auto import tokenization_auto as auto

    about = folder / "tokenizer_config.json"
    named = read_json(about).get("tokenizer_class") if about.is_file() else None
    named = named or auto.TOKENIZER_MAPPING_NAMES.get(kind)
    found = auto.tokenizer_class_from_name(named) if named else None
    if found and not issubclass(found, transformers.PreTrainedTokenizerFast):
        raise UserError(
            f"model {name}: has no fast tokenizer ({named}), which is needed for offsets"
        )


def _unknown(kind: object) -> str | None:
    """Return how transformers does not know an architecture; None if it does."""
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES as KNOWN

    if kind in KNOWN:
        return None
    if not kind:
        return "its config.json names no `model_type`"
    version = transformers.__version__
    return f"`{kind}` is not in transformers {version}{nearest(kind, KNOWN)}"
