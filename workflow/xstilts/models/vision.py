"""A vision encoder: fetched at its pin, reduced to its vision tower, loaded; its grid of states.

A checkpoint of text and pictures (CLIP, SigLIP) is reduced to its vision tower. No architecture is
named here: what differs is where the states of the patches stand among those of the last layer.
"""

import inspect
from pathlib import Path
from typing import Any

from xstilts.data import source as sources
from xstilts.models import repository
from xstilts.running.errors import UserError
from xstilts.running.files import sha256

CONFIG, PROCESSOR, WEIGHTS = "config.json", "preprocessor_config.json", "model.safetensors"
PROCESSORS = (PROCESSOR, "processor_config.json")  # transformers 5 writes the second
FILES = (CONFIG, *PROCESSORS, "*.safetensors", "*.safetensors.index.json")


def fetch(source: str, root: str, pin: dict[str, Any], name: str) -> Path:
    """Return a local folder with the files of a vision encoder, downloaded at the pinned commit.

    Raises:
        UserError: no such folder or repository, the hub away, no safetensors, no processor, no
            vision tower, or (a mirror) files that are not those of the pin.
    """
    if sources.from_hub(source, name):
        path = _download(name, pin["revision"])
    else:
        path = sources.folder(root, "models", name)
    check(path, name)
    for file, digest in pin.get("files", {}).items():
        if not (path / file).is_file() or sha256(path / file) != digest:
            raise UserError(
                f"{name}: {path / file} has changed since it was pinned; {sources.advice(name)}"
            )
    return path


def check(path: Path, name: str) -> None:
    """Refuse a folder that holds no vision encoder with a processor and safetensors."""
    files = {file.name for file in path.iterdir()}
    if CONFIG not in files:
        raise UserError(f"{name}: {path} has no config.json, so it is no model")
    _check_names(files, name)
    _check_config(repository.read_config(path, name), name)


def _check_names(files: set[str], name: str) -> None:
    if not any(file in files for file in PROCESSORS):
        raise UserError(
            f"{name}: has no image processor (preprocessor_config.json), so it is not known"
            " how it reads pictures; is it a vision encoder?"
        )
    if not sources.has_safetensors(files):
        kind = "its weights are pickles" if sources.has_pickles(files) else "has no weights"
        raise UserError(
            f"{name}: {kind}; vision encoders are read from safetensors alone: take a"
            " revision that has model.safetensors"
        )


def _check_config(config: dict[str, Any], name: str) -> None:
    """Refuse a checkpoint that has no vision tower, by its config.json."""
    seen = "vision_config" in config or "image_size" in config or "num_channels" in config
    if not seen:
        kind = config.get("model_type", "unknown")
        raise UserError(f"{name}: is of the architecture `{kind}`, which sees no pictures")


def _download(name: str, revision: str) -> Path:
    import huggingface_hub

    sources.quiet()
    try:
        if not huggingface_hub.constants.is_offline_mode():
            siblings = sources.hub_info("models", name, revision).siblings or []
            _check_names({each.rfilename for each in siblings}, name)
        return Path(
            huggingface_hub.snapshot_download(
                name, revision=revision, allow_patterns=list(FILES), ignore_patterns=["*/*"]
            )
        )
    except UserError:
        raise
    except Exception as error:
        raise sources.hub_error(error, "models", name, revision) or error from error


def load(path: Path, name: str) -> Any:
    """Return the vision tower of a local folder, in the stored dtype, in evaluation mode.

    Raises:
        UserError: it has none, or its weights are damaged, incomplete, or not finite.
    """
    import torch
    import transformers

    transformers.logging.set_verbosity(transformers.logging.CRITICAL)
    transformers.utils.logging.disable_progress_bar()
    try:
        config = transformers.AutoConfig.from_pretrained(path, local_files_only=True)
        config = getattr(config, "vision_config", config)
        kind = transformers.AutoModel._model_mapping[type(config)]
        kind = kind[0] if isinstance(kind, tuple) else kind
        options: dict[str, Any] = {}
        if "add_pooling_layer" in inspect.signature(kind.__init__).parameters:
            options["add_pooling_layer"] = False  # a checkpoint may lack it
        tower, loading = transformers.AutoModel.from_pretrained(
            path, config=config, use_safetensors=True, local_files_only=True, dtype="auto",
            output_loading_info=True, **options,
        )  # fmt: skip
    except Exception as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"{name}: {path} cannot be loaded ({line})") from error
    if tower.main_input_name != "pixel_values":
        raise UserError(f"{name}: {type(tower).__name__} sees no pictures")
    # What is after the last layer is not used, so its weights need not be there.
    missing = [k for k in loading["missing_keys"] if not _is_after(k)]
    missing += [str(key) for key in loading["mismatched_keys"]]
    if missing:
        raise UserError(
            f"{name}: {path} lacks {len(missing)} weights of its vision tower, first"
            f" {sorted(missing)[0]}"
        )
    for key, value in tower.state_dict().items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise UserError(f"{name}: weight {key} in {path} is NaN or infinite")
    return tower.eval()


def _is_after(key: str) -> bool:
    return "pooler" in key or key.startswith("head.") or ".head." in key


def grid_of(states: Any, pixels: tuple[int, int], patch: int | None) -> Any:
    """Return the states of the patches, [pictures, width, rows, columns].

    Args:
        states: of the last layer: [pictures, states, width], those of the patches last, or
            [pictures, width, rows, columns].
        pixels: height and width of a picture.
        patch: pixels of a patch's side; None where the config does not say.

    Raises:
        UserError: which states are those of patches is not known.
    """
    if states.dim() == 4:
        return states
    pictures, found, width = states.shape
    rows, columns = (n // patch for n in pixels) if patch else (0, 0)
    if not rows or rows * columns > found:
        rows = columns = round(found**0.5)
        if rows * columns != found:  # such as a class token and some of the patches
            raise UserError(
                f"of a picture of {pixels[0]} x {pixels[1]} pixels it has {found} states, which are"
                " no grid"
            )
    return (
        states[:, found - rows * columns :].transpose(1, 2).reshape(pictures, width, rows, columns)
    )


class Tower:
    """A vision encoder on a device."""

    def __init__(self, folder: str | Path, positions: int, device: Any) -> None:
        """Load it; `positions` is how many states a picture has in the end, a square."""
        self.model = load(Path(folder), Path(folder).name).float().to(device)
        self.side, self.device = round(positions**0.5), device
        patch = getattr(self.model.config, "patch_size", None)
        self.patch = patch if isinstance(patch, int) else None

    def patches(self, pixels: Any) -> Any:
        """Return the states of the patches, fp32 [pictures, width, rows, columns]."""
        import torch

        with torch.inference_mode():
            out = self.model(pixel_values=pixels.to(self.device))
            return grid_of(out.last_hidden_state, tuple(pixels.shape[-2:]), self.patch)

    def __call__(self, pixels: Any) -> Any:
        """Return the states of pictures, averaged to the grid: fp16 [pictures, positions, width].

        Raises:
            UserError: the grid is finer than the encoder's own.
        """
        from torch.nn.functional import adaptive_avg_pool2d

        grid = self.patches(pixels)
        if self.side > min(grid.shape[-2:]):
            raise too_many(self.side**2, *grid.shape[-2:])
        return adaptive_avg_pool2d(grid, self.side).flatten(2).transpose(1, 2).half()


def too_many(positions: int, rows: int, columns: int) -> UserError:
    """Say that an encoder has fewer states of a picture than are asked for."""
    most = min(rows, columns) ** 2
    return UserError(
        f"positions: {positions} is more than the encoder has: {rows} x {columns} patches; at most"
        f" {most}"
    )


def reduce(path: Path, name: str, out: Path, positions: int) -> dict[str, Any]:
    """Write the vision tower of a folder and its processor to another; return what a record says.

    Args:
        positions: states of a picture that are asked for.

    Raises:
        UserError: as `load`; the processor cannot be loaded; the encoder has fewer states, or
            others each time.
    """
    import numpy as np
    import torch
    from PIL import Image

    from xstilts.models import pixels

    tower = load(path, name)
    try:
        processor = pixels.processor_of(path)
    except Exception as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"{name}: its image processor cannot be loaded ({line})") from error
    out.mkdir(parents=True, exist_ok=True)
    tower.save_pretrained(out, max_shard_size="1000GB")
    (out / WEIGHTS).chmod((out / CONFIG).stat().st_mode & 0o666)
    processor.save_pretrained(out)
    if not (out / PROCESSOR).exists():
        raise UserError(f"{name}: its image processor writes no {PROCESSOR}")
    drawn = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    seen = processor([Image.fromarray(drawn)], return_tensors="np")["pixel_values"]
    model = Tower(out, 1, torch.device("cpu"))
    try:
        grid, again = (model.patches(torch.from_numpy(seen)) for _ in range(2))
    except UserError as error:
        raise UserError(f"{name}: {error}") from None
    if not torch.allclose(grid, again, rtol=1e-3, atol=1e-4):
        raise UserError(
            f"{name}: has other states of the same picture each time (it may hide patches at"
            " random, as ViT-MAE does), so its features would be of chance"
        )
    rows, columns = (int(n) for n in grid.shape[-2:])
    if positions > min(rows, columns) ** 2:
        raise too_many(positions, rows, columns)
    return {
        "architecture": tower.config.model_type,
        "width": int(grid.shape[1]),
        "patches": [rows, columns],
        "pixels": [int(n) for n in seen.shape[-2:]],
        "parameters": sum(each.numel() for each in tower.parameters()),
        "weights": sha256(out / WEIGHTS),
    }
