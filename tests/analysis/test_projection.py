"""The table of what became of synthetic rows, from records as the step writes them."""

import pytest
from tests.experiment.test_filters import asked
from tests.experiment.test_grid import make

from xstilts.analysis import projection
from xstilts.analysis.text_table import to_markdown
from xstilts.experiment import graph
from xstilts.running.files import write_json

KEY = "results/synthetic/toy.basic/squad/de.train.json"


@pytest.fixture
def nodes():
    found = graph.build(make(**asked("basic", task="squad"))).values()
    return [node for node in found if node.rule == "filter"]


def write(root, node, **changes):
    record = {
        "spec": node.spec, "rows_total": 100, "rows_made": 90, "rows_kept": 80,
        "dropped": {"answer is not found in the translation": 10, "language": 10},
        "projected": {
            "marks": {"rows": 60},
            "words": {"rows": 30, "known": 20, "right": 15, "share": 0.75},
        },
        "measures": {"copied": {"mean": 0.25}, "language": {"mean": 0.9}, "names": {"mean": None}},
    } | changes  # fmt: skip
    write_json(root / node.key, record)


def test_a_row_a_filter_task_and_language(nodes, tmp_path):
    node = next(node for node in nodes if node.key == KEY)
    write(tmp_path, node)
    table, dropped, refused = projection.read(nodes, tmp_path)
    assert refused == []
    [row] = table.to_dict("records")
    assert [row[name] for name in projection.NAMES] == ["toy.basic", "squad", "de"]
    assert (row["rows"], row["made"], row["kept"]) == (100, 90, 80)
    assert (row["marks"], row["words"], row["words right"], row["words share"]) == (
        60,
        30,
        15,
        0.75,
    )
    assert (row["mean copied"], row["mean language"]) == (0.25, 0.9)
    assert dropped["rows"].tolist() == [10, 10]
    lines = to_markdown(projection.text_table(table, dropped)).splitlines()
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    assert cells == [
        "toy.basic", "squad", "de", "100", "90", "80",
        "answer is not found in the translation 10, language 10", "60", "30", "75.0",
        "0.25", "0.90",
    ]  # fmt: skip


def test_what_is_not_there_is_left_out_and_what_is_wrong_is_said(nodes, tmp_path):
    table, dropped, refused = projection.read(nodes, tmp_path)
    assert len(table) == len(dropped) == len(refused) == 0
    write(tmp_path, nodes[0], spec={"kind": "another"})
    write_json(tmp_path / nodes[1].key, {"spec": nodes[1].spec})
    *_, refused = projection.read(nodes, tmp_path)
    assert refused == [
        f"{nodes[0].key}: made for another spec than the config asks for; delete it, run again",
        f"{nodes[1].key}: holds no counts; delete it, run again",
    ]
