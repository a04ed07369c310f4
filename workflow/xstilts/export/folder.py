"""The folder of an exported model: weights, config, tokenizer, card."""

import contextlib
import inspect
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xstilts.encoding.tokenizer import load_tokenizer
from xstilts.experiment.architecture import ENCODER, Architecture, parts
from xstilts.export import card, snippets, task_model
from xstilts.export.trained import Trained
from xstilts.models import adapters, architecture, checkpoint
from xstilts.running.errors import UserError
from xstilts.running.files import read_json, write_json


def write(trained: Trained, to: str | Path) -> str | None:
    """Write the folder; return the name of the class that loads it, None where there is none.

    Raises:
        UserError: `to` is there and not empty, or the checkpoint is damaged.
    """
    with new_folder(to) as folder:
        model_class = _write_weights(trained, folder)
        _write_tokenizer(trained, folder)
        code = _code(trained, model_class, str(to))
        (folder / "README.md").write_text(card.text(trained, model_class, code), encoding="utf-8")
    return model_class


@contextlib.contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary sibling of a folder, renamed to it on success, deleted on failure."""
    path = Path(path)
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        raise UserError(f"--to {path}: is there already; name a new folder, or an empty one")
    temporary = path.absolute().with_name(f".{path.absolute().name}.{os.getpid()}.part")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        os.rename(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_weights(trained: Trained, folder: Path) -> str | None:
    from safetensors.torch import save_file

    if trained.head is not None:
        encoder, head = trained.load()
        model = task_model.build(encoder, head, trained.format, trained.labels)
        if model is not None:
            from transformers.utils import logging

            logging.disable_progress_bar()
            model.save_pretrained(folder)
            return type(model).__name__
        save_file(head.state_dict(), folder / "head.safetensors")
    if adapters.is_adapter(trained.folder):
        merged = checkpoint.load_encoder(trained.folder)
        merged.save_pretrained(folder, max_shard_size="1000GB")
        return None
    for name in ("model.safetensors", "config.json"):
        shutil.copyfile(trained.folder / name, folder / name)
    return None


def _write_tokenizer(trained: Trained, folder: Path) -> None:
    """Write the tokenizer so that transformers makes of a text what the evaluation makes of it."""
    shutil.copyfile(trained.folder / "tokenizer.json", folder / "tokenizer.json")
    # Of a tuned checkpoint it may be lost: Snakemake is not told of it.
    places = [trained.folder, trained.tokenizer_folder]
    there = [p / "tokenizer_config.json" for p in places if (p / "tokenizer_config.json").exists()]
    if not there:
        raise UserError(
            f"{places[-1] / 'tokenizer_config.json'}: is missing, which names the special tokens;"
            f" delete {places[-1]} and run again"
        )
    known = read_json(there[0])
    kept = {k: v for k, v in known.items() if k.endswith("_token") or k == "padding_side"}
    write_json(folder / "tokenizer_config.json", kept | tokenizer_settings(trained))


def tokenizer_settings(trained: Trained) -> dict[str, Any]:
    """Return what the tokenizer of an exported model must be told.

    The file is to be taken as it is, not rebuilt by the model's class; every token is of type 0, as
    in training; what is too long is cut where training cut it.
    """
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": ["input_ids", "attention_mask"],
        "model_max_length": trained.max_length,
        "truncation_side": "left" if trained.task.format == "choice" else "right",
    }


def _code(trained: Trained, model_class: str | None, folder: str) -> str:
    format, pair = trained.format, "text_pair" in trained.task.columns.values()
    if model_class:
        limits = trained.max_length, trained.task.no_answer
        tokenizer = load_tokenizer(adapters.backbone(trained.folder) / "tokenizer.json")
        return snippets.of_task_model(format, folder, pair, *limits, tokenizer)
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(adapters.backbone(trained.folder))
    auto_class = architecture.auto_class(config)
    parameters = inspect.signature(auto_class._model_mapping[type(config)].__init__).parameters
    auto, pooler = auto_class.__name__, "add_pooling_layer" in parameters
    if trained.head is None:
        assert trained.layer is not None
        inner = len(parts(config)) > 1
        return snippets.of_encoder(folder, trained.layer, auto, pooler, inner)
    found, labels = Architecture.of(config), trained.labels
    scaled = found.kind != ENCODER
    return snippets.of_encoder_and_head(format, folder, labels, auto, pooler, found.pooling, scaled)
