"""What would be scored on what was read in translation is refused, before it is paid for."""

import pytest

from xstilts.data import leaks
from xstilts.running.errors import UserError
from xstilts.running.files import write_json
from xstilts.steps import train


def counted(folder, found):
    """Return what is told of a target of which so many of 100 rows are found in a task."""
    path = folder / "mnli/xnli.json"
    write_json(path, {"rows": 100, "question": found, "context": 0, "either": found})
    return [f"x={path}"]


def test_more_than_a_hundredth_is_refused(tmp_path):
    """In one line, which names the intermediate that has translated it."""
    leaks.refuse("m/y/seed1/xnli", counted(tmp_path, 1))
    with pytest.raises(UserError) as error:
        leaks.refuse("m/y/seed1/xnli", counted(tmp_path, 2))
    assert str(error.value) == (
        "m/y/seed1/xnli: 2 of the 100 English rows of xnli stand in the train rows of mnli, which x"
        " is trained on in translation (tables/overlap), so it would be scored on what was read;"
        " `exclude` the cells of xnli of it and of what follows on it, or say `leaks: allow` in"
        " `intermediates: x: translated`"
    )


def test_a_training_is_refused_before_it_reads_anything(tmp_path):
    args = [
        "--spec", "{}", "--init", "none", "--train", "none", "--dev", "none", "--dev-rows", "none",
        "--state", str(tmp_path / "state"), "--out", "results/encoders/m/x/seed1",
        "--leaks", *counted(tmp_path, 50),
    ]  # fmt: skip
    with pytest.raises(UserError, match=r"^encoders/m/x/seed1: 50 of the 100 English rows of xnli"):
        train.main(train.parser().parse_args(args))
    assert not (tmp_path / "state").exists()
