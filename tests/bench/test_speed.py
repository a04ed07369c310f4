"""What `make bench` makes of its measurements; the measurements themselves are run by CI."""

import json

import pytest
from tests.bench.speed import groups, measures, recorded, rows
from tests.bench.speed.groups import Group
from tests.bench.speed.worker import ROOT, Worker
from tests.gpu import record, trainer
from tests.test_docs import text_of


def sides(**seconds):
    """Sides that take what they are given, and write down whose turn it was."""
    turns, left = [], {side: iter(each) for side, each in seconds.items()}

    def side(name):
        def run():
            turns.append(name)
            return next(left[name])

        return run

    return {name: side(name) for name in seconds}, turns


def test_sides_take_turns_and_a_first_one_is_not_counted():
    own, turns = sides(ours=[9, 1, 2], theirs=[9, 3, 4])
    taken = groups.measured(Group("a", 10, "rows/s", own), rounds=2)
    assert turns == ["ours", "theirs"] * 3
    assert taken == {"ours": [1, 2], "theirs": [3, 4]}
    own, turns = sides(ours=[1, 3], theirs=[2, 4])
    taken = groups.measured(Group("a", 1, "s", own, warm=False, times=2), 1)
    assert taken == {"ours": [1, 3], "theirs": [2, 4]}


def test_a_ratio_is_the_median_over_the_turns():
    taken = {"ours": [1.0, 2.0, 4.0], "theirs": [2.0, 2.0, 12.0], "before": [1.0, 1.0, 2.0]}
    assert groups.compared(Group("training", 8, "rows/s", {}), taken) == {
        "training: theirs": {
            "ours": 4.0, "theirs": 4.0, "unit": "rows/s",
            "ratio": 2.0, "lowest": 1.0, "highest": 3.0,
        },
        "training: before": {
            "ours": 4.0, "theirs": 8.0, "unit": "rows/s",
            "ratio": 0.5, "lowest": 0.5, "highest": 1.0,
        },
    }  # fmt: skip
    seconds = groups.compared(Group("start-up", 1, "s", {}), {"ours": [2.0], "bare": [1.5]})
    assert seconds["start-up: bare"]["ours"] == 2.0 and seconds["start-up: bare"]["ratio"] == 0.75


def test_what_has_fallen_below_nine_tenths_of_what_is_recorded():
    known = {"a": {"ratio": 1.0}, "b": {"ratio": 2.0}, "gone": {"ratio": 1.0}}
    found = {"a": {"ratio": 0.91}, "b": {"ratio": 1.79}, "new": {"ratio": 0.1}}
    assert recorded.fallen(found, known) == {"b": "b: 1.79, and 2.00 is recorded"}


MEASUREMENT = {
    "about": {
        "machine": "a CPU, 2 cores, one thread each", "date": "2026-11-27", "load": 0.4,
        "encoder": "a real encoder and rows", "versions": "torch 2.13.0, transformers 5.23.0",
        "code": "xstilts 0.2.0, commit 1", "before": "0",
    },
    "rows": {
        "training, mnli: HF Trainer, best": {
            "ours": 24.7, "theirs": 24.0, "unit": "examples/s", "ratio": 1.03, "lowest": 1.0,
            "highest": 1.1,
        }
    },
}  # fmt: skip


def test_the_table_and_where_it_is_kept(tmp_path, monkeypatch):
    expected = """\
| what | ours | beside | theirs | | ratio | lowest to highest |
|---|---:|---|---:|---|---:|---|
| training, mnli | 24.7 | HF Trainer, best | 24.0 | examples/s | 1.03 | 1.00 to 1.10 |

a CPU, 2 cores, one thread each, load 0.4; 2026-11-27; a real encoder and rows; torch 2.13.0, \
transformers 5.23.0; xstilts 0.2.0, commit 1; before: 0.
"""
    assert recorded.table(MEASUREMENT) == expected
    page, file = tmp_path / "page.md", tmp_path / "recorded.json"
    page.write_text(f"# P\n\n{recorded.MARKS[0]}\nold\n\n{recorded.MARKS[1]}\nmore\n")
    monkeypatch.setattr(recorded, "PAGE", page)
    monkeypatch.setattr(recorded, "FILE", file)
    monkeypatch.setattr(recorded, "read", lambda: json.loads(file.read_text() or "{}"))
    file.write_text("{}")
    for form in ("full", "short"):
        recorded.record(form, MEASUREMENT)
    assert json.loads(file.read_text()) == {"full": MEASUREMENT, "short": MEASUREMENT}
    marks = recorded.MARKS
    assert page.read_text() == f"# P\n\n{marks[0]}\n{expected}\n{marks[1]}\nmore\n"


# --- The page -------------------------------------------------------------------------------------


def between(text, marks):
    return text.partition(marks[0])[2].partition(marks[1])[0].strip() + "\n"


def test_the_page_has_what_is_recorded():
    text = text_of("docs/performance.md")
    assert between(text, recorded.MARKS) == recorded.shown(recorded.read())
    assert record.page(text, record.read()) == text
    first, table = record.shown(record.read())
    assert text.splitlines()[2] == first and between(text, record.MARKS) == table


def test_a_run_on_a_gpu_is_put_into_the_page():
    figures = [
        {"name": "step", "value": 14.96, "unit": "ms", "ok": True, "note": "x"},
        {"name": "rows", "value": 1234, "unit": "", "ok": None, "note": ""},
    ]
    run = {
        "card": "NVIDIA H100", "driver": "580.1", "date": "2026-11-28 10:00 UTC", "code": "xstilts",
        "versions": {"torch": "2.13.0"}, "failed": ["5 resume"],
        "parts": [
            {"part": "2 step", "figures": figures, "error": ""},
            {"part": "5 resume", "figures": [], "error": "ended by SIGKILL"},
        ],
    }  # fmt: skip
    text = record.page(text_of("docs/performance.md"), run)
    assert text.splitlines()[2] == (
        "The part for GPUs has last run on 2026-11-28 10:00 UTC, on NVIDIA H100, driver 580.1,"
        " torch 2.13.0; failed: 5 resume."
    )
    for line in (
        "| 2 step | step | 15 | ms | ok | x |",
        "| 2 step | rows | 1,234 |  |  |  |",
        "| 5 resume | the part |  |  | failed | ended by SIGKILL |",
    ):
        assert line in text.splitlines()
    assert record.page(text, None) == record.page(text_of("docs/performance.md"), None)


# --- What is measured -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The shortened form, made smaller."""
    made = tmp_path_factory.mktemp("rows")
    small = [rows.Case("mnli", "", 32, 4, 2, 2, 24), rows.Case("span", "", 64, 4, 2, 1, 12)]
    before = rows.CASES, rows.SHAPE
    rows.CASES, rows.SHAPE = tuple(small), rows.Shape(1, 32, 2, 64, 30_010, 66)
    rows.make(made, real=False, short=True)
    yield made
    rows.CASES, rows.SHAPE = before


def test_each_measurement_of_ours_does_its_work(folder):
    for name in ("mnli", "span"):
        assert 0 < measures.train(folder, name) < 60
        assert 0 < measures.evaluate(folder, name) < 60
    assert 0 < measures.encode(folder, 20) < 60
    assert 0 < measures.mine(folder, 100) < 60 and 0 < measures.mine_product(folder, 100) < 60


def test_trainer_sees_the_same_tokens_at_its_default_and_at_its_best(folder):
    pytest.importorskip("accelerate")
    task, encoder = measures._task(folder, "mnli"), measures._encoder(folder)
    for way in trainer.WAYS:
        seconds, tokens, by = trainer.train(encoder, task, encoder.device, EPOCH, way)
        assert by == "HF Trainer" and 0 < seconds < 60
        assert tokens == len(task.train["en"].arrays["tokens"])
        assert 0 < measures.evaluate_trainer(folder, "mnli", way) < 60


EPOCH = trainer.Epoch(warm=0, steps=2, batch_size=4)


def test_a_worker_measures_the_code_that_it_is_given(folder, tmp_path):
    other = tmp_path / "workflow/xstilts"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise SystemExit('the other code')\n")
    worker = Worker(folder, tmp_path)
    with pytest.raises(RuntimeError, match="has ended"):
        worker.seconds("encode", 10)
    worker.close()
    worker = Worker(folder, ROOT)
    assert 0 < worker.seconds("encode", 10) < 60
    worker.close()
