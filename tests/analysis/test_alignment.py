"""Alignment as a table: by hand, from files as the step writes them."""

import pandas as pd
import pytest
from tests.experiment.test_grid import make

from xstilts.analysis import alignment
from xstilts.analysis.plots.alignment import draw
from xstilts.experiment.alignment import Row
from xstilts.running.files import write_json

NONE, MNLI = Row("m", "none", "noseed"), Row("m", "mnli", "seed1")
SETS = {"pairs": {"task": "tatoeba", "layers": [0, 2], "measures": ["cka", "margin"]}}


def grid(**changes):
    asked = {"targets": ["xnli"], "languages": ["de", "ru"], "seeds": [1], "tasks": {}}
    return make(**{**asked, "alignment": SETS, **changes})


def written(root, of, row, lang, values, **changes):
    """Write what is measured: layer -> {measure: value}."""
    spec = of.alignment_specs(row, "pairs")[lang]
    path = root / row.folder("pairs") / f"{lang}.json"
    write_json(path, {"spec": spec, "sentences": 7, "layers": values, **changes})
    return path


def test_a_row_a_value_in_the_order_of_the_config(tmp_path):
    of = grid()
    written(tmp_path, of, MNLI, "de", {"0": {"margin": 1.25, "cka": 0.5}, "2": {"margin": 1.5}})
    written(tmp_path, of, NONE, "ru", {"2": {"margin": 1.0}})
    table, refused = alignment.read(of, tmp_path)
    assert list(table.itertuples(index=False, name=None)) == [
        ("m", "none", "noseed", "pairs", "ru", 2, "margin", 1.0, 7, 2000),
        ("m", "mnli", "seed1", "pairs", "de", 0, "margin", 1.25, 7, 2000),
        ("m", "mnli", "seed1", "pairs", "de", 0, "cka", 0.5, 7, 2000),
        ("m", "mnli", "seed1", "pairs", "de", 2, "margin", 1.5, 7, 2000),
    ]
    assert refused == []


def test_nothing_measured_is_an_empty_table(tmp_path):
    for of in (grid(), grid(alignment={})):
        table, refused = alignment.read(of, tmp_path)
        assert (list(table.columns), len(table), refused) == (alignment.COLUMNS, 0, [])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"spec": {"kind": "other"}}, "measured for another spec than the config asks for"),
        ({"sentences": None}, "holds no measures"),
        ({"layers": {"first": {"cka": 1.0}}}, "holds no measures"),
    ],
)
def test_files_of_something_else_are_refused(tmp_path, changes, problem):
    of = grid()
    written(tmp_path, of, NONE, "de", {"0": {"cka": 0.5}}, **changes)
    table, refused = alignment.read(of, tmp_path)
    line = f"{NONE.folder('pairs')}/de.json: {problem}; delete it, run again"
    assert (len(table), refused) == (0, [line])


def long(**values):
    """A table of one set and measure: `none_1_de=[value at layer 0, at layer 1, ...]`."""
    rows = []
    for name, by_layer in values.items():
        intermediate, seed, language = name.split("_")
        for layer, value in enumerate(by_layer):
            key = ("m", intermediate, f"seed{seed}", "s", language, layer, "spectral")
            rows.append((*key, value, 9 if language == "de" else 12, 12))
    return pd.DataFrame(rows, columns=alignment.COLUMNS)


VALUES = {
    "none_1_de": [4.0, 2.0, 1.0, 1.0],
    "none_1_ru": [2.0, 2.0, 3.0, 1.0],
    "mnli_1_de": [4.0, 4.0, 4.0, 4.0],
    "mnli_2_de": [5.0, 5.0, 5.0, 5.0],
    "mnli_3_de": [9.0, 9.0, 9.0, 9.0],
}


def test_a_layer_is_the_median_over_seeds_of_the_mean_over_languages():
    found = alignment.by_layer(long(**VALUES))
    kept = ["intermediate", "layer", "languages", "value"]
    assert sorted(found[kept].itertuples(index=False, name=None)) == [
        ("mnli", 0, 1, 5.0), ("mnli", 1, 1, 5.0), ("mnli", 2, 1, 5.0), ("mnli", 3, 1, 5.0),
        ("none", 0, 2, 3.0), ("none", 1, 2, 2.0), ("none", 2, 2, 2.0), ("none", 3, 2, 1.0),
    ]  # fmt: skip


def test_the_summary_and_its_text():
    found = alignment.summary(alignment.by_layer(long(**VALUES)))
    assert found.to_dict("records") == [
        {"model": "m", "set": "s", "measure": "spectral", "intermediate": "none",
         "better": "lower", "languages": 2, "first": 3.0, "middle": 2.0, "last": 1.0, "mean": 2.0,
         "change": pytest.approx(float("nan"), nan_ok=True)},
        {"model": "m", "set": "s", "measure": "spectral", "intermediate": "mnli",
         "better": "lower", "languages": 1, "first": 5.0, "middle": 5.0, "last": 5.0, "mean": 5.0,
         "change": 3.0},
    ]  # fmt: skip
    text = alignment.text_table(found, long(**VALUES))
    assert text.notes[1] == (
        "s: 9 to 12 sentences a language, where `rows` allows 12: there are no more without"
        " repeats."
    )
    (whole,) = alignment.text_table(found, long(none_1_ru=[1.0])).notes[1:]
    assert whole == "s: 12 sentences a language."
    names, cells = text.rows[1]
    assert names == ["s", "m", "spectral (lower is better)", "mnli"]
    assert [cell.text for cell in cells] == ["5.0", "5.0", "5.0", "5.0", "+3.0"]


def test_without_the_row_none_there_is_no_change():
    of_mnli = {name: values for name, values in VALUES.items() if name.startswith("mnli")}
    found = alignment.summary(alignment.by_layer(long(**of_mnli)))
    assert found["change"].isna().all() and len(found) == 1
    assert alignment.summary(alignment.by_layer(long())).empty


def test_the_figure_has_a_panel_a_measure_and_a_line_an_intermediate():
    figure = draw(alignment.by_layer(long(**VALUES)), "s, m")
    (panel,) = figure.axes
    assert panel.get_title("left") == "spectral (lower is better)"
    lines = {line.get_color(): list(line.get_ydata()) for line in panel.get_lines()}
    assert lines == {"#0072B2": [5.0] * 4, "black": [3.0, 2.0, 2.0, 1.0]}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["none", "mnli"]
    assert "nothing is measured" in draw(alignment.by_layer(long()), "s, m").texts[0].get_text()
