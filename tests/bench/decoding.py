"""Pictures a second that one process decodes, resizes and normalises, as the step `features` does.

    PYTHONPATH=workflow python tests/bench/decoding.py [--pictures 256]

JPEGs of 640 x 480 with noise over them (about 115 kB), by the processors of DINOv2 (shortest edge
256, then 224 x 224 of it) and SigLIP (224 x 224).
"""

import argparse
import io
import json
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from xstilts.models import pixels

COMMON = {"do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "do_resize": True}
PROCESSORS = {
    "DINOv2": {
        **COMMON, "image_processor_type": "BitImageProcessor", "do_convert_rgb": True,
        "size": {"shortest_edge": 256}, "resample": 3,
        "do_center_crop": True, "crop_size": {"height": 224, "width": 224},
        "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
    },
    "SigLIP": {
        **COMMON, "image_processor_type": "SiglipImageProcessor",
        "size": {"height": 224, "width": 224}, "resample": 3,
        "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
    },
}  # fmt: skip


def jpegs(count: int) -> list[bytes]:
    """Return pictures of 640 x 480: a smooth ground, and noise."""
    rng, found = np.random.default_rng(1), []
    for _ in range(count):
        ground = Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8))
        picture = np.asarray(ground.resize((640, 480), Image.Resampling.BICUBIC)).astype(int)
        picture += rng.integers(-8, 9, picture.shape)
        file = io.BytesIO()
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
        found.append(file.getvalue())
    return found


def main() -> None:
    """Print a line a processor, and how much of it is decoding."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=256)
    blobs = jpegs(parser.parse_args().pictures)
    print(f"{len(blobs)} pictures, {sum(map(len, blobs)) / len(blobs) / 1e3:.0f} kB each")
    start = time.process_time()
    for blob in blobs:
        pixels.decode(blob)
    took = time.process_time() - start
    print(f"decoding alone: {len(blobs) / took:.0f} a second of one processor")
    for name, settings in PROCESSORS.items():
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "preprocessor_config.json").write_text(json.dumps(settings))
            reader = pixels.Reader(folder)
        reader(blobs[:2])
        start = time.process_time()
        for at in range(0, len(blobs), pixels.CHUNK):
            reader(blobs[at : at + pixels.CHUNK])
        took = time.process_time() - start
        print(f"{name}: {len(blobs) / took:.0f} a second of one processor")


if __name__ == "__main__":
    main()
