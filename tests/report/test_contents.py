"""What the report holds, as data; what it does without parts of the results, and on a big grid."""

import json
import re
import time

import pytest
from tests import results
from tests.experiment.test_grid import make

from xstilts.analysis import significance
from xstilts.analysis.colours import Scale
from xstilts.data import prepare
from xstilts.experiment.cells import Cell
from xstilts.report import cells, contents, page, training, values
from xstilts.running import record
from xstilts.running.errors import UserError
from xstilts.running.files import write_json
from xstilts.steps import tables as tables_step


def test_the_contents_in_full(tmp_path):
    results.write(tmp_path, seeds=[1], languages=["de"], targets=["xnli"])
    found = contents.read(tmp_path / results.HOME / "grid.csv")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", dict(found["facts"])["date"])
    none, mnli = found.pop("cells")
    assert [t["folder"] for t in found.pop("trainings")] == [
        "results/tuned/m/none/seed1/mnli",
        "results/encoders/m/mnli/seed1",
        "results/tuned/m/mnli/seed1/mnli",
    ]
    assert found == {
        "title": "xstilts",
        "questions": [],
        "facts": [
            ["date", dict(found["facts"])["date"]],
            ["code", record.code()],
            ["experiment", "e"],
            ["data", "hub"],
            ["split", "dev"],
            ["seeds", "seed1"],
            ["score files", "2"],
            ["devices", "cpu"],
            ["packages", "torch 2"],
        ],
        "notes": [
            "Mean over languages, then median over seeds, in percent; differences to the row none."
        ],
        "targets": [
            {
                "name": "xnli",
                "metric": "acc",
                "languages": ["de"],
                "chance": {"mean": "33.3", "languages": ["33.3"]},
            }
        ],
        "rows": [
            {"model": "m", "intermediate": "none"},
            {"model": "m", "intermediate": "mnli"},
        ],
        "main": [
            [{"value": 50.0, "text": "50.0"}] * 2,
            [
                {
                    "value": 60.0,
                    "text": "60.0",
                    "delta": "+10.0",
                    "paint": {"colour": "#185a96", "dark": True, "loss": False},
                    "best": True,
                }
            ]
            * 2,
        ],
        "scale": values.legend(Scale(10.0)),
        "languages": [[[["50.0", ""]]], [[["60.0", "+10.0"]]]],
        "differences": {"0/1": [["+10.0", "+10.0"], [["+10.0"]]]},
        "states": {"done": 2},
        "files": {},
        "left_out": [],
        "pins": {
            name: ["r1"]
            for name in ("datasets/facebook/xnli", "datasets/nyu-mll/glue", "models/o/m")
        },
    }
    assert [none["trainings"], mnli["trainings"]] == [[0], [1, 2]]
    assert mnli.pop("examples").keys() == {"de"} and mnli.pop("spec")["weights"] == "w1"
    assert mnli == {
        "row": 1,
        "target": 0,
        "seed": "seed1",
        "state": "done",
        "have": 1,
        "asked": 1,
        "reason": "",
        "log": "results/logs/evaluate/m/mnli/seed1/xnli.log",
        "tail": ["m/mnli/seed1/xnli is done"],
        "scores": ["60.0"],
        "trainings": [1, 2],
    }


def deltas(path, *lines):
    path.write_text("\n".join([",".join(significance.COLUMNS), *lines, ""]))


def test_what_is_noise_is_taken_from_the_deltas_over_all_languages(tmp_path):
    results.write(tmp_path)

    def page(*lines):
        deltas(tmp_path / "deltas.csv", *lines)
        found = contents.read(tmp_path / results.HOME / "grid.csv", tmp_path)
        marked = [[field.get("marked", False) for field in row] for row in found["main"]]
        return marked, found["notes"][1:]

    both = "examples and seeds"
    star = "*: more than the noise of examples and seeds (5%, Holm-corrected; seeds.csv)."
    nothing = [[False] * 3] * 2
    assert page(
        f"m,mnli,xnli,,score,{both},10,,,,,True",
        f"m,mnli,tatoeba,de,score,{both},-4,,,,,True",
        f"m,of-an-earlier-grid,xnli,,score,{both},-4,,,,,True",
    ) == (
        [[False] * 3, [True, False, False]],
        [star],
    )
    assert page(f"m,mnli,xnli,,score,{both},10,,,,,False") == (nothing, [])
    one_seed = "Fewer than 3 seeds: the noise of training is not known, so no difference is marked."
    assert page("m,mnli,xnli,,score,examples,10,,,,,False") == (nothing, [one_seed])
    assert page() == (nothing, [])


def test_a_language_that_a_target_lacks_and_a_single_gold_value_are_noted(tmp_path, monkeypatch):
    monkeypatch.setitem(results.PREDICTIONS, "pawsx", results.PREDICTIONS["xnli"])
    results.write(tmp_path, targets=["xnli", "pawsx"], seeds=[1])
    path = tmp_path / "results/data/xnli/ru.dev.parquet"
    format, rows = results.ROWS["xnli"]
    prepare.write(path, rows, format, {"one_value": "neutral", "spec": {"format": format}})
    found = contents.read(tmp_path / results.HOME / "grid.csv")
    assert found["notes"][1:] == ["pawsx has no ru.", "xnli, ru: the only gold value is neutral."]


def test_a_number_is_the_same_on_the_page_and_in_the_table(tmp_path, monkeypatch):
    """Today: -1.25 is -1.2 in main.md and -1.3 on the page."""
    results.write(tmp_path, seeds=[1], languages=["de"], targets=["xnli"])
    scored = {"none": 0.4, "mnli": 0.3875}
    for name, score in scored.items():
        path = tmp_path / f"results/scores/m/{name}/seed1/xnli/de.json"
        results.change(path, score=score, metrics={"accuracy": score})
    monkeypatch.chdir(tmp_path)
    home = tmp_path / results.HOME
    given = ["--grid", str(home / "grid.csv"), "--out", str(home / "tables")]
    tables_step.main(tables_step.parser().parse_args(given))
    found = contents.read(home / "grid.csv", home / "tables")
    delta = found["main"][1][0]["delta"]
    assert delta == "−1.3" and f"| {delta} " in (home / "tables/main.md").read_text()
    assert found["languages"][1][0][0][1] == delta == found["differences"]["0/1"][0][0]
    script = "\n".join(page._part(f"{name}.js") for name in page.SCRIPTS if name != "chart")
    assert not re.search(r"toFixed|toPrecision|Math\.round|toLocaleString", script)


def test_differences_are_dropped_by_language_first_where_there_are_too_many(tmp_path, monkeypatch):
    names = {f"i{n}": {"tasks": ["mnli"]} for n in range(4)}
    results.write(tmp_path, seeds=[1], intermediates=names)
    read = lambda: contents.read(tmp_path / results.HOME / "grid.csv")["differences"]  # noqa: E731
    whole = read()
    assert len(whole) == 10 and all(by_language for _, by_language in whole.values())
    monkeypatch.setattr(values, "MAX_DIFFERENCES", 10 * 3 * 8)
    assert {by_language for _, by_language in read().values()} == {None}
    monkeypatch.setattr(values, "MAX_DIFFERENCES", 10 * 3 * 8 - 1)
    assert read() is None


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", None])
def test_tables_that_are_not_there_are_one_line(tmp_path, text):
    results.write(tmp_path)
    if text is not None:
        (tmp_path / "deltas.csv").write_text(text)
    with pytest.raises(UserError, match="no result tables; the step `tables` makes them"):
        contents.read(tmp_path / results.HOME / "grid.csv", tmp_path)


def test_a_training_in_full():
    spec = {"task": "mnli", "recipe": {"epochs": 3}}
    assert training.summary(results.training(spec), "results/tuned/m/none/seed1/mnli") == {
        "folder": "results/tuned/m/none/seed1/mnli",
        "task": "mnli",
        "curve": [[100, 0.9, 50.0], [200, 0.7, 60.0]],
        "chance": None,
        "best": 200,
        "score": "60.0",
        "spec": spec,
        "facts": [
            ["steps", "200"],
            ["examples", "50"],
            ["time", "8 s"],
            ["speed", "500 tokens/s"],
            ["device", "cpu, fp32"],
            ["peak memory", "3 MB"],
        ],
        "warnings": [],
    }


def test_a_mix_is_named_by_its_tasks():
    spec = {"tasks": [{"task": "mnli"}, {"task": "mlm"}]}
    assert training.summary(results.training(spec), "f")["task"] == "mnli + mlm"


def test_a_cell_after_a_chain_lists_all_its_trainings_in_order(tmp_path):
    chain = {"a": {"tasks": ["mnli"]}, "b": {"tasks": ["squad"], "after": "a"}}
    grid = make(intermediates=chain, exclude=[{"intermediate": "a"}])
    folders = ["encoders/m/a/seed1", "encoders/m/b/seed1", "tuned/m/b/seed1/squad"]
    for folder in folders:
        node = results.training({"task": "mnli"})
        write_json(tmp_path / "results" / folder / "node.json", node)
    trainings = training.Trainings(tmp_path, grid)
    assert trainings.of(Cell("m", "b", "seed1", "xquad")) == [0, 1, 2]
    assert trainings.of(Cell("m", "b", "seed1", "tatoeba")) == [0, 1]
    assert trainings.of(Cell("m", "none", "noseed", "tatoeba")) == []
    found = [summary["folder"] for summary in trainings.summaries]
    assert found == [f"results/{folder}" for folder in folders]


def test_a_long_curve_is_subsampled_and_keeps_its_ends():
    points = list(range(1000))
    found = training.subsample(points, 60)
    assert len(found) == 60 and found[0] == 0 and found[-1] == 999
    assert training.subsample(points[:60], 60) == points[:60]


def test_a_copy_of_the_scores_alone_is_enough(tmp_path):
    results.write(tmp_path / "whole")
    for name in (f"{results.HOME}/grid.csv", "results/scores"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "whole" / name).rename(tmp_path / name)
    found = contents.read(tmp_path / results.HOME / "grid.csv")
    assert found["states"] == {"done": 7} and found["trainings"] == []
    assert found["cells"][0]["examples"]["de"][0]["shown"][0] == ["row", "1"]


def test_a_refused_score_shows_neither_spec_nor_predictions(tmp_path):
    results.write(tmp_path, seeds=[1], languages=["de"], targets=["xnli"])
    path = tmp_path / "results/scores/m/none/seed1/xnli/de.json"
    results.change(path, spec={"kind": "other"})
    cell = contents.read(tmp_path / results.HOME / "grid.csv")["cells"][0]
    assert cell["state"] == "stale" and "another spec" in cell["reason"]
    assert cell["reason"].startswith("results/scores/m/none/seed1/xnli/de.json: ")
    assert (cell["scores"], cell["spec"], cell["examples"]) == (["–"], None, {})


def test_a_damaged_score_is_named(tmp_path):
    results.write(tmp_path, seeds=[1], languages=["de"], targets=["xnli"])
    (tmp_path / "results/scores/m/none/seed1/xnli/de.json").write_text("{")
    cell = contents.read(tmp_path / results.HOME / "grid.csv")["cells"][0]
    assert cell["state"] == "stale"
    assert cell["reason"].startswith("results/scores/m/none/seed1/xnli/de.json: cannot be read")


def test_data_cannot_end_its_element():
    hostile = {"<script>": "</script><!-- & \u2028"}
    text = page.as_json(hostile)
    assert not re.search("[<>&\u2028]", text) and json.loads(text) == hostile


def test_nothing_that_is_filled_in_is_taken_for_a_name(tmp_path):
    results.write(tmp_path)
    data = contents.read(tmp_path / results.HOME / "grid.csv") | {"title": "{{data}} <b>"}
    assert "<title>{{data}} &lt;b&gt;: results</title>" in page.render(data)


def test_the_page_names_no_other_place(tmp_path):
    results.write(tmp_path)
    html = page.render(contents.read(tmp_path / results.HOME / "grid.csv"))
    places = set(re.findall(r"https?://[^\"' ]+", html))
    assert places == {"http://www.w3.org/2000/svg"}, "the name of a format, not an address"


def test_the_page_of_a_big_grid_is_bounded(tmp_path, monkeypatch):
    """A tenth of the bounds, a tenth of the grid."""
    seeds, names = [1, 2, 3], [f"i{n}" for n in range(8)]
    results.write(tmp_path, seeds=seeds, intermediates={n: {"tasks": ["mnli"]} for n in names})
    monkeypatch.setattr(cells, "MAX_EXAMPLES", 6_000)
    monkeypatch.setattr(cells, "MAX_LOGS", 500)
    start = time.monotonic()
    found = contents.read(tmp_path / results.HOME / "grid.csv")["cells"]
    assert time.monotonic() - start < 20
    assert len(found) == 9 * 6 - 2
    with_examples = [cell for cell in found if cell["examples"]]
    assert {cell["seed"] for cell in with_examples} <= {"seed1", "noseed"}
    size = sum(len(json.dumps(cell["examples"])) for cell in with_examples)
    assert 0 < size < 12_000
    assert sum(len(line) for cell in found for line in cell["tail"]) < 600


@pytest.mark.parametrize(
    ("write", "line"),
    [
        ({}, "grid.csv: there is no such file"),
        ({"grid.csv": "a,b\n1,2\n"}, "grid.csv: no grid: no column `model`"),
        ({"grid.csv": "\x00"}, "grid.csv: no grid"),
    ],
)
def test_a_grid_that_is_none_is_one_line(tmp_path, write, line):
    for name, text in write.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=line):
        contents.read(tmp_path / "grid.csv")


@pytest.mark.parametrize("text", ["a: [", "just text", "source: nowhere", "sources: hub"])
def test_a_config_that_is_none_is_one_line(tmp_path, text):
    results.write(tmp_path)
    (tmp_path / results.HOME / "config.yaml").write_text(text)
    with pytest.raises(UserError, match=r"config\.yaml: "):
        contents.read(tmp_path / results.HOME / "grid.csv")


def test_a_grid_of_another_config_is_one_line(tmp_path):
    results.write(tmp_path)
    results.write(tmp_path / "other", seeds=[3])
    (tmp_path / "results/scores/m/none/seed1/xnli/de.json").unlink()
    config = f"{results.HOME}/config.yaml"
    (tmp_path / "other" / config).rename(tmp_path / config)
    with pytest.raises(UserError, match=r"has the cell m/none/seed1/xnli, which config\.yaml"):
        contents.read(tmp_path / results.HOME / "grid.csv")


def test_a_damaged_record_of_a_training_is_left_out(tmp_path):
    results.write(tmp_path, seeds=[1], languages=["de"], targets=["xnli"])
    for name, content in (("none", []), ("mnli", {"kind": "train"})):
        write_json(tmp_path / f"results/tuned/m/{name}/seed1/mnli/node.json", content)
    found = contents.read(tmp_path / results.HOME / "grid.csv")
    assert [t["folder"] for t in found["trainings"]] == ["results/encoders/m/mnli/seed1"]
