"""Loading from a folder: what is read, and one line for whatever is wrong with it."""

import pytest
from tests.hub import mirror

from xstilts.data import pin, source
from xstilts.experiment import tasks
from xstilts.running.errors import UserError


@pytest.fixture
def root(tmp_path):
    mirror.write_datasets(tmp_path)
    return tmp_path


def load(root, name="acme/nli", config="de", split="validation"):
    pinned = pin.resolve("datasets", str(root), str(root), name, "main")
    return source.load(str(root), root, pinned, name, config, split)


def test_a_split_is_loaded_with_its_features(root):
    rows = load(root, "google/xtreme", "udpos.German", "test")
    assert rows[0] == {"tokens": ["Hunde", "bellen", "."], "pos_tags": [1, 3, 2]}
    assert rows.features["pos_tags"].feature.names == mirror.UPOS


def test_paths_and_names():
    assert source.is_path("/a/b") and source.is_path("./b") and source.is_path("~/b")
    assert not source.is_path("org/name")
    assert source.from_hub("hub", "org/name")
    assert not source.from_hub("hub", "../folder")
    assert not source.from_hub("toy", "org/name")


def test_a_mistyped_folder_never_goes_to_the_hub(root):
    with pytest.raises(UserError, match=r"acme/nil: not among .* did you mean `acme/nli`\?"):
        source.folder(root, "datasets", "acme/nil")
    with pytest.raises(UserError, match=r"holds no folder `models`; .*`hub` and `toy`"):
        source.folder(root, "models", "acme/tiny")
    with pytest.raises(UserError, match=r"\./nowhere: there is no such folder"):
        source.folder("", "models", "./nowhere")


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"config": "dd"}, r"no config `dd`; did you mean `de`\? \(there are de, en\)"),
        (
            {"config": None},
            r'none is given; say `config`, "\{lang\}" in it .* \(there are de, en\)',
        ),
        ({"split": "validate"}, r"no split `validate`; did you mean `validation`\?"),
        ({"name": "acme/script"}, "it is a script, .*revision: refs/convert/parquet"),
    ],
)
def test_what_the_data_set_does_not_have(root, asked, line):
    with pytest.raises(UserError, match=line):
        load(root, **asked)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "is damaged"),
        (b"PAR1 and no more", "is damaged"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a Git LFS pointer"),
        (None, "is missing, though its README names it"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(root, content, line):
    file = root / "datasets/acme/nli/de/validation-00000-of-00001.parquet"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UserError, match=rf"acme/nli: .*validation-00000-of-00001\.parquet {line}"):
        load(root)


def test_damage_inside_a_file_is_found(root):
    file = root / "datasets/acme/nli/de/validation-00000-of-00001.parquet"
    content = bytearray(file.read_bytes())
    content[4:60] = bytes(56)
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"validation-00000-of-00001\.parquet is damaged"):
        load(root)


def test_a_folder_without_data(root):
    (root / "datasets/acme/empty").mkdir()
    (root / "datasets/acme/empty/README.md").write_text("nothing\n")
    with pytest.raises(UserError, match=r"acme/empty: no data files in .*parquet"):
        load(root, "acme/empty", None)


def test_a_data_set_that_is_on_no_hub_says_how_to_obtain_it(tmp_path):
    (tmp_path / "datasets").mkdir()
    with pytest.raises(UserError, match=r"^local/ccgbank: not in the mirror .*LDC2005T13") as error:
        name = "local/ccgbank"
        source.folder(tmp_path, "datasets", name, tasks.obtain(name))
    assert '{"tokens": ["Ms.", "Haag"], "tags": ["N/N", "N"]}' in str(error.value)
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match=r"^local/bucc2018: is on no hub\. .*pools\.py"):
        name = "local/bucc2018"
        source.hub_info("datasets", name, "main", tasks.obtain(name))
    with pytest.raises(
        UserError, match=r"^local/hotpotqa-x: is on no hub\. Tran.*targets`"
    ) as error:
        name = "local/hotpotqa-x"
        source.hub_info("datasets", name, "main", tasks.obtain(name))
    assert "\n" not in str(error.value)
    assert tasks.obtain("nyu-mll/glue") is None


def test_a_file_beside_the_tables_is_read_from_a_folder_only(tmp_path):
    with pytest.raises(UserError, match=r"dataset o/n: a\.tsv is read from a folder only"):
        source.file("hub", tmp_path, {}, "o/n", "a.tsv")


def test_a_tilde_before_what_is_no_user_is_part_of_the_name(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert str(source.absolute("~/x.csv", "/b")) == "/home/me/x.csv"
    assert str(source.absolute("~nobody-here.csv", "/b")) == "/b/~nobody-here.csv"
    with pytest.raises(UserError, match=r"^~nobody-here/x: there is no such folder"):
        source.folder("", "datasets", "~nobody-here/x")
    with pytest.raises(UserError, match=r"^source: ~nobody-here/x holds no folder `datasets`"):
        source.folder("~nobody-here/x", "datasets", "o/n")


def test_a_name_that_is_too_long_is_of_no_folder(root):
    long = "x" * 3000
    for given, name in (("", f"./{long}"), (f"/{long}", "o/n"), (root, f"o/{long}")):
        with pytest.raises(UserError, match=r"no such folder|holds no folder|not among the data"):
            source.folder(given, "datasets", name)


@pytest.mark.parametrize(
    ("lacks", "valid", "taken"),
    [
        ("validation", ["train", "test"], "{dev: test}"),
        ("validation", ["test", "validation_matched"], "{dev: validation_matched}"),
        ("val", ["train", "test", "validation"], "{dev: validation}"),
        ("dev", ["test", "valid"], "{dev: valid}"),
        ("train", ["validation", "train_small"], "{train: train_small}"),
        ("test", ["train", "validation"], "{test: validation}"),
        ("validation", ["train"], None),
        ("train", ["validation", "test"], None),
        ("test", [], None),
    ],
)
def test_another_split_to_take(lacks, valid, taken):
    said = source.other_split(lacks, valid)
    assert said == (f"; to take another: `splits: {taken}`" if taken else "")
