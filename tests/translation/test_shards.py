"""Shards of prepared rows."""

from tests import helpers

from xstilts.translation import shards

CONTEXT = "Anna has a dog. Tom has a cat."
QUESTIONS = [
    {"id": f"{at} {n}", "question": f"Who has {n}?", "context": f"{CONTEXT} {n}",
     "answers": {"text": ["Anna", "Tom"][at : at + 1], "start": [[0], [16]][at]}}
    for n in range(20) for at in (0, 1)
]  # fmt: skip


def test_each_row_is_in_one_shard_and_questions_of_a_context_together(tmp_path):
    """Whatever their answers are."""
    path = helpers.write_rows(tmp_path / "rows.parquet", "span", QUESTIONS)
    parts = [shards.read(path, number, 3) for number in range(3)]
    assert sorted(row["id"] for part in parts for row in part) == sorted(
        row["id"] for row in QUESTIONS
    )
    contexts = [{row["context"] for row in part} for part in parts]
    assert all(contexts) and sum(map(len, contexts)) == 20
    assert shards.read(path, 0, 1) == QUESTIONS


def test_by_what_a_row_falls_to_a_shard():
    pair = {"text": "A premise.", "text_pair": "A claim that is longer than it."}
    assert shards.key(pair) == "A premise."
    assert shards.key({"context": None, "choices": ["a", "b"]}) == "a b"
    assert shards.key({"tokens": ["a", "c"]}) == "a c"
    assert shards.key({"text": "", "text_pair": None}) == ""
