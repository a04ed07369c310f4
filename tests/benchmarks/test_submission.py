"""A submission to XTREME: what is written, by hand; and that it is what the validator wants."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xstilts.benchmarks import submission, validator, xtreme
from xstilts.benchmarks.known import BENCHMARKS
from xstilts.data import prepare
from xstilts.running.errors import UserError
from xstilts.running.files import atomic
from xstilts.steps import submission as submission_step

NLI = [
    {"id": str(i), "text": "a", "text_pair": "b", "label": label}
    for i, label in enumerate(["neutral", "entailment", "neutral"])
]
TAGGED = [
    {"id": "0", "tokens": ["Der", "Hund"], "tags": ["DET", "NOUN"]},
    {"id": "1", "tokens": ["Ja"], "tags": ["INTJ"]},
]
QUESTIONS = [
    {"id": key, "question": "?", "context": "Köln", "answers": {"text": ["Köln"], "start": [0]}}
    for key in ("q1", "q2")
]
POOLS = [
    {"id": "de-1", "side": "source", "text": "eins", "gold": "en-2"},
    {"id": "de-2", "side": "source", "text": "zwei", "gold": None},
    {"id": "en-1", "side": "target", "text": "three", "gold": None},
    {"id": "en-2", "side": "target", "text": "one", "gold": None},
]
# English queries, foreign targets: in the order of the queries' text they are 1, 2, 0.
SENTENCES = [
    {"id": "0.source", "side": "source", "text": "one", "gold": "0.target"},
    {"id": "0.target", "side": "target", "text": "eins", "gold": None},
    {"id": "1.source", "side": "source", "text": "No.", "gold": "1.target"},
    {"id": "1.target", "side": "target", "text": "Nein.", "gold": None},
    {"id": "2.source", "side": "source", "text": "bread", "gold": "2.target"},
    {"id": "2.target", "side": "target", "text": "Brot", "gold": None},
]
# target -> format, prepared rows, predictions, what is written
CASES = {
    "xnli": (
        "classification", NLI, ["neutral", "neutral", "contradiction"],
        "neutral\nneutral\ncontradiction\n",
    ),
    "udpos": ("tagging", TAGGED, ["DET VERB", "INTJ"], "DET\nVERB\n\nINTJ\n\n"),
    "xquad": ("span", QUESTIONS, ["Köln", ""], '{\n "q1": "K\\u00f6ln",\n "q2": ""\n}\n'),
    "bucc": ("retrieval", POOLS, ["en-2", ""], "de-1\ten-2\n"),
    "tatoeba": ("retrieval", SENTENCES, ["0.target", "2.target", "2.target"], "2\n2\n0\n"),
}  # fmt: skip
LABELS = {
    "xnli": ["entailment", "neutral", "contradiction"],
    "udpos": ["DET", "INTJ", "NOUN", "VERB"],
}


def ids(rows):
    return [row["id"] for row in rows if row.get("side") != "target"]


def write_rows(data, target, language="de", **metadata):
    """Prepared rows as `prepare` writes them."""
    form, rows, *_ = CASES[target]
    units = sum(row.get("side") != "target" for row in rows)
    report = {"rows_total": units, "rows_kept": len(rows), "dropped": {}, "repaired": 0}
    spec = {"labels": LABELS.get(target), "max_rows": metadata.pop("max_rows", None)}
    path = data / target / f"{language}.{xtreme.TASKS[target].split}.parquet"
    prepare.write(path, rows, form, {"spec": spec, "pin": {}, **report, **metadata})
    return path


def write_predictions(folder, target, language="de"):
    """Predictions as `evaluate` writes them."""
    _, rows, predicted, _ = CASES[target]
    table = {"id": ids(rows), "prediction": predicted, "value": [0.0] * len(predicted)}
    with atomic(folder / target / f"{language}.parquet") as path:
        pq.write_table(pa.table(table), path)
    return folder / target


def run(data, *, out=None, check=None, cell=(), rehearsal=False, faults=None):
    given = {"out": out, "check": check, "faults": faults}
    args = [f"--{name}={value}" for name, value in given.items() if value]
    args += ["--rehearsal"] * rehearsal + [f"--cell={one}" for one in cell]
    submission_step.main(submission_step.parser().parse_args(["--data", str(data), *args]))


@pytest.fixture
def made(tmp_path):
    """A submission of all cases in German, and where its parts are."""
    data, out = tmp_path / "data", tmp_path / "out"
    cells = []
    for target in CASES:
        write_rows(data, target)
        cells.append(f"{target}={write_predictions(tmp_path / 'scores', target)}")
    run(data, out=out, cell=cells)
    return data, out, cells


@pytest.mark.parametrize("target", CASES)
def test_the_text_in_full(target):
    _, rows, predicted, expected = CASES[target]
    assert (
        submission.file_content(target, rows, dict(zip(ids(rows), predicted, strict=True)))
        == expected
    )


def test_every_kind_has_a_writer():
    kinds = {task.kind for each in BENCHMARKS.values() for task in each.files.values()}
    assert kinds == submission.WRITERS.keys() == validator.CHECKS.keys()


def test_the_folder_has_the_names_of_xtreme(made):
    _, out, _ = made
    files = sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())
    assert files == [
        "bucc2018/test-de.tsv", "tatoeba/test-de.tsv", "udpos/test-de.tsv", "xnli/test-de.tsv",
        "xquad/test-de.json",
    ]  # fmt: skip
    assert json.loads((out / "xquad/test-de.json").read_text()) == {"q1": "Köln", "q2": ""}


def test_what_is_written_is_what_the_validator_wants(made, capsys):
    data, out, _ = made
    capsys.readouterr()
    run(data, check=out, rehearsal=True)
    assert capsys.readouterr().out == f"{out}: nothing wrong\n"


def test_the_count_of_languages_is_said(made, capsys):
    data, out, cells = made
    run(data, out=out, cell=cells[:1])
    assert capsys.readouterr().out == "xnli: 1 of 15 languages\n"


def test_a_damaged_submission_is_refused_with_a_line_for_each_fault(made, capsys):
    data, out, _ = made
    capsys.readouterr()
    (out / "xnli/test-de.tsv").write_text("neutral\nneutral\n")
    (out / "udpos/test-de.tsv").unlink()
    with pytest.raises(
        UserError, match=r"out: 2 thing.s. wrong, the first: xnli/test-de\.tsv: has"
    ):
        run(data, check=out, rehearsal=True)
    assert capsys.readouterr().out.splitlines() == [
        "xnli/test-de.tsv: has 2 lines, but there are 3 rows",
        "udpos/test-de.tsv: is missing",
    ]


def test_an_export_says_what_is_missing_in_it(made, tmp_path, capsys):
    data, out, cells = made
    capsys.readouterr()
    run(data, out=out, cell=cells, faults=str(tmp_path / "faults.txt"))
    lines = (tmp_path / "faults.txt").read_text().splitlines()
    assert "xnli/test-ar.tsv: is missing" in lines and "xnli/test-de.tsv" not in str(lines)
    assert (
        capsys.readouterr()
        .out.splitlines()[-1]
        .endswith(f"out: {len(lines)} thing(s) missing, see {tmp_path}/faults.txt")
    )


def test_an_export_beside_what_does_not_belong_there_is_refused(made, tmp_path):
    data, out, cells = made
    (out / "xnli/test-xx.tsv").write_text("neutral\n")
    with pytest.raises(UserError, match=r"out: xnli/test-xx\.tsv: is no file of a submission"):
        run(data, out=out, cell=cells, faults=str(tmp_path / "faults.txt"))
    assert not (tmp_path / "faults.txt").exists()


@pytest.mark.parametrize(
    ("predicted", "line"),
    [
        (["0", "1"], r"2 predictions are not those of the 3 prepared rows, for instance `2`"),
        (["0", "1", "2", "x"], r"4 predictions .* the 3 prepared rows, for instance `x`"),
        (["0", "2", "1"], r"3 predictions .* the 3 prepared rows, in another order"),
    ],
)
def test_predictions_of_other_rows_are_refused(predicted, line):
    with pytest.raises(UserError, match=line):
        submission.file_content("xnli", NLI, dict.fromkeys(predicted, "neutral"))


def test_refused_predictions_are_named(made, tmp_path):
    data, out, _ = made
    write_rows(data, "bucc")
    other = write_predictions(tmp_path / "other", "xquad")
    with pytest.raises(
        UserError, match=r"other/xquad/de\.parquet and .*bucc/de\.test\.parquet: 2 "
    ):
        run(data, out=out, cell=[f"bucc={other}"])


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ([], "--cell is missing"),
        (["xnil=x"], "XTREME has no target `xnil`; did you mean `xnli`"),
        (["mnli"], "XTREME has no target `mnli`"),
        (["xnli=nowhere"], "nowhere has no predictions in a language of XTREME"),
    ],
)
def test_a_wrong_cell_is_named(tmp_path, cell, line):
    with pytest.raises(UserError, match=line):
        run(tmp_path, out=tmp_path / "out", cell=cell)
