"""What is wrong with files of one's own is found before anything runs, of all tasks together."""

import pytest

from xstilts.data import pin
from xstilts.experiment import graph
from xstilts.experiment.config import load
from xstilts.experiment.grid import Grid
from xstilts.monitoring import looking
from xstilts.monitoring.records import TO_PIN, Pins, Records

TRAIN = "text,label\na good film,pos\na bad film,neg\n"
DEV = "text,label\nein guter Film,pos\n"


@pytest.fixture
def folder(tmp_path):
    for path, text in (("en/train.csv", TRAIN), ("en/dev.csv", DEV), ("de/dev.csv", DEV)):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def found(folder, **task):
    entry = {
        "format": "classification",
        "languages": ["en", "de"],
        "base": str(folder),
        "files": {"train": "en/train.csv", "dev": "{lang}/dev.csv"},
        **task,
    }
    grid = Grid(
        load(
            {
                "source": "toy",
                "models": {"m": {"from": "o/m"}},
                "intermediates": {},
                "targets": ["mine"],
                "tasks": {"mine": entry},
            }
        )
    )
    nodes, pins = graph.build(grid), Pins(str(folder / "my.lock"), folder)
    for node in nodes.values():
        if node.rule in graph.PINS:
            pins.adopt(node)
    return looking.look(grid, nodes, Records(nodes, pins, folder)), pins


def test_what_is_right_is_not_spoken_of(folder):
    look, pins = found(folder)
    assert (look.problems.lines, look.notes) == ([], [])
    assert pins.wanted("datasets/files/mine/de.dev") == TO_PIN
    assert sorted(p.name for p in folder.iterdir()) == ["de", "en"], "a look changes nothing"


def test_a_language_without_a_file_is_left_out_alone(folder):
    (folder / "de/dev.csv").unlink()
    look, pins = found(folder)
    assert look.problems.lines == []
    assert look.notes == [
        f"task mine (de): de/dev.csv: there is no such file in {folder}; de is left out"
    ]
    assert pins.wanted("datasets/files/mine/de.dev") == pin.ABSENT


def test_all_mistakes_are_found_together(folder):
    (folder / "en/train.csv").write_text("body,title,label\na,b,pos\nc,d,neg\n")
    (folder / "de/dev.csv").write_text("text,label\nein Film,positiv\n")
    (folder / "en/dev.csv").write_bytes("text,label\nein schöner Film,pos\n".encode("latin-1"))
    lines = found(folder)[0].problems.lines
    assert len(lines) == 2
    assert "en/train.csv: which column is" in lines[0] and "body, title" in lines[0]
    assert "en/dev.csv" in lines[1] and "encoding: latin-1" in lines[1]


def test_a_label_that_the_train_rows_lack_is_named(folder):
    (folder / "de/dev.csv").write_text("text,label\nein Film,poss\n")
    assert found(folder)[0].problems.lines == [
        "task mine (de): dev: label `poss` is none of those of the train rows: neg, pos; did you"
        " mean `pos`?"
    ]


def test_train_rows_must_be_there(folder):
    (folder / "en/train.csv").unlink()
    assert found(folder)[0].problems.lines == [
        f"task mine (en): en/train.csv: there is no such file in {folder}; it is to be trained on"
    ]


def test_a_file_that_was_edited_is_noticed_by_its_content(folder):
    own = {
        f"files/mine/{key}": (str(folder), [path])
        for key, path in (
            ("en.train", "en/train.csv"),
            ("en.dev", "en/dev.csv"),
            ("de.dev", "de/dev.csv"),
        )
    }
    lock = folder / "my.lock"
    assert pin.update(lock, (), own=own) == dict.fromkeys(own, True)
    (folder / "de/dev.csv").touch()
    assert found(folder)[0].problems.lines == []
    (folder / "de/dev.csv").write_text(DEV + "ein schlechter Film,neg\n")
    assert found(folder)[0].problems.lines == [
        f"de/dev.csv has changed in {folder} since {lock} was written; to use what is there now:"
        f" xstilts pin {folder / 'my.yaml'} mine"
    ]
    assert pin.update(lock, ["mine"], own=own) == {
        "files/mine/en.train": False,
        "files/mine/en.dev": False,
        "files/mine/de.dev": True,
    }
    assert found(folder)[0].problems.lines == []
