"""Blocks of answers: kept, and made anew where they are others' or damaged."""

from xstilts.generation import blocks


def test_a_block_is_made_once(tmp_path):
    made = []

    def make():
        made.append(1)
        return [["a", True]]

    assert blocks.kept(tmp_path, 3, "k", make) == ([["a", True]], False)
    assert blocks.kept(tmp_path, 3, "k", make) == ([["a", True]], True)
    assert blocks.kept(tmp_path, 3, "other", make)[1] is False
    (tmp_path / "000003.json").write_text('{"key": "other", "answ')
    assert blocks.kept(tmp_path, 3, "other", make) == ([["a", True]], False)
    (tmp_path / "000003.json").write_text("[]")
    assert blocks.kept(tmp_path, 3, "other", make) == ([["a", True]], False)
    assert len(made) == 4
