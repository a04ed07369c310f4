"""Step: one public encoder and its tokenizer, as the plain Hugging Face folder that training reads.

Only the encoder is kept: no head, no pooler. Pickled weights are refused, because loading a pickle
runs whatever code is in it. `node.json` is written last: where it is, the folder is whole.
"""

import argparse
import inspect
import json
from pathlib import Path
from typing import Any

from xstilts import source, step
from xstilts.errors import UserError
from xstilts.files import read_json, sha256, write_json

# One of these is what a fast tokenizer is made from.
TOKENIZERS = ("tokenizer.json", "*.model", "vocab.txt", "vocab.json")


def fetch(where: str, root: str, pin: dict[str, Any], name: str) -> Path:
    """Return a local folder with the files of a model, downloading them at the pinned commit.

    Raises UserError: no such folder or repository, the hub away, no safetensors, no tokenizer,
    no config, or (a mirror) files that are not those of the pin.
    """
    if source.from_hub(where, name):
        path = _download(name, pin["revision"])
    else:
        path = source.folder(root, "models", name)
    _check_names(name, {p.name for p in path.iterdir()})
    for file, digest in pin.get("files", {}).items():
        if not (path / file).is_file() or sha256(path / file) != digest:
            raise UserError(
                f"model {name}: {path / file} has changed since it was pinned; "
                f"{source.advice(name)}"
            )
    for file in path.glob("*.safetensors"):
        if source.is_pointer(file):
            raise UserError(f"model {name}: {file} {source.POINTER}")
    return path


def _download(name: str, revision: str) -> Path:
    import huggingface_hub

    source.quiet()
    if not huggingface_hub.constants.is_offline_mode():
        # Asked first: it fails in seconds, and before gigabytes of pickles are fetched.
        found = source.hub_info("models", name, revision).siblings or []
        _check_names(name, {s.rfilename for s in found})
    try:
        return Path(
            huggingface_hub.snapshot_download(
                name,
                revision=revision,
                allow_patterns=list(source.MODEL_FILES),
                ignore_patterns=["*/*"],  # exports to other frameworks are in subfolders
            )
        )
    except Exception as error:
        raise source.hub_error(error, "models", name, revision) or error from error


def _check_names(name: str, files: set[str]) -> None:
    """Refuse a model's folder that lacks what is needed, judged by its file names."""
    if "config.json" not in files:
        raise UserError(
            f"model {name}: no config.json; a model folder holds config, weights, tokenizer"
        )
    if not any(f.endswith(".safetensors") for f in files):
        pickles = sorted(f for f in files if f.endswith((".bin", ".pt", ".pth", ".ckpt")))
        if not pickles:
            raise UserError(f"model {name}: no weights; model.safetensors is missing")
        raise UserError(
            f"model {name}: its weights are pickles ({pickles[0]}), which are not loaded because a "
            "pickle can run any code; convert them to safetensors, or give a `revision` that has "
            "them (on the hub often `refs/pr/<n>`)"
        )
    if not any(Path(f).match(pattern) for f in files for pattern in TOKENIZERS):
        raise UserError(f"model {name}: no tokenizer; one of {', '.join(TOKENIZERS)} is needed")


def load(path: Path, name: str) -> tuple[Any, Any]:
    """Return (encoder, fast tokenizer) of a local folder, in the stored dtype.

    Raises UserError for weights that are damaged, incomplete, or hold NaN, and for a tokenizer
    that makes ids the encoder has no embedding for.
    """
    import transformers

    transformers.logging.set_verbosity(transformers.logging.CRITICAL)
    transformers.utils.logging.disable_progress_bar()
    try:
        config = transformers.AutoConfig.from_pretrained(path, local_files_only=True)
        architecture = transformers.MODEL_MAPPING[type(config)]
        if isinstance(architecture, tuple):
            architecture = architecture[0]
        takes = inspect.signature(architecture.__init__).parameters
        options = {"add_pooling_layer": False} if "add_pooling_layer" in takes else {}
        encoder, report = transformers.AutoModel.from_pretrained(
            path, use_safetensors=True, local_files_only=True, dtype="auto",
            output_loading_info=True, **options,
        )  # fmt: skip
        # A tokenizer.json is taken as it is. AutoTokenizer rebuilds it the way its class has it in
        # this version, which cut 1.6% of some texts in another way than the model's own file.
        kind = transformers.AutoTokenizer
        if (path / "tokenizer.json").is_file():
            kind = transformers.PreTrainedTokenizerFast
        tokenizer = kind.from_pretrained(path, local_files_only=True)
    except Exception as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"model {name}: {path} cannot be loaded ({line})") from error
    for key in ("is_local", "local_files_only"):  # how it was loaded, not what it is
        tokenizer.init_kwargs.pop(key, None)
    _check_weights(encoder, report, name, path)
    if not tokenizer.is_fast:
        raise UserError(f"model {name}: has no fast tokenizer, which is needed for offsets")
    if max(tokenizer.get_vocab().values(), default=-1) >= encoder.config.vocab_size:
        raise UserError(
            f"model {name}: its tokenizer has {len(tokenizer)} pieces, its embeddings only "
            f"{encoder.config.vocab_size}; they do not belong together"
        )
    return encoder, tokenizer


def _check_weights(encoder: Any, report: dict[str, Any], name: str, path: Path) -> None:
    """Refuse weights that the library would have replaced by random ones, and non-finite ones."""
    import torch

    absent = sorted([*report["missing_keys"], *(str(k) for k in report["mismatched_keys"])])
    if absent:
        raise UserError(
            f"model {name}: {path} lacks {len(absent)} weights of the encoder, first {absent[0]}; "
            "they are another architecture's"
        )
    for key, value in encoder.state_dict().items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise UserError(
                f"model {name}: weight {key} in {path} is NaN or infinite; fetch it again"
            )


def main(args: argparse.Namespace) -> None:
    """Fetch, load, save, and write node.json."""
    spec, pin, out = json.loads(args.spec), read_json(args.pin), Path(args.out)
    path = fetch(args.source, args.root, pin, spec["from"])
    encoder, tokenizer = load(path, spec["from"])
    if spec.get("pooling"):  # in config.json, so that every checkpoint made from it keeps it
        encoder.config.classifier_pooling = spec["pooling"]
    (out / "node.json").unlink(missing_ok=True)
    encoder.save_pretrained(out, max_shard_size="1000GB")
    tokenizer.save_pretrained(out)
    # safetensors makes its file private to the user; others of a group may share results.
    (out / "model.safetensors").chmod((out / "config.json").stat().st_mode & 0o666)
    config = encoder.config
    write_json(
        out / "node.json",
        {
            "kind": "model",
            "spec": spec,
            "pins": {f"models/{spec['from']}": pin["revision"]},
            "hidden_size": config.hidden_size,
            "layers": config.num_hidden_layers,
            "parameters": sum(p.numel() for p in encoder.parameters()),
            "vocab_size": config.vocab_size,
            "weights": sha256(out / "model.safetensors"),
            "tokenizer": sha256(out / "tokenizer.json"),
        },
    )
    shape = f"{config.num_hidden_layers} layers of {config.hidden_size}"
    print(f"{spec['from']}: {shape}, {encoder.dtype}")


def parser() -> argparse.ArgumentParser:
    """The step's command line."""
    p = argparse.ArgumentParser(prog="xstilts.model", description=__doc__)
    p.add_argument(
        "--spec", required=True, help='JSON: {"from": org/name or path, "revision", "pooling"}'
    )
    p.add_argument("--source", required=True, help="hub, toy, or the folder of a mirror")
    p.add_argument("--root", default="", help="the folder of the mirror or toy world")
    p.add_argument("--pin", required=True, help="the model's pin file")
    p.add_argument("--out", required=True, help="the folder to write")
    return p


if __name__ == "__main__":
    step.run(main, parser())
