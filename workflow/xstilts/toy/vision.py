"""The vision encoder of the toy world: a ViT of one layer, random and frozen, in a second.

Its map from patches to states is linear and keeps what is drawn, so nothing has to be trained. The
same seed gives the same bytes. It is a Hugging Face folder with an image processor, as public ones
are.
"""

from pathlib import Path

from xstilts.running import files
from xstilts.toy.scenes import SIZE

PATCH, WIDTH, HEADS = 8, 96, 4
SPREAD = 0.06  # standard deviation of the weights; at 0.02 the states hardly differ
PROCESSOR = {
    "image_processor_type": "ViTImageProcessor",
    "do_resize": True,
    "size": {"height": SIZE, "width": SIZE},
    "resample": 2,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


def write(folder: str | Path, seed: int) -> None:
    """Write config.json, preprocessor_config.json and model.safetensors; `folder` is made."""
    import torch
    from safetensors.torch import save_file
    from transformers import ViTConfig, ViTModel

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = ViTConfig(
        hidden_size=WIDTH, num_hidden_layers=1, num_attention_heads=HEADS,
        intermediate_size=2 * WIDTH, image_size=SIZE, patch_size=PATCH, initializer_range=SPREAD,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = ViTModel(config, add_pooling_layer=False)
    config.architectures, config.dtype = ["ViTModel"], torch.float32
    config.save_pretrained(folder)
    files.write_json(folder / "preprocessor_config.json", PROCESSOR)
    state = {key: value.contiguous() for key, value in model.state_dict().items()}
    with files.atomic(folder / "model.safetensors") as temporary:
        save_file(state, temporary, metadata={"format": "pt"})
