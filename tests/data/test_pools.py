"""Mining pools: gold pairs, read and made into pairs of rows; what is no mining is refused."""

import json

import pytest
from tests.data.test_prepare import step
from tests.hub import mirror

from xstilts.data import pin, pools
from xstilts.running.errors import UserError

POOL = [
    {"side": "source", "id": "zh-1", "text": "一"},
    {"side": "source", "id": "zh-2", "text": "二"},
    {"side": "source", "id": "zh-3", "text": "三"},
    {"side": "target", "id": "en-1", "text": "two"},
    {"side": "target", "id": "en-2", "text": "four"},
]
SPEC = {
    "task": "bucc", "format": "retrieval", "hub": "local/bucc2018", "config": "zh", "split": "dev",
    "lang": "zh", "gold": "zh/dev.gold.tsv",
}  # fmt: skip


def write(root, rows, gold):
    """Write a mirror with one pool, as JSON lines, and its gold pairs."""
    folder = root / "datasets/local/bucc2018"
    (folder / "zh").mkdir(parents=True)
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / "zh/dev.jsonl").write_text("\n".join(lines))
    (folder / "zh/dev.gold.tsv").write_text(gold)
    front = "- config_name: zh\n  data_files:\n  - {split: dev, path: zh/dev.jsonl}\n"
    (folder / "README.md").write_text(f"---\nconfigs:\n{front}---\n")
    return root


def test_a_pair_becomes_neighbours_and_the_rest_have_no_gold(tmp_path):
    root = write(tmp_path / "mirror", POOL, "zh-2\ten-1\n")
    rows, record = step(root, SPEC, tmp_path)
    assert rows == [
        {"id": "zh-1", "side": "source", "text": "一", "gold": None},
        {"id": "zh-2", "side": "source", "text": "二", "gold": "en-1"},
        {"id": "en-1", "side": "target", "text": "two", "gold": None},
        {"id": "zh-3", "side": "source", "text": "三", "gold": None},
        {"id": "en-2", "side": "target", "text": "four", "gold": None},
    ]
    assert (record["rows_total"], record["dropped"]) == (5, {})


def test_a_sample_keeps_pairs_whole(tmp_path):
    gold = "".join(f"s{i}\tt{i}\n" for i in range(20))
    ids = [f"{side}{i}" for side in "st" for i in range(30)]
    pool = [{"side": {"s": "source", "t": "target"}[i[0]], "id": i, "text": i} for i in ids]
    root = write(tmp_path / "mirror", pool, gold)
    rows, _ = step(root, {**SPEC, "max_rows": 10}, tmp_path)
    there = {row["id"] for row in rows}
    paired = [row for row in rows if row["gold"]]
    assert paired and {row["gold"] for row in paired} <= there
    assert len(rows) == 10 + len(paired)


def test_of_two_pairs_of_a_sentence_the_first_counts(tmp_path):
    root = write(tmp_path / "mirror", POOL, "zh-2\ten-1\nzh-1\ten-1\n")
    rows, record = step(root, SPEC, tmp_path)
    assert [row["gold"] for row in rows if row["side"] == "source"] == [None, "en-1", None]
    assert record["dropped"] == {pools.TAKEN: 1}


@pytest.mark.parametrize(
    ("rows", "gold", "line"),
    [
        (POOL, "zh-2 en-1\n", r"dev\.gold\.tsv: line 1 is not `source id TAB target id`: zh-2 en"),
        (POOL, "zh-2\ten-1\nzh-9\ten-2\n", "the gold pair zh-9, en-2: no source has the id zh-9"),
        (POOL, "en-1\tzh-2\n", "the gold pair en-1, zh-2: no source has the id en-1"),
        (POOL[1:2] + POOL[3:4], "zh-2\ten-1\n", "task bucc: every sentence .* use the full pools"),
    ],
)
def test_what_is_wrong_with_pools(rows, gold, line, tmp_path):
    root = write(tmp_path / "mirror", rows, gold)
    with pytest.raises(UserError, match=line) as error:
        step(root, SPEC, tmp_path)
    assert "\n" not in str(error.value)


def test_gold_that_is_not_there_or_has_changed(tmp_path, monkeypatch):
    root = write(tmp_path / "mirror", POOL, "zh-2\ten-1\n")
    with pytest.raises(UserError, match=r"zh/no\.tsv is missing"):
        step(root, {**SPEC, "gold": "zh/no.tsv"}, tmp_path)
    gold = root / "datasets/local/bucc2018/zh/dev.gold.tsv"

    pinned = pin.resolve("datasets", str(root), str(root), SPEC["hub"], "main")
    gold.write_text("zh-1\ten-1\n")
    monkeypatch.setattr(pin, "resolve", lambda *_: pinned)
    with pytest.raises(UserError, match=r"dev\.gold\.tsv has changed since it was pinned"):
        step(root, SPEC, tmp_path)


def test_gold_pairs_of_the_hub_are_refused_for_mining(tmp_path):
    mirror.write_datasets(tmp_path)
    spec = {**SPEC, "hub": "google/xtreme", "config": "tatoeba.deu", "split": "validation"}
    with pytest.raises(
        UserError, match=r"task bucc: google/xtreme .* has no column `side` but"
    ) as e:
        step(tmp_path, spec, tmp_path)
    assert "\n" not in str(e.value)
