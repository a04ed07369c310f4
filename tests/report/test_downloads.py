"""The files that the page holds."""

import base64
import gzip

from xstilts.report import downloads


def test_the_files_that_are_there_are_held_the_smallest_first(tmp_path):
    for name in ("tables/main.csv", "tables/main.tex", "figures/languages/m/xnli.pdf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    large = bytes(range(256)) * 4
    (tmp_path / "tables/deltas.csv").write_bytes(large)
    (tmp_path / "tables/old.csv").write_text("of another grid")
    wanted = downloads.names(["m"], ["xnli"])
    found = downloads.collect(tmp_path, wanted)
    assert list(found["files"]) == [
        "tables/main.csv", "tables/main.tex", "tables/deltas.csv", "figures/languages/m/xnli.pdf",
    ]  # fmt: skip
    assert gzip.decompress(base64.b64decode(found["files"]["tables/deltas.csv"])) == large
    assert found["left_out"] == []
    found = downloads.collect(tmp_path, wanted, max_bytes=200)
    assert found["left_out"] == ["tables/deltas.csv"] and len(found["files"]) == 3


def test_files_of_questions_come_with_the_page(tmp_path):
    names = downloads.names(["m"], ["xnli"], ["dose"])
    assert [name for name in names if "questions" in name] == [
        "tables/questions/dose.csv",
        "tables/questions/dose.tex",
        "tables/questions/dose.points.csv",
        "figures/questions/dose.pdf",
    ]
    assert not any("questions" in name for name in downloads.names(["m"], ["xnli"]))
