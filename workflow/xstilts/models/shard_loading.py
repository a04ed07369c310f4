"""Checkpoints loaded straight into shards: no rank ever holds the whole model.

The encoder is made without memory for its parameters and sharded; then each rank reads the rows of
each tensor that are its own, in whatever precision they are stored, as its shard in fp32. The file
is mapped into memory for one tensor at a time, so its pages do not add up either.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from xstilts.models import architecture, checkpoint, shards
from xstilts.running import garbage, ranks


def load(folder: str | Path, device, dropout: float | None = None):
    """Return the encoder of a checkpoint, sharded over all ranks.

    Args:
        folder: `model.safetensors` and `config.json`.
        device: of the shards.
        dropout: as of `checkpoint.load_encoder`.

    Raises:
        UserError: as `checkpoint.load_encoder`, which loads on each rank what is not one file with
            the names of the model; one line says so.
    """
    path = Path(folder) / "model.safetensors"
    encoder, names = _empty(Path(folder), dropout)
    if encoder is None:
        encoder = checkpoint.load_encoder(folder, dropout=dropout).to(device)
        if not ranks.rank():
            print(f"{folder}: its weights are loaded whole by each process, then cut: {names}")
        shards.shard(device, encoder)
        return encoder
    shards.shard(device, encoder)
    _fill(encoder, path, names, device)
    garbage.collect_from_here()
    return encoder.eval()


def _empty(folder: Path, dropout: float | None) -> tuple[Any, Any]:
    """Return the encoder without weights (on the device `meta`), with its buffers, and the name in
    the file of each of its parameters; None and why not where they are not all there."""
    from safetensors import safe_open
    from transformers import AutoConfig
    from transformers.initialization import no_init_weights

    try:
        config = checkpoint._set(AutoConfig.from_pretrained(folder), None, dropout)
        model_class = architecture.auto_class(config)._model_mapping[type(config)]
        import torch

        config.name_or_path, config.dtype = str(folder), torch.float32
        with no_init_weights(), _parameters_on_meta():
            encoder = model_class(config, **checkpoint._options(model_class))
        encoder.tie_weights()
        with safe_open(folder / "model.safetensors", "pt") as file:
            there = {name: file.get_slice(name).get_shape() for name in list(file.keys())}
            # Of a tied weight, which has several names, the file may have one.
            found: dict[Any, str] = {}
            for name, parameter in encoder.named_parameters(remove_duplicate=False):
                if there.get(name) == list(parameter.shape):
                    found.setdefault(parameter, name)
            buffers = dict(encoder.named_buffers())
            for name in encoder.state_dict().keys() & buffers.keys() & there.keys():
                buffers[name].copy_(file.get_tensor(name))
    except Exception as error:
        return None, f"{type(error).__name__}: {(str(error).strip() or '-').splitlines()[0]}"
    own = dict(encoder.named_parameters())
    if missing := [name for name, parameter in own.items() if parameter not in found]:
        return None, f"{missing[0]} is not among them"
    return encoder, {name: found[parameter] for name, parameter in own.items()}


@contextlib.contextmanager
def _parameters_on_meta() -> Iterator[None]:
    """Give modules that are made here parameters without memory; buffers, which the config alone
    tells (positions, frequencies), are what they are."""
    from torch.nn import Module, Parameter

    real = Module.register_parameter

    def register(self, name, parameter):
        if parameter is not None and not parameter.is_meta:
            meta = Parameter(parameter.to("meta"), requires_grad=parameter.requires_grad)
            meta.__dict__.update(parameter.__dict__)
            parameter = meta
        real(self, name, parameter)

    Module.register_parameter = register
    try:
        yield
    finally:
        Module.register_parameter = real


def _fill(encoder, path: Path, names: Mapping[str, str], device) -> None:
    """Give each parameter this rank's rows of it, and the buffers to the device."""
    import torch
    from safetensors import safe_open

    for name, parameter in list(encoder.named_parameters()):
        first, after = shards.rows(parameter)
        shape = (after - first, *parameter.shape[1:])
        piece = torch.empty(shape, dtype=torch.float32, device=device)
        if first < after:
            with safe_open(path, "pt") as file:
                piece.copy_(file.get_slice(names[name])[first:after])
        own = torch.nn.Parameter(shards.cut_like(piece, parameter), parameter.requires_grad)
        torch.utils.swap_tensors(parameter, own)  # so that what is tied stays so
    for module in encoder.modules():
        for key, buffer in module._buffers.items():
            module._buffers[key] = buffer if buffer is None else buffer.to(device)
