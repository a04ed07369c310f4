"""A public checkpoint: fetched at its pin, checked, loaded.

Only the encoder is kept: no head, no pooler. Weights that are pickles become safetensors first
(`models.pickles`).
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xstilts.data import source as sources
from xstilts.encoding import separators
from xstilts.models import architecture, repository
from xstilts.running.errors import UserError
from xstilts.running.files import sha256

Check = Callable[[Path, str, set[str]], None]


def fetch(
    source: str,
    root: str,
    pin: dict[str, Any],
    name: str,
    check: Check = repository.check_classes,
) -> Path:
    """Return a local folder with the files of a model, downloading them at the pinned commit.

    check: refuses what is no encoder that can be trained, by its folder, name and files.

    Raises UserError: no such folder or repository, the hub away, no weights, no tokenizer, no
    config, a model that cannot be used, or (a mirror) files that are not those of the pin.
    """
    if sources.from_hub(source, name):
        path = _download(name, pin["revision"], check)
    else:
        path = sources.folder(root, "models", name)
    repository.check_folder(path, name)
    for file, digest in pin.get("files", {}).items():
        if not (path / file).is_file() or sha256(path / file) != digest:
            raise UserError(
                f"model {name}: {path / file} has changed since it was pinned; "
                f"{sources.advice(name)}"
            )
    check(path, name, {file.name for file in path.iterdir()})
    return path


def _download(name: str, revision: str, check: Check) -> Path:
    import huggingface_hub

    sources.quiet()
    patterns: tuple[str, ...] = sources.MODEL_FILES + sources.PICKLES  # offline: what there is
    try:
        if not huggingface_hub.constants.is_offline_mode():
            # Looked at first: what cannot be used is said in seconds, not after gigabytes.
            siblings = sources.hub_info("models", name, revision).siblings or []
            files = {s.rfilename for s in siblings}
            repository.check_names(name, files)
            patterns = sources.model_files(files)
            settings = Path(_snapshot(name, revision, repository.SETTINGS))
            repository.check_config(name, repository.read_config(settings, name))
            check(settings, name, files)
        return Path(_snapshot(name, revision, patterns))
    except UserError:
        raise
    except Exception as error:
        raise sources.hub_error(error, "models", name, revision) or error from error


def beside(source: str, pin: dict[str, Any], name: str, file: str) -> Path | None:
    """Return a small file of a repository on the hub that `fetch` does not read, at its pin; None
    if there is none, or the model is in a folder, where it is beside the others."""
    if not sources.from_hub(source, name):
        return None
    try:
        found = Path(_snapshot(name, pin["revision"], (file,))) / file
    except Exception as error:
        raise sources.hub_error(error, "models", name, pin["revision"]) or error from error
    return found if found.is_file() else None


def _snapshot(name: str, revision: str, patterns: tuple[str, ...]) -> str:
    import huggingface_hub

    return huggingface_hub.snapshot_download(
        name,
        revision=revision,
        allow_patterns=list(patterns),
        ignore_patterns=["*/*"],  # exports to other frameworks are in subfolders
    )


def load(path: Path, name: str) -> tuple[Any, Any]:
    """Return (encoder, fast tokenizer) of a local folder, in the stored dtype.

    Raises UserError for weights that are damaged, incomplete, or hold NaN, and for a tokenizer
    that makes ids the encoder has no embedding for, or has no tokens to separate texts with.
    """
    import transformers

    transformers.logging.set_verbosity(transformers.logging.CRITICAL)
    transformers.utils.logging.disable_progress_bar()
    try:
        config = transformers.AutoConfig.from_pretrained(path, local_files_only=True)
        auto_class = architecture.auto_class(config)
        model_class = auto_class._model_mapping[type(config)]
        if isinstance(model_class, tuple):
            model_class = model_class[0]
        parameters = inspect.signature(model_class.__init__).parameters
        options: dict[str, Any] = {}
        if "add_pooling_layer" in parameters:
            options["add_pooling_layer"] = False
        if architecture.tell(config):
            options["config"] = config
        encoder, loading_info = auto_class.from_pretrained(
            path, use_safetensors=True, local_files_only=True, dtype="auto",
            output_loading_info=True, **options,
        )  # fmt: skip
        # A tokenizer.json is taken as it is. AutoTokenizer rebuilds it the way its class has it in
        # this version, which cut 1.6% of some texts in another way than the model's own file.
        tokenizer_class = transformers.AutoTokenizer
        if (path / "tokenizer.json").is_file():
            tokenizer_class = transformers.PreTrainedTokenizerFast
        tokenizer = tokenizer_class.from_pretrained(path, local_files_only=True)
    except UserError as error:
        raise UserError(f"model {name}: {error}") from None
    except Exception as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"model {name}: {path} cannot be loaded ({line})") from error
    for key in ("is_local", "local_files_only"):  # how it was loaded, not what it is
        tokenizer.init_kwargs.pop(key, None)
    _check_weights(encoder, loading_info, name, path)
    if not tokenizer.is_fast:
        raise UserError(f"model {name}: has no fast tokenizer, which is needed for offsets")
    tokenizer = separators.fit(tokenizer, encoder.config, name)
    if max(tokenizer.get_vocab().values(), default=-1) >= encoder.config.vocab_size:
        raise UserError(
            f"model {name}: its tokenizer has {len(tokenizer)} tokens, its embeddings only "
            f"{encoder.config.vocab_size}; they do not belong together"
        )
    return encoder, tokenizer


def _check_weights(encoder: Any, loading_info: dict[str, Any], name: str, path: Path) -> None:
    """Refuse weights that the library would have replaced by random ones, and non-finite ones."""
    import torch

    mismatched = (str(key) for key in loading_info["mismatched_keys"])
    missing = sorted([*loading_info["missing_keys"], *mismatched])
    if missing:
        raise UserError(
            f"model {name}: {path} lacks {len(missing)} weights of the encoder, first {missing[0]};"
            " they are another architecture's"
        )
    for key, value in encoder.state_dict().items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise UserError(
                f"model {name}: weight {key} in {path} is NaN or infinite; fetch it again"
            )
