"""What a mirror lacks is seen without loading it."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xstilts.data import mirror
from xstilts.running.errors import Absent, UserError

README = """---
configs:
- config_name: de
  data_files:
  - split: train
    path: de/train-*.parquet
  - split: validation
    path: de/validation.parquet
- config_name: en
  data_files:
  - split: validation
    path: en/gone.parquet
---
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "README.md").write_text(README)
    (tmp_path / "de").mkdir()
    for name in ("train-00000-of-00002", "train-00001-of-00002", "validation"):
        pq.write_table(pa.table({"text": ["a"], "label": [0]}), tmp_path / f"de/{name}.parquet")
    return tmp_path


def test_the_columns_of_a_split(folder):
    assert mirror.schema(folder, "o/n", "de", "train").names == ["text", "label"]
    assert mirror.schema(folder, "o/n", "de", "train[:10]+validation").names == ["text", "label"]


@pytest.mark.parametrize(
    ("config", "split", "kind", "line"),
    [
        (
            "dd",
            "train",
            Absent,
            r"dataset o/n: no config `dd`; did you mean `de`\? \(there are de, en\)",
        ),
        (
            "en",
            "train",
            Absent,
            r"config en: no split `train` \(there are validation\)$",
        ),
        ("en", "validation", UserError, r"en/gone\.parquet is missing, though its README names it"),
    ],
)
def test_what_is_not_there_is_named(folder, config, split, kind, line):
    with pytest.raises(UserError, match=line) as error:
        mirror.schema(folder, "o/n", config, split)
    assert type(error.value) is kind


def test_a_damaged_file_is_named(folder):
    (folder / "de/validation.parquet").write_bytes(b"PAR1" + b"x" * 50)
    with pytest.raises(UserError, match=r"validation\.parquet is damaged \(.*\); fetch it again"):
        mirror.schema(folder, "o/n", "de", "validation")
    (folder / "de/validation.parquet").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(UserError, match=r"validation\.parquet is a Git LFS pointer, not the data"):
        mirror.schema(folder, "o/n", "de", "validation")


@pytest.mark.parametrize(
    "text", ["", "no front matter", "---\n: [\n---\n", "---\nconfigs: 3\n---\n"]
)
def test_what_only_the_library_can_read_is_left_to_it(tmp_path, text):
    (tmp_path / "README.md").write_text(text)
    assert mirror.schema(tmp_path, "o/n", "de", "train") is None
