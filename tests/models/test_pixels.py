import io
import json

import numpy as np
import pytest
from PIL import Image

from xstilts.models import pixels

DINO = {
    "image_processor_type": "BitImageProcessor", "do_convert_rgb": True, "do_resize": True,
    "size": {"shortest_edge": 64}, "resample": 3, "do_center_crop": True,
    "crop_size": {"height": 48, "width": 48}, "do_rescale": True, "rescale_factor": 1 / 255,
    "do_normalize": True, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
}  # fmt: skip
SIGLIP = {
    "image_processor_type": "SiglipImageProcessor", "do_resize": True, "resample": 2,
    "size": {"height": 48, "width": 48}, "do_rescale": True, "rescale_factor": 1 / 255,
    "do_normalize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
}  # fmt: skip


def folder(tmp_path, settings):
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    return tmp_path


def picture(width=90, height=70, seed=0):
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_a_picture_is_turned_as_its_exif_data_says():
    image = picture()
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn right by a quarter
    turned = pixels.decode(encoded(image, exif=exif))
    assert np.array_equal(turned, image.rotate(-90, expand=True))


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "LA"])
def test_every_picture_is_in_rgb(mode):
    kind = "TIFF" if mode == "CMYK" else "PNG"
    decoded = pixels.decode(encoded(picture().convert(mode), kind))
    assert (decoded.mode, decoded.size) == ("RGB", (90, 70))


def test_what_is_transparent_is_white():
    image = picture().convert("RGBA")
    image.putalpha(0)
    assert set(np.unique(pixels.decode(encoded(image)))) == {255}
    opaque = picture().convert("RGBA")
    assert np.array_equal(pixels.decode(encoded(opaque)), picture())


def test_a_picture_may_be_a_path(tmp_path):
    picture().save(tmp_path / "a.png")
    assert np.array_equal(pixels.decode(str(tmp_path / "a.png")), picture())


@pytest.mark.parametrize("settings", [DINO, SIGLIP], ids=["shortest edge", "height and width"])
def test_pixels_are_those_of_the_processor(tmp_path, settings):
    """To the bit, although the pictures are resized before it sees them."""
    images = [picture(), picture(40, 90, 1), picture(64, 64, 2), picture(33, 31, 3)]
    reader = pixels.Reader(folder(tmp_path, settings))
    assert reader.resizes
    made, unread = reader([encoded(image) for image in images])
    assert unread == [] and made.shape == (4, 3, 48, 48) and made.dtype == np.float32
    told = pixels.processor_of(tmp_path)(images, return_tensors="np")["pixel_values"]
    assert np.array_equal(made, told)


def test_a_processor_that_resizes_in_another_way_does_so_itself(tmp_path):
    reader = pixels.Reader(folder(tmp_path, {**DINO, "do_resize": False}))
    assert not reader.resizes
    made, _ = reader([encoded(picture())])
    assert made.shape == (1, 3, 48, 48)


def test_what_cannot_be_read_is_told_by_its_place(tmp_path):
    reader = pixels.Reader(folder(tmp_path, SIGLIP))
    good = encoded(picture())
    made, unread = reader([b"no picture", good, good[:200], b"", "/nowhere.png", good])
    assert unread == [0, 2, 3, 4] and len(made) == 2
    assert reader([b""]) == (None, [0])


def test_several_processes_make_what_one_does_in_order(tmp_path):
    folder(tmp_path, SIGLIP)
    lists = [
        [encoded(picture(seed=seed)), b"", encoded(picture(seed=99 - seed))] for seed in range(9)
    ]
    with pixels.reading(tmp_path, 1) as read:
        alone = list(read(iter(lists)))
    with pixels.reading(tmp_path, 2) as read:
        together = list(read(iter(lists)))
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one[0], other[0]) and one[1] == other[1] == [1]
