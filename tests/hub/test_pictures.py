"""Pictures and a vision encoder from the hub, and their features once the hub is away."""

import hashlib
import json
import shutil

import pyarrow.parquet as pq
from tests.hub.server import Hub
from tests.hub.test_hub import Steps

from xstilts.data import prepare
from xstilts.running.files import digest
from xstilts.toy import mirror, spec, vision

COCO = "AKCIT/coco2017-captioning"
SET = {
    "kind": "data", "task": "coco", "format": "images", "hub": COCO, "config": "default",
    "split": "validation", "lang": "en", "rows": None,
    "columns": {"image_id": "id", "image": "image"},
}  # fmt: skip
ENCODER = {"kind": "vision", "from": "acme/vit", "revision": "main"}


def features(steps, root, source, pin, missing=False):
    """Run the step; return its record and the bytes of the features; its error where the pictures
    are missing."""
    of = {"kind": "features", "data": digest(SET), "vision": digest(ENCODER), "positions": 4}
    out = steps.folder / f"results/features/{source}"
    code, _, error, _ = steps.step(
        "features", "--source", source, "--root", str(root), "--name", "v", "--spec",
        json.dumps(of),
        "--rows", str(steps.folder / "set.parquet"), "--node", str(steps.folder / "vit/node.json"),
        "--pin", str(pin), "--state", str(out / "state"), "--out", str(out / "a.safetensors"),
        "--record", str(out / "a.json"),
    )  # fmt: skip
    if missing:
        assert code == 1 and "Traceback" not in error
        return error
    assert code == 0, error
    return json.loads((out / "a.json").read_text()), (out / "a.safetensors").read_bytes()


def test_features_need_no_hub_once_the_pictures_are_there(tmp_path):
    root = tmp_path / "hub"
    mirror.write(spec.parse({"sizes": {"train": 4, "dev": 20, "test": 4}}), root, COCO)
    vision.write(root / "models/acme/vit", seed=1)
    shutil.rmtree(root / "manifests")
    with Hub(root) as hub:
        steps = Steps(hub, tmp_path)
        pin, of_vision = steps.given_pin("datasets", COCO), steps.given_pin("models", "acme/vit")
        rows = (
            "--spec",
            json.dumps(SET),
            "--pin",
            str(pin),
            "--out",
            str(tmp_path / "set.parquet"),
        )
        code, said, error, _ = steps.step("prepare", *rows)
        assert code == 0 and "20 pictures" in said, error
        code, said, error, _ = steps.step(
            "vision", "--spec", json.dumps(ENCODER), "--pin", str(of_vision), "--name", "vit",
            "--positions", "4", "--out", str(tmp_path / "vit"),
        )  # fmt: skip
        assert code == 0 and "4 x 4 patches" in said, error
    assert pq.read_schema(tmp_path / "set.parquet").names == ["id", "number"]
    record, seen = features(steps, "", "hub", pin)  # the hub is gone
    assert record["shape"] == [20, 4, 96] and record["unreadable"] == []
    assert record["pins"] == prepare.pins(prepare.metadata(tmp_path / "set.parquet")) | {
        "models/acme/vit": json.loads(of_vision.read_text())["revision"]
    }
    elsewhere = Steps(hub, tmp_path)
    elsewhere.env = hub.env(tmp_path / "another")
    line = features(elsewhere, "", "hub", pin, missing=True)
    assert f"the pictures of {COCO} are not in the cache of `datasets` (HF_HOME must be" in line
    assert "unset it" not in line and f"delete {tmp_path}/*, run again" in line
    # A folder with the same files gives the same.
    of_folder = tmp_path / "folder.json"
    files = {
        path.relative_to(root / "datasets" / COCO).as_posix(): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in (root / "datasets" / COCO).rglob("*")
        if path.is_file()
    }
    of_folder.write_text(json.dumps(json.loads(pin.read_text()) | {"files": files}))
    assert features(steps, root, "mirror", of_folder)[1] == seen
