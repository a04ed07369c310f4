"""What the tables step writes beside each other."""

import pandas as pd

from xstilts.analysis.table_set import Table
from xstilts.analysis.text_table import TableCell, TextTable
from xstilts.steps import tables

TEXT = TextTable(
    ["class"], ["estimate"], [(["near"], [TableCell("1.5", marked=True)])], ["A note."]
)
BARE = "| class   | estimate   |\n|:--------|:-----------|\n| near    | 1.5\\*      |\n\nA note.\n"


def written(folder, about):
    (folder / "questions").mkdir()
    frame = pd.DataFrame({"estimate": [1.5]})
    tables._write(Table("questions/q", {"": frame}, TEXT, about=about), folder)
    return {path.suffix: path.read_text() for path in (folder / "questions").iterdir()}


def test_above_the_table_of_an_answer_is_what_was_asked_and_found(tmp_path):
    found = written(tmp_path, {"ask": "More?", "sentence": "The gain is above zero: 5%."})
    assert found[".md"] == f"More?\n\nThe gain is above zero: 5%.\n\n{BARE}"
    lines = found[".tex"].splitlines()
    assert lines[:2] == ["% More?", "% The gain is above zero: 5%."]
    assert lines[2].startswith("\\begingroup") and set(found) == {".csv", ".json", ".md", ".tex"}


def test_another_table_stands_alone(tmp_path):
    found = written(tmp_path, None)
    assert found[".md"] == BARE and found[".tex"].startswith("\\begingroup")
    assert set(found) == {".csv", ".md", ".tex"}
