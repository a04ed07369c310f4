"""Sets of pictures, and rows that name their pictures."""

import io
import tarfile
from collections import Counter
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from xstilts.data import annotations, pictures, pin, prepare
from xstilts.data import source as sources
from xstilts.running.errors import UserError
from xstilts.steps import prepare as prepare_step

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
SPEC = {
    "task": "vqa",
    "format": "classification",
    "hub": "o/vqa",
    "split": "train",
    "images": "coco",
}
VQA = {
    "question_id": 7, "question": "Who runs?", "multiple_choice_answer": "Anna", "image_id": 12,
    "answers": [],
}  # fmt: skip


def test_columns_that_hold_pictures():
    schema = pa.schema([
        ("id", pa.int64()), ("image", IMAGE), ("views", pa.list_(IMAGE)), ("raw", pa.binary()),
        ("answers", pa.struct([("text", pa.string())])),
        ("large", pa.struct([("bytes", pa.large_binary())])),
    ])  # fmt: skip
    assert pictures.columns_of(schema) == ["image", "views", "large"]


def test_a_set_is_the_first_picture_of_each_id():
    rows, dropped = pictures.rows([5, None, 3, 5, 3], "task coco: o/coco")
    assert rows == [{"id": "5", "number": 0}, {"id": "3", "number": 2}]
    assert dropped == {"no id": 1, "its id is there already": 2}
    with pytest.raises(UserError, match=r"^task coco: o/coco has no picture with an id$"):
        pictures.rows([None], "task coco: o/coco")


def write(folder, name, readme=True, **columns):
    path = folder / "datasets/o" / name
    path.mkdir(parents=True)
    pq.write_table(pa.table(columns), path / "train.parquet")
    if readme:
        files = "data_files: [{split: train, path: train.parquet}]"
        front = f"---\nconfigs:\n- {{config_name: default, {files}}}\n---\n"
        (path / "README.md").write_text(front)
    return path


@pytest.mark.parametrize("readme", [True, False])
def test_a_folder_is_read_without_its_pictures(tmp_path, readme):
    image = pa.array([{"bytes": b"a", "path": "a.png"}], IMAGE)
    path = write(tmp_path, "coco", readme, image=image, id=[1])
    assert pictures.others_in(path, "o/coco", None, "train") == ["id"]
    path = write(tmp_path, "mnli", readme, text=["a"])
    assert pictures.others_in(path, "o/mnli", None, "train") is None, "all are read, as ever"


def test_neither_a_config_nor_a_licence_makes_pictures_be_read(tmp_path):
    image = pa.array([{"bytes": b"a", "path": "a.png"}], IMAGE)
    path = write(tmp_path, "coco", False, image=image, id=[1])
    assert pictures.others_in(path, "o/coco", "default", "train") == ["id"]
    (path / "LICENSE.txt").write_text("free")
    assert pictures.others_in(path, "o/coco", "default", "train") == ["id"]
    (path / "train.txt").write_text("a line is a row")  # two files: then the library reads text
    assert pictures.others_in(path, "o/coco", "default", "train") is None


def test_an_archive_of_pictures_is_read_one_by_one(tmp_path, monkeypatch):
    """Which columns it has is known to the library alone; what is kept has no picture."""
    folder = tmp_path / "datasets/o/tarred"
    folder.mkdir(parents=True)
    with tarfile.open(folder / "train-0.tar", "w") as tar:
        for number in range(3):
            file = io.BytesIO()
            Image.new("RGB", (4, 4), (number, 0, 0)).save(file, "png")
            about = tarfile.TarInfo(f"p{number}.png")
            about.size = file.tell()
            file.seek(0)
            tar.addfile(about, file)
    spec = {"task": "t", "format": "images", "hub": "o/tarred", "split": "train",
            "columns": {"__key__": "id", "png": "image"}}  # fmt: skip
    asked, load = [], sources.load
    monkeypatch.setattr(sources, "load", lambda *a, **how: asked.append(how) or load(*a, **how))
    args = SimpleNamespace(source="mirror", root=str(tmp_path))
    pinned = pin.resolve("datasets", "mirror", str(tmp_path), "o/tarred", "main")
    data = prepare_step.load(args, spec, pinned, "train")
    assert asked == [{"streaming": True}] and data["png"][:] == [None] * 3
    ids = prepare_step.ids_of(args, spec, data)["id"].to_pylist()
    assert ids == ["p0", "p1", "p2"]


def unify(rows, there=("12",), **changes):
    return prepare.unify(pa.Table.from_pylist(rows), {}, SPEC | {"rows": "vqa"} | changes,
                         pictures=there)  # fmt: skip


def test_a_row_of_vqa():
    rows, report = unify([VQA])
    assert rows == [
        {"id": "7", "text": "Who runs?", "label": "Anna", "image": "12", "text_pair": None}
    ] or rows == [{"id": "7", "text": "Who runs?", "label": "Anna", "image": "12"}]
    assert report["dropped"] == {}


def test_captions_of_a_picture_are_a_row_each():
    raw = [{"image_id": 12, "text": "A dog.", "captions": ["A dog.", "A cat."], "split": "train"}]
    spec = SPEC | {"format": "caption", "rows": "coco", "columns": {"image_id": "image"}}
    rows, _ = prepare.unify(pa.Table.from_pylist(raw), {}, spec, pictures={"12"})
    assert rows == [
        {"id": "12.1", "text": "A dog.", "image": "12"},
        {"id": "12.2", "text": "A cat.", "image": "12"},
    ]
    one, _ = prepare.unify(pa.Table.from_pylist(raw), {}, spec | {"max_rows": 1}, pictures={"12"})
    assert len(one) == 1, "a limit counts captions"


def test_rows_whose_picture_is_not_in_the_set_are_dropped_and_counted():
    raw = [VQA, {**VQA, "image_id": 13}, {**VQA, "image_id": None}, {**VQA, "image_id": 14}]
    rows, report = unify(raw, {"12", "14"})
    assert [row["image"] for row in rows] == ["12", "14"]
    assert report["dropped"] == {"its picture is not in coco": 1, "it names no picture": 1}
    assert (report["rows_total"], report["rows_kept"]) == (4, 2)


def test_they_are_dropped_before_a_sample_is_taken():
    raw = [{**VQA, "question_id": n, "image_id": n} for n in range(40)]
    rows, _ = unify(raw, {str(n) for n in range(0, 40, 4)}, max_rows=10)
    assert len(rows) == 10


def test_none_of_the_pictures_is_in_the_set():
    raw = [{**VQA, "image_id": n} for n in (1, 2, 3, 4)]
    line = (
        "^task vqa: o/vqa train: none of its rows has a picture of `coco`: they name 1, 2, 3, ...;"
        " `coco` has a, b$"
    )
    with pytest.raises(UserError, match=line):
        unify(raw, dict.fromkeys("ab"))


def test_rows_that_say_nothing_of_pictures():
    raw = [
        {"id": "1", "question": "?", "context": "x", "answers": {"text": [], "answer_start": []}}
    ]
    spec = SPEC | {"format": "span", "rows": "squad", "no_answer": True}
    with pytest.raises(UserError, match="its rows name no `image`, the id of a picture"):
        prepare.unify(pa.Table.from_pylist(raw), {}, spec, pictures={"1"})
    raw = [{"text": "a", "label": "b"}]
    with pytest.raises(UserError, match=r"task vqa: o/vqa train: which column is the image\?"):
        prepare.unify(pa.Table.from_pylist(raw), {}, SPEC, pictures={"1"})


@pytest.mark.parametrize("column", ["image", "image_id", "imageId", "img_id", "picture"])
def test_the_picture_of_a_row_is_found_by_the_usual_names(column):
    raw = [{"text": "a", "label": "b", column: 5}]
    rows, _ = prepare.unify(pa.Table.from_pylist(raw), {}, SPEC, pictures={"5"})
    assert rows[0]["image"] == "5"


def test_rows_are_written_with_their_pictures_and_the_pin_of_the_set(tmp_path):
    rows, report = unify([VQA])
    record = {"spec": SPEC, "pin": {"revision": "r"}, "pins": {"datasets/o/coco": "c"}, **report}
    prepare.write(tmp_path / "a.parquet", rows, "classification", record)
    assert prepare.read(tmp_path / "a.parquet")["image"].to_pylist() == ["12"]
    made = prepare.metadata(tmp_path / "a.parquet")
    assert prepare.pins(made) == {"datasets/o/vqa": "r", "datasets/o/coco": "c"}


def labelled(*labels):
    return [(n, [{"label": label}]) for n, label in enumerate(labels)]


def test_the_most_frequent_labels():
    units = labelled("a", "b", "c", "b", None, "a", "d", "c")
    kept, dropped = annotations.frequent(units, 2)
    assert [row["label"] for _, [row] in kept] == ["a", "b", "b", None, "a"], "a and b before c"
    assert dropped == {"its label is not among the 2 most frequent": 3}
    assert annotations.frequent(units, 9) == (units, {})


def test_train_rows_with_rare_labels_are_dropped_and_counted():
    raw = [{**VQA, "question_id": n, "multiple_choice_answer": "aab"[n % 3]} for n in range(6)]
    rows, report = unify(raw, most_labels=1)
    assert Counter(row["label"] for row in rows) == {"a": 4}
    assert report["dropped"] == {"its label is not among the 1 most frequent": 2}


def test_the_id_of_a_set_is_asked_for():
    from xstilts.data import columns

    spec = {"task": "coco", "format": "images", "columns": {}}
    schema = pa.schema([("image_id", pa.int64()), ("image", IMAGE), ("text", pa.string())])
    assert columns.find(schema, spec, "w") == {"id": "image_id", "image": "image"}
    with pytest.raises(UserError, match=r"^w: which column is the id\? there are text;"):
        columns.find(schema.remove(0), spec, "w")
    with pytest.raises(UserError, match=r"^w: which column is the image\?"):
        columns.find(schema.remove(1), spec, "w")
