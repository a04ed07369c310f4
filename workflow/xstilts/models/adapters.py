"""Low-rank adapters: beside the frozen weights W of a linear layer alpha / rank * B A is trained.

(LoRA, Hu et al. 2021, arXiv 2106.09685.) A checkpoint of one is what peft writes, beside the folder
of its backbone, `results/models/{model}`. It has no config.json: with one, transformers would look
for the backbone's weights in the folder too.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from xstilts.experiment.adapter import ALL_LINEAR
from xstilts.running import device as devices
from xstilts.running import files
from xstilts.running.errors import UserError, nearest
from xstilts.running.record import read_node

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
NAME = "default"  # peft's, of the adapter in a model
PREFIX = "base_model.model."  # peft's, of the weights in a file
_A, _B = ".lora_A.weight", ".lora_B.weight"
# Ends of names of matrices that no input is multiplied with.
_NOT_LINEAR = re.compile(
    r"(embeddings?|embed_(tokens|positions)|attention_bias|\b(shared|w[tp]e))$"
)


def is_adapter(folder: str | Path) -> bool:
    """Return whether a checkpoint is an adapter."""
    return Path(folder, CONFIG).exists()


def backbone(folder: str | Path) -> Path:
    """Return the folder of the model that the adapter of a checkpoint is on; of a checkpoint that
    is no adapter, its own."""
    if not is_adapter(folder):
        return Path(folder)
    base = Path(_config(folder)["base_model_name_or_path"])
    inside = files.split(folder)  # a path in results is as from the folder that these are in
    return base if base.is_absolute() or not inside else inside[0].parent / base


def start(init: str | Path, adapter: Mapping[str, Any] | None) -> Path:
    """Return the checkpoint whose weights a training starts from, of what it is told to start from:
    where it continues an adapter, the backbone of that."""
    continued = adapter is not None and adapter.get("start") == "continue"
    return backbone(init) if continued else Path(init)


def check(init: str | Path, adapter: Mapping[str, Any]) -> None:
    """Refuse modules that the backbone of a checkpoint does not have; it is not loaded for that.

    Raises:
        UserError: the first of them, with the nearest.
    """
    from safetensors import SafetensorError, safe_open

    if adapter["on"] == ALL_LINEAR:
        return
    path = backbone(init) / "model.safetensors"
    try:
        with safe_open(path, "np") as file:
            matrices = [k for k in sorted(file.keys()) if len(file.get_slice(k).get_shape()) == 2]
    except (OSError, SafetensorError):
        return  # which loading it will say
    names = [k.removesuffix(".weight") for k in matrices if k.endswith(".weight")]
    targets(_linear(names), adapter["on"])


def _linear(names: Sequence[str]) -> list[str]:
    """Return those of the names of matrices in a file that may be linear layers of the encoder: no
    embeddings, no head, nothing of an encoder-decoder's decoder."""
    parts = {name: name.split(".") for name in names}
    outside = {"lm_head", "pooler"}
    if any("encoder" in own for own in parts.values()):
        outside.add("decoder")
    return [n for n, own in parts.items() if not (outside & {*own} or _NOT_LINEAR.search(n))]


def targets(modules: Iterable[str], on: str | Sequence[str]) -> list[str]:
    """Return those of the modules that are asked for, each by its name or the end of it.

    Raises:
        UserError: nothing is called so; the nearest name is said.
    """
    known = list(modules)
    if on == ALL_LINEAR:
        return known
    found = {name: [m for m in known if f".{m}".endswith(f".{name}")] for name in on}
    for name, matching in found.items():
        if not matching:
            ends = dict.fromkeys(module.rpartition(".")[2] for module in known)
            near = nearest(name, [*ends, *known])
            raise UserError(
                f"adapter: on: the model has no linear module `{name}`{near} (it has"
                f" {', '.join(ends)})"
            )
    return [m for m in known if any(m in matching for matching in found.values())]


def attach(encoder, adapter: Mapping[str, Any], init: str | Path) -> None:
    """Freeze an encoder and put an adapter on it: a new one or, where that of a checkpoint is
    continued, that.

    Args:
        encoder: of `start`, on the CPU.
        adapter: of the spec of the training.
        init: the checkpoint that the training starts from.

    Raises:
        UserError: the encoder has no such modules, or they are not linear.
    """
    import torch
    from peft import LoraConfig, inject_adapter_in_model

    from xstilts.models import low_rank

    linear = [n for n, m in encoder.named_modules() if isinstance(m, torch.nn.Linear)]
    settings = LoraConfig(
        r=adapter["rank"],
        lora_alpha=adapter["alpha"],
        lora_dropout=adapter["dropout"],
        target_modules=targets(linear, adapter["on"]),
    )
    settings._register_custom_module({torch.nn.Linear: low_rank.Layer})
    inject_adapter_in_model(settings, encoder, adapter_name=NAME)
    if adapter.get("start") == "continue":
        weights = {_inside(k): v for k, v in _weights(init).items()}
        unknown = encoder.load_state_dict(weights, strict=False).unexpected_keys
        if unknown:
            raise UserError(f"{init}: its adapter has {unknown[0]}, which the model has not")


def place(encoder, device):
    """Return an encoder with an adapter on the device that trains it.

    On a GPU that computes in bf16 the frozen weights of linear layers are in bf16 too, as autocast
    would make them anew in each pass; so nothing else comes out. What is in no matrix product stays
    in fp32, as it is in evaluation. If a first pass fails so, they are fp32 again, and a line says
    it (that they are rounded now is no matter to autocast).
    """
    import torch

    if device.type != "cuda" or not devices.has_bf16():
        return encoder.to(device)
    frozen = halve(encoder)
    encoder.to(device)
    try:
        with devices.autocast(device):
            ids = torch.ones((2, 8), dtype=torch.long, device=device)
            states = encoder(input_ids=ids, attention_mask=ids).last_hidden_state
        states.float().sum().backward()
        failed = "" if bool(states.isfinite().all()) else "its hidden states are not finite"
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        failed = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    encoder.zero_grad(set_to_none=True)
    if failed:
        print(f"frozen weights are in fp32, not bf16: {failed}", flush=True)
        for module in frozen:
            module.float()
    return encoder


def halve(encoder) -> list[Any]:
    """Make the frozen weights of the linear layers of an encoder bf16; return these layers."""
    import torch

    linear = [module for module in encoder.modules() if isinstance(module, torch.nn.Linear)]
    frozen = [module for module in linear if not module.weight.requires_grad]
    for module in frozen:
        module.to(torch.bfloat16)
    return frozen


def save_config(
    weights: Mapping[str, Any], init: str | Path, folder: Path, adapter: Mapping[str, Any]
) -> dict[str, Any]:
    """Write the config of an adapter, as peft does, and return its weights by peft's names.

    Where the adapter that the training started from was merged, what has been learnt in all is a
    sum of low-rank products, which is one product: its A are on top of each other, its B side by
    side. So a checkpoint needs its backbone alone.

    Args:
        weights: name in the encoder -> tensor, of what was trained.
        init: the checkpoint that the training started from.
        folder: of the new one.
        adapter: of the spec of the training.
    """
    import torch
    from peft import LoraConfig

    own = {PREFIX + k.replace(f".{NAME}.", "."): v for k, v in weights.items() if ".lora_" in k}
    rank, alpha, base = adapter["rank"], adapter["alpha"], str(init)
    if is_adapter(init):
        told = _config(init)
        base = told["base_model_name_or_path"]
        if adapter["start"] == "merge":
            before = _weights(init)
            rank, alpha = rank + told["r"], alpha + told["lora_alpha"]  # their quotient stays
            own = {
                k: torch.cat([before[k], v], dim=0 if k.endswith(_A) else 1) for k, v in own.items()
            }
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=adapter["dropout"],
        base_model_name_or_path=base,
        inference_mode=True,
        task_type="FEATURE_EXTRACTION",
    ).to_dict()
    modules = sorted(k.removeprefix(PREFIX).removesuffix(_A) for k in own if k.endswith(_A))
    files.write_json(folder / CONFIG, {**config, "target_modules": modules})
    return own


def merge(encoder, folder: str | Path, whole: bool = True):
    """Return an encoder with the adapter of a checkpoint in its weights, as peft merges it.

    Args:
        encoder: the backbone, in fp32.
        folder: of the checkpoint.
        whole: whether the encoder has all of its layers; else the adapters of others are left out.

    Raises:
        UserError: the adapter cannot be read, or is another model's.
    """
    weights, told = _weights(folder), _config(folder)
    scale = told["lora_alpha"] / told["r"]
    modules, merged = dict(encoder.named_modules()), 0
    for name in (key.removesuffix(_A) for key in weights if key.endswith(_A)):
        module = modules.get(name.removeprefix(PREFIX))
        if module is None:
            continue
        try:
            delta = scale * (weights[name + _B] @ weights[name + _A])
            module.weight.data = module.weight.data + delta
        except (KeyError, AttributeError, RuntimeError) as error:
            raise UserError(f"{folder}: its adapter does not fit {name} ({error})") from None
        merged += 1
    if not merged or (whole and 2 * merged != len(weights)):
        raise UserError(f"{folder}: its adapter is not of {backbone(folder)}; delete the folder")
    return encoder


def trained(module) -> dict[str, Any]:
    """Return the state of a module without what is frozen."""
    parameters = module.named_parameters(remove_duplicate=False)  # what is tied has two names
    frozen = {name for name, parameter in parameters if not parameter.requires_grad}
    return {name: value for name, value in module.state_dict().items() if name not in frozen}


def record(folder: Path, base: str) -> dict[str, Any]:
    """Return what `node.json` says of the weights of a checkpoint: their digest; of an adapter that
    of the backbone and the adapter, and how many parameters the adapter has.

    Args:
        folder: of the checkpoint.
        base: the folder of the backbone.
    """
    if not is_adapter(folder):
        return {"weights": files.sha256(folder / "model.safetensors")}
    from peft import __version__

    of_base = read_node(base)["weights"]
    return {
        "weights": files.digest([of_base, files.sha256(folder / WEIGHTS)]),
        "adapter": {
            "parameters": sum(tensor.numel() for tensor in _weights(folder).values()),
            "backbone": of_base,
            "peft": __version__,
        },
    }


def _inside(key: str) -> str:
    """Return the name in an encoder of weights in a file."""
    module, kind = key.removeprefix(PREFIX).removesuffix(".weight").rsplit(".", 1)
    return f"{module}.{kind}.{NAME}.weight"


def _config(folder: str | Path) -> dict[str, Any]:
    found = files.read_json(Path(folder, CONFIG))
    if not {"r", "lora_alpha", "base_model_name_or_path"} <= found.keys():
        raise UserError(f"{Path(folder, CONFIG)}: is of no adapter; delete the folder")
    return found


def _weights(folder: str | Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = Path(folder, WEIGHTS)
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        line = str(error).splitlines()[0]
        raise UserError(f"{path}: cannot be loaded ({line}); delete the folder") from None
