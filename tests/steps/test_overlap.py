"""The step that looks for rows of targets in train rows."""

import json

import pytest

from xstilts.data import overlap as counted
from xstilts.data import prepare
from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json, write_json
from xstilts.steps import overlap, train

ROWS = [{"id": "1", "question": "Who?", "context": "A b.", "answers": {"text": [], "start": []}}]


@pytest.fixture
def run(tmp_path):
    def write(task, split, rows, format="span"):
        path = tmp_path / task / f"en.{split}.parquet"
        path.parent.mkdir()
        spec = {"hub": "o/data", "format": format, "task": task}
        prepare.write(path, rows, format, {"spec": spec, "pin": {"revision": "r2"}})
        return path

    train = write("squad", "train", ROWS)
    # The specs come in another order than the files.
    pair = {"id": "1", "text": "who", "text_pair": None, "label": "x"}
    files = [write("xquad", "dev", ROWS * 2), write("b", "dev", [pair], "classification")]

    def run(**changes):
        def spec(path):
            return digest(prepare.metadata(path)["spec"])

        specs = {
            path.parent.name: {"train": spec(train), "rows": spec(path)} | changes
            for path in reversed(files)
        }
        out = tmp_path / "overlap" / "squad.json"
        args = ["--specs", json.dumps(specs), "--train", str(train), "--out", str(out)]
        overlap.main(overlap.parser().parse_args([*args, "--rows", *map(str, files)]))
        return specs, out

    return run


def test_a_file_a_target_with_what_it_follows_from(run, capsys):
    specs, out = run()
    pins = {"datasets/o/data": "r2"}
    assert read_json(out.parent / "squad/xquad.json") == {
        "spec": specs["xquad"], "pins": pins, "rows": 2, "question": 2, "context": 0, "either": 2,
    }  # fmt: skip
    assert read_json(out.parent / "squad/b.json")["question"] == 1
    spec = {"kind": "overlap of a task", "targets": specs}
    assert read_json(out) == {"spec": spec, "pins": pins}
    assert capsys.readouterr().out == "xquad: 2 of 2 rows\nb: 1 of 1 rows\n"


def test_rows_of_another_spec_are_refused(run):
    with pytest.raises(UserError, match=r"xquad/en\.dev\.parquet: made by another spec"):
        run(rows="0")
    with pytest.raises(UserError, match=r"squad/en\.train\.parquet: made by another spec"):
        run(train="0")


def test_a_cell_that_would_leak_is_refused(tmp_path):
    """More than a hundredth of a target's rows in what was translated is one line; less is none."""
    cell = "m/x/seed1/xnli"
    for found in (2, 1):
        counts = {"rows": 100, "question": found, "context": 0, "either": found}
        write_json(tmp_path / "mnli/xnli.json", counts)
        if found == 1:
            counted.refuse(str(tmp_path / "mnli.json"), "xnli", "before", cell)
            continue
        with pytest.raises(UserError) as error:
            counted.refuse(str(tmp_path / "mnli.json"), "xnli", "before", cell)
        assert str(error.value).startswith(
            "m/x/seed1/xnli: 2 of the 100 English rows of xnli stand"
        )
        assert "`leaks: allow` in `intermediates: before: translated`" in str(error.value)


def test_a_training_of_what_would_leak_is_refused_before_it_begins(tmp_path):
    """By the first target that stands in what is read; none of its other files is there."""
    write_json(tmp_path / "mnli/xnli.json", {"rows": 100, "either": 1})
    write_json(tmp_path / "mnli/pawsx.json", {"rows": 100, "either": 2})
    args = ["--spec", "{}", "--init", "i", "--train", "t", "--dev", "d", "--dev-rows", "r"]
    args += ["--state", str(tmp_path / "state"), "--out", str(tmp_path / "out")]
    leaks = f"{tmp_path / 'mnli.json'}=x=xnli,pawsx"
    with pytest.raises(UserError, match=r"^x: pawsx: 2 of the 100 English rows of pawsx stand in"):
        train.main(train.parser().parse_args([*args, "--leaks", leaks]))
    assert not (tmp_path / "state").exists() and not (tmp_path / "out").exists()
