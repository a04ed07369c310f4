"""The tables, by hand: means, deltas, what is missing, what is refused."""

import json

import pandas as pd
import pytest
from tests.analysis.test_latex import compiled

from xstilts import metrics
from xstilts.analysis import significance, tables
from xstilts.analysis.text_table import to_markdown
from xstilts.experiment.cells import CELL
from xstilts.running.errors import UserError
from xstilts.running.files import digest, write_json
from xstilts.scoring import scores
from xstilts.steps import figures as figures_step
from xstilts.steps import tables as tables_step

NAN = float("nan")


def row(intermediate, seed, target, language, model="m"):
    cell = {"model": model, "intermediate": intermediate, "seed": seed, "target": target}
    metric = "squad" if target == "xquad" else "accuracy"
    path = f"scores/{model}/{intermediate}/{seed}/{target}/{language}.json"
    return {
        **cell,
        "language": language,
        "split": "dev",
        "metric": metric,
        "score": path,
        "spec": digest(spec(path)),
    }


def spec(path):
    return {"kind": "score", "of": path}


def score(line, value):
    """The score file of a line of the grid."""
    named = {key: line[key] for key in (*CELL, "language", "metric")}
    parts = {"f1": value + 0.1, "exact_match": value - 0.1}
    found = parts if line["metric"] == "squad" else {"accuracy": value}
    return {**named, "score": value, "metrics": found, "n": 10, "spec": spec(line["score"])}


# Two rows, two seeds, two targets; German and English.
VALUES = {
    ("none", "seed1", "xnli", "de"): 0.50, ("none", "seed1", "xnli", "en"): 0.60,
    ("none", "seed2", "xnli", "de"): 0.52, ("none", "seed2", "xnli", "en"): 0.62,
    ("none", "seed1", "xquad", "de"): 0.30, ("none", "seed1", "xquad", "en"): 0.50,
    ("none", "seed2", "xquad", "de"): 0.30, ("none", "seed2", "xquad", "en"): 0.50,
    ("mnli", "seed1", "xnli", "de"): 0.60, ("mnli", "seed1", "xnli", "en"): 0.70,
    ("mnli", "seed2", "xnli", "de"): 0.60, ("mnli", "seed2", "xnli", "en"): 0.70,
    ("mnli", "seed1", "xquad", "de"): 0.20, ("mnli", "seed1", "xquad", "en"): 0.40,
    ("mnli", "seed2", "xquad", "de"): 0.20, ("mnli", "seed2", "xquad", "en"): 0.40,
}  # fmt: skip


def experiment(values=VALUES):
    """A grid, and the score of each of its files by path."""
    lines = [row(*key) for key in values]
    return pd.DataFrame(lines), {
        line["score"]: score(line, value)
        for line, value in zip(lines, values.values(), strict=True)
    }


def cells(grid, files):
    found, refused = scores.collect(grid, files.get)
    assert not refused
    return scores.cell_values(grid, found)


def main_table(grid, files):
    return tables.main_table(cells(grid, files))


def as_rows(table):
    """The table as lists, rounded, None for what is missing."""
    return [
        [x if isinstance(x, str) else None if pd.isna(x) else round(x, 6) for x in line]
        for line in table.to_numpy().tolist()
    ]


def test_the_main_table_in_full():
    table = main_table(*experiment())
    assert list(table) == [
        "model", "intermediate", "xnli", "xnli delta", "xquad", "xquad delta", "average",
        "average delta",
    ]  # fmt: skip
    assert as_rows(table) == [
        ["m", "none", 56.0, None, 40.0, None, 48.0, None],
        ["m", "mnli", 65.0, 9.0, 30.0, -10.0, 47.5, -0.5],
    ]


# Three seeds of one cell: their median is not their mean.
THREE = {
    ("none", "noseed", "tatoeba", "de"): 0.40,
    ("mnli", "seed1", "tatoeba", "de"): 0.50,
    ("mnli", "seed2", "tatoeba", "de"): 0.51,
    ("mnli", "seed3", "tatoeba", "de"): 0.70,
}


def test_the_main_table_has_the_median_over_seeds():
    table = main_table(*experiment(THREE))
    assert [line[2:4] for line in as_rows(table)] == [[40.0, None], [51.0, 11.0]]


def test_the_groups_table_in_full():
    """XTREME's retrieval is whole, its questions lack two targets; `own` is no task of it."""
    values = {
        ("none", "noseed", "bucc", "de"): 0.60, ("none", "noseed", "tatoeba", "de"): 0.30,
        ("none", "seed1", "xquad", "de"): 0.50, ("none", "seed1", "own", "de"): 0.10,
        ("mnli", "seed1", "bucc", "de"): 0.70, ("mnli", "seed1", "tatoeba", "de"): 0.80,
        ("mnli", "seed1", "xquad", "de"): 0.55, ("mnli", "seed1", "own", "de"): 0.20,
    }  # fmt: skip
    table = tables.groups_table(main_table(*experiment(values)))
    assert list(table) == [
        "model", "intermediate", "classification", "classification delta", "tagging",
        "tagging delta", "qa", "qa delta", "retrieval", "retrieval delta", "overall",
        "overall delta",
    ]  # fmt: skip
    empty = [None] * 6
    assert as_rows(table) == [
        ["m", "none", *empty, 45.0, None, None, None],
        ["m", "mnli", *empty, 75.0, 30.0, None, None],
    ]


def test_one_missing_language_of_one_seed_is_a_missing_cell():
    grid, files = experiment()
    del files["scores/m/mnli/seed2/xquad/de.json"]
    assert as_rows(main_table(grid, files)) == [
        ["m", "none", 56.0, None, 40.0, None, 48.0, None],
        ["m", "mnli", 65.0, 9.0, None, None, None, None],
    ]
    grid, files = experiment()
    del files["scores/m/none/seed1/xnli/de.json"]
    assert as_rows(main_table(grid, files)) == [
        ["m", "none", None, None, 40.0, None, None, None],
        ["m", "mnli", 65.0, None, 30.0, -10.0, 47.5, None],
    ]


def test_without_any_score_everything_is_missing():
    grid, _ = experiment()
    assert as_rows(main_table(grid, {})) == [
        ["m", "none", *[None] * 6],
        ["m", "mnli", *[None] * 6],
    ]


def test_a_grid_without_the_row_none_has_no_deltas():
    grid, files = experiment({k: v for k, v in VALUES.items() if k[0] == "mnli"})
    assert as_rows(main_table(grid, files)) == [["m", "mnli", 65.0, None, 30.0, None, 47.5, None]]


def test_each_model_has_its_own_baseline():
    lines = [row(i, "seed1", "xnli", "en", model) for model in ("b", "a") for i in ("none", "mnli")]
    grid = pd.DataFrame(lines)
    values = zip(lines, (0.5, 0.75, 0.25, 0.75), strict=True)
    files = {line["score"]: score(line, value) for line, value in values}
    assert [line[:4] for line in as_rows(main_table(grid, files))] == [
        ["b", "none", 50.0, None],
        ["b", "mnli", 75.0, 25.0],
        ["a", "none", 25.0, None],
        ["a", "mnli", 75.0, 50.0],
    ]


def test_a_cell_without_seed_is_compared_with_the_seeds_of_the_others():
    values = {
        ("none", "noseed", "tatoeba", "de"): 0.5,
        ("mnli", "seed1", "tatoeba", "de"): 0.6,
        ("mnli", "seed2", "tatoeba", "de"): 0.8,
    }
    table = main_table(*experiment(values))
    assert [line[2:4] for line in as_rows(table)] == [[50.0, None], [70.0, 20.0]]


NO_DELTAS = pd.DataFrame(columns=significance.COLUMNS).assign(survives=False)


def test_the_main_table_is_shown_as_the_paper_shows_it():
    grid, files = experiment()
    del files["scores/m/mnli/seed2/xquad/de.json"]
    survives = {"model": "m", "intermediate": "mnli", "target": "xnli", "survives": True}
    deltas = pd.DataFrame([survives], columns=significance.COLUMNS)
    shown = {"xnli": "acc", "xquad": "F1+EM"}
    assert to_markdown(tables.main_text_table(main_table(grid, files), deltas, shown, 1, 16)) == (
        "| model   | intermediate   | xnli (acc)   | xquad (F1+EM)   | average   |\n"
        "|:--------|:---------------|:-------------|:----------------|:----------|\n"
        "| m       | none           | 56.0         | 40.0            | 48.0      |\n"
        "| m       | mnli           | **+9.0\\***   | –               | –         |\n"
        "\n"
        "Mean over languages, then median over seeds, in percent; differences to the row none."
        " \\*: more than the noise of examples and seeds (5%, Holm-corrected; seeds.csv)."
        " –: 2 cells are not complete; 1 of 16 score files are missing.\n"
    )
    whole = tables.main_text_table(main_table(*experiment()), NO_DELTAS, {}, 0, 16)
    assert whole.notes == [
        "Mean over languages, then median over seeds, in percent; differences to the row none."
    ]


def test_a_cell_that_the_grid_leaves_out_is_no_missing_one():
    grid, files = experiment()
    left_out = (grid["intermediate"] == "mnli") & (grid["target"] == "xquad")
    table = main_table(grid[~left_out], files)
    assert tables.main_text_table(table, NO_DELTAS, {}, 0, 12).notes[-1] == "–: not in the grid."


def test_the_long_form_has_a_row_a_column():
    table = main_table(*experiment({k: v for k, v in VALUES.items() if k[2] == "xnli"}))
    long = tables.to_long(table, "target")
    assert list(long) == ["model", "intermediate", "target", "value", "delta"]
    assert as_rows(long) == [
        ["m", "none", "xnli", 56.0, None],
        ["m", "none", "average", 56.0, None],
        ["m", "mnli", "xnli", 65.0, 9.0],
        ["m", "mnli", "average", 65.0, 9.0],
    ]


def test_every_metric_has_a_heading():
    assert tables.SHORT_METRICS.keys() == metrics.METRICS.keys()


@pytest.mark.parametrize(
    "keys",
    [
        [("none", "seed1", "xnli", "en")],
        [("mnli", "seed1", "xnli", "de")],
        [k for k in VALUES if k[0] == "mnli"],
        [k for k in VALUES if k[3] == "de"],
        [],
    ],
    ids=["one cell", "one cell, no baseline", "no baseline", "one language", "no score"],
)
def test_a_small_grid_has_all_tables(tmp_path, keys):
    grid, files = experiment({key: VALUES[key] for key in keys or VALUES})
    tables_step.main(write(tmp_path, grid, files if keys else {}))
    folders = ["--tables", str(tmp_path / "tables"), "--out", str(tmp_path / "figures")]
    figures_step.main(figures_step.parser().parse_args(folders))
    for name in ("heatmap", "gap", "curves", f"languages/m/{grid['target'].iloc[0]}"):
        assert (tmp_path / f"figures/{name}.png").stat().st_size > 1000
        assert "</svg>" in (tmp_path / f"figures/{name}.svg").read_text()


def write(root, grid, files):
    for path, content in files.items():
        write_json(root / path, content)
    grid = grid.assign(score=[str(root / path) for path in grid["score"]])
    grid.to_csv(root / "grid.csv", index=False)
    folders = ["--grid", str(root / "grid.csv"), "--out", str(root / "tables")]
    return tables_step.parser().parse_args(folders)


def test_the_step_writes_the_tables_and_says_the_main_one(tmp_path, capsys):
    tables_step.main(write(tmp_path, *experiment()))
    assert (tmp_path / "tables/main.csv").read_text().splitlines() == [
        "model,intermediate,xnli,xnli delta,xquad,xquad delta,average,average delta",
        "m,none,56.0000,,40.0000,,48.0000,",
        "m,mnli,65.0000,9.0000,30.0000,-10.0000,47.5000,-0.5000",
    ]
    seeds = (tmp_path / "tables/seeds.csv").read_text().splitlines()
    assert seeds[0].startswith("model,intermediate,target,n,median,mean,sd,low,high,statistic,over")
    # 55 and 57: two seeds have no interval. There are no predictions, so no difference is tested.
    assert seeds[1] == "m,none,xnli,2,56.0000,56.0000,1.4142,,,,,,,,,,"
    long = (tmp_path / "tables/results.csv").read_text().splitlines()
    assert long[:2] == [
        "model,intermediate,seed,target,language,split,metric,headline,value,n",
        "m,none,1,xnli,de,dev,accuracy,True,50,10",
    ]
    assert len(long) == 1 + 8 + 3 * 8
    named = ["main", "traits", "seeds", "cost", "languages/xnli", "languages/xquad"]
    for name in named:
        for kind in ("csv", "md", "tex"):
            assert (tmp_path / f"tables/{name}.{kind}").read_text(), name
    tex = sorted(map(str, (tmp_path / "tables").rglob("*.tex")))
    assert compiled(tmp_path, tex) == [f"=={path}" for path in tex] and len(tex) == len(named)
    assert capsys.readouterr().out == (tmp_path / "tables/main.md").read_text()


def shown(root, values, checkpoints):
    """Run the step on a grid of several models; return the tables that are there."""
    lines, files = [], {}
    for model, checkpoint in checkpoints.items():
        for key, value in values.items():
            line = row(*key, model=model) | {"from": checkpoint}
            lines.append(line)
            files[line["score"]] = score(line, value)
    tables_step.main(write(root, pd.DataFrame(lines), files))
    return {path.stem for path in (root / "tables").glob("*.md")}


def test_the_paper_is_compared_with_its_model_alone(tmp_path):
    """Was: the toy encoder and XLM-R base beside the published figures of XLM-R Large."""
    large, base = "FacebookAI/xlm-roberta-large", "FacebookAI/xlm-roberta-base"
    values = {key: VALUES[key] for key in VALUES if key[2] == "xnli"}
    found = shown(tmp_path, values, {"m": large, "small": base, "t": "toy/xlmr"})
    assert found == {"main", "traits", "seeds", "cost", "comparison"}
    compared = (tmp_path / "tables/comparison.csv").read_text().splitlines()
    assert compared[1].startswith("m,none,xnli,,score,80.1000,memory,56.0000,-24.1000,15,2,")
    assert {line.split(",")[0] for line in compared[1:]} == {"m"}
    text = (tmp_path / "tables/comparison.md").read_text()
    assert text.endswith("Left out, because they are not XLM-R Large: small, t.\n")


def test_a_table_that_would_be_all_dashes_is_left_out(tmp_path):
    """And what stands there of an earlier grid goes. A group is shown if all its targets are."""
    bucc = {("none", "noseed", name, "de"): 0.5 for name in ("bucc", "tatoeba")}
    own = {"own": "/data/XLM-RoBERTa-large"}
    whole = {"main", "groups", "traits", "seeds", "cost", "comparison"}
    assert shown(tmp_path, bucc, own) == whole
    groups = (tmp_path / "tables/groups.md").read_text().splitlines()
    assert groups[0].split() == ["|", "model", "|", "intermediate", "|", "retrieval", "|"]
    english = {("none", "seed1", "xnli", "en"): 0.5}
    assert shown(tmp_path, english, {"m": "o/m"}) == {"main", "seeds", "cost"}
    assert not [*(tmp_path / "tables").glob("groups*"), *(tmp_path / "tables").glob("traits*")]


def test_a_difference_of_medians_that_is_not_that_of_means_is_said(tmp_path):
    """Was: +0.0 and the best in main, -0.9 in seeds."""
    grid, files = experiment(THREE)
    main = main_table(grid, files)
    delta = {"model": "m", "intermediate": "mnli", "target": "tatoeba", "language": ""}
    deltas = pd.DataFrame([delta | {"delta": 17.0}], columns=significance.COLUMNS)
    deltas["survives"] = False
    notes = tables.main_text_table(main, deltas, {}, 0, 4).notes
    assert notes[1] == (
        "Differences are of medians over seeds; those that are tested, in seeds.csv and"
        " deltas.csv, are of means, and may be others."
    )
    examples = deltas.assign(statistic=significance.EXAMPLE_VALUES)
    assert (
        " are of means (of tatoeba: of the mean value of the examples), and may be others."
        in (tables.main_text_table(main, examples, {}, 0, 4).notes[1])
    )
    same = deltas.assign(delta=11.0)
    assert len(tables.main_text_table(main, same, {}, 0, 4).notes) == 1


def test_a_difference_of_nothing_has_no_sign_in_any_file(tmp_path):
    """Was -0.0000 where two floats differ in their last bit."""
    values = {("none", "seed1", "xnli", "en"): 0.1 + 0.2, ("mnli", "seed1", "xnli", "en"): 0.3}
    tables_step.main(write(tmp_path, *experiment(values)))
    text = "".join(path.read_text() for path in (tmp_path / "tables").glob("main*"))
    assert "-0.0" not in text and "−0.0" not in text and "| 0.0 " in text.replace("**", "")


def test_the_step_names_refused_files_and_still_writes_the_rest(tmp_path, capsys):
    args = write(tmp_path, *experiment())
    damaged = tmp_path / "scores/m/none/seed1/xnli/de.json"
    damaged.write_text("{")
    other = tmp_path / "scores/m/mnli/seed1/xnli/de.json"
    other.write_text(json.dumps({**json.loads(other.read_text()), "spec": {}}))
    with pytest.raises(
        UserError, match=r"2 score file.s. refused: .*none/seed1/xnli/de\.json: cannot"
    ):
        tables_step.main(args)
    out = capsys.readouterr().out
    assert f"refused: {damaged}: cannot be read as JSON" in out
    assert f"refused: {other}: a score from another spec" in out
    assert "2 of 16 score files are missing" in (tmp_path / "tables/main.md").read_text()


def test_names_that_look_like_numbers_stay_names(tmp_path):
    """pandas would read a model `007`, or a digest of digits, as a number."""
    line = row("none", "seed1", "xnli", "en", model="007")
    content = {**score(line, 0.5)}
    for number in range(10**6):
        content["spec"] = {"number": number}
        if digest(content["spec"]).isdecimal():
            break
    grid = pd.DataFrame([{**line, "spec": digest(content["spec"])}])
    tables_step.main(write(tmp_path, grid, {line["score"]: content}))
    assert (tmp_path / "tables/main.csv").read_text().splitlines()[
        1
    ] == "007,none,50.0000,,50.0000,"
