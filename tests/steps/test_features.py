"""The steps that meet pictures, on a set of the toy world in a mirror."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xstilts.data import pin, prepare
from xstilts.data import source as sources
from xstilts.encoding import features as read
from xstilts.running.errors import UserError
from xstilts.running.files import digest, write_json
from xstilts.steps import features
from xstilts.steps import prepare as prepare_step
from xstilts.steps import vision as vision_step
from xstilts.toy import mirror, spec, vision

COCO = "AKCIT/coco2017-captioning"
SET = {
    "kind": "data", "task": "coco", "format": "images", "hub": COCO, "config": "default",
    "split": "validation", "lang": "en", "rows": None, "labels": None, "max_rows": None,
    "columns": {"image_id": "id", "image": "image"},
}  # fmt: skip
VQA = {
    **SET, "task": "vqa", "format": "classification", "hub": "pminervini/VQAv2", "rows": "vqa",
    "columns": {}, "images": "coco", "pictures": digest(SET),
}  # fmt: skip
ENCODER = {"kind": "vision", "from": "toy/vit", "revision": "main"}
FEATURES = {
    "kind": "features", "images": "coco", "split": "dev", "positions": 16,
    "data": digest(SET), "vision": digest(ENCODER),
}  # fmt: skip


def run(step, **options):
    """Run a step in this process."""
    words = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
    step.main(step.parser().parse_args(words))


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """A mirror with a set of 1,100 pictures that is prepared, and a vision encoder."""
    root = tmp_path_factory.mktemp("world")
    wanted = spec.parse({"sizes": {"train": 4, "dev": 1100, "test": 4}})
    for name in (COCO, "pminervini/VQAv2"):
        mirror.write(wanted, root, name)
        where = ("datasets", "mirror", str(root), name, "main")
        write_json(root / f"pins/{name}.json", pin.resolve(*where))
    vision.write(root / "models/toy/vit", seed=1)
    where = ("models", "mirror", str(root), "toy/vit", "main")
    write_json(root / "pins/vit.json", pin.resolve(*where))
    of_set = {"spec": json.dumps(SET), "source": "mirror", "root": root}
    run(prepare_step, **of_set, pin=root / f"pins/{COCO}.json", out=root / "set.parquet")
    run(vision_step, spec=json.dumps(ENCODER), name="v", positions=16, source="mirror", root=root,
        pin=root / "pins/vit.json", out=root / "vit")  # fmt: skip
    return root


@pytest.fixture
def here(seen, tmp_path):
    """The same, to be changed."""
    shutil.copytree(seen, tmp_path / "world")
    return tmp_path / "world"


def see(root, name="a", **changes):
    options = {
        "spec": json.dumps(FEATURES), "name": "v/coco/dev", "rows": root / "set.parquet",
        "node": root / "vit/node.json", "source": "mirror", "root": root, "state": root / name,
        "pin": root / f"pins/{COCO}.json", "out": root / f"{name}.safetensors",
        "record": root / f"{name}.json",
    } | changes  # fmt: skip
    run(features, **options)
    return read.load(options["out"], digest(json.loads(options["spec"])))


def pictures_of(root):
    return root / f"datasets/{COCO}/default/validation-00000-of-00001.parquet"


def rewritten(root, change, pinned=True):
    """Change the rows of the set; with the pin of what is there then."""
    table = pq.read_table(pictures_of(root))
    pq.write_table(pa.Table.from_pylist(change(table.to_pylist()), table.schema), pictures_of(root))
    if pinned:
        where = ("datasets", "mirror", str(root), COCO, "main")
        write_json(root / f"pins/{COCO}.json", pin.resolve(*where))
        run(prepare_step, spec=json.dumps(SET), source="mirror", root=root,
            pin=root / f"pins/{COCO}.json", out=root / "set.parquet")  # fmt: skip


def test_features_have_a_record(here):
    found = see(here)
    record = json.loads((here / "a.json").read_text())
    assert found.shape == (1100, 16, 96) and record["shape"] == [1100, 16, 96]
    assert record["spec"] == FEATURES and record["unreadable"] == [] and record["seconds"] > 0
    assert record["pins"].keys() == {f"datasets/{COCO}", "models/toy/vit"}
    assert not list((here / "a/blocks").glob("*")), "blocks are for who is killed"


def test_a_prepared_set_may_be_a_part_of_the_pictures(here):
    whole, some = see(here), prepare.read(here / "set.parquet").slice(100, 3).to_pylist()
    meta = prepare.metadata(here / "set.parquet")
    prepare.write(here / "set.parquet", some, "images", meta)
    few = see(here, "few")
    assert len(few) == 3 and np.array_equal(few.rows(range(3)), whole.rows([100, 101, 102]))


def test_rows_in_another_order_are_refused_by_the_pin(here):
    rewritten(here, lambda rows: rows[::-1], pinned=False)
    with pytest.raises(
        UserError, match=r"^features: v/coco/dev: .* has changed since it was pinned"
    ):
        see(here)


def test_one_picture_that_cannot_be_read_is_left_out_and_told(here):
    def damaged(*numbers):
        def change(rows):
            for number in numbers:
                rows[number]["image"]["bytes"] = rows[number]["image"]["bytes"][:60]
            return rows

        return change

    rewritten(here, damaged(5))
    found, record = see(here), json.loads((here / "a.json").read_text())
    assert record["unreadable"] == ["900005"] and not found.rows([5]).any()
    rewritten(here, damaged(8))
    line = "2 of its 1100 pictures cannot be read, the first is 900005; at most 1 may be"
    with pytest.raises(UserError, match=f"^features: v/coco/dev: task coco: .* {line}"):
        see(here, "b")
    assert not (here / "b.safetensors").exists() and not (here / "b.json").exists()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"data": "0"}, r"set\.parquet: made by another spec than the config asks for"),
        ({"vision": "0"}, r"node\.json: made by another spec than the config asks for"),
        (
            {"positions": 25},
            "positions: 25 is more than the encoder has: 4 x 4 patches",
        ),
    ],
)
def test_what_is_of_another_set_or_encoder(seen, tmp_path, changes, line):
    spec = json.dumps(FEATURES | changes)
    with pytest.raises(UserError, match=line):
        see(seen, spec=spec, state=tmp_path / "s", out=tmp_path / "o", record=tmp_path / "r")


def test_questions_about_pictures_are_prepared_without_any(seen, monkeypatch, tmp_path):
    """Of VQA's dev rows those are left out whose picture the set has to train on. Neither step
    reads a column of pictures."""
    asked = []
    load = sources.load

    def loaded(*args, **how):
        asked.append(how.get("columns"))
        data = load(*args, **how)
        assert "image" not in data.column_names
        return data

    monkeypatch.setattr(sources, "load", loaded)
    where = {"source": "mirror", "root": seen}
    run(prepare_step, spec=json.dumps(SET), **where, out=tmp_path / "set.parquet",
        pin=seen / f"pins/{COCO}.json")  # fmt: skip
    run(prepare_step, spec=json.dumps(VQA), **where, out=tmp_path / "vqa.parquet",
        pin=seen / "pins/pminervini/VQAv2.json", images=tmp_path / "set.parquet")  # fmt: skip
    assert asked == [["image_id", "text", "captions", "split"], None]
    made = prepare.metadata(tmp_path / "vqa.parquet")
    assert made["dropped"] == {"its picture is not in coco": 4} and made["rows_kept"] == 1100
    assert prepare.pins(made).keys() == {f"datasets/{COCO}", "datasets/pminervini/VQAv2"}
    ids = set(prepare.read(tmp_path / "set.parquet")["id"].to_pylist())
    assert set(prepare.read(tmp_path / "vqa.parquet")["image"].to_pylist()) <= ids
