"""Figures: what is drawn of hand-written rows, read back from the axes."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from xstilts.analysis import cost, estimates, figure_data, significance
from xstilts.analysis.colours import Scale
from xstilts.analysis.plots import curves, dots, gap, heatmap, style
from xstilts.monitoring import products
from xstilts.running.errors import UserError
from xstilts.steps import figures as figures_step

NAN = float("nan")
MAIN = pd.DataFrame(
    [
        ("a", "none", 50.0, NAN, 60.0, NAN),
        ("a", "mnli", 48.0, -2.0, 60.0, 0.0),
        ("b", "none", 50.0, NAN, 60.0, NAN),
        ("b", "mnli", 60.0, 10.0, NAN, NAN),
    ],
    columns=["model", "intermediate", "xnli", "xnli delta", "xquad", "xquad delta"],
)


def texts(axes):
    return [text.get_text() for text in axes.texts]


def messages(figure):
    return [text.get_text() for text in figure.texts]


def test_the_heatmap_prints_signs_on_a_scale_around_zero():
    figure = heatmap.draw(MAIN, {("b", "mnli", "xnli")})
    first, second, _ = figure.axes
    assert texts(first) == ["−2.0", "0.0"] and texts(second) == ["+10.0*", "–"]
    assert [panel.get_title(loc="left") for panel in (first, second)] == ["a", "b"]
    assert [panel.images[0].get_clim() for panel in (first, second)] == [(-10.0, 10.0)] * 2


def test_without_a_difference_the_heatmap_says_so():
    assert "No difference" in messages(heatmap.draw(MAIN[MAIN["intermediate"] == "none"], set()))[0]


def test_the_heatmap_is_painted_as_the_page_is():
    panel = heatmap.draw(MAIN, set()).axes[1]
    scale = Scale.of([-2.0, 0.0, 10.0])
    assert panel.images[0].get_clim() == (-scale.limit, scale.limit)
    for delta in (-10.0, 0.0, 3.0, 10.0):
        seen = panel.images[0].to_rgba(delta)[:3]
        assert np.allclose(seen, to_rgb(scale.colour(delta)), atol=0.01)


def test_the_average_has_no_say_in_the_scale():
    main = MAIN.assign(average=1.0, **{"average delta": [NAN, -90.0, NAN, 90.0]})
    assert heatmap.draw(main, set()).axes[0].images[0].get_clim() == (-10.0, 10.0)


def test_what_the_asterisk_means_is_below_the_heatmap():
    assert heatmap.draw(MAIN, {("b", "mnli", "xnli")}).get_supxlabel().startswith("*: more than")
    assert heatmap.draw(MAIN, set()).get_supxlabel() == ""


def deltas(rows):
    lines = [
        dict(model="a", intermediate=i, target="xnli", language=language, delta=delta, low=low)
        | dict(high=high, statistic="score", over="examples", survives=False)
        for i, language, delta, low, high in rows
    ]
    return pd.DataFrame(lines, columns=significance.COLUMNS)


def test_dots_are_in_the_order_of_languages_and_filled_where_the_interval_leaves_out_zero():
    rows = [
        ("mnli", "", 1.0, 0.0, 2.0),
        ("mnli", "de", -1.0, -2.0, 1.0),
        ("mnli", "en", 3.0, 1.0, 5.0),
    ]
    figure = dots.draw(deltas(rows), "xnli, a", ["ru"])
    [axes] = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["de", "en"], "English on top"
    points = axes.collections[-1]
    assert points.get_offsets().tolist() == [[-1.0, 0.0], [3.0, 1.0]]
    blue = to_rgb(style.COLOURS[0])
    assert [tuple(colour[:3]) for colour in points.get_facecolors()] == [(1.0, 1.0, 1.0), blue]
    assert messages(figure) == [
        "difference to none, points (score)\nline: 95% interval over examples\n"
        "filled: the interval leaves out zero\nmissing: ru",
        "xnli, a",
    ]
    assert "no difference to show" in messages(dots.draw(deltas([]), "xnli, a"))[0]


def test_what_the_intervals_are_over_is_said_of_all_of_them():
    """Two seeds do not show the noise of training; their interval is over examples, and says so."""
    table = deltas([("mnli", "de", 1.0, 0.5, 2.0), ("squad", "de", 1.0, 0.5, 2.0)])
    table["over"] = [estimates.EXAMPLES, estimates.EXAMPLES_AND_SEEDS]
    note = messages(dots.draw(table, "xnli, a"))[0]
    assert "line: 95% interval over examples or examples and seeds" in note


def test_the_languages_without_a_difference_are_named():
    table = pd.DataFrame([], columns=["model", "en", "en delta", "de", "de delta", "gap delta"])
    assert figure_data.missing_languages(table, deltas([("mnli", "en", 1.0, 0.0, 2.0)])) == ["de"]


def extents(figure, texts):
    renderer = figure.canvas.get_renderer()
    return [text.get_window_extent(renderer) for text in texts if text.get_text()]


def test_long_names_are_neither_cut_nor_on_each_other():
    names = ["multi-en-anli-mnli-qqp-squad2-mlm", "mnli-translated-de-es-fr-zh-balanced"]
    rows = [(name, code, 1.0, 0.0, 2.0) for name in names for code in ("en", "zh-Hant-HK")]
    figure = dots.draw(deltas(rows), "a-target-with-a-long-name, a-model-with-a-long-name")
    FigureCanvasAgg(figure).draw()
    [axes] = figure.axes
    labels = [*axes.get_xticklabels(), *axes.get_yticklabels()]
    boxes = extents(figure, [*axes.texts, *figure.texts, *labels])
    width, height = figure.bbox.size
    assert all(b.x0 >= 0 and b.x1 <= width and b.y0 >= 0 and b.y1 <= height for b in boxes)
    assert not [(a, b) for a, b in combinations(boxes, 2) if a.overlaps(b)]


def test_titles_of_panels_are_not_on_each_other():
    names = ["multi-en-anli-mnli-qqp-squad2-mlm", "mnli-translated-de-es-fr-zh-balanced", "squad"]
    rows = [
        ("intermediate", model, name, "seed1", "", 1, 1.0, 50.0, True)
        for model in ("xlm-roberta-large-of-our-own", "b")
        for name in names
    ]
    table = pd.DataFrame(rows, columns=cost.CURVE_COLUMNS)
    figure = curves.draw(figure_data.curves(table, {}))
    FigureCanvasAgg(figure).draw()
    titles = [a._left_title for a in figure.axes if a.get_visible()]
    boxes = extents(figure, titles)
    assert len(boxes) == 6 and not [(a, b) for a, b in combinations(boxes, 2) if a.overlaps(b)]
    assert "of-our-own" in titles[0].get_text(), "models in the order of the grid"


def test_more_columns_than_fit_go_below():
    rows = [(f"task{i}", "de", 1.0, 0.0, 2.0) for i in range(dots.MAX_COLUMNS + 1)]
    assert len(dots.draw(deltas(rows), "xnli, a").axes) == 2


def test_the_gap_has_a_panel_a_model_and_a_line_a_target():
    rows = [("a", "none", "xnli", 10.0), ("a", "mnli", "xnli", 8.0), ("b", "none", "xquad", NAN)]
    figure = gap.draw(pd.DataFrame(rows, columns=["model", "intermediate", "target", "gap"]))
    [axes] = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["xnli"]
    assert [points.get_offsets()[0][0] for points in axes.collections] == [10.0, 8.0]
    nothing = pd.DataFrame([], columns=["model", "intermediate", "target", "gap"])
    assert "No transfer gap" in messages(gap.draw(nothing))[0]


def test_curves_have_a_panel_a_training_and_a_line_a_seed():
    rows = [
        ("tune", "a", "none", seed, "squad", step, 1.0, 10.0 * step, step == 2)
        for seed in ("seed1", "seed2")
        for step in (1, 2)
    ]
    rows.append(("intermediate", "a", "mnli", "seed1", "", 5, 1.0, 50.0, True))
    table = pd.DataFrame(rows, columns=cost.CURVE_COLUMNS)
    data = figure_data.curves(table, {("intermediate", "mnli"): 33.3, ("tune", "mnli"): 1.0})
    assert data["chance"].dropna().tolist() == [33.3]
    figure = curves.draw(data)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "stage 1: mnli",
        "tuning on squad",
    ]
    tuned = figure.axes[1].lines
    assert [line.get_ydata().tolist() for line in tuned] == [[10.0, 20.0], [20.0]] * 2
    assert figure.axes[0].lines[-1].get_ydata() == [33.3, 33.3], "the chance level"
    low, high = figure.axes[0].get_ylim()
    assert low < 33.3 < 50.0 < high < 60.0
    [legend] = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["none", "mnli", "kept", "chance"]
    assert "No learning curves" in messages(curves.draw(data[:0]))[0]


def test_tenths_of_a_point_do_not_fill_a_panel():
    rows = [("tune", "a", "none", "seed1", "udpos", s, 1.0, 96.0 + s / 10, s == 2) for s in (1, 2)]
    table = pd.DataFrame(rows, columns=cost.CURVE_COLUMNS)
    low, high = curves.draw(figure_data.curves(table, {})).axes[0].get_ylim()
    assert high - low == pytest.approx(curves.SMALLEST_SPAN)


def test_markers_differ_in_grey_too():
    markers = style.markers(f"task{i}" for i in range(12))
    assert len({style["marker"] for style in markers.values()}) == 12


def test_a_table_is_read_with_its_names_as_text(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("model,language,delta,survives\n007,nan,,True\nnone,,1.5,\n")
    found = figure_data.read_table(path)
    assert found["model"].tolist() == ["007", "none"] and found["language"].tolist() == ["nan", ""]
    assert found["delta"].isna().tolist() == [True, False] and found["delta"][1] == 1.5
    assert found["survives"].tolist() == [True, False]


def test_without_tables_the_step_says_who_makes_them(tmp_path):
    given = ["--tables", str(tmp_path), "--out", str(tmp_path / "figures"), "--processes", "2"]
    args = figures_step.parser().parse_args(given)
    with pytest.raises(UserError, match=r"main\.csv: there is no such table; the step `tables`"):
        figures_step.main(args)


def test_the_same_figure_is_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        style.save(heatmap.draw(MAIN, set()), tmp_path / name)
    for kind in products.FIGURE_KINDS:
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()


def test_fonts_are_embedded_as_truetype(tmp_path):
    style.save(heatmap.draw(MAIN, set()), tmp_path / "one", ["pdf"])
    pdf = (tmp_path / "one.pdf").read_bytes()
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf
