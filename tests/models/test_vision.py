import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from xstilts.models import pixels, vision
from xstilts.running.errors import UserError
from xstilts.toy import vision as toy

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vit")
    toy.write(folder, seed=3)
    return folder


def reduced(path, out, positions=16):
    return vision.reduce(path, "o/vit", out, positions)


def images(count=3):
    rng = np.random.default_rng(0)
    return [
        Image.fromarray(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)) for _ in range(count)
    ]


def test_the_toy_encoder_is_the_same_for_a_seed(vit, tmp_path):
    for name, seed in (("again", 3), ("other", 4)):
        toy.write(tmp_path / name, seed)
    weights = [(each / "model.safetensors").read_bytes() for each in (vit, tmp_path / "again")]
    assert weights[0] == weights[1] != (tmp_path / "other/model.safetensors").read_bytes()


def test_an_encoder_is_reduced_to_what_it_needs(vit, tmp_path):
    about = reduced(vit, tmp_path)
    assert about["patches"] == [4, 4] and about["width"] == 96 and about["pixels"] == [32, 32]
    assert about["parameters"] == sum(
        each.numel() for each in load_file(vit / "model.safetensors").values()
    )
    assert {path.name for path in tmp_path.iterdir()} == {
        "model.safetensors", "config.json", "preprocessor_config.json",
    }  # fmt: skip


def test_the_states_of_patches_are_averaged_to_a_square_grid(vit, tmp_path):
    """16 of 16 are the states themselves, without that of the class token; 4 are means of four
    each, 1 is the mean of all."""
    from transformers import ViTModel

    reduced(vit, tmp_path)
    seen = torch.from_numpy(pixels.processor_of(vit)(images(), return_tensors="np")["pixel_values"])
    with torch.inference_mode():
        states = ViTModel.from_pretrained(vit, add_pooling_layer=False).eval()(seen)
    states = states.last_hidden_state[:, 1:]
    found = {k: vision.Tower(tmp_path, k, CPU)(seen) for k in (16, 4, 1)}
    assert found[16].dtype == torch.float16 and found[16].shape == (3, 16, 96)
    torch.testing.assert_close(found[16].float(), states, atol=2e-3, rtol=1e-3)
    square = states.view(3, 2, 2, 2, 2, 96).mean((2, 4)).reshape(3, 4, 96)
    torch.testing.assert_close(found[4].float(), square, atol=2e-3, rtol=1e-3)
    torch.testing.assert_close(found[1].float(), states.mean(1, True), atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ("states", "patch", "rows"),
    [
        ((2, 1 + 6, 5), 8, (2, 3)),  # a class token, and patches of 16 x 24 pixels
        ((2, 1 + 4 + 6, 5), 8, (2, 3)),  # and registers
        ((2, 6, 5), 8, (2, 3)),
        ((2, 9, 5), None, (3, 3)),  # such as Swin's last stage
        ((2, 9, 5), 1, (3, 3)),
    ],
)
def test_patches_are_the_last_states(states, patch, rows):
    values = torch.arange(float(np.prod(states))).view(states)
    grid = vision.grid_of(values, (16, 24), patch)
    assert grid.shape == (2, 5, *rows)
    assert torch.equal(grid.flatten(2).transpose(1, 2), values[:, -rows[0] * rows[1] :])


def test_states_that_are_a_grid_stay_one():
    states = torch.zeros(2, 5, 3, 4)  # of a convolutional network
    assert vision.grid_of(states, (96, 128), None) is states
    with pytest.raises(UserError, match="of a picture of 16 x 24 pixels it has 7 states"):
        vision.grid_of(torch.zeros(2, 7, 5), (16, 24), None)
    with pytest.raises(UserError, match="it has 50 states, which are no grid"):
        vision.grid_of(torch.zeros(1, 50, 5), (224, 224), 16)  # a class token, a quarter of patches


def test_more_positions_than_an_encoder_has(vit, tmp_path):
    with pytest.raises(
        UserError, match=r"positions: 25 is more than .*: 4 x 4 patches; at most 16"
    ):
        reduced(vit, tmp_path, 25)


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_a_checkpoint_of_text_and_pictures_is_reduced_to_its_vision_tower(kind, tmp_path, vit):
    import transformers

    shape = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
             "intermediate_size": 64}  # fmt: skip
    names = {"clip": "CLIP", "siglip": "Siglip"}
    config = getattr(transformers, f"{names[kind]}Config")(
        text_config={
            **shape,
            "vocab_size": 50,
            "max_position_embeddings": 16,
            "projection_size": 32,
        },
        vision_config={**shape, "image_size": 32, "patch_size": 8},
    )
    whole = getattr(transformers, f"{names[kind]}Model")(config).eval()
    whole.save_pretrained(tmp_path / "whole")
    shutil.copy(vit / "preprocessor_config.json", tmp_path / "whole")
    about = reduced(tmp_path / "whole", tmp_path / "tower")
    assert about["parameters"] == sum(p.numel() for p in whole.vision_model.parameters())
    seen = torch.from_numpy(pixels.processor_of(vit)(images(), return_tensors="np")["pixel_values"])
    with torch.inference_mode():
        states = whole.vision_model(pixel_values=seen).last_hidden_state[:, -16:]
    torch.testing.assert_close(
        vision.Tower(tmp_path / "tower", 16, CPU)(seen).float(), states, atol=2e-3, rtol=1e-3
    )


@pytest.mark.parametrize(
    ("patch", "share", "line"),
    [
        (8, 0.5, "^o/vit: of a picture of 32 x 32 pixels it has 9 states, which are no grid|other"),
        (8, 0.75, "^o/vit: of a picture of 32 x 32 pixels it has 5 states, which are no grid$"),
        (4, 0.25, "^o/vit: of a picture of 32 x 32 pixels it has 49 states|^o/vit: has other"),
        (8, 0.0, "^o/vit: has other states of the same picture each time"),
    ],
)
def test_an_encoder_that_hides_patches_at_random_is_refused(vit, tmp_path, patch, share, line):
    """Even where what it shows is as many states as a grid has, or all of them in another order."""
    import transformers

    config = transformers.ViTMAEConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        image_size=32, patch_size=patch, mask_ratio=share,
    )  # fmt: skip
    transformers.ViTMAEModel(config).save_pretrained(tmp_path / "mae")
    shutil.copy(vit / "preprocessor_config.json", tmp_path / "mae")
    with pytest.raises(UserError, match=line):
        reduced(tmp_path / "mae", tmp_path / "tower", 1)


def config(**changes):
    return lambda folder: (folder / "config.json").write_text(
        json.dumps(json.loads((folder / "config.json").read_text()) | changes)
    )


def text_model(folder):
    (folder / "config.json").write_text(json.dumps({"model_type": "xlm-roberta"}))


def without(name):
    return lambda folder: (folder / name).unlink()


def pickled(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def weights(change):
    def changed(folder):
        state = load_file(folder / "model.safetensors")
        change(state)
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})

    return changed


def lost(state):
    del state["layers.0.mlp.fc1.weight" if "layers.0.mlp.fc1.weight" in state else last(state)]


def last(state):
    return next(key for key in state if key.endswith("weight") and "layer" in key)


def nan(state):
    state[last(state)][0] = float("nan")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (text_model, "is of the architecture `xlm-roberta`, which sees no pictures"),
        (without("config.json"), "has no config.json, so it is no model"),
        (without("preprocessor_config.json"), r"has no image processor .*is it a vision encoder\?"),
        (without("model.safetensors"), "has no weights; vision encoders are read from safetensors"),
        (pickled, "its weights are pickles; vision encoders are read from safetensors alone"),
        (weights(lost), "lacks 1 weights of its vision tower, first "),
        (weights(nan), "is NaN or infinite"),
        (config(hidden_size=64), "cannot be loaded|lacks"),
        (config(model_type="vitt"), r"cannot be loaded \("),
    ],
)
def test_what_is_no_vision_encoder_is_one_line(vit, tmp_path, change, line):
    folder = tmp_path / "models/o/vit"
    shutil.copytree(vit, folder)
    change(folder)
    with pytest.raises(UserError, match=line) as error:
        path = vision.fetch("mirror", str(tmp_path), {}, "o/vit")
        reduced(path, tmp_path / "out")
    assert "\n" not in str(error.value) and str(error.value).startswith("o/vit: ")


def test_another_encoder_than_was_pinned(vit, tmp_path):
    shutil.copytree(vit, tmp_path / "models/o/vit")
    with pytest.raises(UserError, match=r"config\.json has changed since it was pinned"):
        vision.fetch("mirror", str(tmp_path), {"files": {"config.json": "0"}}, "o/vit")
